"""The list of sources: a TOML file that says which prices and news the worker fetches, and how.

::

    [prices.kraken]
    table = "symbols.csv"
    bars = ["1d", "1h"]

    [prices.median]
    venues = ["kraken", "coinbase"]

    [news.wire]
    url = "https://example.org/rss.xml"
    names = "names.csv"

Each section takes what `usufruct prices fetch` and `usufruct news fetch` take as options. Paths are relative to the
file.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from usufruct.analytics.collecting.price_sources import MEDIAN
from usufruct.connectors.prices import Interval
from usufruct.core import Invalid

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]

_MOST_BYTES: Final = 1 << 20


class InvalidSources(Invalid, code="invalid_sources"):
    """The list of sources cannot be right."""


class _Section(BaseModel):
    """A part of the list: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PriceEntry(_Section):
    """A source of prices: an exchange, a vendor, or the median of exchanges."""

    table: str = ""
    """CSV file: which asset each symbol of the exchange, or each id of the vendor, is."""
    first: date | None = None
    """By default a year before the first fetch."""
    bars: Annotated[tuple[Interval, ...], Field(min_length=1)] = (Interval.DAY,)
    venues: tuple[Word, ...] = ()
    """Of a median: exchanges of this list."""
    at_par: tuple[str, ...] = ()
    url: str = ""
    caps: StrictBool = True
    synthetic: StrictBool = False


class NewsEntry(_Section):
    """A feed."""

    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    names: str = ""
    """CSV file: by which names an asset is called."""


class SourceList(_Section):
    """All sources, by name, in the order of the file; `folder` is what paths are relative to."""

    prices: Mapping[Word, PriceEntry] = {}
    news: Mapping[Word, NewsEntry] = {}
    folder: Path = Field(default=Path(), exclude=True)

    def path(self, name: str) -> Path | None:
        """Return the path of a file that the list names; None where it names none."""
        return self.folder / name if name else None


def read_sources(path: Path) -> SourceList:
    """Read a list of sources.

    Raises:
        InvalidSources: when it cannot be read, or a key or value is not valid; the message names it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        tree = tomllib.loads(content.decode())
    except OSError as error:
        raise InvalidSources(f"{path} cannot be read: {error.strerror}; correct `markets.sources`") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSources(f"{path} is not valid TOML: {error}; correct the line") from None
    if len(content) > _MOST_BYTES or "folder" in tree:
        raise InvalidSources(f"{path} must have the tables `prices` and `news` alone, and at most {_MOST_BYTES} bytes")
    try:
        found = SourceList.model_validate(tree | {"folder": path.parent})
    except ValidationError as error:
        raise _invalid(error, path) from None
    _check(found, path)
    return found


def _check(found: SourceList, path: Path) -> None:
    for name, entry in found.prices.items():
        if name != MEDIAN and not entry.table:
            raise InvalidSources(f"{path}: prices.{name}.table is missing; name a CSV file", field=f"prices.{name}")
        strange = [each for each in entry.venues if each not in found.prices or each == MEDIAN]
        if name == MEDIAN and (strange or len(set(entry.venues)) < 2):
            raise InvalidSources(
                f"{path}: prices.median.venues must be two or more exchanges of this list"
                + (f", and {strange[0]!r} is none" if strange else ""),
                field="prices.median.venues",
            )


def _invalid(error: ValidationError, path: Path) -> InvalidSources:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "extra_forbidden":
        problem = f"the key {field!r} is not known; remove it or correct its name"
    elif first["type"] == "missing":
        problem = f"{field} is missing; add it"
    else:
        problem = f"{field} is {str(first['input'])[:80]!r}: {first['msg']}; correct it"
    return InvalidSources(f"{path}: {problem}", field=field)
