"""The file that a worker writes live prices to, and gateways read: small, replaced in one step, never waited for."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson

from usufruct.analytics.live.fixing import FixedPrice
from usufruct.analytics.live.model import LiveMedian, LiveTable

_FILE: Final = "prices.json"


def write_table(folder: Path, table: LiveTable) -> None:
    """Replace the table. It is not forced to the disk: after a power cut live prices are old anyway."""
    rows = [[each.asset, each.price, each.at, each.venues, each.version] for each in table.medians.values()]
    about = {"version": table.version, "stale_after": table.stale_after, "synthetic": table.synthetic}
    part = folder / f".{_FILE}"
    part.write_bytes(orjson.dumps(about | {"medians": rows}))
    part.replace(folder / _FILE)


def read_table(folder: Path) -> LiveTable | None:
    """Return the table; None where there is none, or a power cut left no whole one."""
    try:
        about: dict[str, Any] = orjson.loads((folder / _FILE).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    medians = (LiveMedian(row[0], row[1], row[2], tuple(row[3]), row[4]) for row in about["medians"])
    return LiveTable(about["version"], about["stale_after"], about["synthetic"], {each.asset: each for each in medians})


def updated(table: LiveTable, fixed: Iterable[tuple[str, FixedPrice]], now: float) -> LiveTable:
    """Return a table with prices that were fixed now; the same one where none differs."""
    version = max(table.version + 1, int(now * 1000))
    changed = {}
    for asset, price in fixed:
        before = table.medians.get(asset)
        if before is None or (before.price, before.at, before.venues) != (price.price, price.at, price.venues):
            changed[asset] = LiveMedian(asset, price.price, price.at, price.venues, version)
    return replace(table, version=version, medians={**table.medians, **changed}) if changed else table


class LiveReader:
    """The newest table of a folder; the file is read again when it was replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark: tuple[int, int] = (0, 0)
        self._table: LiveTable | None = None

    def current(self) -> LiveTable | None:
        """Return it; None while there is none."""
        try:
            found = (self._folder / _FILE).stat()
        except FileNotFoundError:
            return self._table
        mark = found.st_ino, found.st_mtime_ns
        if mark != self._mark:
            self._mark, self._table = mark, read_table(self._folder) or self._table
        return self._table
