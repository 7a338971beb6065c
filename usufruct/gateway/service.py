"""The gateway: everything a caller can ask of it, and the work that goes on beside the calls."""

import logging

from usufruct.accounts import Keys
from usufruct.connectors.openai import Limits
from usufruct.core import Clock, format_asset
from usufruct.core.jobs import Job
from usufruct.gateway.calls import Calls, Repeated
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.model import Endpoint, ServedListing
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.payers.pass_grant import PassGrantPayments
from usufruct.gateway.payers.x402 import X402Payments
from usufruct.gateway.responses import Responder
from usufruct.gateway.signed_receipt import SignedReceipt
from usufruct.gateway.stream_relay import DRAIN_SECONDS
from usufruct.gateway.token_counting import TokenCounterPool
from usufruct.gateway.upstream_pool import UpstreamPool
from usufruct.payments.ledger import Ledger
from usufruct.web import Exchange
from usufruct_client.wire import ModelCard, ModelPrice, OutputLimits

_FORGET_SECONDS = 600.0

logger = logging.getLogger(__name__)


class Gateway:
    """One replica of the metered gateway."""

    def __init__(
        self,
        keys: Keys,
        catalogue: Catalogue,
        ledger: Ledger,
        operator: Operator,
        clock: Clock,
        limits: Limits | None = None,
        wallets: X402Payments | None = None,
        passes: PassGrantPayments | None = None,
        counters: CallCounters | None = None,
        *,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        """Serve the assets of `catalogue` to holders of `keys`, `wallets` and `passes`; upstreams under `limits`.

        An upstream whose caller has left is read for `drain_seconds` more, for its count.
        """
        self._catalogue = catalogue
        self._ledger = ledger
        self._operator = operator
        self._clock = clock
        self._forgotten_at = clock.monotonic()
        self._upstreams = UpstreamPool(clock, limits)
        self._counting = TokenCounterPool()
        self._calls = Calls(keys, catalogue, ledger, operator, clock, self._counting, wallets, passes, counters)
        self.wallets = wallets
        self._responder = Responder(self._calls, self._upstreams, self._counting, drain_seconds)

    def lease_job(self, lease_seconds: int) -> Job:
        """Return the job that renews the leases of this replica's calls and releases those whose replica died.

        It closes the gateway when it ends.
        """
        every = lease_seconds / 3  # never less often, or running calls lose their leases
        return Job("leases", self._keep_leases, every, self._close, longest=every)

    async def _close(self) -> None:
        await self._calls.tidy()
        await self._upstreams.close()
        self._counting.close()

    async def answer(self, exchange: Exchange, endpoint: Endpoint) -> None:
        """Answer a request for a chat, streamed or whole, or for embeddings."""
        call = await self._calls.open(exchange, endpoint)
        if isinstance(call, Repeated):
            await self._responder.again(exchange, call)
        elif call.order.asked.stream:
            await self._responder.stream(exchange, call)
        else:
            await self._responder.whole(exchange, call)

    async def models(self) -> list[ModelCard]:
        """Return what is served, as OpenAI lists models, each with its price."""
        now = self._clock.now()
        return [_offer(asset, now, self._operator) for asset in await self._catalogue.list()]

    async def model(self, name: str) -> ModelCard:
        """Return one of what is served, as `models` does.

        Raises:
            UnknownListing, RetiredListing: when it is not served.
        """
        listing = await self._catalogue.find(name)
        listing.check_active()
        return _offer(listing, self._clock.now(), self._operator)

    async def receipt(self, exchange: Exchange, call_id: str) -> SignedReceipt:
        """Return the receipt of one of the caller's own calls."""
        return await self._calls.receipt(exchange, call_id)

    async def _remember(self) -> None:
        """Keep what calls taught about upstreams, for the other replicas and for the next start."""
        for asset in await self._catalogue.list():
            replicas = self._upstreams.learnt(asset)
            if replicas is not None:
                await self._catalogue.remember(asset, replicas)

    async def _keep_leases(self) -> None:
        await self._calls.tidy()
        await self._ledger.renew()
        if released := await self._ledger.expire():
            self._calls.counters.borne(released)
            logger.warning("released calls of a replica that died", extra={"calls": released})
        await self._remember()
        if self._clock.monotonic() - self._forgotten_at > _FORGET_SECONDS:
            while await self._ledger.forget_answers():
                pass
            self._forgotten_at = self._clock.monotonic()


def _offer(asset: ServedListing, now: int, operator: Operator) -> ModelCard:
    card = asset.card(now)
    return ModelCard(
        id=asset.name,
        object="model",
        created=asset.created_at,
        owned_by=asset.pay_to,
        endpoint=asset.operation.value,
        asset=format_asset(asset.id),
        context_window=card.context_window,
        output=OutputLimits(asset.caps.usual_output, asset.caps.largest_output, asset.caps.reasoning_output),
        forward=sorted(asset.counting.forward),
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
        counted_by=f"sha256:{asset.counting.vocabulary}" if asset.counting.vocabulary else "utf-8 bytes",
    )
