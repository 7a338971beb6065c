"""Rows of `/v2` about indices, with the names that its clients read; numbers that are not known are null.

Weights and returns of holdings are parts (0.1 is ten per cent); changes and returns of an index are per cent. Clients
read them so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any, Final

import numpy as np

from usufruct.analytics import utc_text
from usufruct.connectors.prices import Asset
from usufruct.core import DAY_SECONDS
from usufruct.indices.engine import Backtest
from usufruct.indices.events import NOT_TRADED, Move, Rebalance
from usufruct.indices.history import IndexHistory
from usufruct.indices.publication.model import index_number, is_active
from usufruct.indices.sums import Vector

Row = dict[str, Any]

_PERIODS: Final = {"24H": 1, "7D": 7, "1M": 30}


@dataclass(frozen=True, slots=True)
class AssetGrade:
    """The trader grade of an asset on a day, and its change in 24 hours in per cent; NaN where not known."""

    grade: float
    change: float


Grades = Mapping[str, AssetGrade]
"""By asset id."""


def seconds_of(day: date) -> int:
    """Return when a day begins, in seconds since 1970."""
    return (day - date(1970, 1, 1)).days * DAY_SECONDS


def index_identity(found: Backtest) -> Row:
    """Return what names an index in every row."""
    return {"ID": index_number(found.rulebook.name), "NAME": found.rulebook.title}


def listing_row(found: Backtest, history: IndexHistory, values: Mapping[str, Vector], grades: Grades) -> Row:
    """Return the row of `/indices`."""
    rule, nav = found.rulebook, values["nav"]
    weights, cash = history.weights_at(len(nav) - 1)
    held = {each.id: float(weight) for each, weight in zip(history.assets, weights, strict=True) if weight > 0}
    graded = {each: grades[each].grade for each in held if each in grades and isfinite(grades[each].grade)}
    weight = sum(held[each] for each in graded)
    changes = {
        name: _number(100 * float(nav[-1] / nav[-1 - days] - 1)) if len(nav) > days else None
        for name, days in _PERIODS.items()
    }
    return (
        index_identity(found)
        | {"TICKER": rule.name.upper(), "SLUG": rule.name, "PRICE": float(nav[-1]), "COINS": len(held)}
        | changes
        | {
            "ALL_TIME": _number(100 * float(nav[-1] / rule.base - 1)),
            "24H_VOLUME": _number(float(values["volume"][-1])),
            "MARKET_CAP": _number(float(values["market_cap"][-1])),
            "INDEX_GRADE": round(sum(held[each] * graded[each] for each in graded) / weight, 2) if weight else None,
            "TOP_GAINERS_ICONS": [],
            "INDEX_TYPE": "active" if is_active(rule) else "passive",
            "REGIME": None if rule.regime is None else "bullish" if values["bullish"][-1] else "bearish",
            "CASH": cash,
            "DATE": utc_text(seconds_of(found.last_day)),
            "RULEBOOK_HASH": rule.hash,
        }
    )


def holding_rows(found: Backtest, history: IndexHistory, grades: Grades) -> list[Row]:
    """Return the rows of `/indices-holdings`: what is held at the close of the last day, the largest first."""
    row = found.first + len(found.nav) - 1
    weights, _ = history.weights_at(len(found.nav) - 1)
    prices = history.valued[:, -1]
    caps = found.data.market_caps(np.array([row]))[0, found.targets.columns]
    entered = _entry_prices(found)
    at = utc_text(seconds_of(found.last_day))
    rows = []
    for place in sorted(np.flatnonzero(weights > 0).tolist(), key=lambda each: -weights[each]):
        asset = _asset(found, place)
        graded = grades.get(asset.id)
        rows.append(
            index_identity(found)
            | _identity(asset)
            | {
                "WEIGHT": float(weights[place]),
                "MARKET_CAP": _number(float(caps[place])),
                "PRICE": float(prices[place]),
                "CURRENT_ROI": _number(float(prices[place] / entered[place] - 1)) if entered[place] > 0 else None,
                "TRADER_GRADE": None if graded is None else _number(graded.grade, 2),
                "TRADER_GRADE_CHANGE_24H": None if graded is None else _number(graded.change, 2),
                "ICON": None,
                "DATE": at,
            }
        )
    return rows


def performance_rows(found: Backtest, values: Mapping[str, Vector]) -> Iterator[Row]:
    """Return the rows of `/indices-performance`, the newest first."""
    start = seconds_of(found.first_day)
    head, nav = index_identity(found), values["nav"]
    for at in range(len(nav) - 1, -1, -1):
        yield head | {
            "DATE": utc_text(start + at * DAY_SECONDS),
            "INDEX_CUMULATIVE_ROI": _number(100 * float(nav[at] / found.rulebook.base - 1)),
            "PRICE": float(nav[at]),
            "MARKET_CAP": _number(float(values["market_cap"][at])),
            "VOLUME": _number(float(values["volume"][at])),
            "FDV": None,
        }


def portfolio_rows(found: Backtest, at: int) -> Iterator[Row]:
    """Return what is held after a rebalance (its column), the largest first."""
    held, day = found.held[:, at], utc_text(seconds_of(found.data.panel.day(int(found.traded_on[at]))))
    for place in sorted(np.flatnonzero(held > 0).tolist(), key=lambda each: -held[each]):
        weight = float(held[place])
        yield (
            {"PORTFOLIO_DATE": day, "DATE": day}
            | index_identity(found)
            | _identity(_asset(found, place))
            | {"WEIGHT": weight, "INDEX_WEIGHT": 100 * weight, "INITIAL_PRICE": float(found.prices[place, at])}
        )


def trade_rows(found: Backtest, event: Rebalance) -> Iterator[Row]:
    """Return the rows of `/indices-transaction` of one rebalance, the largest change first."""
    panel = found.data.panel
    head = index_identity(found) | {"DATE": utc_text(seconds_of(event.traded))}
    for move in sorted(event.moves, key=lambda each: -abs(each.after - each.before)):
        yield (
            head
            | _identity(panel.assets[panel.column[move.asset]])
            | {
                "ACTION": _action(move),
                "WEIGHT_BEFORE": move.before,
                "WEIGHT": move.after,
                "CAUSE": event.cause,
                "REASON": move.why,
            }
        )


def rebalance_row(event: Rebalance) -> Row:
    """Return a rebalance without its holdings and trades, which have rows of their own."""
    return {
        "DATE": str(event.traded),
        "DECIDED": str(event.decided),
        "CAUSE": event.cause,
        "REGIME": event.regime,
        "TURNOVER": event.turnover,
        "COST": event.cost,
        "CASH": event.cash,
        "NAV": event.nav,
        "ELIGIBLE": event.eligible,
        "HOLDINGS": len(event.holdings),
        "NOTES": list(event.notes),
        "INPUT_HASH": event.input_hash,
    }


def member_totals(found: Backtest) -> dict[str, Vector]:
    """Return for each day the market cap and the volume of all that is held; NaN before the first trade."""
    rows = np.arange(found.first, found.first + len(found.nav))
    newest = np.searchsorted(found.traded_on, rows, side="right") - 1
    member = found.held[:, np.maximum(newest, 0)] > 0
    columns = found.targets.columns
    caps = found.data.market_caps(rows)[:, columns].T
    volumes = found.data.volumes(rows, columns).T
    totals = {}
    for name, matrix in (("market_cap", caps), ("volume", volumes)):
        whole = np.where(member & np.isfinite(matrix), matrix, 0.0).sum(axis=0)
        totals[name] = np.asarray(np.where((newest >= 0) & (whole > 0), whole, np.nan))
    return totals


def _entry_prices(found: Backtest) -> Vector:
    """Return the price of each asset at the rebalance at which it came in last; 0 where it never did."""
    member = found.held > 0
    before = np.concatenate((np.zeros((len(member), 1), dtype=bool), member[:, :-1]), axis=1)
    entries = member & ~before
    last = entries.shape[1] - 1 - entries[:, ::-1].argmax(axis=1)
    prices = found.prices[np.arange(len(last)), last]
    return np.asarray(np.where(entries.any(axis=1), prices, 0.0))


def _asset(found: Backtest, place: int) -> Asset:
    panel = found.data.panel
    return panel.assets[int(found.data.order[found.targets.columns[place]])]


def _identity(asset: Asset) -> Row:
    return {
        "TOKEN_ID": asset.number,
        "TOKEN_NAME": asset.name,
        "TOKEN_SYMBOL": asset.symbol,
        "COIN": asset.symbol,
        "CG_ID": asset.id,
    }


def _action(move: Move) -> str:
    if move.after == move.before or move.why.endswith(NOT_TRADED):
        return "HOLD"
    return "BUY" if move.after > move.before else "SELL"


def _number(value: float, digits: int | None = None) -> float | None:
    if not isfinite(value):
        return None
    return value if digits is None else round(value, digits)
