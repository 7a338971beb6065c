"""The rules of metering text: a call's ceiling before, its usage after. Pure; prices are in `payments.pricing`.

A price is for the upstream's text tokens. Without a vocabulary, text is counted in UTF-8 bytes, and with a
vocabulary of another make in other tokens: both are other units than the price's. Each whole answer whose count the
upstream reported shows how many counted units made one of its tokens. Answers it did not report are converted by that.
"""

from collections import deque
from dataclasses import replace
from fractions import Fraction
from math import ceil

from usufruct.assets import Caps
from usufruct.connectors.openai import Usage as Reported
from usufruct.connectors.openai import UsageFault
from usufruct.core import UINT128_MAX, value
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.model import CountingRule
from usufruct.gateway.operations.base import Budget
from usufruct.payments.pricing import (
    Allowance,
    CountedBy,
    Measured,
    OverBudget,
    Usage,
    affordable_output_down,
    allow,
    measure,
)

_LONGEST_TOKEN = 128
"""Characters of the longest text tokens in use: runs of blanks. A caller can ask for an answer of nothing else."""

_SPARE_CHARACTERS = 4_096

LATEST = 32
"""How many whole answers a scale remembers."""

OUTLIERS = 8
"""One in so many of them may have text tokens of an odd length, and moves the scale of parts no further than others."""

LEAST_TOKENS = 8
"""Answers and inputs of fewer text tokens say little: a mark at their end is a large part of them."""

TYPICAL_BYTES = 4
"""UTF-8 bytes of a text token where the upstream has never said: what common vocabularies make of common languages."""

CAREFUL_BYTES = 8
"""The same for a part of an answer, which must not cost more than the whole: few texts have longer tokens."""

MOST_BYTES = 16
"""No scale goes further: else a run of blanks, which is one token, would make the next text all but free."""

MOST_TOKENS = 2
"""The same for text that is counted by a vocabulary."""

_MILLION = 1_000_000


