"""Rate assets by the published formula: compute, list, explain; and the keys of the market API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Any

import numpy as np
import orjson
from typer import Argument, Option, Typer

from usufruct.analytics import (
    MarketKeyStore,
    Selection,
    Snapshot,
    compute_snapshot,
    current_snapshot,
    explain_grade,
)
from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.config import Config
from usufruct.core import Clock, Invalid, NotFound, moment
from usufruct.store import ensure_current, open_database

app = Typer()

AssetName = Annotated[str, Argument(metavar="ASSET", help="A ticker or an id.")]
_GRADES = {"overall": "tm-grade-history", "trader": "trader-grades", "investor": "investor-grades"}


@asynccontextmanager
async def _open_keys(config: Config) -> AsyncIterator[MarketKeyStore]:
    database = open_database(config.database.url)
    try:
        await ensure_current(database)
        yield MarketKeyStore(database)
    finally:
        await database.close()


@app.command()
@runs()
def compute(config: Config) -> Facts:
    """Rate all assets of the archive now, as the worker does whenever prices come in.

    Example: usufruct rating compute
    """
    snapshot = compute_snapshot(config, Clock().now())
    return _about(snapshot) | {"market": snapshot.briefing}


@app.command("list")
@runs()
def list_ratings(config: Config, limit: Annotated[int, Option(min=1, max=10_000, help="How many.")] = 20) -> Rows:
    """Show the assets with the highest trader grades of the last day.

    Example: usufruct rating list --limit 5
    """
    snapshot = current_snapshot(config)
    last = dict(_rows(snapshot, "trading-signals", snapshot.last_day))
    overall = dict(_rows(snapshot, "tm-grade-history", snapshot.last_day))
    ranked = sorted(last, key=lambda column: -last[column]["trader"])[:limit]
    rows = [
        {
            "asset": snapshot.assets[column].symbol,
            "id": snapshot.assets[column].id,
            "trader": _grade(last[column]["trader"]),
            "investor": _grade(last[column]["investor"]),
            "overall": _grade(overall.get(column, {}).get("overall")),
            "signal": int(last[column]["signal"]),
        }
        for column in ranked
    ]
    return Rows(rows, ("asset", "id", "trader", "investor", "overall", "signal"), "no asset is graded")


@app.command()
@runs()
def show(config: Config, asset: AssetName) -> Facts:
    """Show an asset's grades of the last day, its signal, and the report written from its numbers.

    Example: usufruct rating show BTC
    """
    snapshot = current_snapshot(config)
    column = _column(snapshot, asset)
    facts: dict[str, Any] = {"asset": snapshot.assets[column].id, "name": snapshot.assets[column].name}
    for table, names in (
        ("trading-signals", ("trader", "investor", "signal")),
        ("trader-grades", ("technical", "quantitative")),
        ("investor-grades", ("fundamental", "technology", "valuation")),
        ("tm-grade-history", ("overall",)),
    ):
        row = dict(_rows(snapshot, table, snapshot.last_day)).get(column, {})
        facts |= {name: _grade(row.get(name)) for name in names}
    page = snapshot.rows["ai-reports"].page(Selection(np.array([column])))
    report = orjson.loads(page.rows[0])["DEEP_DIVE"] if page.rows else None
    return facts | _about(snapshot) | {"inputs": snapshot.digests[-1], "report": report}


@app.command()
@runs()
def history(
    config: Config,
    asset: AssetName,
    days: Annotated[int, Option(min=1, max=10_000, help="The last so many days.")] = 30,
) -> Rows:
    """Show an asset's grades day by day, the newest first, each with the digest of what it was computed from.

    Example: usufruct rating history BTC --days 7
    """
    snapshot = current_snapshot(config)
    column = _column(snapshot, asset)
    first = snapshot.last_day - (days - 1) * 86_400
    found: dict[int, dict[str, Any]] = {}
    for name, table in _GRADES.items():
        for at, row in _series(snapshot, table, column, first, days):
            found.setdefault(at, {})[name] = row[name]
    rows = [
        {
            "day": datetime.fromtimestamp(at, UTC).date().isoformat(),
            **{name: _grade(found[at].get(name)) for name in _GRADES},
            "inputs": snapshot.digests[(at - snapshot.first_day) // 86_400],
        }
        for at in sorted(found, reverse=True)
    ]
    return Rows(rows, ("day", *_GRADES, "inputs"), f"{asset} has no grade in these days")


@app.command()
@runs()
def explain(
    config: Config,
    asset: AssetName,
    day: Annotated[str, Option(help="A day such as 2026-01-31; default: the last.")] = "",
) -> Rows:
    """Show every part of an asset's grades with its value and weight, computed again from the archive.

    Example: usufruct rating explain BTC --day 2026-01-31
    """
    found = explain_grade(config, asset, _day(day))
    rows = [
        {"part": each.name, "value": _grade(each.value), "weight": each.weight, "of": each.of} for each in found.parts
    ]
    rows.append({"part": "inputs", "value": found.inputs, "weight": None, "of": found.formula})
    return Rows(rows, ("part", "value", "weight", "of"), "")


@app.command()
@runs(_open_keys)
async def keys(store: MarketKeyStore) -> Rows:
    """List the keys of the market API, the newest first, with the calls of their last month.

    Example: usufruct rating keys
    """
    rows = [
        {
            "id": key.id,
            "label": key.label,
            "account": key.account,
            "created": moment(key.created_at),
            "revoked": None if key.revoked_at is None else moment(key.revoked_at),
            "per_month": key.calls_per_month,
            "per_minute": key.calls_per_minute,
            "calls": calls,
        }
        for key, calls in await store.list()
    ]
    return Rows(rows, nothing="no keys")


@app.command()
@runs(_open_keys)
async def plan(
    store: MarketKeyStore,
    key: Annotated[str, Argument(help="The key's id; `usufruct rating keys` lists them.")],
    per_month: Annotated[int | None, Option(min=0, help="Calls a month; default: as free keys.")] = None,
    per_minute: Annotated[int | None, Option(min=0, help="Calls a minute in a replica; default: as free keys.")] = None,
) -> Facts:
    """Give one key of the market API limits of its own; its holder's staking level still multiplies them.

    Example: usufruct rating plan mkey_3f0c --per-month 50000 --per-minute 600
    """
    if not await store.set_plan(key, per_month, per_minute):
        raise NotFound(f"no live key has the id {key}; `usufruct rating keys` lists them", code="key_not_found")
    return {"key": key, "per_month": per_month, "per_minute": per_minute}


def _about(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "assets": len(snapshot.assets),
        "last_day": datetime.fromtimestamp(snapshot.last_day, UTC).date().isoformat(),
        "computed": moment(snapshot.computed_at),
        "source": snapshot.source,
        "simulated": snapshot.synthetic,
    }


def _column(snapshot: Snapshot, name: str) -> int:
    """Return the column of an asset by id, or by a ticker that one asset has."""
    words = name.lower()
    found = [n for n, each in enumerate(snapshot.assets) if each.id.lower() == words]
    found = found or [n for n, each in enumerate(snapshot.assets) if each.symbol.lower() == words]
    if len(found) > 1:
        ids = ", ".join(snapshot.assets[each].id for each in found)
        raise Invalid(f"{name!r} is the ticker of several assets: {ids}; give an id", code="ambiguous_ticker")
    if not found:
        raise NotFound(f"no rated asset is called {name!r}; `usufruct rating list` shows some", code="unknown_asset")
    return found[0]


def _rows(snapshot: Snapshot, name: str, first: int) -> list[tuple[int, dict[str, Any]]]:
    """Return the column and the values of each row of a table from a time on."""
    table = snapshot.series[name]
    wanted = Selection(first=first, limit=len(snapshot.assets))
    page = table.page(wanted, lambda at, column, values: _plain(column, values))
    return [(row.pop("at"), row) for row in map(orjson.loads, page.rows)]


def _series(snapshot: Snapshot, name: str, column: int, first: int, days: int) -> list[tuple[int, dict[str, Any]]]:
    wanted = Selection(np.array([column]), first, limit=days)
    page = snapshot.series[name].page(wanted, lambda at, column, values: _plain(at, values))
    return [(row.pop("at"), row) for row in map(orjson.loads, page.rows)]


def _plain(at: int, values: Any) -> dict[str, Any]:
    return {"at": at} | {name: float(value) for name, value in values.items()}


def _grade(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(f"--day must be a day such as 2026-01-31, not {text!r}", code="invalid_day") from None
