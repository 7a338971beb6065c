"""Rate assets by the published formula: compute, list, explain; train learned signals; keys of the market API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
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
from usufruct.analytics.learned import Card, TrainingPlan, read_card, verdict, write_card, write_model
from usufruct.analytics.learned import train as train_model
from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.index_prices import From, Synthetic, To, read_prices
from usufruct.cli.support.output import Json, print_text
from usufruct.cli.support.price_archive import ArchiveOption, archive_of, parse_day, progress_bar
from usufruct.cli.support.prompts import confirm
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
    if "learned-signals" in snapshot.series:
        row = dict(_rows(snapshot, "learned-signals", snapshot.last_day)).get(column, {})
        facts |= {f"learned_{name}": _grade(row.get(name)) for name in ("signal", "score")}
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


_PLAN = TrainingPlan()


@app.command()
@runs()
def train(
    config: Config,
    horizon: Annotated[int, Option(min=1, max=90, help="Days whose return is ranked.")] = _PLAN.horizon_days,
    refit_weeks: Annotated[int, Option(min=1, max=260, help="Fit again every so many weeks.")] = _PLAN.refit_weeks,
    window: Annotated[int, Option(min=0, help="Learn from the last so many days; 0: from all.")] = _PLAN.window_days,
    first_days: Annotated[int, Option(min=90, help="Days of prices before the first fit.")] = _PLAN.first_days,
    folds: Annotated[int, Option(min=2, max=20, help="Folds of the cross-validation.")] = _PLAN.folds,
    embargo: Annotated[int | None, Option(min=0, help="Days left out after a fold; default: the horizon.")] = None,
    cost: Annotated[float, Option(min=0, max=0.1, help="Lost at each trade, as a part of it.")] = _PLAN.cost,
    seed: Annotated[int, Option(min=0, help="Another seed gives another model.")] = _PLAN.seed,
    from_: From = None,
    to: To = None,
    out: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Where the model is written; by default `learned` in the data folder, which the worker reads. Models "
            "of other prices than the installation's own: `learned-trial`.",
        ),
    ] = None,
    archive: ArchiveOption = None,
    synthetic: Synthetic = False,
    as_json: Json = False,
) -> Facts:
    """Train a model that ranks assets by their return of the next days, judge it, and write its card.

    It is judged walk-forward and by purged cross-validation, each beside the rule-based signal, holding everything, and
    a model of shuffled labels. The worker adds its signals to the next snapshot.

    Example: usufruct rating train --horizon 7 --refit-weeks 13
    """
    clock = Clock()
    panel = read_prices(config, archive, synthetic=synthetic)
    panel = panel.between(parse_day(from_, "--from") or panel.first_day, parse_day(to, "--to") or panel.last_day)
    plan = TrainingPlan(
        horizon, refit_weeks, window, first_days, folds, horizon if embargo is None else embargo, cost, seed
    )
    own = archive is None and not synthetic and archive_of(config, None).exists
    folder = out or config.data.folder / ("learned" if own else "learned-trial")
    began = clock.monotonic()
    with progress_bar("training", as_json=as_json) as progress:
        trained = train_model(panel, plan, progress)
    made = write_model(folder, trained)
    written = {"model": made.id, "written": str(folder), "seconds": round(clock.monotonic() - began, 1)}
    return {**made.card, **written} if as_json else _summary(made.card) | written


@app.command("model-card")
@runs()
def model_card(
    config: Config,
    model: Annotated[
        Path | None, Option(metavar="FOLDER", help="A model's folder; by default the one that the worker reads.")
    ] = None,
    as_json: Json = False,
) -> Facts | None:
    """Show the card of the trained model: data, features, both evaluations beside their baselines, losses, limits.

    Example: usufruct rating model-card > card.md
    """
    card = read_card(model or config.data.folder / "learned")
    if as_json:
        return card
    print_text(write_card(card))
    return None


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
            "last_used": None if key.last_used_at is None else moment(key.last_used_at),
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
        raise _no_live_key(key)
    return {"key": key, "per_month": per_month, "per_minute": per_minute}


@app.command("revoke-key")
@runs(_open_keys)
async def revoke_key(
    store: MarketKeyStore,
    key: Annotated[str, Argument(help="The key's id; `usufruct rating keys` lists them.")],
    yes: Annotated[bool, Option("--yes", "-y", help="Do not ask.")] = False,
) -> Facts:
    """Revoke a key of the market API: gateways refuse it within seconds.

    Example: usufruct rating revoke-key mkey_3f0c
    """
    confirm(f"revoke {key}? programs that use it get no more answers", yes=yes)
    now = Clock().now()
    if not await store.revoke(key, now):
        raise _no_live_key(key)
    return {"key": key, "revoked": moment(now)}


def _no_live_key(key: str) -> NotFound:
    return NotFound(f"no live key has the id {key}; `usufruct rating keys` lists them", code="key_not_found")


def _about(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "assets": len(snapshot.assets),
        "last_day": datetime.fromtimestamp(snapshot.last_day, UTC).date().isoformat(),
        "computed": moment(snapshot.computed_at),
        "source": snapshot.source,
        "attribution": list(snapshot.attribution),
        "simulated": snapshot.synthetic,
    }


def _summary(card: Card) -> dict[str, Any]:
    """Return a card's result as lines: each strategy of both evaluations."""
    facts: dict[str, Any] = {
        "prices": card["data"]["source"],
        "days": f"{card['data']['first_day']} to {card['data']['last_day']}",
        "fits": f"{len(card['fits'])}, the last one learned until {card['fits'][-1]['learned_until']}",
    }
    for each in card["evaluations"]:
        lines = [f"{one['name']}: {_judged(one)}" for one in each["strategies"]]
        facts[each["name"]] = "\n" + "\n".join(lines)
    return facts | {"verdict": verdict(card), "notice": card["notice"]}


def _judged(strategy: dict[str, Any]) -> str:
    ranked, t, fall = (strategy[name] for name in ("rank_correlation", "t", "max_drawdown"))
    skill = "" if ranked is None or t is None else f"rank correlation {ranked:.3f} (t {t:.1f}), "
    deepest = "" if fall is None else f", deepest fall {fall:.1%}"
    return f"{skill}return {strategy['total_return']:+.1%} after costs{deepest}"


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
