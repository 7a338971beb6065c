"""The table from a vendor's ids of assets to ours."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from usufruct.connectors.vendors.errors import InvalidIds

_LARGEST = 1 << 24


def read_ids(path: Path, source: str) -> Mapping[str, str]:
    """Return our ids by the vendor's, from the rows of a CSV file (source,id,asset) that name the source.

    Raises:
        InvalidIds: when the file is not readable, has no such row, or two rows contradict each other.
    """
    try:
        content = path.read_bytes()[: _LARGEST + 1]
        rows = csv.DictReader(StringIO(content.decode("utf-8-sig")))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidIds(f"{path} is not readable as UTF-8 text: {error}") from None
    if len(content) > _LARGEST or set(rows.fieldnames or ()) != {"source", "id", "asset"}:
        raise InvalidIds(f"{path} must have the first line source,id,asset and at most {_LARGEST} bytes")
    found: dict[str, str] = {}
    for row in rows:
        theirs, ours = (row["id"] or "").strip(), (row["asset"] or "").strip()
        if row["source"] != source:
            continue
        if (
            not theirs
            or not ours
            or found.get(theirs, ours) != ours
            or (ours in found.values() and theirs not in found)
        ):
            raise InvalidIds(
                f"{path}, line {rows.line_num}: {theirs!r} of {source} as {ours!r}: give each id one asset, and each "
                "asset one id"
            )
        found[theirs] = ours
    if not found:
        raise InvalidIds(f"{path} has no row of {source}; add rows such as {source},bitcoin,bitcoin")
    return found
