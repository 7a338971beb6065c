"""Snapshots on disk: one matrix a file for series, ready rows in another, and `about.json` for the rest."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics.mapped_files import (
    CurrentReader,
    NoMarketData,
    current_folder,
    read_rows,
    replace_current,
    write_rows,
)
from usufruct.analytics.snapshot import SeriesTable, Snapshot
from usufruct.connectors.prices import Asset
from usufruct.core import Clock

_SCALARS: Final = (
    "id", "computed_at", "first_day", "last_day", "last_hour", "synthetic", "source", "digests", "briefing",
)  # fmt: skip


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write a snapshot and make it the current one."""
    replace_current(folder, snapshot.id, lambda part: _write(part, snapshot))


def read_snapshot(folder: Path) -> Snapshot:
    """Map the current snapshot.

    Raises:
        NoMarketData: when there is none.
    """
    try:
        there = current_folder(folder)
        about = orjson.loads((there / "about.json").read_bytes())
        return Snapshot(
            **{each: about[each] for each in _SCALARS},
            assets=tuple(Asset(**each | {"categories": frozenset(each["categories"])}) for each in about["assets"]),
            market_caps=np.load(there / "market_caps.npy"),
            volumes=np.load(there / "volumes.npy"),
            rows={name: read_rows(there / f"rows-{number}") for number, name in enumerate(about["rows"])},
            series=_read_series(there, about["series"]),
            attribution=tuple(about.get("attribution", ())),  # an earlier version wrote none
        )
    except FileNotFoundError as error:
        raise NoMarketData(
            "there is no market data yet; the operator imports prices and runs a worker, which computes it",
            retry_after=60,
        ) from error


class SnapshotReader(CurrentReader[Snapshot]):
    """The current snapshot."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder, read_snapshot, clock)


def _write(part: Path, snapshot: Snapshot) -> None:
    series = {}
    stored: dict[int, str] = {}
    for name, table in snapshot.series.items():
        files = {field: _store(part, values, stored) for field, values in table.fields.items()}
        series[name] = {"start": table.start, "step": table.step, "key": table.key, "files": files}
    for number, rows in enumerate(snapshot.rows.values()):
        write_rows(part / f"rows-{number}", rows)
    np.save(part / "market_caps.npy", snapshot.market_caps)
    np.save(part / "volumes.npy", snapshot.volumes)
    assets = [asdict(each) | {"categories": sorted(each.categories)} for each in snapshot.assets]
    about = {each: getattr(snapshot, each) for each in _SCALARS}
    about |= {"assets": [_without(each, "column") for each in assets], "series": series, "rows": list(snapshot.rows)}
    about["attribution"] = list(snapshot.attribution)
    (part / "about.json").write_bytes(orjson.dumps(about))


def _store(folder: Path, values: NDArray[Any], stored: dict[int, str]) -> str:
    """Write a matrix once, however many tables have it."""
    if id(values) not in stored:
        stored[id(values)] = f"values-{len(stored)}.npy"
        np.save(folder / stored[id(values)], values)
    return stored[id(values)]


def _read_series(there: Path, about: Mapping[str, Any]) -> dict[str, SeriesTable]:
    mapped: dict[str, NDArray[Any]] = {}
    tables = {}
    for name, table in about.items():
        for file in table["files"].values():
            if file not in mapped:
                mapped[file] = np.load(there / file, mmap_mode="r")
        fields = {field: mapped[file] for field, file in table["files"].items()}
        tables[name] = SeriesTable(table["start"], table["step"], table["key"], fields)
    return tables


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}
