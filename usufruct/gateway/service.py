"""The gateway: everything a caller can ask of it, and the work that goes on beside the calls."""

import logging
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass

from usufruct.assets import PricePeriod, UnknownListing
from usufruct.core import AssetId, Clock, NotFound, format_asset, hash32
from usufruct.core.jobs import Job
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.call_order_reader import CallOrderReader
from usufruct.gateway.call_rate import CallRate
from usufruct.gateway.call_releases import ReleaseQueue
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.disconnect_limit import DisconnectLimit
from usufruct.gateway.endpoints.listings import EndpointListings
from usufruct.gateway.endpoints.pipeline import EndpointPipeline
from usufruct.gateway.level_prices import LevelPrices
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.model import ServedListing
from usufruct.gateway.operations.base import Operation
from usufruct.gateway.operations.chat import chat
from usufruct.gateway.operations.embeddings import embeddings
from usufruct.gateway.operations.text import TextMeter
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.payers.base import PayerIdentity
from usufruct.gateway.payers.methods import PaymentMethods
from usufruct.gateway.pipeline import Pipeline
from usufruct.gateway.quality.service import FLUSH_SECONDS, ServiceQuality
from usufruct.gateway.quality.store import DAY
from usufruct.gateway.quality.summary import DAYS, Summary
from usufruct.gateway.responses import Responder
from usufruct.gateway.samples.pipeline import SamplePipeline
from usufruct.gateway.samples.service import FreeSamples
from usufruct.gateway.search.query import Search
from usufruct.gateway.search.service import INDEX_SECONDS, ServiceSearch
from usufruct.gateway.signed_receipt import SignedReceipt, kept_receipt
from usufruct.gateway.token_counting import TokenCounterPool
from usufruct.gateway.upstream_pool import UpstreamPool
from usufruct.payments.ledger import Ledger
from usufruct.payments.pricing import PayerBenefits
from usufruct.web import HttpExchange
from usufruct_client.configuration_wire import VotedConfiguration
from usufruct_client.sample_wire import SampleBalance, SampleTerms
from usufruct_client.wire import ModelCard, ModelPrice, OutputLimits

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundCard:
    """A service, what was measured of it in 30 days, and the name of the older one that its name is like."""

    card: ModelCard
    measured: Summary
    imitates: str | None


@dataclass(frozen=True, slots=True)
class ServiceHistory:
    """What was and will be of a service, as of `now`: price cards, the newest first; income of each of 30 days.

    `imitated` is an older service of another payee whose name could be taken for this one's.
    """

    now: int
    prices: Sequence[PricePeriod]
    income: Sequence[tuple[int, int]]
    imitated: ServedListing | None


@dataclass(frozen=True, slots=True)
class ServicePage:
    """One page of a search, of `total` services in all."""

    total: int
    page: int
    pages: int
    services: Sequence[FoundCard]


