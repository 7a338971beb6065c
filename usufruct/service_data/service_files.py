"""The figures of services on disk: rows that a worker writes and every gateway of the machine maps."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import orjson

from usufruct.analytics import NoMarketData, RowTable, current_folder, read_rows, replace_current, write_rows
from usufruct.config import Config
from usufruct.service_data.figures import Row

_ROWS: Final = "services"
_NO_ASSET: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class ServiceTable:
    """The rows of all services at a time. `version` differs whenever a row does; `places` are the rows by service."""

    version: str
    computed_at: int
    rows: RowTable
    places: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        places = {orjson.loads(row)["SERVICE"]: place for place, row in enumerate(self.rows.rows)}
        object.__setattr__(self, "places", places)


def service_folder(config: Config) -> Path:
    """Return where the figures are; gateways on other machines need the same folder."""
    return config.data.folder / "services"


def table_of(rows: Sequence[Row], computed_at: int) -> ServiceTable:
    """Return rows as a table, in their order."""
    written = [orjson.dumps(each) for each in rows]
    none = np.full(len(rows), _NO_ASSET, dtype=np.int64)
    version = hashlib.sha256(b"\n".join([str(computed_at).encode(), *written])).hexdigest()[:16]
    return ServiceTable(version, computed_at, RowTable(np.full(len(rows), computed_at, dtype=np.int64), none, written))


def write_table(folder: Path, table: ServiceTable) -> None:
    """Write a table and make it the current one."""

    def write(part: Path) -> None:
        write_rows(part / _ROWS, table.rows)
        (part / "about.json").write_bytes(orjson.dumps({"version": table.version, "computed_at": table.computed_at}))

    replace_current(folder, table.version, write)


def read_table(folder: Path) -> ServiceTable:
    """Map the current table.

    Raises:
        NoMarketData: when there is none.
    """
    try:
        there = current_folder(folder)
        about = orjson.loads((there / "about.json").read_bytes())
        return ServiceTable(**about, rows=read_rows(there / _ROWS))
    except FileNotFoundError as error:
        raise NoMarketData(
            "figures of services were not computed yet; a worker does it within minutes", retry_after=60
        ) from error
