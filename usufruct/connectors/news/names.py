"""Which assets a text names: by a table of names, because a ticker is often an ordinary word."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

from usufruct.connectors.news.errors import InvalidNames
from usufruct.connectors.news.model import NewsItem

_LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class AssetName:
    """A name of an asset, such as `Bitcoin`, `BTC` or `$NEAR`; `exact`: only in these capitals."""

    asset: str
    name: str
    exact: bool = False


class AssetNames:
    """Finds names in text, whole words only; a longer name wins over one within it."""

    def __init__(self, names: Iterable[AssetName]) -> None:
        """Take the names.

        Raises:
            InvalidNames: when one name is two assets', or empty.
        """
        self._exact: dict[str, str] = {}
        self._loose: dict[str, str] = {}
        for each in names:
            name = " ".join(each.name.split())
            table, key = (self._exact, name) if each.exact else (self._loose, name.casefold())
            if not name or not each.asset or table.get(key, each.asset) != each.asset:
                raise InvalidNames(
                    f"{each.name!r} as a name of {each.asset!r}: give each name one asset, or leave an ambiguous one "
                    "out"
                )
            table[key] = each.asset
        self._patterns = tuple(
            (_pattern(table, flags), table)
            for table, flags in ((self._exact, re.NOFLAG), (self._loose, re.IGNORECASE))
            if table
        )

    def find(self, text: str) -> tuple[str, ...]:
        """Return the ids of the assets that a text names, in order of the alphabet."""
        found = set()
        for pattern, table in self._patterns:
            for match in pattern.finditer(text):
                name = " ".join(match.group().split())
                asset = table.get(name) or table.get(name.casefold())
                if asset:
                    found.add(asset)
        return tuple(sorted(found))

    def tag(self, items: Iterable[NewsItem]) -> tuple[NewsItem, ...]:
        """Return items with the assets that title or summary name."""
        return tuple(replace(each, assets=self.find(f"{each.title}\n{each.summary}")) for each in items)


def read_names(path: Path) -> AssetNames:
    """Read the table from a CSV file: asset, name, and optionally exact (yes or no).

    Raises:
        InvalidNames: when the file is not readable, or a row is wrong.
    """
    try:
        content = path.read_bytes()[: _LARGEST + 1]
        reader = csv.DictReader(StringIO(content.decode("utf-8-sig")))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidNames(f"{path} is not readable as UTF-8 text: {error}") from None
    names = reader.fieldnames or ()
    if len(content) > _LARGEST or not {"asset", "name"} <= set(names) <= {"asset", "name", "exact"}:
        raise InvalidNames(f"{path} must have the first line asset,name,exact and at most {_LARGEST} bytes")
    rows = []
    for row in reader:
        exact = (row.get("exact") or "no").strip().lower()
        if exact not in ("yes", "no"):
            raise InvalidNames(f"{path}, line {reader.line_num}: exact must be yes or no, not {exact!r}")
        rows.append(AssetName((row["asset"] or "").strip(), row["name"] or "", exact == "yes"))
    return AssetNames(rows)


def _pattern(table: Iterable[str], flags: re.RegexFlag) -> re.Pattern[str]:
    words = sorted(table, key=len, reverse=True)
    spaced = ("\\s+".join(re.escape(part) for part in each.split()) for each in words)
    return re.compile(rf"(?<![\w$])(?:{'|'.join(spaced)})(?!\w)", flags)
