"""What `usufruct index verify` prints of a record."""

from pathlib import Path

from usufruct.cli.support.command import Facts
from usufruct.connectors.prices import Panel
from usufruct.indices import InvalidRecord, read_record, verify_record

_LARGEST = 1 << 29


def verified(path: Path, panel: Panel) -> Facts:
    """Compute the index of a record again, and return whether it is equal, or else its first difference.

    Raises:
        InvalidRecord: when the file cannot be read, or is not a record.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= _LARGEST else b""
    except OSError as error:
        raise InvalidRecord(f"{path} is not readable: {error}; pass the path of a record.json") from None
    if size > _LARGEST:
        raise InvalidRecord(f"{path} has {size} bytes, over {_LARGEST}; pass the record.json of one index")
    found = verify_record(read_record(content, str(path)), panel)
    difference, inputs = found.difference, found.input_difference
    facts: dict[str, object] = {
        "record": str(path),
        "index": found.computed["index"],
        "rulebook_hash": found.computed["rulebook_hash"],
        "days": f"{found.computed['first_day']} to {found.computed['last_day']}",
        "rebalances": len(found.computed["rebalances"]),
        "recorded_source": found.recorded.get("source"),
        "prices": panel.source,
        "synthetic": panel.synthetic,
        "equal": difference is None,
    }
    if difference is None:
        return facts
    return facts | {
        "value": difference.value,
        "day": difference.day or None,
        "asset": difference.asset or None,
        "recorded": difference.recorded,
        "computed": difference.computed,
        "other_inputs_since": inputs.day if inputs else None,
    }
