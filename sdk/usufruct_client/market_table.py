"""Rows of `/v2` as a sequence of documents, or as a DataFrame where its library is installed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_type_hints, overload

from pydantic import AwareDatetime

from usufruct_client.errors import MissingLibrary
from usufruct_client.wire_types import Document

if TYPE_CHECKING:
    import pandas
    import polars

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, eq=False)
class MarketTable(Sequence[Row], Generic[Row]):
    """Rows of one state of the data, the newest first.

    `as_of`: the start of the last bar. `stale`: newer prices should be there. `synthetic`: the prices are simulated.
    `version`: of the data. `message`: the reason for an empty list; otherwise empty. `attribution`: what the licences
    of the sources want shown where the data is.
    """

    kind: type[Row]
    rows: Sequence[Row]
    as_of: datetime
    stale: bool
    synthetic: bool
    source: str
    version: str
    message: str
    attribution: Sequence[str] = ()

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def to_polars(self) -> "polars.DataFrame":
        """Return the rows as a polars DataFrame, a column for each member.

        Raises:
            MissingLibrary: when polars is not installed.
        """
        library = _library("polars")
        kinds = {int: library.Int64, float: library.Float64, str: library.String}
        kinds[AwareDatetime] = library.Datetime("ms", "UTC")
        types = {name: kinds.get(kind) for name, kind in _plain_kinds(self.kind).items()}
        columns = [library.Series(name, values, types[name]) for name, values in self._columns().items()]
        table: polars.DataFrame = library.DataFrame(columns)
        return table

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the rows as a pandas DataFrame, a column for each member.

        Raises:
            MissingLibrary: when pandas is not installed.
        """
        library = _library("pandas")
        numbers = [name for name, kind in _plain_kinds(self.kind).items() if kind is float]
        table: pandas.DataFrame = library.DataFrame(self._columns()).astype(dict.fromkeys(numbers, "float64"))
        return table

    def _columns(self) -> Mapping[str, list[Any]]:
        return {name: [_plain(getattr(row, name)) for row in self.rows] for name in _members(self.kind)}


def _members(kind: Any) -> list[str]:
    return [each.name for each in fields(kind)]


def _plain_kinds(kind: Any) -> dict[str, Any]:
    """Return the kind of each member's values, None left out."""
    hints = get_type_hints(kind)
    found = {}
    for name in _members(kind):
        kinds = [each for each in get_args(hints[name]) or (hints[name],) if each is not NoneType]
        found[name] = kinds[0]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, Document):
        return {name: _plain(each) for name, each in vars(value).items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise MissingLibrary(f"{name} is not installed; pip install {name}", library=name) from None
