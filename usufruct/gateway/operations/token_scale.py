"""How much counted text makes one text token of an upstream: what text is charged by that the upstream did not count.

A price is for the upstream's text tokens. Without a vocabulary, text is counted in UTF-8 bytes, and with a
vocabulary of another make in other tokens: both are other units than the price's. Each whole answer whose count the
upstream reported shows how many counted units made one of its tokens. Answers it did not report are converted by that.

Integers only: the ratio of units to tokens is a pair.
"""

from collections import deque
from fractions import Fraction

from usufruct.core import value
from usufruct.gateway.model import CountingRule
from usufruct.payments.pricing import Usage

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


@value
class Ratio:
    """So many counted units to so many text tokens."""

    units: int
    tokens: int

    def convert_down(self, units: int) -> int:
        """Return the text tokens of counted `units`, rounded down, but not to nothing."""
        return min(units, max(1, units * self.tokens // self.units)) if units else 0

    def is_over(self, other: "Ratio") -> bool:
        """Tell whether a text token is more units here than in `other`."""
        return self.units * other.tokens > other.units * self.tokens


class Scale:
    """What one kind of text (input or output) of one asset showed lately."""

    __slots__ = ("_latest", "_most", "_part", "_unknown", "_unknown_part", "_whole")

    def __init__(self, rule: CountingRule) -> None:
        """Begin with what was measured when the asset was offered, or with what is usual."""
        in_bytes = not rule.vocabulary
        self._most = Ratio(MOST_BYTES if in_bytes else MOST_TOKENS, 1)
        self._unknown = Ratio(TYPICAL_BYTES if in_bytes else 1, 1)
        self._unknown_part = Ratio(CAREFUL_BYTES if in_bytes else 1, 1)
        if in_bytes and rule.bytes_per_token_ppm:
            self._unknown = self._unknown_part = Ratio(rule.bytes_per_token_ppm, _MILLION)
        self._latest: deque[Ratio] = deque(maxlen=LATEST)
        self._whole = self._unknown
        self._part = self._unknown_part

    @property
    def whole(self) -> Ratio:
        """The mean: by it a whole text is converted that the upstream did not report."""
        if self._whole is self._unknown and self._latest:
            self._whole = Ratio(sum(each.units for each in self._latest), sum(each.tokens for each in self._latest))
        return self._whole

    @property
    def part(self) -> Ratio:
        """The widest but for outliers: by it a part is converted, so that it costs no more than the whole."""
        if self._part is self._unknown_part and self._latest:
            shown = [_careful(each, self._most) for each in self._latest]
            shown.sort(key=lambda each: Fraction(each.units, each.tokens), reverse=True)
            self._part = shown[outliers(len(shown))]
        return self._part

    def learn(self, units: int, tokens: int) -> None:
        """Take note of a whole text: what was counted, and how many text tokens the upstream made of it.

        Two tokens less are taken for the scale of parts: the mark at the end, and what was rounded up.
        """
        if tokens < LEAST_TOKENS or units < tokens:
            return
        self._latest.append(Ratio(units, tokens))
        self._whole, self._part = self._unknown, self._unknown_part


def outliers(answers: int) -> int:
    """Return how many of the answers with the longest text tokens are left out: of two it is not known which is odd."""
    return max(1, answers // OUTLIERS) if answers > 2 else 0


def _careful(seen: Ratio, most: Ratio) -> Ratio:
    # As many units as tokens: the upstream's own vocabulary counts here.
    shown = Ratio(seen.units, seen.tokens - 2) if seen.units > seen.tokens else Ratio(1, 1)
    return most if shown.is_over(most) else shown


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
        inputs = self.scales.input.whole.convert_down(self.input_text)
        return Usage(inputs + self.added, self.scales.output.whole.convert_down(self.output_text))

    @property
    def part(self) -> Usage:
        """What a part counts as: no more than the upstream makes of the whole, but for outliers as far as it showed.

        What a template adds is left out: only the upstream knows it.
        """
        inputs = self.scales.input.part.convert_down(self.input_text)
        return Usage(inputs, self.scales.output.part.convert_down(self.output_text))

    def learn(self, reported: Usage, reasoning: int = 0) -> None:
        """Take note of what the upstream reported for the whole call, output text without hidden reasoning."""
        self.scales.input.learn(self.input_text, reported.input_tokens)
        self.scales.output.learn(self.output_text, reported.output_tokens - reasoning)
