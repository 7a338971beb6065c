"""Snapshots on disk: written whole by one worker, mapped into memory by every gateway of the machine.

A folder holds a folder for each snapshot, and `current`, the name of the newest. It is replaced in one step once
everything is written; a reader keeps what it has mapped, also after the folder was removed.
"""

import mmap
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics.snapshot import RowTable, SeriesTable, Snapshot
from usufruct.connectors.prices import Asset
from usufruct.core import Clock, Unavailable
from usufruct.core.files import replace_file

CURRENT: Final = "current"
FRESH_SECONDS: Final = 2.0
"""For so long a reader does not look for a newer snapshot."""
_KEPT = 2
_SCALARS: Final = (
    "id", "computed_at", "first_day", "last_day", "last_hour", "synthetic", "source", "digests", "briefing",
)  # fmt: skip


class NoMarketData(Unavailable, code="no_market_data"):
    """No snapshot was computed yet."""


class MappedRows(Sequence[bytes]):
    """Rows of a file by their offsets."""

    def __init__(self, path: Path, offsets: NDArray[np.int64]) -> None:
        self._offsets = offsets
        self._content: mmap.mmap | bytes = b""
        if offsets[-1]:
            with path.open("rb") as file:
                self._content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        """Return a row, or several."""
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return self._content[self._offsets[index] : self._offsets[index + 1]]


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write a snapshot and make it the current one; all but the last two are removed."""
    there = folder / snapshot.id
    part = folder / f".{snapshot.id}"
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    series = {}
    stored: dict[int, str] = {}
    for name, table in snapshot.series.items():
        files = {field: _store(part, values, stored) for field, values in table.fields.items()}
        series[name] = {"start": table.start, "step": table.step, "key": table.key, "files": files}
    for number, (_, rows) in enumerate(snapshot.rows.items()):
        _write_rows(part / f"rows-{number}", rows)
    np.save(part / "market_caps.npy", snapshot.market_caps)
    np.save(part / "volumes.npy", snapshot.volumes)
    assets = [asdict(each) | {"categories": sorted(each.categories)} for each in snapshot.assets]
    about = {each: getattr(snapshot, each) for each in _SCALARS}
    about |= {"assets": [_without(each, "column") for each in assets], "series": series, "rows": list(snapshot.rows)}
    (part / "about.json").write_bytes(orjson.dumps(about))
    if there.exists():
        shutil.rmtree(there)
    part.rename(there)
    replace_file(folder / CURRENT, snapshot.id.encode())
    _remove_old(folder, snapshot.id)


def read_snapshot(folder: Path) -> Snapshot:
    """Map the current snapshot.

    Raises:
        NoMarketData: when there is none.
    """
    try:
        there = folder / (folder / CURRENT).read_text()
        about = orjson.loads((there / "about.json").read_bytes())
        return Snapshot(
            **{each: about[each] for each in _SCALARS},
            assets=tuple(Asset(**each | {"categories": frozenset(each["categories"])}) for each in about["assets"]),
            market_caps=np.load(there / "market_caps.npy"),
            volumes=np.load(there / "volumes.npy"),
            rows={name: _read_rows(there / f"rows-{number}") for number, name in enumerate(about["rows"])},
            series=_read_series(there, about["series"]),
        )
    except FileNotFoundError as error:
        raise NoMarketData(
            "there is no market data yet; the operator imports prices and runs a worker, which computes it",
            retry_after=60,
        ) from error


class SnapshotReader:
    """The current snapshot; looks for a newer one every `FRESH_SECONDS`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._looked = float("-inf")
        self._snapshot: Snapshot | None = None

    def current(self) -> Snapshot:
        """Return it; raises as `read_snapshot`."""
        now = self._clock.monotonic()
        if self._snapshot is None or now - self._looked > FRESH_SECONDS:
            self._looked = now
            if self._snapshot is None or self._name() != self._snapshot.id:
                self._snapshot = read_snapshot(self._folder)
        return self._snapshot

    def _name(self) -> str:
        try:
            return (self._folder / CURRENT).read_text()
        except FileNotFoundError:
            return ""


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


def _write_rows(path: Path, table: RowTable) -> None:
    offsets = np.cumsum([0, *(len(row) for row in table.rows)], dtype=np.int64)
    np.savez(path.with_suffix(".npz"), times=table.times, columns=table.columns, offsets=offsets)
    path.with_suffix(".json").write_bytes(b"".join(table.rows))


def _read_rows(path: Path) -> RowTable:
    with np.load(path.with_suffix(".npz")) as index:
        rows = MappedRows(path.with_suffix(".json"), index["offsets"])
        return RowTable(index["times"], index["columns"], rows)


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def _remove_old(folder: Path, newest: str) -> None:
    there = sorted((each for each in folder.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    for old in [each for each in there if each.name != newest][: -(_KEPT - 1)]:
        shutil.rmtree(old)
