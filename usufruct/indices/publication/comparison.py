"""Published indices beside each other, over the days that all of them have."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import orjson

from usufruct.analytics import DataState
from usufruct.core import DAY_SECONDS
from usufruct.indices.metrics import YEAR_DAYS, measure, returns_of
from usufruct.indices.publication.model import PublishedIndex
from usufruct.indices.publication.page_view import (
    MOST_POINTS,
    day_text,
    index_line,
    index_source,
    known,
    return_figures,
)
from usufruct.indices.sums import Vector
from usufruct.web.ui import spaced
from usufruct_client.index_page_documents import ComparedIndex, DelistingBounds, IndexComparison

RANGES: Final = (365, 90, 0)
"""Days that can be compared; 0 is all that the indices have in common."""
FEWEST_COMPARED: Final = 2
MOST_COMPARED: Final = 5


def compare_indices(indices: Sequence[PublishedIndex], state: DataState, days: int) -> IndexComparison:
    """Return indices beside each other over their last `days` days in common, or over all of them if it is 0."""
    first, last = common_days(indices, days)
    count = (last - first) // DAY_SECONDS + 1
    picked = spaced(count, MOST_POINTS) if first < last else []
    correlations = _correlations([returns_of(_values(each, "nav", first, last)) for each in indices])
    return IndexComparison(
        source=index_source(state),
        range=days,
        first_day=day_text(first) if picked else None,
        last_day=day_text(last) if picked else None,
        days=[day_text(first + at * DAY_SECONDS) for at in picked],
        indices=[_compared(each, first, last, picked, row) for each, row in zip(indices, correlations, strict=True)],
    )


def common_days(indices: Sequence[PublishedIndex], days: int) -> tuple[int, int]:
    """Return the first and the last day to compare, in seconds since 1970; the last is earlier where none is common."""
    first = max(each.first_day for each in indices)
    last = min(each.last_day for each in indices)
    return (max(first, last - days * DAY_SECONDS) if days else first), last


def _values(index: PublishedIndex, name: str, first: int, last: int) -> Vector:
    """Return daily values from a day to another, both included; none where the last is earlier."""
    begin, end = ((each - index.first_day) // DAY_SECONDS for each in (first, last + DAY_SECONDS))
    return np.asarray(index.values[name][begin : max(begin, end)])


def _compared(
    index: PublishedIndex, first: int, last: int, picked: list[int], correlations: list[float | None]
) -> ComparedIndex:
    nav, level, bullish = (_values(index, name, first, last) for name in ("nav", "level", "bullish"))
    times = index.tables["rebalances"].times
    within = np.flatnonzero((times > first) & (times <= last)).tolist()
    traded = sum(orjson.loads(index.tables["rebalances"].rows[at])["TURNOVER"] for at in within)
    steps = len(nav) - 1
    return ComparedIndex(
        index=index_line(index),
        values=[known(100 * nav[at] / nav[0]) for at in picked],
        returns=return_figures(measure(returns_of(nav)).as_document()),
        rebalances=len(within),
        turnover_a_year=traded * YEAR_DAYS / steps if picked else None,
        paid=known(1 - (nav[-1] / nav[0]) / (level[-1] / level[0])) if picked else None,
        bullish=known(bullish.mean()) if picked and index.rulebook.regime is not None else None,
        first_day=day_text(index.first_day),
        bounds=DelistingBounds(**index.report["total_return_by_delisting_rule"]),
        correlations=correlations,
    )


def _correlations(returns: Sequence[Vector]) -> list[list[float | None]]:
    """Return the correlation of each series with each; None where one of them never changes or is too short."""
    if len(returns[0]) < FEWEST_COMPARED:
        return [[None] * len(returns) for _ in returns]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.atleast_2d(np.corrcoef(np.vstack(returns)))
    return [[known(each) for each in row] for row in found]
