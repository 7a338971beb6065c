"""The options of a price card: what a million units and a call cost, in whole units of the token."""

from collections.abc import Callable
from typing import Annotated

from typer import Option

from usufruct.assets import CardChange, bps_of_percent
from usufruct.core import format_units, parse_units
from usufruct.core.price_cards import PriceCard, PriceUnit

InputPrice = Annotated[str | None, Option("--input", help="Price of a million units of input, as in 0.5.")]
OutputPrice = Annotated[str | None, Option("--output", help="Price of a million units of output.")]
CachedInput = Annotated[
    str | None,
    Option(
        "--cached-input",
        help="What input costs that the server had in its cache, in per cent of the input price; 100 at first.",
    ),
]

PricedIn = Annotated[PriceUnit | None, Option("--unit", help="What input and output are counted in, else text_token.")]

FREE = PriceCard(0, 0, 0, 0, 1)
"""A first card, before its prices."""


def card_change(
    decimals: int,
    input_price: str | None = None,
    output_price: str | None = None,
    per_call: str | None = None,
    cached_input: str | None = None,
    unit: PriceUnit | None = None,
    context: int | None = None,
) -> CardChange:
    """Read prices in a token of so many decimals; what was not given stays as it is."""

    def units(text: str | None, option: str) -> int | None:
        return parse_units(text, decimals, option) if text else None

    return CardChange(
        units(input_price, "--input"),
        units(output_price, "--output"),
        units(per_call, "the price of a call"),
        bps_of_percent(cached_input, "--cached-input") if cached_input else None,
        unit,
        context,
    )


def percent(bps: int) -> str:
    """Write hundredths of a per cent as per cent."""
    return format_units(bps, 2)


def price_facts(card: PriceCard, show: Callable[[int], str]) -> dict[str, object]:
    """Return what a price card says, as it is printed; `show` writes an amount in whole units."""
    return {
        "input_per_million": show(card.input_per_million),
        "output_per_million": show(card.output_per_million),
        "per_call": show(card.per_call),
        "cached_input_percent": percent(card.cached_input_bps),
        "unit": card.unit.value,
        "context_window": card.context_window,
    }
