"""What a tally says about a service, where it has seen enough calls to say it."""

from usufruct.core import value
from usufruct.gateway.quality.histogram import Histogram
from usufruct.gateway.quality.tally import Tally

LEAST_SAMPLE = 20
"""Calls from which a figure is shown: of fewer, one call in twenty (p95) cannot be told."""

DAYS = (1, 30)
"""The windows that are shown: the last 24 hours, and the last 30 days of UTC, today included."""


@value
class Spread:
    """A measured quantity: how often it was measured, its median, and what 95 of 100 calls keep.

    Both are None below `LEAST_SAMPLE`.
    """

    sample: int = 0
    median: float | None = None
    p95: float | None = None


@value
class Summary:
    """A service in one window. `success`: the part of the calls it was to answer that it answered; None if too few.

    `first_text` and `whole` are in milliseconds, `speed` in text tokens per second: 95 of 100 streams are at least so
    fast. `income`: atomic units.
    """

    days: int
    calls: int = 0
    tried: int = 0
    success: float | None = None
    first_text: Spread = Spread()
    speed: Spread = Spread()
    whole: Spread = Spread()
    input_tokens: int = 0
    output_tokens: int = 0
    income: int = 0


def summarize(days: int, tally: Tally) -> Summary:
    """Return what a tally of so many days says."""
    return Summary(
        days,
        tally.calls,
        tally.tried,
        tally.answered / tally.tried if tally.tried >= LEAST_SAMPLE else None,
        _spread(tally.first_text, 0.95),
        _spread(tally.speed, 0.05),
        _spread(tally.whole, 0.95),
        tally.input_tokens,
        tally.output_tokens,
        tally.income,
    )


def _spread(measured: Histogram, part: float) -> Spread:
    sample = measured.total
    if sample < LEAST_SAMPLE:
        return Spread(sample)
    return Spread(sample, measured.quantile(0.5), measured.quantile(part))
