"""How a price card and its start are stored in a table."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Row, String

from usufruct.assets.price_cards import PricePeriod
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.store import Amount


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
    """Return what the columns say."""
    card = {field.name: getattr(row, field.name) for field in fields(PriceCard)}
    return PricePeriod(PriceCard(**card | {"unit": PriceUnit(row.unit)}), row.starts_at)
