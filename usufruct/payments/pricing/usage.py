"""Usage of one call: the quantities that are charged, and who counted them."""

from enum import StrEnum

from usufruct.core import value

MILLION = 1_000_000
"""Of how many units a price is."""


@value
class Usage:
    """Text tokens of one call; `cached_input_tokens` are those of the input that the upstream read from its cache."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0


class CountedBy(StrEnum):
    """Who counted the text tokens that are charged.

    `UPSTREAM`: the upstream, for the whole call. `SHARE`: the same, of which the delivered part is charged.
    `VOCABULARY`: we, by the service's vocabulary. `ESTIMATE`: we, by bytes, converted into the upstream's text tokens.
    """

    UPSTREAM = "upstream"
    SHARE = "share"
    VOCABULARY = "vocabulary"
    ESTIMATE = "estimate"


@value
class Measured:
    """The usage that is charged, whether upstream's claim was overruled, and who counted.

    `reasoning_tokens` are those of the output that no delivered text stands for.
    """

    usage: Usage
    flagged: bool
    counted_by: CountedBy = CountedBy.UPSTREAM
    reasoning_tokens: int = 0


def measure(claimed: Usage | None, counted: Usage, tolerance_ppm: int) -> Measured:
    """Choose the usage to charge: upstream's claim, unless it passes our own count by more than the tolerance.

    Input and output are judged apart; the one that passes is replaced by ours and flagged. An explicit 0 counts as 0.
    Cached input, which only the upstream knows, is taken up to the input that is charged. Without a claim our count is
    the usage. `tolerance_ppm` is in millionths.
    """
    if claimed is None:
        return Measured(counted, flagged=False)
    pairs = ((claimed.input_tokens, counted.input_tokens), (claimed.output_tokens, counted.output_tokens))
    inputs, outputs = (own if claim * MILLION > own * (MILLION + tolerance_ppm) else claim for claim, own in pairs)
    usage = Usage(inputs, outputs, min(claimed.cached_input_tokens, inputs))
    return Measured(usage, flagged=(inputs, outputs) != (claimed.input_tokens, claimed.output_tokens))
