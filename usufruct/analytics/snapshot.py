"""What `/v2` answers from: tables computed together from one state of the prices, and what they were computed from.

Two shapes. A `RowTable` holds rows that are JSON already. A `SeriesTable` holds one matrix a field, a row a step of
time and a column an asset, and its rows are written when they are asked for: a million of them cost no memory, as the
matrices are mapped from files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.connectors.prices import Asset

NO_ASSET: Final = -1
DAY: Final = 86_400
HOUR: Final = 3_600
HOURLY_DAYS: Final = 90
"""Days of hourly bars, and of the signals of hours, that are served."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Condition:
    """Keeps the rows whose `name` is at least `least`, or is `equal`."""

    name: str
    least: float | None = None
    equal: float | None = None

    def holds(self, values: NDArray[Any]) -> Bools:
        """Return which values are kept."""
        with np.errstate(over="ignore"):  # a number that is too large for the field's type is compared as infinity
            kept: Bools = values == self.equal if self.least is None else values >= self.least
        return kept


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a table: of assets (None: all), from a time until before another, under conditions.

    `after`: the position of the last row of the page before; `skip`: rows left out from the start.
    """

    columns: Ints | None = None
    first: int | None = None
    end: int | None = None
    conditions: tuple[Condition, ...] = ()
    limit: int = 50
    skip: int = 0
    after: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as JSON, and the position of the last one where there are more."""

    rows: Sequence[bytes]
    last: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RowTable:
    """Rows in the order of the answer. `times`: seconds since 1970 of each; `columns`: its asset, or `NO_ASSET`.

    A row's position is its index. `single` finds the one row of an asset, where each has at most one.
    """

    times: Ints
    columns: Ints
    rows: Sequence[bytes]
    single: dict[int, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = {} if len(set(self.columns.tolist())) < len(self.columns) else self._by_column()
        object.__setattr__(self, "single", found)

    def known_range(self) -> tuple[int, int] | None:
        """Return the first and the last time of a row; None without rows."""
        return (int(self.times.min()), int(self.times.max())) if len(self.times) else None

    def page(self, selection: Selection) -> Page:
        """Return the rows that are selected; conditions are not for these tables."""
        if selection.columns is not None and self.single and selection.first is None and selection.end is None:
            found = sorted(self.single[each] for each in selection.columns.tolist() if each in self.single)
            indexes = np.array(found, dtype=np.int64)
        else:
            indexes = np.flatnonzero(self._kept(selection))
        if selection.after is not None:
            indexes = indexes[indexes > selection.after[0]]
        shown = indexes[selection.skip : selection.skip + selection.limit].tolist()
        more = selection.skip + selection.limit < len(indexes)
        return Page([self.rows[each] for each in shown], (shown[-1], 0) if more and shown else None)

    def _kept(self, selection: Selection) -> Bools:
        kept = np.ones(len(self.times), dtype=bool)
        if selection.columns is not None:
            kept &= np.isin(self.columns, selection.columns)
        if selection.first is not None:
            kept &= self.times >= selection.first
        if selection.end is not None:
            kept &= self.times < selection.end
        return kept

    def _by_column(self) -> dict[int, int]:
        return {column: index for index, column in enumerate(self.columns.tolist()) if column != NO_ASSET}


@dataclass(frozen=True, slots=True, eq=False)
class SeriesTable:
    """Fields by name, each a matrix: row `r` is the step that begins at `start + r * step`, a column is an asset.

    Rows are listed where the field `key` is known, the newest first, then by column; a row's position is its step and
    column. `write` makes a row's document of the values of its fields.
    """

    start: int
    step: int
    key: str
    fields: Mapping[str, NDArray[Any]]

    @property
    def length(self) -> int:
        """The number of steps."""
        return len(self.fields[self.key])

    def known_range(self) -> tuple[int, int] | None:
        """Return the times of the first and the last step of which anything is known; None without any."""
        values = self.fields[self.key]
        rows = range(self.length)
        first = next((row for row in rows if not np.isnan(values[row]).all()), None)
        if first is None:
            return None
        return self.time(first), self.time(next(row for row in reversed(rows) if not np.isnan(values[row]).all()))

    def time(self, row: int) -> int:
        """Return when a step begins, in seconds since 1970."""
        return self.start + row * self.step

    def page(self, selection: Selection, write: Callable[[int, int, Mapping[str, float]], dict[str, Any]]) -> Page:
        """Return the rows that are selected; `write` is given a row's time, column and values."""
        found = self._positions(selection)
        shown = found[: selection.limit]
        rows = [
            orjson.dumps(write(self.time(row), column, {name: each[row, column] for name, each in self.fields.items()}))
            for row, column in shown
        ]
        return Page(rows, shown[-1] if len(found) > selection.limit else None)

    def _positions(self, selection: Selection) -> list[tuple[int, int]]:
        """Return up to one position more than the limit, from the newest block of steps to the oldest."""
        wanted, skip = selection.limit + 1, selection.skip
        found: list[tuple[int, int]] = []
        for begin, end in self._blocks(selection):
            block = self._kept(begin, end, selection)[::-1]
            rows, columns = np.nonzero(block)
            rows = end - 1 - rows
            if selection.columns is not None:
                columns = selection.columns[columns]
            if selection.after is not None:
                row, column = selection.after
                later = (rows < row) | ((rows == row) & (columns > column))
                rows, columns = rows[later], columns[later]
            count = len(rows)
            part = slice(skip, skip + wanted - len(found))
            found += zip(rows[part].tolist(), columns[part].tolist(), strict=True)
            skip = max(0, skip - count)
            if len(found) >= wanted:
                break
        return found

    def _blocks(self, selection: Selection) -> list[tuple[int, int]]:
        first = 0 if selection.first is None else max(0, -((self.start - selection.first) // self.step))
        end = self.length if selection.end is None else -((self.start - selection.end) // self.step)
        end = min(self.length, end)
        if selection.after is not None:
            end = min(end, selection.after[0] + 1)
        size = 64
        return [(max(first, top - size), top) for top in range(end, first, -size)]

    def _kept(self, begin: int, end: int, selection: Selection) -> Bools:
        def part(name: str) -> NDArray[Any]:
            rows = self.fields[name][begin:end]
            return rows if selection.columns is None else rows[:, selection.columns]

        kept: Bools = ~np.isnan(part(self.key))
        for each in selection.conditions:
            kept &= each.holds(part(each.name))
        return kept


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One state of the market. `id` differs where anything does.

    `last_day`: the last day with prices, seconds since 1970; `last_hour` of hourly ones, 0 without. `market_caps` and
    `volumes` are of the last day, one value an asset. `digests`: of the inputs of each day's grades.
    `attribution`: what the sources' licences want shown with the data.
    """

    id: str
    computed_at: int
    first_day: int
    last_day: int
    last_hour: int
    synthetic: bool
    source: str
    assets: tuple[Asset, ...]
    market_caps: NDArray[np.float64]
    volumes: NDArray[np.float64]
    digests: Sequence[str]
    briefing: str
    rows: Mapping[str, RowTable]
    series: Mapping[str, SeriesTable]
    attribution: tuple[str, ...] = ()


def utc_text(seconds: int) -> str:
    """Write seconds since 1970 as the API does: 2026-01-31T00:00:00.000Z."""
    return f"{np.datetime64(seconds, 's')}.000Z"


def utc_moment(text: str) -> datetime:
    """Read what `utc_text` wrote, or a day."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