class Scale:
    """What one kind of text (input or output) of one asset showed lately: counted units for one text token."""

    __slots__ = ("_latest", "_most", "_unknown", "_unknown_part")

    def __init__(self, rule: CountingRule) -> None:
        """Begin with what was measured when the asset was offered, or with what is usual."""
        in_bytes = not rule.vocabulary
        self._most = Fraction(MOST_BYTES if in_bytes else MOST_TOKENS)
        self._unknown = Fraction(TYPICAL_BYTES if in_bytes else 1)
        self._unknown_part = Fraction(CAREFUL_BYTES if in_bytes else 1)
        if in_bytes and rule.bytes_per_token_ppm:
            self._unknown = self._unknown_part = Fraction(rule.bytes_per_token_ppm, _MILLION)
        self._latest: deque[tuple[int, int]] = deque(maxlen=LATEST)

    @property
    def whole(self) -> Fraction:
        """The mean: by it a whole text is converted that the upstream did not report."""
        if not self._latest:
            return self._unknown
        return Fraction(sum(units for units, _ in self._latest), sum(tokens for _, tokens in self._latest))

    @property
    def part(self) -> Fraction:
        """The widest but for outliers: by it a part is converted, so that it costs no more than the whole.

        Two tokens of each are left out: the mark at the end, and what was rounded up. As many units as tokens: the
        upstream's own vocabulary counts here.
        """
        shown = [Fraction(units, tokens - 2) if units > tokens else Fraction(1) for units, tokens in self._latest]
        shown.sort(reverse=True)
        # Of two answers it is not known which is odd.
        outliers = max(1, len(shown) // OUTLIERS) if len(shown) > 2 else 0
        return min(shown[outliers], self._most) if shown else self._unknown_part

    def learn(self, units: int, tokens: int) -> None:
        """Take note of a whole text: what was counted, and how many text tokens the upstream made of it."""
        if LEAST_TOKENS <= tokens <= units:
            self._latest.append((units, tokens))


def convert_down(units: int, scale: Fraction) -> int:
    """Return the text tokens of counted `units`, rounded down, but not to nothing."""
    return min(units, max(1, units * scale.denominator // scale.numerator)) if units else 0


class Scales:
    """The scales of one asset."""

    __slots__ = ("input", "output")

    def __init__(self, rule: CountingRule) -> None:
        """Begin with nothing learnt."""
        self.input = Scale(rule)
        self.output = Scale(rule)


@value
class Counted:
    """Our own count of a call: `input_text` and `output_text` in counted units, `added` in text tokens.

    `added` is what a chat template adds, and input that came as token numbers.
    """

    input_text: int
    added: int
    output_text: int
    scales: Scales

    @property
    def most(self) -> Usage:
        """What no honest upstream passes: a text token is at least a byte."""
        return Usage(self.input_text + self.added, self.output_text)

    @property
    def whole(self) -> Usage:
        """What a whole call counts as that the upstream did not report."""
        inputs = convert_down(self.input_text, self.scales.input.whole)
        return Usage(inputs + self.added, convert_down(self.output_text, self.scales.output.whole))

    @property
    def part(self) -> Usage:
        """What a part counts as: no more than the upstream makes of the whole, but for outliers as far as it showed.

        What a template adds is left out: only the upstream knows it.
        """
        inputs = convert_down(self.input_text, self.scales.input.part)
        return Usage(inputs, convert_down(self.output_text, self.scales.output.part))

    def learn(self, reported: Usage, reasoning: int = 0) -> None:
        """Take note of what the upstream reported for the whole call, output text without hidden reasoning."""
        self.scales.input.learn(self.input_text, reported.input_tokens)
        self.scales.output.learn(self.output_text, reported.output_tokens - reasoning)


def chat_limits(
    wanted: int | None, choices: int, counted_input: int, caps: Caps, card: PriceCard, budget: Budget
) -> Allowance:
    """Return how much output a chat may have, over all its choices, and what it costs at most.

    Output the caller left open (`wanted` None), or limited by money, is lowered until it fits; output the caller named
    is served as named (within the context window and the operator's caps) or refused.

    Raises:
        OverContext: when the input does not fit the context window.
        OverBudget: when the call does not fit the budget.
    """
    most = min(budget.amount, caps.largest_ceiling)
    lowered = wanted is None or budget.own_limit
    wanted = min(wanted or caps.usual_output * choices, caps.largest_output)
    room = max(0, card.context_window - counted_input)
    shared = _widened(card, room * (choices - 1))
    allowance = allow(counted_input, wanted, shared, most if lowered else UINT128_MAX)
    if allowance.ceiling > most or allowance.output_tokens < choices:
        affordable = max(0, affordable_output_down(counted_input, shared, most))
        raise OverBudget(
            f"{wanted} text tokens of output cost up to {allowance.ceiling}, and {most} may be spent; "
            f"ask for at most {affordable // choices} by max_tokens, raise the limit or add money",
            field="max_tokens",
            needed=allowance.ceiling,
            budget=most,
            affordable_output=affordable,
        )
    return allowance


def embeddings_limits(inputs: int, counted_input: int, caps: Caps, card: PriceCard, budget: Budget) -> Allowance:
    """Return what embeddings of so many inputs cost at most; each input has its own context window.

    Raises:
        OverContext: when the input does not fit.
        OverBudget: when the call does not fit the budget.
    """
    most = min(budget.amount, caps.largest_ceiling)
    return allow(counted_input, 0, _widened(card, card.context_window * (inputs - 1)), most)


def usage_of_whole(
    reported: Reported | UsageFault | None, counted: Counted, rule: CountingRule, caps: Caps
) -> Measured:
    """Return the usage to charge for a call that came to its end.

    The upstream's word holds, unless it passes the most we counted by more than the rule's tolerance and spare, and by
    more than the hidden reasoning the seller may charge. One that does is flagged, and measured again without the
    spare: what passes is replaced by what our count comes to in text tokens. Without a word ours, flagged if what was
    said made no sense.
    """
    if not isinstance(reported, Reported):
        return Measured(counted.whole, flagged=reported is UsageFault.INVALID, counted_by=_own(rule))
    claimed, most = Usage(reported.input_tokens, reported.output_tokens, reported.cached), counted.most
    reasoning = min(reported.reasoning, caps.reasoning_output, max(0, reported.output_tokens - most.output_tokens))
    most = Usage(most.input_tokens, most.output_tokens + reasoning)
    spared = Usage(most.input_tokens + rule.spare_tokens, most.output_tokens + rule.spare_tokens)
    believed = measure(claimed, spared, rule.tolerance_ppm)
    if not believed.flagged:
        counted.learn(claimed, reported.reasoning)
        return Measured(believed.usage, flagged=False, counted_by=CountedBy.UPSTREAM, reasoning_tokens=reasoning)
    usage, own = measure(claimed, most, rule.tolerance_ppm).usage, counted.whole
    if usage.input_tokens != claimed.input_tokens:
        cached = min(usage.cached_input_tokens, own.input_tokens)
        usage = replace(usage, input_tokens=own.input_tokens, cached_input_tokens=cached)
    if usage.output_tokens != claimed.output_tokens:
        usage = replace(usage, output_tokens=min(own.output_tokens + reasoning, usage.output_tokens))
    return Measured(usage, flagged=True, counted_by=_own(rule), reasoning_tokens=min(reasoning, usage.output_tokens))


def usage_of_part(whole: Measured | None, counted: Counted, delivered: Fraction, rule: CountingRule) -> Measured:
    """Return the usage to charge when the caller did not get everything: what was delivered.

    `whole` is the usage of the whole answer, if the upstream came to its end and said it: `delivered` is the caller's
    share of its output. Else `counted`, of what was delivered, is converted, so that a part costs no more than the
    whole would have.
    """
    if whole is None:
        return Measured(counted.part, flagged=False, counted_by=_own(rule))
    output = ceil(whole.usage.output_tokens * delivered)
    usage = replace(whole.usage, output_tokens=output)
    return replace(whole, usage=usage, counted_by=CountedBy.SHARE, reasoning_tokens=min(whole.reasoning_tokens, output))


def longest_text(allowance: Allowance) -> int:
    """Return the most characters we take from an upstream with the allowance as its limit."""
    return allowance.output_tokens * _LONGEST_TOKEN + _SPARE_CHARACTERS


def _widened(card: PriceCard, more: int) -> PriceCard:
    """Return the card with a context window of so many text tokens more."""
    return replace(card, context_window=card.context_window + more) if more else card


def _own(rule: CountingRule) -> CountedBy:
    return CountedBy.VOCABULARY if rule.vocabulary else CountedBy.ESTIMATE
