"""A built airdrop as one file that proofs are served from: entries by address, then the nodes of the Merkle tree.

::

    32 bytes   header: "UFDROP" 0x00 0x01, the number of entries n (8 bytes), the sum of their amounts (16 bytes)
    40 n       entries in ascending order of address: address (20), amount (16), the leaf's place among the nodes (4)
    64 n - 32  nodes of 32 bytes, the root first (`merkle_tree`)

Numbers are big-endian, amounts atomic units. An entry's index is its number in this order: the order of rows in a CSV
file changes nothing. Finding an address takes a bisection, a proof one read for each level: a server keeps no tree in
memory.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from usufruct.core import Address, NotFound, checksum
from usufruct.staking.airdrop_rows import InvalidAirdropFile
from usufruct.staking.merkle_tree import NODE_BYTES, proof_positions

MAGIC = b"UFDROP\x00\x01"
HEADER = struct.Struct(">8sQ16s")
ENTRY = struct.Struct(">20s16sI")


class NoSuchEntry(NotFound, code="not_in_airdrop"):
    """An address that an airdrop pays nothing."""


@dataclass(frozen=True, slots=True)
class AirdropEntry:
    """What an airdrop pays one account: `amount` atomic units, provable by `proof`, leaf to root."""

    index: int
    account: Address
    amount: int
    proof: tuple[bytes, ...]


def nodes_start(count: int) -> int:
    """Return where the nodes of `count` entries begin, in bytes."""
    return HEADER.size + count * ENTRY.size


def file_size(count: int) -> int:
    """Return the size of the file of `count` entries, in bytes."""
    return nodes_start(count) + (2 * count - 1) * NODE_BYTES


class AirdropFile:
    """An open airdrop; a context manager. Several processes may read one file."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            InvalidAirdropFile: when it is not a built airdrop, or is cut.
            OSError: when it cannot be read.
        """
        with path.open("rb") as file:
            head = file.read(HEADER.size)
            magic, self.count, total = HEADER.unpack(head) if len(head) == HEADER.size else (b"", 0, b"")
            if magic != MAGIC or not self.count or path.stat().st_size != file_size(self.count):
                raise InvalidAirdropFile(
                    f"{path} is not a built airdrop; make one with `usufruct airdrop build FILE.csv`", field="file"
                )
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.total = int.from_bytes(total, "big")
        """The sum of all amounts, in atomic units."""
        self._start = nodes_start(self.count)

    def __enter__(self) -> "AirdropFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._bytes.close()

    @property
    def root(self) -> bytes:
        """Return the root of the tree: 32 bytes."""
        return self._node(0)

    def entry_of(self, account: Address) -> AirdropEntry:
        """Return the entry of an account, with its proof.

        Raises:
            NoSuchEntry: when the airdrop pays it nothing.
        """
        wanted = bytes.fromhex(account[2:])
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if self._entry(middle)[0] < wanted:
                low = middle + 1
            else:
                high = middle
        found, amount, position = self._entry(low) if low < self.count else (b"", b"", 0)
        if found != wanted:
            raise NoSuchEntry(f"the airdrop pays nothing to {checksum(account)}", account=account)
        proof = tuple(self._node(sibling) for sibling in proof_positions(position))
        return AirdropEntry(low, account, int.from_bytes(amount, "big"), proof)

    def _entry(self, index: int) -> tuple[bytes, bytes, int]:
        account, amount, position = ENTRY.unpack_from(self._bytes, HEADER.size + index * ENTRY.size)
        return account, amount, position

    def _node(self, position: int) -> bytes:
        at = self._start + position * NODE_BYTES
        return self._bytes[at : at + NODE_BYTES]
