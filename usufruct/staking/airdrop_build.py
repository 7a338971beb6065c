"""Build an airdrop from a CSV file: rows sorted by address, the Merkle tree over them, one file that serves proofs.

Memory stays bounded: rows and leaves are sorted in runs, and the tree is computed in a mapped file. A file that cannot
be paid, or a process that is killed, leaves nothing at the target.
"""

import mmap
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedRandom, BufferedWriter
from pathlib import Path
from tempfile import TemporaryDirectory

from usufruct.core import UINT128_MAX, Address, Conflict, Invalid
from usufruct.staking.airdrop_file import ENTRY, HEADER, MAGIC, file_size, nodes_start
from usufruct.staking.airdrop_rows import AirdropRefused, AirdropRow, InvalidAirdropFile, Refusals, read_rows
from usufruct.staking.merkle_tree import NODE_BYTES, hash_inner_nodes, leaf_hash, leaf_position
from usufruct.staking.record_sort import sort_records

MOST_ENTRIES = 1 << 30
"""Places of leaves are kept in 32 bits."""

_ROW = struct.Struct(">20sQ16s")  # sorts by address, then by line
_LEAF = struct.Struct(">32sI")
_POSITION = struct.Struct(">I")
_POSITION_AT = ENTRY.size - _POSITION.size
_AMOUNT_PAD = bytes(16)
_REPORT_EVERY = 1 << 14

Progress = Callable[[str, int], None]
"""Told the stage ("rows", "accounts", "leaves", "tree") and how many records of it are done."""


@dataclass(frozen=True, slots=True)
class BuiltAirdrop:
    """What was built: `total` is the sum of all amounts, in atomic units."""

    path: Path
    root: bytes
    count: int
    total: int


def build_airdrop(
    source: Path, target: Path, cap: int, *, overwrite: bool = False, progress: Progress = lambda _stage, _done: None
) -> BuiltAirdrop:
    """Build the airdrop of a CSV file (`read_rows` describes it) and write it to `target`, in one step.

    `cap` is the most that it may pay in all: atomic units, from 1 to 2**128 - 1.

    Raises:
        AirdropRefused: when rows cannot be paid; it lists them.
        InvalidAirdropFile: when the CSV file names other columns or has no rows.
        Invalid: when the cap is out of range.
        Conflict: when there is a file at `target` already.
        OSError: when a file cannot be read or written.
    """
    if not 0 < cap <= UINT128_MAX:
        raise Invalid(f"the cap must be 1 to 2**128 - 1 atomic units, not {cap}", code="invalid_cap")
    if target.exists() and not overwrite:
        raise Conflict(f"{target} exists; pass --force to replace it", code="airdrop_file_exists", file=str(target))
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
        folder = Path(name)
        part = folder / "airdrop"
        with part.open("wb") as file:
            count, total = _write_entries(file, source, cap, folder, progress)
            file.truncate(file_size(count))
        with part.open("r+b") as file:
            root = _write_tree(file, count, folder, progress)
            file.write(HEADER.pack(MAGIC, count, total.to_bytes(16, "big")))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    return BuiltAirdrop(target, root, count, total)


def _write_entries(file: BufferedWriter, source: Path, cap: int, folder: Path, progress: Progress) -> tuple[int, int]:
    """Write entries by address, without the place of their leaf; return how many there are, and their sum."""
    refusals = Refusals()
    rows = _counted(map(_packed, read_rows(source, cap, refusals)), "rows", progress)
    file.write(bytes(HEADER.size))
    count = total = last_line = 0
    last = b""
    for record in _counted(sort_records(rows, _ROW.size, folder), "accounts", progress):
        account, line, amount = _ROW.unpack(record)
        if account == last:
            address = Address("0x" + account.hex())
            refusals.add(line, "duplicate", f"{address} is on line {last_line} already")
            continue
        last, last_line = account, line
        count += 1
        total += int.from_bytes(amount, "big")
        file.write(ENTRY.pack(account, amount, 0))
    if refusals.total:
        raise AirdropRefused(source, refusals)
    if not 0 < count <= MOST_ENTRIES:
        raise InvalidAirdropFile(f"{source} has {count:,} rows; 1 to {MOST_ENTRIES:,} are expected", field="rows")
    return count, total


def _write_tree(file: BufferedRandom, count: int, folder: Path, progress: Progress) -> bytes:
    """Write each leaf and its place, then the inner nodes; return the root."""
    start = nodes_start(count)
    with mmap.mmap(file.fileno(), 0) as content:
        leaves = sort_records(_counted(_leaves(content, count), "leaves", progress), _LEAF.size, folder)
        for rank, record in enumerate(_counted(leaves, "tree", progress)):
            leaf, index = _LEAF.unpack(record)
            position = leaf_position(count, rank)
            _POSITION.pack_into(content, HEADER.size + index * ENTRY.size + _POSITION_AT, position)
            content[start + position * NODE_BYTES : start + (position + 1) * NODE_BYTES] = leaf
        hash_inner_nodes(content, count, start)
        content.flush()
        return content[start : start + NODE_BYTES]


def _leaves(content: mmap.mmap, count: int) -> Iterator[bytes]:
    """Yield the leaf of each entry with its index."""
    for index in range(count):
        account, amount, _ = ENTRY.unpack_from(content, HEADER.size + index * ENTRY.size)
        yield _LEAF.pack(leaf_hash(index, account, _AMOUNT_PAD + amount), index)


def _packed(row: AirdropRow) -> bytes:
    return _ROW.pack(row.account, row.line, row.amount.to_bytes(16, "big"))


def _counted(records: Iterable[bytes], stage: str, progress: Progress) -> Iterator[bytes]:
    done = 0
    for done, record in enumerate(records, 1):
        if not done % _REPORT_EVERY:
            progress(stage, done)
        yield record
    progress(stage, done)
