"""Price cards as the registry's struct, the tables, and everything above them have them; what a card may be."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Row, String

from usufruct.assets.errors import InvalidAsset, demand
from usufruct.chain.contracts import asset_registry
from usufruct.core import UINT128_MAX, Invalid, divide_up, format_units
from usufruct.core.price_cards import WHOLE_BPS, PriceCard, PriceUnit
from usufruct.store import Amount

TYPICAL_CALL = (1_000, 500)
"""Text tokens in and out of the call that "about N calls" counts."""

_LONGEST_WINDOW = (1 << 31) - 1
_LAST_VERSION = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """A price card, and the second since 1970 from which it holds, or was announced to."""

    card: PriceCard
    starts_at: int


def from_registry(card: asset_registry.PriceCard) -> PriceCard:
    """Return a card of the registry; its context window is 0 where there is none."""
    return PriceCard(**asdict(card) | {"unit": PriceUnit[card.unit.name]})


def to_registry(card: PriceCard) -> asset_registry.PriceCard:
    """Return a card as the registry takes it."""
    return asset_registry.PriceCard(**asdict(card) | {"unit": asset_registry.PriceUnit[card.unit.name]})


def price_card_columns() -> list[Column[Any]]:
    """Return new columns, named as a card's fields; a table's key names what the card is of, and the version."""
    return [
        Column("version", BigInteger, nullable=False),
        Column("input_per_million", Amount, nullable=False),
        Column("output_per_million", Amount, nullable=False),
        Column("per_call", Amount, nullable=False),
        Column("cached_input_bps", Integer, nullable=False),
        Column("unit", String(16), nullable=False),
        Column("context_window", BigInteger, nullable=False),
        Column("starts_at", BigInteger, nullable=False),
    ]


def row_of(period: PricePeriod) -> dict[str, Any]:
    """Return the values of the columns."""
    return asdict(period.card) | {"starts_at": period.starts_at}


def period_of(row: Row[Any]) -> PricePeriod:
    """Return what the columns hold."""
    card = {field.name: getattr(row, field.name) for field in fields(PriceCard)}
    return PricePeriod(PriceCard(**card | {"unit": PriceUnit(row.unit)}), row.starts_at)


def card_in_force(cards: Sequence[PricePeriod], notice_period: int, now: int) -> PricePeriod:
    """Return which of an asset's cards, in order of version, is in force at `now`.

    A card announced before its predecessor took effect replaced it: that one was never in force.
    """
    held = cards[0]
    for card, following in zip(cards, [*cards[1:], None], strict=True):
        replaced = following is not None and following.starts_at - notice_period < card.starts_at
        if card.starts_at <= now and not replaced:
            held = card
    return held


def typical_charge_up(card: PriceCard) -> int | None:
    """Return what a typical call, without cached input, is charged; None where it is not counted in text tokens."""
    if card.unit is not PriceUnit.TEXT_TOKEN:
        return None
    tokens_in, tokens_out = TYPICAL_CALL
    tokens = tokens_in * card.input_per_million + tokens_out * card.output_per_million
    return card.per_call + divide_up(tokens, 1_000_000)


def about_calls(amount: int, card: PriceCard) -> int | None:
    """Return how many typical calls `amount` credits pay, rounded down.

    None where a call costs nothing, or is not counted in text tokens.
    """
    charge = typical_charge_up(card)
    return amount // charge if charge else None


def check_card(card: PriceCard, refusal: type[Invalid] = InvalidAsset) -> None:
    """Refuse a price card no call could be charged by."""
    for field in ("input_per_million", "output_per_million", "per_call"):
        amount = getattr(card, field)
        demand(0 <= amount <= UINT128_MAX, field, amount, "from 0 to 2**128 - 1 atomic units", refusal)
    cached = card.cached_input_bps
    rule = "from 0 to 100 per cent of the input price"
    demand(0 <= cached <= WHOLE_BPS, "cached_input", format_units(cached, 2), rule, refusal)
    window = card.context_window
    rule = f"from 2 to 2**31 - 1 {card.unit.plural}, or 0 where there is none"
    demand(window == 0 or 2 <= window <= _LONGEST_WINDOW, "context_window", window, rule, refusal)
    demand(1 <= card.version <= _LAST_VERSION, "version", card.version, "from 1 to 2**32 - 1", refusal)
