"""The rules of a call's price: pure arithmetic on integers in atomic units of the payment token.

Charges round up, once, at the end. The ceiling is the price of the worst case; what is charged never passes it.
"""

from dataclasses import replace
from functools import lru_cache

from usufruct.core import Invalid, PaymentRequired, divide_down, divide_up, value
from usufruct.core.price_cards import PriceCard
from usufruct.payments.pricing.usage import Usage
from usufruct_client.bill_lines import (
    MILLION,
    PRECISION,
    WHOLE_BPS,
    Line,
    Quantities,
    Rates,
    bill_lines,
    discounted_up,
    quantities_of,
    rates_of,
    total_of,
)


class OverContext(Invalid, code="over_context"):
    """The input alone does not fit the service's context window."""


class OverBudget(PaymentRequired, code="over_budget"):
    """The input and a single text token of output cost more than the caller may spend."""


@value
class Allowance:
    """What a call may use: `output_tokens` is the `max_tokens` to ask upstream for, `ceiling` its price."""

    output_tokens: int
    ceiling: int


@lru_cache(maxsize=1024)
def rates(card: PriceCard) -> Rates:
    """Return price and per of each unit that a card prices."""
    return rates_of(card.unit, card.input_per_million, card.output_per_million, card.cached_input_bps, card.per_call)


@lru_cache(maxsize=1024)
def discounted_card_up(card: PriceCard, discount_bps: int) -> PriceCard:
    """Return a card whose prices are lower by so many hundredths of a per cent, each rounded up.

    It keeps its version, and the share of the input price that cached input costs.
    """
    if not discount_bps:
        return card
    return replace(
        card,
        input_per_million=discounted_up(card.input_per_million, discount_bps),
        output_per_million=discounted_up(card.output_per_million, discount_bps),
        per_call=discounted_up(card.per_call, discount_bps),
    )


def saved_up(lines: tuple[Line, ...], charge: int, card: PriceCard) -> int:
    """Return how much less than by `card` was charged for what a bill's lines say was used; 0 for its own lines."""
    listed = price_lines(quantities_of(lines), card)
    return 0 if listed == lines else max(0, total_of(listed) - charge)


def price_lines(quantities: Quantities, card: PriceCard) -> tuple[Line, ...]:
    """Return the lines of a call's bill; they add up to its price, rounded up once."""
    return bill_lines(quantities, rates(card))


def price_up(usage: Usage, card: PriceCard) -> int:
    """Return what `price_lines` of a usage add up to, without making them: ceilings are priced several times a call.

    (input - cached) x input price + cached x cached share x input price + output x output price, rounded up once, and
    the price of the call.
    """
    uncached = usage.input_tokens - usage.cached_input_tokens
    input_bps = uncached * WHOLE_BPS + usage.cached_input_tokens * card.cached_input_bps
    scaled = input_bps * card.input_per_million + usage.output_tokens * WHOLE_BPS * card.output_per_million
    return divide_up(scaled, PRECISION) + card.per_call


def charge_up(lines: tuple[Line, ...], ceiling: int) -> int:
    """Return what a call is charged: what its lines add up to, but never more than the ceiling it reserved."""
    return min(ceiling, total_of(lines))


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