class Gateway:
    """One replica of the metered gateway."""

    def __init__(
        self,
        payments: PaymentMethods,
        catalogue: Catalogue,
        ledger: Ledger,
        operator: Operator,
        clock: Clock,
        quality: ServiceQuality,
        search: ServiceSearch,
        samples: FreeSamples,
        limits: CallLimits | None = None,
        counters: CallCounters | None = None,
        operations: Sequence[Operation] = (),
        benefits: PayerBenefits | None = None,
        call_rate: CallRate | None = None,
    ) -> None:
        """Serve the listings of `catalogue`: chat, embeddings, and `operations` besides them.

        Free calls have a text meter of their own: they do not change how paid calls are counted. `benefits` knows the
        levels of payers; without it there are none.
        """
        limits, counters = limits or CallLimits(), counters or CallCounters()
        disconnects = DisconnectLimit(limits, clock)
        self._catalogue = catalogue
        self._clock = clock
        self.quality = quality
        self.search = search
        self.samples = samples
        self._forgotten_at = clock.monotonic()
        self._upstreams = UpstreamPool(limits, clock)
        self._token_counters = TokenCounterPool(limits)
        text, free = (TextMeter(self._token_counters, catalogue.counter) for _ in range(2))
        self.operations: tuple[Operation, ...] = (chat(text), embeddings(text), *operations)
        self.sample_operations: tuple[Operation, ...] = (chat(free), embeddings(free), *operations)
        self.level_prices = LevelPrices(benefits)
        reader = CallOrderReader(catalogue, self.level_prices, disconnects, limits, clock)
        responder = Responder(self._upstreams, limits, clock)
        self.sample_pipeline = SamplePipeline(samples, reader, responder, operator, counters, clock)
        self.pipeline = Pipeline(
            payments,
            reader,
            ledger,
            responder,
            ReleaseQueue(ledger, disconnects, counters),
            disconnects,
            operator,
            counters,
            quality,
            limits,
            call_rate,
        )
        self.endpoint_pipeline = EndpointPipeline(self.pipeline, reader, EndpointListings(catalogue.listings), clock)

    @property
    def x402_paths(self) -> list[str]:
        """Paths that take payment by x402; none where it is not taken."""
        if self.pipeline.payments.x402 is None:
            return []
        return [*(each.path for each in self.operations), *self.endpoint_pipeline.endpoints]

    def quality_job(self) -> Job:
        """Return the job that writes down what this replica's calls tell about services."""
        return Job("quality", self.quality.flush, FLUSH_SECONDS, self.quality.flush)

    def search_job(self) -> Job:
        """Return the job that keeps the search as the catalogue is."""
        return Job("search", self.search.refresh, INDEX_SECONDS)

    def lease_job(self, lease_seconds: int) -> Job:
        """Return the job that renews the leases of this replica's calls and releases those whose replica died.

        It closes the gateway when it ends.
        """
        every = lease_seconds / 3  # never less often, or running calls lose their leases
        return Job("leases", self._keep_leases, every, self._close, longest=every)

    async def _close(self) -> None:
        await self.pipeline.releases.retry()
        await self._upstreams.close()
        self._token_counters.close()

    async def revision(self) -> Hashable:
        """Return what differs whenever something that pages show of services does, a price that begins included."""
        today = self._clock.now() // DAY
        sold, levels = await self._catalogue.revision(), tuple(self.level_prices.every_discount)
        return today, sold, levels, await self.quality.revision(), await self.search.revision()

    async def models(self) -> list[ModelCard]:
        """Return what is served, as OpenAI lists models, each with its price."""
        now = self._clock.now()
        return [self._offer(listing, now) for listing in await self._catalogue.list()]

    async def model(self, name: str) -> ModelCard:
        """Return one of what is served, as `models` does.

        Raises:
            UnknownListing, RetiredListing: when it is not served.
        """
        listing = await self._catalogue.find(name)
        listing.check_active()
        return self._offer(listing, self._clock.now())

    async def model_of(self, asset: AssetId) -> ModelCard:
        """Return what is served under an id; raises UnknownListing when it is not."""
        found = await self._catalogue.find_served([asset])
        if not found:
            raise UnknownListing(f"no service with id {format_asset(asset)} is on sale here", field="asset")
        return self._offer(found[0], self._clock.now())

    async def sample_balance(self, name: str, network: str | None) -> SampleBalance:
        """Return what the visitor at `network` (None: not known) may still try of a service today.

        Raises:
            UnknownListing, RetiredListing: when it is not served.
            SampleNotOffered: when every call of it is paid.
        """
        listing = await self._catalogue.find(name)
        listing.check_active()
        return await self.samples.balance(listing, network)

    async def find(self, search: Search) -> ServicePage:
        """Return a page of the services that a search finds, with what was measured of them."""
        found = await self.search.find(search, 10**self.pipeline.operator.decimals)
        now = self._clock.now()
        services = [
            FoundCard(self._offer(each.listing, now), each.measured, each.imitated.name if each.imitated else None)
            for each in found.services
        ]
        return ServicePage(found.total, found.page, found.pages, services)

    async def history(self, name: str) -> ServiceHistory:
        """Return what was of a service; raises as `model`."""
        listing = await self._catalogue.find(name)
        listing.check_active()
        now = self._clock.now()
        today = now // DAY * DAY
        days = range(today - (DAYS[1] - 1) * DAY, today + DAY, DAY)
        by_day = await self.quality.income_of(listing.id, days[0])
        income = [(day, by_day.get(day, 0)) for day in days]
        return ServiceHistory(now, listing.prices[::-1], income, await self.search.imitated(listing))

    async def quality_of(self, name: str) -> tuple[Summary, ...]:
        """Return what was measured of a service, over each window; raises as `model`."""
        listing = await self._catalogue.find(name)
        listing.check_active()
        return await self.quality.of(listing.id)

    async def receipt(self, exchange: HttpExchange, call_id: str) -> SignedReceipt:
        """Return a call's receipt: to its payer, or to anyone who knows the call's id and shows no payment.

        Raises:
            NotFound: when there is none, or it is another payer's.
        """
        payer = await self.pipeline.payments.identify(exchange)
        return await self.receipt_of(call_id, payer.identity if payer else None)

    async def receipt_of(self, call_id: str, payer: PayerIdentity | None = None) -> SignedReceipt:
        """Return a call's receipt, to anyone who knows its id unless `payer` is another one; raises as `receipt`."""
        call = await self.pipeline.ledger.call(hash32(call_id, "receipt"))
        if call is None or (payer is not None and call.lease.account != payer.account):
            name = "this gateway" if payer is None else payer.name
            raise NotFound(f"{name} has no call {call_id}", code="receipt_not_found", field="receipt")
        return await kept_receipt(self.pipeline.ledger, call, self.pipeline.operator)

    def _offer(self, listing: ServedListing, now: int) -> ModelCard:
        return _offer(listing, now, self.pipeline.operator, self.level_prices.discounts(listing))

    async def _keep_leases(self) -> None:
        await self.pipeline.releases.retry()
        await self.pipeline.ledger.renew()
        if released := await self.pipeline.ledger.expire():
            self.pipeline.counters.borne(released)
            logger.warning("released calls of a replica that died", extra={"calls": released})
        for listing in await self._catalogue.list():  # what calls taught, for other replicas and for the next start
            if (upstreams := self._upstreams.learned(listing)) is not None:
                await self._catalogue.remember(listing, upstreams)
        if self._clock.monotonic() - self._forgotten_at > self.pipeline.limits.forget_seconds:
            while await self.pipeline.ledger.forget_answers():
                pass
            self._forgotten_at = self._clock.monotonic()


