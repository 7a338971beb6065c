"""Read accounts from the chain, all of one block."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from usufruct.chain import Client, Header
from usufruct.core import Hash32
from usufruct.payments.ledger import AccountReading
from usufruct.payments.settlement.errors import ReadingUnsettled

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Readings:
    """Accounts as of one block, which `block` and `hash` name."""

    block: int
    hash: Hash32
    accounts: tuple[AccountReading, ...]


async def read_at_one_block(
    client: Client, confirmations: int, read: Callable[[Header, Header], Awaitable[list[AccountReading]]]
) -> Readings:
    """Read accounts as of the block with `confirmations`, itself included.

    `read` gets that block and the newest: what makes us more careful does not wait for confirmations, which is money
    that left since, and announced withdrawals.

    Raises:
        RpcUnavailable: when the node does not answer.
        ReadingUnsettled: when blocks keep changing during the reading.
    """
    for _ in range(_TRIES):
        head = await _header(client, "latest")
        block = head if confirmations == 1 else await _header(client, max(0, head.number - confirmations + 1))
        found = await read(block, head)
        again = await client.headers([block.number, head.number])
        if [each and each.hash for each in again] == [block.hash, head.hash]:
            return Readings(block.number, block.hash, tuple(found))
    raise ReadingUnsettled(f"blocks changed under {_TRIES} readings in a row; try again", tries=_TRIES)


async def _header(client: Client, block: int | Literal["latest"]) -> Header:
    header = await client.header(block)
    if header is None:
        raise ReadingUnsettled(f"the node has no block {block} now; try again", block=block)
    return header
