"""Published indices on disk: a folder each, with matrices (daily values, history) and a file for each table of rows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from usufruct.analytics import NoMarketData, RowTable, current_folder, read_rows, replace_current, write_rows
from usufruct.config import Config
from usufruct.indices.history import AssetName, IndexHistory
from usufruct.indices.publication.model import IndexTables, PublishedIndex
from usufruct.indices.rulebook import Rulebook

_TABLES: Final = ("holdings", "performance", "portfolios", "trades", "rebalances", "restatements")
_FACTS: Final = ("first_day", "last_day", "restatements", "listing", "report", "failure")
_MAPPED: Final = ("valued", "held")
_HISTORY: Final = ("nav", "traded", "cash", "targets", *_MAPPED)
_RECORD: Final = "record.npy"
_WHOLE: Final = ("id", "key", "last_day", "synthetic", "source")


def index_folder(config: Config) -> Path:
    """Return where published indices are; gateways on other machines need the same folder."""
    return config.data.folder / "indices"


def write_indices(folder: Path, found: IndexTables) -> None:
    """Write published indices and make them the current ones."""

    def write(part: Path) -> None:
        for number, each in enumerate(found.indices):
            _write(part / f"index-{number}", each)
        about = {name: getattr(found, name) for name in _WHOLE}
        about |= {"failures": dict(found.failures), "count": len(found.indices), "attribution": list(found.attribution)}
        (part / "about.json").write_bytes(orjson.dumps(about))

    replace_current(folder, found.id, write)


def read_indices(folder: Path) -> IndexTables:
    """Map the current indices.

    Raises:
        NoMarketData: when there are none.
    """
    try:
        there = current_folder(folder)
        about = orjson.loads((there / "about.json").read_bytes())
        indices = tuple(_read(there / f"index-{number}") for number in range(about["count"]))
        attribution = tuple(about.get("attribution", ()))  # an earlier version wrote none
        whole = {name: about[name] for name in _WHOLE}
        return IndexTables(**whole, indices=indices, failures=about["failures"], attribution=attribution)
    except FileNotFoundError as error:
        raise NoMarketData(
            "indices were not computed yet; the operator imports prices and runs a worker, which computes them",
            retry_after=60,
        ) from error


def _write(folder: Path, index: PublishedIndex) -> None:
    folder.mkdir()
    np.save(folder / "values.npy", np.stack(list(index.values.values())))
    for name in _TABLES:
        write_rows(folder / name, index.tables[name])
    about: dict[str, Any] = {name: getattr(index, name) for name in _FACTS}
    about |= {"rulebook": index.rulebook.model_dump(mode="json"), "values": list(index.values)}
    if index.history is not None:
        about["assets"] = [list(each) for each in index.history.assets]
        for name in _HISTORY:
            np.save(folder / f"{name}.npy", getattr(index.history, name))
    if index.record is not None:
        np.save(folder / _RECORD, index.record)
    (folder / "about.json").write_bytes(orjson.dumps(about))


def _read(folder: Path) -> PublishedIndex:
    about = orjson.loads((folder / "about.json").read_bytes())
    values = np.load(folder / "values.npy", mmap_mode="r")
    rulebook = Rulebook.model_validate_json(orjson.dumps(about["rulebook"]))
    return PublishedIndex(
        rulebook,
        **{name: about[name] for name in _FACTS},
        values=dict(zip(about["values"], values, strict=True)),
        tables={name: _read_table(folder / name) for name in _TABLES},
        history=_read_history(folder, rulebook, about) if "assets" in about else None,
        record=np.load(folder / _RECORD, mmap_mode="r") if (folder / _RECORD).exists() else None,
    )


def _read_table(path: Path) -> RowTable:
    """Map a table; empty where an earlier version, which did not have it, published the index."""
    if not path.with_suffix(".npz").exists():
        return RowTable(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), [])
    return read_rows(path)


def _read_history(folder: Path, rulebook: Rulebook, about: dict[str, Any]) -> IndexHistory:
    first_day = datetime.fromtimestamp(about["first_day"], UTC).date()
    arrays: dict[str, Any] = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r" if name in _MAPPED else None) for name in _HISTORY
    }
    return IndexHistory(rulebook, first_day, tuple(AssetName(*each) for each in about["assets"]), **arrays)
