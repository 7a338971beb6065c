"""Usage of one call: the quantities that are charged, and who counted them."""

from collections.abc import Iterable
from enum import StrEnum

from usufruct.core import value
from usufruct.core.price_cards import PriceUnit
from usufruct_client.bill_lines import (
    CACHED_INPUT_TEXT_TOKEN,
    INPUT_TEXT_TOKEN,
    MILLION,
    OUTPUT_TEXT_TOKEN,
    Line,
    Quantities,
    Unit,
    quantities_of,
)


@value
class Usage:
    """Input and output of one call, in text tokens or in another `unit` of a price card.

    `cached_input_tokens` are those of the input that the upstream read from its cache.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    unit: PriceUnit = PriceUnit.TEXT_TOKEN

    @property
    def quantities(self) -> Quantities:
        """The same by unit, where no unit is part of another."""
        return {
            Unit(f"input_{self.unit}"): self.input_tokens - self.cached_input_tokens,
            Unit(f"cached_input_{self.unit}"): self.cached_input_tokens,
            Unit(f"output_{self.unit}"): self.output_tokens,
        }


def text_usage(lines: Iterable[Line]) -> Usage:
    """Return the text tokens among a bill's lines."""
    found = quantities_of(lines)
    cached = found.get(CACHED_INPUT_TEXT_TOKEN, 0)
    return Usage(found.get(INPUT_TEXT_TOKEN, 0) + cached, found.get(OUTPUT_TEXT_TOKEN, 0), cached)


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
