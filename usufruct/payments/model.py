"""The rules of a call's price: pure arithmetic on integers in atomic units of the payment token.

Charges round up, once, at the end. The ceiling is the price of the worst case; what is charged never passes it.
"""

from enum import StrEnum

from usufruct.core import Invalid, PaymentRequired, divide_down, divide_up, value

MILLION = 1_000_000
WHOLE_BPS = 10_000
"""All of a price, in hundredths of a per cent."""


class OverContext(Invalid):
    """The input alone does not fit the service's context window."""

    code = "over_context"


class OverBudget(PaymentRequired):
    """The input and a single text token of output cost more than the caller may spend."""

    code = "over_budget"


class CallState(StrEnum):
    """Where a call stands. `METERED` (charged) and `RELEASED` (charged nothing) are final."""

    OPEN = "open"
    METERED = "metered"
    RELEASED = "released"


class PriceUnit(StrEnum):
    """What the quantities of a call are counted in; named as in the registry's `PriceUnit`."""

    TEXT_TOKEN = "text_token"
    SECOND = "second"
    BYTE = "byte"
    IMAGE = "image"
    ROW = "row"
    STEP = "step"

    @property
    def plural(self) -> str:
        """Several of them, in words."""
        return self.value.replace("_", " ") + "s"


@value
class PriceCard:
    """What a service costs: per million input and output units and per call, in atomic units of the payment token.

    `context_window` is the most units of input and output together; `version` numbers the asset's cards.
    `cached_input_bps` is what an input unit read from the upstream's cache costs, in hundredths of a per cent of the
    input price. Quantities are counted in `unit`.
    """

    input_per_million: int
    output_per_million: int
    per_call: int
    context_window: int
    version: int
    cached_input_bps: int = WHOLE_BPS
    unit: PriceUnit = PriceUnit.TEXT_TOKEN

    def as_json(self) -> dict[str, object]:
        """Return what a charge is made by, as a quote carries it; amounts as text."""
        return {
            "version": str(self.version),
            "unit": self.unit.value,
            "inputPerMillion": str(self.input_per_million),
            "outputPerMillion": str(self.output_per_million),
            "cachedInputBps": self.cached_input_bps,
            "perCall": str(self.per_call),
        }


@value
class Usage:
    """Text tokens of one call; `cached_input_tokens` are those of the input that the upstream read from its cache."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0


@value
class Allowance:
    """What a call may use: `output_tokens` is the `max_tokens` to ask upstream for, `ceiling` its price."""

    output_tokens: int
    ceiling: int


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


def price_up(usage: Usage, card: PriceCard) -> int:
    """Return what a usage costs, rounded up once to a whole atomic unit.

    (input - cached) x input price + cached x cached share x input price + output x output price + price of the call.
    """
    uncached = usage.input_tokens - usage.cached_input_tokens
    input_bps = uncached * WHOLE_BPS + usage.cached_input_tokens * card.cached_input_bps
    scaled = input_bps * card.input_per_million + usage.output_tokens * WHOLE_BPS * card.output_per_million
    return divide_up(scaled, MILLION * WHOLE_BPS) + card.per_call


def charge_up(usage: Usage, card: PriceCard, ceiling: int) -> int:
    """Return what a call is charged: its usage's price, but never more than the ceiling it reserved."""
    return min(ceiling, price_up(usage, card))


def affordable_output_down(counted_input: int, card: PriceCard, budget: int) -> int:
    """Return the most output tokens whose price, input included, stays within `budget` and the context window.

    No input is assumed to be cached. Negative when the input alone does not.
    """
    room = card.context_window - counted_input
    left = (budget - card.per_call) * MILLION - counted_input * card.input_per_million
    if left < 0 or room < 0:
        return -1
    return min(room, divide_down(left, card.output_per_million)) if card.output_per_million else room


def allow(counted_input: int, wanted_output: int | None, card: PriceCard, budget: int) -> Allowance:
    """Fit a call into the context window and the budget: lower its output until the ceiling cannot pass either.

    `wanted_output` None means as much as fits; 0 is a call without output, such as an embedding.

    Raises:
        OverContext: when the input (and, if any output is wanted, one token more) does not fit the window.
        OverBudget: when the same costs more than `budget`.
    """
    least = 0 if wanted_output == 0 else 1
    if counted_input + least > card.context_window:
        raise OverContext(
            f"the input counts {counted_input} text tokens, the context window holds {card.context_window}; shorten it",
            counted_input=counted_input,
            context_window=card.context_window,
        )
    affordable = affordable_output_down(counted_input, card, budget)
    if affordable < least:
        needed = price_up(Usage(counted_input, least), card)
        raise OverBudget(
            f"the call costs at least {needed}, and {budget} may be spent; raise the limit or add money",
            needed=needed,
            budget=budget,
        )
    output = affordable if wanted_output is None else min(wanted_output, affordable)
    return Allowance(output, price_up(Usage(counted_input, output), card))


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
