"""The guide to an index for a month, from figures alone: its assets and why, what changed, and measured risks."""

from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics import RowTable, Snapshot
from usufruct.core import DAY_SECONDS
from usufruct.indices.bulletins.briefing import identity, input_hash
from usufruct.indices.bulletins.day_figures import DayFigures, rounded
from usufruct.indices.metrics import drawdown_of
from usufruct.indices.publication import PublishedIndex
from usufruct_client.bulletin_documents import GuideAsset, GuideGrades, GuideLeaver, GuideRisks, GuideRules, IndexGuide

VERSION: Final = "guide-1"
INDEX: Final = "top-10"
YEAR: Final = 365
_FEWEST: Final = 30
"""Returns from which a volatility is measured."""
_GRADES: Final = {
    "overall": "tm-grade-history",
    "trader": "trader-grades",
    "technical": "trader-grades",
    "quantitative": "trader-grades",
    "investor": "investor-grades",
    "fundamental": "investor-grades",
    "technology": "investor-grades",
    "valuation": "investor-grades",
}


def guide_days(index: PublishedIndex) -> dict[str, date]:
    """Return for each month in which the index traded the day of its first trade, the newest month first."""
    days = [datetime.fromtimestamp(at, UTC).date() for at in index.tables["rebalances"].times.tolist()]
    first = {f"{day:%Y-%m}": day for day in sorted(days, reverse=True)}  # the earliest of a month is the last
    return dict(sorted(first.items(), reverse=True))


def write_guide(snapshot: Snapshot, index: PublishedIndex, month: str) -> IndexGuide:
    """Write the guide of a month of `guide_days`, of whose day the snapshot has figures."""
    days = guide_days(index)
    figures = DayFigures(snapshot, days[month])
    earlier = [day for each, day in days.items() if each < month]
    before = DayFigures(snapshot, earlier[0]) if earlier else None
    rebalance = orjson.loads(rows_at(index.tables["rebalances"], figures.start)[0])
    moves = [orjson.loads(each) for each in rows_at(index.tables["trades"], figures.start)]
    nav = np.asarray(index.values["nav"][: (figures.start - index.first_day) // DAY_SECONDS + 1])
    decided = DayFigures(snapshot, date.fromisoformat(rebalance["DECIDED"]))
    ranks = _ranks(index, decided)
    assets = [
        GuideAsset(
            rank=ranks.get(row["CG_ID"], 0),
            market_cap=rounded(decided.caps[decided.columns[row["CG_ID"]]], 2),
            **_figures(figures, before, row, _move_of(moves, row["CG_ID"])),
        )
        for row in _held(index, figures)
    ]
    source = figures.source
    return IndexGuide(
        index=index.rulebook.name,
        title=index.rulebook.title,
        month=month,
        day=str(figures.day),
        decided=rebalance["DECIDED"],
        before=str(before.day) if before else None,
        source=source,
        input_hash=input_hash(
            VERSION,
            month,
            source,
            index.rulebook.hash,
            rebalance["INPUT_HASH"],
            float(nav[-1]),
            str(before and before.day),
        ),
        rulebook_hash=index.rulebook.hash,
        rules=_rules(index),
        value=float(nav[-1]),
        index_change=_since(nav, figures, before),
        eligible=rebalance["ELIGIBLE"],
        turnover=rebalance["TURNOVER"],
        cost=rebalance["COST"],
        cash=rebalance["CASH"],
        assets=assets,
        left=[
            GuideLeaver(
                **identity(figures, figures.columns[each["CG_ID"]]),
                weight_before=each["WEIGHT_BEFORE"],
                reason=each["REASON"],
            )
            for each in moves
            if each["WEIGHT"] == 0 and each["WEIGHT_BEFORE"] > 0
        ],
        risks=_risks(nav, np.array([each.weight for each in assets])),
    )


def rows_at(table: RowTable, at: int) -> list[bytes]:
    """Return the rows of a moment."""
    return [table.rows[each] for each in np.flatnonzero(table.times == at).tolist()]


def volatility(values: NDArray[np.float64]) -> float | None:
    """Return the annual volatility of daily values; None where there are too few."""
    returns = np.diff(np.log(values))
    return rounded(float(returns.std(ddof=1)) * np.sqrt(YEAR)) if len(returns) >= _FEWEST else None


def deepest_fall(values: NDArray[np.float64]) -> float | None:
    """Return the deepest fall under the highest value until then, as a part that is not positive."""
    return rounded(float(drawdown_of(values).min())) if len(values) > 1 else None


def _held(index: PublishedIndex, figures: DayFigures) -> list[dict[str, Any]]:
    """Return what the index holds after the day's trades, the largest weight first."""
    rows = [orjson.loads(each) for each in rows_at(index.tables["portfolios"], figures.start)]
    return sorted(rows, key=lambda row: (-row["WEIGHT"], row["CG_ID"]))


def _move_of(moves: list[dict[str, Any]], asset: str) -> dict[str, Any]:
    return next((each for each in moves if each["CG_ID"] == asset), {})


def _ranks(index: PublishedIndex, decided: DayFigures) -> dict[str, int]:
    """Return the ranks by market cap, by asset id, of the assets whose category the rules allow."""
    excluded = set(index.rulebook.universe.exclude)
    allowed = [each for each in decided.ranks if not decided.assets[each].categories & excluded]
    return {decided.assets[each].id: rank for rank, each in enumerate(allowed, 1)}


def _rules(index: PublishedIndex) -> GuideRules:
    chosen, weights = index.rulebook.selection, index.rulebook.weights
    return GuideRules(
        count=chosen.count,
        enters_at=chosen.enter_rank * chosen.count,
        stays_to=chosen.leave_rank * chosen.count,
        largest_at_most=weights.largest_at_most,
        each_at_most=weights.each_at_most,
    )


def _figures(
    figures: DayFigures, before: DayFigures | None, row: dict[str, Any], move: dict[str, Any]
) -> dict[str, Any]:
    column = figures.columns[row["CG_ID"]]
    prices = figures.history(column, YEAR)
    grades = {name: rounded(figures.values(table, name)[column], 2) for name, table in _GRADES.items()}
    days = (figures.day - before.day).days if before else 0
    return identity(figures, column) | {
        "price": rounded(figures.closes()[column], 12),
        "weight": row["WEIGHT"],
        "weight_before": move.get("WEIGHT_BEFORE", row["WEIGHT"]),
        "reason": move.get("REASON", ""),
        "change": figures.change(column, days) if before else None,
        "signal": int(figures.signals()[column]),
        "grades": GuideGrades(**grades),
        "overall_before": rounded(before.values("tm-grade-history", "overall")[column], 2) if before else None,
        "volatility": volatility(prices),
        "max_drawdown": deepest_fall(prices),
    }


def _since(nav: NDArray[np.float64], figures: DayFigures, before: DayFigures | None) -> float | None:
    days = (figures.day - before.day).days if before else 0
    return rounded(nav[-1] / nav[-1 - days] - 1.0) if before and len(nav) > days else None


def _risks(nav: NDArray[np.float64], weights: NDArray[np.float64]) -> GuideRisks:
    year = nav[-YEAR:]
    ordered = np.sort(weights)[::-1]
    concentration = float((weights**2).sum())
    return GuideRisks(
        volatility=volatility(year),
        max_drawdown=deepest_fall(year),
        below_high=rounded(float(nav[-1] / nav.max()) - 1.0),
        concentration=round(concentration, 6),
        equal_assets=round(1.0 / concentration, 2) if concentration else 0.0,
        largest=float(ordered[:1].sum()),
        largest_three=float(ordered[:3].sum()),
    )
