"""Calls of one service, counted: how they ended, how fast they were, what they used and earned."""

from dataclasses import dataclass, field, fields
from enum import StrEnum

from usufruct.connectors.openai import UpstreamFault, UpstreamRejected
from usufruct.core import AssetId, value
from usufruct.gateway.disconnect_limit import is_callers
from usufruct.gateway.quality.histogram import Histogram
from usufruct.payments.ledger import Bill

EVERY_SERVICE = AssetId(0)
"""Stands for all services together: what they do is counted once more under it. An id is a hash, and never 0."""

LEAST_TOKENS = 16
"""Text tokens from which a stream's speed is measured; those of a shorter one come in one piece or two."""


class Outcome(StrEnum):
    """How a call that was let in ended.

    `ANSWERED`: whole. `FAILED`: no upstream gave output. `BROKEN`: the upstream ended in the midst of a stream.
    `INTERRUPTED`: the gateway itself stopped it. `REFUSED`: the upstream refused the request. `LEFT`: the caller hung
    up, or passed the limits of time or size.
    """

    ANSWERED = "answered"
    FAILED = "failed"
    BROKEN = "broken"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    LEFT = "left"


def outcome_of(fault: BaseException | None, *, started: bool) -> Outcome:
    """Return how a call ended that `fault` ended; `started`: the caller had a part of the answer."""
    if fault is None:
        return Outcome.ANSWERED
    if is_callers(fault):
        return Outcome.LEFT
    if isinstance(fault, UpstreamRejected):
        return Outcome.REFUSED
    if isinstance(fault, UpstreamFault):
        return Outcome.BROKEN if started else Outcome.FAILED
    return Outcome.INTERRUPTED


@value
class Times:
    """When an upstream was asked, when the first text of a stream could leave, and when the answer was whole.

    Monotonic seconds. `first_text` is None for a whole answer.
    """

    asked: float
    first_text: float | None
    ended: float


@dataclass(slots=True)
class CallCounts:
    """How many calls of a service ended how in some time, what they used and what they earned.

    `cached_input_tokens` are a part of `input_tokens`. `income`: atomic units of the operator's token.
    """

    answered: int = 0
    failed: int = 0
    broken: int = 0
    interrupted: int = 0
    refused: int = 0
    left: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    income: int = 0

    def add_counts(self, other: "CallCounts") -> None:
        """Count what another counted as well."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def calls(self) -> int:
        """All calls that were let in."""
        return self.tried + self.refused + self.left

    @property
    def tried(self) -> int:
        """Calls that the service was to answer: all but those that were refused or left by their callers."""
        return self.answered + self.failed + self.broken + self.interrupted


COUNTS = tuple(each.name for each in fields(CallCounts))


@dataclass(slots=True)
class Tally(CallCounts):
    """What was counted of one service in some time, and how fast it was.

    `first_text`: milliseconds to the first text of a stream; `speed`: text tokens per second after it; `whole`:
    milliseconds to an answer that came whole.
    """

    first_text: Histogram = field(default_factory=Histogram)
    speed: Histogram = field(default_factory=Histogram)
    whole: Histogram = field(default_factory=Histogram)

    def add(self, outcome: Outcome, times: Times | None = None, bill: Bill | None = None) -> None:
        """Count one call; `times` and `bill` are of one that was charged."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        if times is None or bill is None:
            return
        usage = bill.usage
        self.input_tokens += usage.input_tokens
        self.cached_input_tokens += usage.cached_input_tokens
        self.output_tokens += usage.output_tokens
        self.income += bill.charge
        if times.first_text is not None:
            self.first_text.add((times.first_text - times.asked) * 1_000)
            tokens, seconds = usage.output_tokens - bill.reasoning_tokens, times.ended - times.first_text
            if outcome is Outcome.ANSWERED and tokens >= LEAST_TOKENS and seconds > 0:
                self.speed.add((tokens - 1) / seconds)
        elif outcome is Outcome.ANSWERED:
            self.whole.add((times.ended - times.asked) * 1_000)

    def merge(self, other: "Tally") -> None:
        """Count what another tally counted as well."""
        self.add_counts(other)
        for name in HISTOGRAMS:
            getattr(self, name).merge(getattr(other, name))


HISTOGRAMS = ("first_text", "speed", "whole")
