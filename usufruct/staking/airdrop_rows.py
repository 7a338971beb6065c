"""Read the rows of an airdrop's CSV file, and refuse those that cannot be paid, each with its line number."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from usufruct.core import Invalid, format_units, parse_units
from usufruct_client.identifiers import is_mistyped

TOKEN_DECIMALS = 18
MOST_LISTED = 1_000
"""Refused rows that are listed; further ones are counted."""

_NAMED = 10
"""Lines that the error itself names."""

_COLUMNS = {"amount": TOKEN_DECIMALS, "units": 0}
"""The second column's name says its unit: whole tokens with decimals, or atomic units."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


class InvalidAirdropFile(Invalid, code="invalid_airdrop_file"):
    """A file that is not what it should be: a CSV file without the expected columns, or no built airdrop."""


class AirdropRefused(Invalid, code="airdrop_refused"):
    """Rows of a CSV file cannot be paid; nothing was written. `rows` are the first `MOST_LISTED` of them."""

    def __init__(self, path: Path, refusals: "Refusals") -> None:
        self.rows = refusals.listed()
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(refusals.counts.items()))
        lines = ", ".join(str(row.line) for row in self.rows[:_NAMED]) + ", ..." * (refusals.total > _NAMED)
        super().__init__(
            f"{path} has {refusals.total:,} rows that cannot be paid ({counts}), on line {lines}; correct them "
            "and build again; nothing was written",
            rows=refusals.total,
            **refusals.counts,
        )


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be paid: its line, a stable code, and the reason in words."""

    line: int
    code: str
    reason: str


@dataclass(slots=True)
class Refusals:
    """The rows that were refused: all are counted by code, the first `MOST_LISTED` of each code are kept."""

    counts: Counter[str] = field(default_factory=Counter)
    _rows: list[RefusedRow] = field(default_factory=list)

    def add(self, line: int, code: str, reason: str) -> None:
        """Count a row, and keep it while few of its code are kept."""
        self.counts[code] += 1
        if self.counts[code] <= MOST_LISTED:
            self._rows.append(RefusedRow(line, code, reason))

    @property
    def total(self) -> int:
        """Return how many rows were refused."""
        return self.counts.total()

    def listed(self) -> list[RefusedRow]:
        """Return the first `MOST_LISTED` rows that were kept, by line."""
        return sorted(self._rows, key=lambda row: row.line)[:MOST_LISTED]


@dataclass(frozen=True, slots=True)
class AirdropRow:
    """A row that can be paid: 20 bytes of address, atomic units, not zero."""

    line: int
    account: bytes
    amount: int


def read_rows(path: Path, cap: int, refusals: Refusals) -> Iterator[AirdropRow]:
    """Yield the rows of a CSV file that can be paid; the others go to `refusals`.

    The first line names the columns: `address,amount` with amounts in tokens, such as 1250.5, or `address,units` with
    atomic units. `cap` is the most that one row, and all rows together, may pay, in atomic units. Blank lines count as
    lines and are skipped.

    Raises:
        InvalidAirdropFile: when the first line names other columns, or a field does not end.
    """
    total, full = 0, False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = _lines(file, path)
        decimals = _decimals(path, next(lines, (1, []))[1])
        for line, fields in lines:
            row = _read_row(fields, line, decimals, cap, refusals) if fields else None
            if row is None:
                continue
            total += row.amount
            if total > cap and not full:
                full = True
                reason = f"with this row the amounts add up to more than the cap of {_tokens(cap)} tokens"
                refusals.add(row.line, "total_over_cap", reason)
            yield row


def _lines(file: TextIO, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's number and fields."""
    lines = csv.reader(file)
    try:
        for fields in lines:
            yield lines.line_num, fields
    except csv.Error as error:
        message = f"line {lines.line_num} of {path} cannot be read: {error}; is a quotation mark left open above it?"
        raise InvalidAirdropFile(message, field="rows") from None


def _decimals(path: Path, header: list[str]) -> int:
    names = [name.strip().lower() for name in header]
    if len(names) != 2 or names[0] != "address" or names[1] not in _COLUMNS:
        raise InvalidAirdropFile(
            f"the first line of {path} must be `address,amount` (amounts in tokens) or `address,units` (atomic units), "
            f"not {','.join(header)[:80]!r}",
            field="header",
        )
    return _COLUMNS[names[1]]


def _read_row(fields: list[str], line: int, decimals: int, cap: int, refusals: Refusals) -> AirdropRow | None:
    if len(fields) != 2:
        refusals.add(line, "malformed", f"2 columns are expected, not {len(fields)}")
        return None
    who, text = fields[0].strip(), fields[1].strip()
    if not _ADDRESS.fullmatch(who):
        refusals.add(line, "malformed", f"{who[:60]!r} is not an address: 0x and 40 hex digits are expected")
    elif is_mistyped(who):
        refusals.add(line, "malformed", f"{who} is mistyped: its capital letters do not match its checksum (EIP-55)")
    else:
        account, amount = bytes.fromhex(who[2:]), _amount(text, decimals, line, refusals)
        if amount is None:
            return None
        if not any(account):
            refusals.add(line, "zero", "the address is zero")
        elif not amount:
            refusals.add(line, "zero", "the amount is zero")
        elif amount > cap:
            refusals.add(line, "over_cap", f"{_tokens(amount)} tokens are more than the cap of {_tokens(cap)}")
        else:
            return AirdropRow(line, account, amount)
    return None


def _amount(text: str, decimals: int, line: int, refusals: Refusals) -> int | None:
    try:
        return parse_units(text, decimals)
    except Invalid as wrong:
        refusals.add(line, "malformed", wrong.message[:200])
        return None


def _tokens(amount: int) -> str:
    return format_units(amount, TOKEN_DECIMALS)
