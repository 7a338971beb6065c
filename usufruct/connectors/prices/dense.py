"""Rows of bars to dense matrices: the newest knowledge of each source, then the preferred source of each value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from usufruct.connectors.prices.bars import PRICES, Interval, start_of
from usufruct.connectors.prices.panel import Matrix
from usufruct.connectors.prices.registry import AssetChange

SUPPLY_DAYS: Final = 30
"""A supply counts for so many days after it was reported, where caps are price x supply."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells that rows are put into: times from `first` on, and assets."""

    interval: Interval
    first: datetime
    rows: int
    ids: Sequence[str]

    def earlier(self, rows: int) -> "Grid":
        """Return the grid with rows before its first."""
        return Grid(self.interval, self.first - rows * self.interval.step, self.rows + rows, self.ids)

    def empty(self) -> Matrix:
        """Return a matrix in which nothing is known."""
        return np.full((self.rows, len(self.ids)), np.nan)


def follow_renames(rows: pl.LazyFrame, renames: Sequence[AssetChange]) -> pl.LazyFrame:
    """Give bars under an old id the new one, where they are from before the day of the change.

    Bars of that time under the new id are left out: it was another coin's, or a copy.
    """
    for each in renames:
        before = pl.col("time") < start_of(each.day)
        old = before & (pl.col("asset") == each.asset)
        rows = rows.filter(~(before & (pl.col("asset") == each.to)))
        rows = rows.with_columns(asset=pl.when(old).then(pl.lit(each.to)).otherwise(pl.col("asset")))
    return rows


def fill(grid: Grid, rows: pl.DataFrame, fields: Sequence[str], preference: Sequence[str]) -> dict[str, Matrix]:
    """Return a matrix for each field.

    Of one source, a bar that we learnt later replaces an earlier one, also by null. Of several sources, open, high,
    low, close and volume come from the most preferred that has a close; other values from the most preferred that has
    them. `rows` are in the order they were written.
    """
    found = {name: grid.empty() for name in fields}
    together = [name for name in fields if name in (*PRICES, "volume")]
    placed = _place(grid, rows)
    sources = _ascending(placed["source"].unique().to_list(), preference)
    for source in sources:
        own = placed if len(sources) == 1 else placed.filter(pl.col("source") == source)
        values = _latest(grid, own, [*fields, "close"])
        has_close = np.isfinite(values["close"])
        for name in fields:
            known = has_close if name in together else np.isfinite(values[name])
            np.copyto(found[name], values[name], where=known)
    return found


def redenominate(grid: Grid, values: Mapping[str, Matrix], changes: Sequence[AssetChange]) -> None:
    """Bring what is from before a split or redenomination into the units of after it."""
    columns = {each: index for index, each in enumerate(grid.ids)}
    for change in changes:
        if change.asset in columns:
            before = (start_of(change.day) - grid.first) // grid.interval.step
            rows = slice(0, max(0, min(before, grid.rows)))
            for name, matrix in values.items():
                if name in PRICES:
                    matrix[rows, columns[change.asset]] /= change.units
                elif name == "supply":
                    matrix[rows, columns[change.asset]] *= change.units


class SupplyCarrier:
    """Carries each asset's last reported supply over the days on which none was reported, part after part."""

    def __init__(self, assets: int) -> None:
        self._last = np.full(assets, np.nan)
        self._age = np.zeros(assets, dtype=np.int64)
        self._next = 0

    def carry(self, first_row: int, supply: Matrix) -> None:
        """Fill the gaps of the rows from `first_row` on, in place; rows that were left out had no report."""
        self._age += first_row - self._next
        self._next = first_row + len(supply)
        for row in supply:
            known = np.isfinite(row)
            self._age = np.where(known, 0, self._age + 1)
            self._last = np.where(known, row, np.where(self._age <= SUPPLY_DAYS, self._last, np.nan))
            row[:] = self._last


def _place(grid: Grid, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that fall into the grid, with the numbers of their row and column."""
    ids = pl.Enum(list(grid.ids))
    step = int(grid.interval.step.total_seconds() * 1_000_000)
    first = int(grid.first.timestamp()) * 1_000_000
    numbered = rows.with_columns(
        column=pl.col("asset").cast(ids, strict=False).to_physical(),
        row=(pl.col("time").dt.timestamp("us") - first) // step,
    )
    return numbered.filter(pl.col("column").is_not_null() & pl.col("row").is_between(0, grid.rows - 1))


def _ascending(sources: Sequence[str], preference: Sequence[str]) -> list[str]:
    """Return sources from the least to the most preferred; those without a place come first."""
    place = {name: index for index, name in enumerate(preference)}
    return sorted(sources, key=lambda name: (-place.get(name, len(place)), name))


def _latest(grid: Grid, rows: pl.DataFrame, fields: Sequence[str]) -> dict[str, Matrix]:
    """Return one source's values, each cell by its newest row; of two learnt at once, the one written later."""
    cells: NDArray[np.int64] = rows["row"].to_numpy().astype(np.int64) * len(grid.ids) + rows["column"].to_numpy()
    seen = np.zeros(grid.rows * len(grid.ids), dtype=np.bool_)
    seen[cells] = True
    learnt: NDArray[np.int64] | slice = slice(None)
    if np.count_nonzero(seen) < len(cells):  # a cell is named twice
        learnt = np.argsort(rows["known_at"].to_physical().to_numpy(), kind="stable")
    found = {}
    for name in dict.fromkeys(fields):
        found[name] = matrix = grid.empty()
        matrix.reshape(-1)[cells[learnt]] = rows[name].to_numpy()[learnt]  # of a cell's values, the last one stays
    return found
