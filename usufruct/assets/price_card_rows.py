"""How a price card and its start are stored in a table."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Row, String

from usufruct.assets.price_cards import PricePeriod
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.store import Amount


def price_card_columns() -> list[Column[Any]]:
    """Return new columns for a table of price cards; its key names what the card is of, and the version."""
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
    card = PriceCard(
        input_per_million=row.input_per_million,
        output_per_million=row.output_per_million,
        per_call=row.per_call,
        cached_input_bps=row.cached_input_bps,
        unit=PriceUnit(row.unit),
        context_window=row.context_window,
        version=row.version,
    )
    return PricePeriod(card, row.starts_at)
