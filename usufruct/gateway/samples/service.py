"""Counts of free calls: each call is counted before it is made, exactly, by all replicas together."""

from dataclasses import asdict, replace

from usufruct.assets import Caps, FreeSample
from usufruct.core import UINT128_MAX, AssetId, Clock, moment, value
from usufruct.gateway.errors import SampleNotOffered, SamplesAllGiven, SampleUsedUp
from usufruct.gateway.model import ServedListing
from usufruct.gateway.quality.store import DAY
from usufruct.gateway.samples.store import EVERYONE, add_call, calls_of, remove_call, remove_days_before
from usufruct.store import Database, Stamp, Unit
from usufruct_client.sample_wire import SampleBalance

FORGET_SECONDS = 3_600.0

_UNKNOWN = "unknown"
"""The network of callers whose network is not known: they count as one visitor."""


@value
class TakenSample:
    """A counted free call: its service, day and visitor, and how many calls the visitor has left that day."""

    asset: AssetId
    day: int
    visitor: bytes
    terms: FreeSample
    left: int

    @property
    def renews_at(self) -> int:
        """When the day ends, in seconds since 1970."""
        return (self.day + 1) * DAY


class FreeSamples:
    """Counts free calls. A day is a day of UTC. A visitor is a network, kept as a keyed hash that differs every day."""

    def __init__(self, database: Database, stamp: Stamp, clock: Clock) -> None:
        """Count in `database`; `stamp` marks networks."""
        self._database = database
        self._stamp = stamp
        self._clock = clock

    async def take(self, listing: ServedListing, network: str | None) -> TakenSample:
        """Count a free call of the visitor at `network` (None: not known), before it is made.

        Calls are counted one at a time, so that concurrent ones cannot exceed a limit.

        Raises:
            SampleUsedUp: when the visitor has had as many today as the seller gives.
            SamplesAllGiven: when all visitors together have had as many as the seller gives.
        """
        terms, asset, day = terms_of(listing), listing.id, self._today()
        visitor = self._mark(asset, day, network)
        async with self._database.snapshot() as unit:  # a visitor without calls left takes no turn and writes nothing
            await self._left(unit, listing, day, visitor)
        async with self._database.transaction() as unit:
            await self._wait_turn(unit, asset)
            left = await self._left(unit, listing, day, visitor)
            await add_call(unit, asset, day, visitor)
        return TakenSample(asset, day, visitor, terms, left - 1)

    async def give_back(self, taken: TakenSample) -> TakenSample:
        """Take back the count of a free call that no server worked for."""
        async with self._database.transaction() as unit:
            await self._wait_turn(unit, taken.asset)
            await remove_call(unit, taken.asset, taken.day, taken.visitor)
        return replace(taken, left=taken.left + 1)

    async def balance(self, listing: ServedListing, network: str | None) -> SampleBalance:
        """Return what the visitor at `network` may still try of a listing today."""
        terms, day = terms_of(listing), self._today()
        refusal, left = "", 0
        async with self._database.snapshot() as unit:
            try:
                left = await self._left(unit, listing, day, self._mark(listing.id, day, network))
            except (SampleUsedUp, SamplesAllGiven) as error:
                refusal = error.code
        return SampleBalance(model=listing.name, **asdict(terms), left=left, renews_at=(day + 1) * DAY, refusal=refusal)

    async def given_today(self, asset: AssetId) -> int:
        """Return how many free calls all visitors together have had of a service today."""
        async with self._database.snapshot() as unit:
            return (await calls_of(unit, asset, self._today(), EVERYONE))[1]

    async def forget(self) -> None:
        """Remove the counts of days that are over."""
        async with self._database.transaction() as unit:
            await remove_days_before(unit, self._today())

    def _today(self) -> int:
        return self._clock.now() // DAY

    def _mark(self, asset: AssetId, day: int, network: str | None) -> bytes:
        return self._stamp.mark(f"visitor of {asset} on {day} from {network or _UNKNOWN}".encode())

    async def _left(self, unit: Unit, listing: ServedListing, day: int, visitor: bytes) -> int:
        """Return how many free calls a visitor has left, at least one; raises as `take`."""
        terms = terms_of(listing)
        own, together = await calls_of(unit, listing.id, day, visitor)
        renews_at = (day + 1) * DAY
        instead = f"{moment(renews_at)} on; until then call it with a key or by x402"
        about = {"renews_at": renews_at, "retry_after": renews_at - self._clock.now()}
        if own >= terms.calls_per_visitor:
            message = (
                f"your network has had the {terms.calls_per_visitor} free calls of {listing.name} that a visitor gets "
                f"a day; there are new ones from {instead}"
            )
            raise SampleUsedUp(message, most=terms.calls_per_visitor, **about)
        if together >= terms.calls_per_day:
            message = (
                f"all {terms.calls_per_day} free calls of {listing.name} of today were given to visitors; there are "
                f"new ones from {instead}"
            )
            raise SamplesAllGiven(message, most=terms.calls_per_day, **about)
        return min(terms.calls_per_visitor - own, terms.calls_per_day - together)

    async def _wait_turn(self, unit: Unit, asset: AssetId) -> None:
        await self._database.wait_turn(unit, f"free samples of {asset}")


def terms_of(listing: ServedListing) -> FreeSample:
    """Return what visitors may try of a listing.

    Raises:
        SampleNotOffered: when every call of it is paid.
    """
    if listing.sample is None:
        raise SampleNotOffered(
            f"{listing.name} has no free sample; call it with a key or by x402, at the same path without /samples",
            field="model",
        )
    return listing.sample


def as_sample(listing: ServedListing) -> ServedListing:
    """Return a listing whose calls give no more output than its free sample; raises SampleNotOffered.

    A limit in money is left out: no money is spent.
    """
    most, caps = terms_of(listing).output_per_call, listing.caps
    lowered = Caps(
        usual_output=min(caps.usual_output, most),
        largest_output=min(caps.largest_output, most),
        largest_ceiling=UINT128_MAX,
        reasoning_output=min(caps.reasoning_output, most),
    )
    return replace(listing, caps=lowered)
