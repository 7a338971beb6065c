"""Rows of bars as the archive takes them, from a few words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from usufruct.connectors.prices.bars import BAR_SCHEMA

START = datetime(2024, 1, 1, tzinfo=UTC)
LEARNT = datetime(2024, 6, 1, tzinfo=UTC)


def bar(asset: str, row: int, close: float | None, **values: Any) -> dict[str, Any]:
    """Return one daily bar, `row` days after the first of 2024."""
    blank = dict.fromkeys(("open", "high", "low", "volume", "market_cap", "supply"))
    return {
        **blank,
        "asset": asset,
        "time": START + timedelta(days=row),
        "close": close,
        "source": "exchange",
        "known_at": LEARNT,
    } | values


def bars(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return bars as a frame of the archive's schema."""
    return pl.DataFrame(list(rows), schema=BAR_SCHEMA)