def _offer(listing: ServedListing, now: int, operator: Operator, level_discounts: Sequence[int]) -> ModelCard:
    card = listing.card(now)
    return ModelCard(
        id=listing.name,
        object="model",
        created=listing.created_at,
        owned_by=listing.pay_to,
        endpoint=listing.operation,
        asset=format_asset(listing.id),
        context_window=card.context_window,
        output=OutputLimits(listing.caps.usual_output, listing.caps.largest_output, listing.caps.reasoning_output),
        forward=sorted(listing.counting.forward),
        price=ModelPrice(
            version=card.version,
            input_per_million=card.input_per_million,
            output_per_million=card.output_per_million,
            per_call=card.per_call,
            cached_input_bps=card.cached_input_bps,
            unit=card.unit.value,
            token=operator.token,
            decimals=operator.decimals,
            symbol=operator.symbol,
        ),
        counted_by=f"sha256:{listing.counting.vocabulary}" if listing.counting.vocabulary else "utf-8 bytes",
        paused_at=listing.paused_at,
        sample=SampleTerms(**asdict(listing.sample)) if listing.sample else None,
        level_discounts=list(level_discounts),
        configuration=voted_configuration(listing),
    )


def voted_configuration(listing: ServedListing) -> VotedConfiguration | None:
    """Return what a card says of a listing's configuration; None where it follows none."""
    followed, configuration = listing.followed, listing.configuration
    if followed is None:
        return None
    digest = configuration.digest if configuration else None
    return VotedConfiguration(digest, followed.entry, followed.problem, followed.transaction, followed.proposal)
