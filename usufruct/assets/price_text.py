"""Price cards as people write and read them: whole units of the token, and per cent."""

from collections.abc import Callable

from usufruct.assets.model import bps_of_percent
from usufruct.assets.service import CardChange
from usufruct.core import format_units, parse_units
from usufruct.core.price_cards import PriceCard, PriceUnit

FREE = PriceCard(0, 0, 0, 0, 1)
"""A first card, before its prices."""


def read_card_change(
    decimals: int,
    input_price: str | None = None,
    output_price: str | None = None,
    per_call: str | None = None,
    cached_input: str | None = None,
    unit: PriceUnit | None = None,
    context: int | None = None,
    *,
    field: Callable[[str], str] = str,
) -> CardChange:
    """Read prices in a token of so many decimals; what was not given stays as it is.

    `field` turns `input`, `output`, `per_call`, `cached_input` into how errors name them.

    Raises:
        InvalidAmount: names the field and its text.
    """

    def units(text: str | None, name: str) -> int | None:
        return parse_units(text, decimals, field(name)) if text else None

    return CardChange(
        units(input_price, "input"),
        units(output_price, "output"),
        units(per_call, "per_call"),
        bps_of_percent(cached_input, field("cached_input")) if cached_input else None,
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
