"""Lists of accounts and amounts, and the CSV file of one."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from usufruct.core import format_units

TOKEN = 10**18
CAP = 1_000_000 * TOKEN

Entry = tuple[str, int]
"""An address, and atomic units."""


def sample_entries(count: int) -> list[Entry]:
    """Return entries in no order, each with another address and amount."""
    hashes = [hashlib.sha256(number.to_bytes(4, "big")).hexdigest() for number in range(count)]
    return [("0x" + each[:40], 1 + int(each[40:55], 16)) for each in hashes]


def write_csv(folder: Path, entries: Sequence[Entry]) -> Path:
    """Write entries, amounts in tokens, and return the file."""
    path = folder / "holders.csv"
    rows = [f"{account},{format_units(amount, 18)}" for account, amount in entries]
    path.write_text("\n".join(["address,amount", *rows]) + "\n")
    return path
