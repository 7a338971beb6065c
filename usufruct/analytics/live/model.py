"""What a live price is, when it is stale, and the table of all of them; pure rules."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from usufruct.core import RateLimited, Unavailable


class NoLivePrices(Unavailable, code="no_live_prices"):
    """No exchange is followed, or none has sent a price yet."""


class TooManyStreams(RateLimited, code="too_many_streams"):
    """A network has as many streams open as it may."""


class StreamsTaken(Unavailable, code="streams_taken"):
    """All streams of the gateway are taken."""


@dataclass(frozen=True, slots=True)
class LiveMedian:
    """The last live price of an asset in US dollars, and the venues whose prices it is the median of.

    `at`: seconds since 1970 of the newest of these prices, by the venue's clock. `version`: that of the table in which
    the price was new.
    """

    asset: str
    price: float
    at: float
    venues: tuple[str, ...]
    version: int

    def age(self, now: int) -> int:
        """Return how old it is, in whole seconds."""
        return max(0, now - int(self.at))


@dataclass(frozen=True, slots=True)
class LiveTable:
    """The last price of each asset. `version`: milliseconds since 1970, higher in each later table."""

    version: int
    stale_after: int
    synthetic: bool
    medians: Mapping[str, LiveMedian] = field(default_factory=dict)

    def is_stale(self, median: LiveMedian, now: int) -> bool:
        """Tell whether a price is too old to be called live."""
        return median.age(now) >= self.stale_after

    def news_since(self, version: int, assets: Collection[str], now: int) -> list[LiveMedian]:
        """Return what a reader who knows a version does not: newer prices, and all that are stale now."""
        found = [self.medians[each] for each in assets if each in self.medians]
        return [each for each in found if each.version > version or self.is_stale(each, now)]
