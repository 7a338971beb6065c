"""Parameters of `/v2` requests: which assets, days and rows are asked for."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics.snapshot import Condition, Ints, Selection, Snapshot
from usufruct.core import Invalid
from usufruct.web import Parameter

USUAL_LIMIT: Final = 50
MOST_LIMIT: Final = 1_000
_MOST_PAGE: Final = 1_000_000_000
_LAST_DAY: Final = date.max - timedelta(days=1)

_NAMED: Final = ("token_id", "symbol", "token_name", "category", "exchange")
"""What names assets, by words."""
NUMBER: Final = {"type": "number"}
_DAY: Final = {"type": "string", "format": "date"}

FILTERS: Final[Mapping[str, str | Parameter]] = {
    "token_id": "ids of assets, by commas",
    "symbol": "tickers, by commas; several assets may have one",
    "token_name": "names, by commas",
    "category": "categories, by commas: assets of any of them",
    "exchange": "exchanges, by commas: assets that trade at any of them",
    "blockchain_address": "`chain:0x...`; not known for assets of this installation",
    "marketcap": Parameter("least market cap of the last day", NUMBER),
    "fdv": Parameter("least fully diluted value; not known for assets of this installation", NUMBER),
    "volume": Parameter("least volume of the last day", NUMBER),
}
DAYS: Final = {
    "startDate": Parameter("first day, YYYY-MM-DD", _DAY),
    "endDate": Parameter("last day, included", _DAY),
}
LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT}
PAGING: Final[Mapping[str, str | Parameter]] = {
    "limit": Parameter(f"rows of an answer, 1 to {MOST_LIMIT}; {USUAL_LIMIT} if not given", LIMIT),
    "page": Parameter("0 and 1 are the first", {"type": "integer", "minimum": 0, "maximum": _MOST_PAGE}),
    "cursor": "`next_cursor` of the page before, instead of `page`",
}


class InvalidParameter(Invalid, code="invalid_parameter"):
    """A parameter that cannot be; the message names it."""


class AssetIndex:
    """Finds the columns of a snapshot's assets by what callers name them by."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._by: dict[str, dict[str, list[int]]] = {name: {} for name in _NAMED}
        traded = _exchanges(snapshot)
        for column, asset in enumerate(snapshot.assets):
            words = {
                "token_id": [str(asset.number)],
                "symbol": [asset.symbol.lower()],
                "token_name": [asset.name.lower(), asset.id.lower()],
                "category": [each.lower() for each in asset.categories],
                "exchange": [each.lower() for each in traded.get(column, ())],
            }
            for name, values in words.items():
                for value in values:
                    self._by[name].setdefault(value, []).append(column)

    def columns(self, parameters: Mapping[str, str]) -> Ints | None:
        """Return the columns that all filters leave, in order; None where none filters."""
        found: set[int] | None = None
        for name in FILTERS:
            if name in parameters:
                here = self._filtered(name, parameters[name])
                found = here if found is None else found & here
        return None if found is None else np.array(sorted(found), dtype=np.int64)

    def _filtered(self, name: str, text: str) -> set[int]:
        if name in self._by:
            words = [word.strip().lower() for word in text.split(",")]
            return {column for word in words for column in self._by[name].get(word, [])}
        if name in ("marketcap", "fdv", "volume"):
            least = read_number(name, text)
            values = {"marketcap": self._snapshot.market_caps, "volume": self._snapshot.volumes}.get(name)
            return set() if values is None else set(_at_least(values, least))
        return set()  # addresses and diluted values of assets are not known


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request, as text."""

    parameters: Mapping[str, str]

    @classmethod
    def of(cls, query_string: bytes) -> "Query":
        """Read a query string; parameters without a value count as not given.

        Raises:
            InvalidParameter: when it is not text in UTF-8.
        """
        try:
            return cls(dict(parse_qsl(query_string.decode("ascii"), errors="strict")))
        except ValueError as error:
            raise InvalidParameter("the query is not valid text in UTF-8; encode it again", field="query") from error

    def selection(
        self, index: AssetIndex, *, dated: bool = False, thresholds: Mapping[str, str] | None = None, equal: str = ""
    ) -> Selection:
        """Return which rows are asked for. `thresholds`: parameters, and the fields that are at least as much.

        `equal`: a parameter whose name is the field's, and which it has to be.

        Raises:
            InvalidParameter: names the parameter, its value and what it must be.
        """
        conditions = [
            Condition(field, least=read_number(name, self.parameters[name]))
            for name, field in (thresholds or {}).items()
            if name in self.parameters
        ]
        if equal and equal in self.parameters:
            conditions.append(Condition(equal, equal=read_number(equal, self.parameters[equal])))
        first, end = self.days() if dated else (None, None)
        limit, skip, after = self.paging()
        return Selection(index.columns(self.parameters), first, end, tuple(conditions), limit, skip, after)

    def days(self) -> tuple[int | None, int | None]:
        """Return the first second of the first day, and that after the last day; raises as `selection`."""
        first, last = (self.day(name) for name in ("startDate", "endDate"))
        if first is not None and last is not None and last < first:
            raise InvalidParameter(f"endDate {last} is before startDate {first}; swap them", field="endDate")
        return _second(first), None if last is None else _second(min(last, _LAST_DAY) + timedelta(days=1))

    def whole(self, name: str, usual: int, least: int, most: int) -> int:
        """Return a parameter that must be a whole number between two; raises as `selection`."""
        text = self.parameters.get(name, str(usual))
        if not (text.isascii() and text.isdigit() and len(text) < 19 and least <= int(text) <= most):
            raise InvalidParameter(
                f"{name} must be a whole number from {least} to {most}, not {text[:40]!r}", field=name
            )
        return int(text)

    def paging(self) -> tuple[int, int, tuple[int, int] | None]:
        """Return the number of rows, how many come before them, and the position after which they come."""
        limit = self.whole("limit", USUAL_LIMIT, 1, MOST_LIMIT)
        page = self.whole("page", 1, 0, _MOST_PAGE)
        cursor = self.parameters.get("cursor")
        return (limit, (max(page, 1) - 1) * limit, None) if cursor is None else (limit, 0, read_cursor(cursor))

    def one_of(self, name: str, words: Sequence[str]) -> str:
        """Return a parameter that must be one of some words, by default the first; raises as `selection`."""
        value = self.parameters.get(name, words[0]).lower()
        if value not in words:
            raise InvalidParameter(f"{name} must be {' or '.join(words)}, not {value[:40]!r}", field=name)
        return value

    def day(self, name: str) -> date | None:
        """Return a parameter that must be a day, None where it is not given; raises as `selection`."""
        text = self.parameters.get(name)
        try:
            return None if text is None else date.fromisoformat(text)
        except ValueError:
            raise InvalidParameter(f"{name} must be a day such as 2026-01-31, not {text!r}", field=name) from None


def read_number(name: str, text: str) -> float:
    """Read a number.

    Raises:
        InvalidParameter: when it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < float("inf"):
        raise InvalidParameter(f"{name} must be a number, not {text[:40]!r}", field=name)
    return number


def write_cursor(position: tuple[int, int]) -> str:
    """Write a position as callers send it back."""
    return base64.urlsafe_b64encode(f"{position[0]}.{position[1]}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[int, int]:
    """Read what `write_cursor` wrote.

    Raises:
        InvalidParameter: when it did not.
    """
    try:
        row, _, column = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(".")
        position = int(row), int(column)
    except (ValueError, binascii.Error):
        position = (-1, -1)
    if not all(0 <= each < 1 << 62 for each in position):
        raise InvalidParameter("cursor is none of ours; send `next_cursor` as it came", field="cursor")
    return position


def _exchanges(snapshot: Snapshot) -> dict[int, list[str]]:
    """Return the exchanges of each column, as `/tokens` lists them."""
    listed = snapshot.rows.get("tokens")
    if listed is None:
        return {}
    return {column: orjson.loads(listed.rows[at])["EXCHANGE_LIST"] for column, at in listed.single.items()}


def _at_least(values: NDArray[np.float64], least: float) -> list[int]:
    found: list[int] = np.flatnonzero(values >= least).tolist()
    return found


def _second(day: date | None) -> int | None:
    return None if day is None else int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
