"""A process that sends three calls and dies at a named point, mostly of the second; `test_sender_kill.py` runs it.

Imports cost seconds, so one process imports and forks: each line it reads is a life to live, and it answers with how
that life ended.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.devnet import devnet_client
from usufruct.chain import Client, Sender
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.fees import FeePolicy
from usufruct.chain.keys import DEVNET_ADDRESSES, devnet_signer
from usufruct.chain.store import Outbox
from usufruct.core import Address
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.store import open_database

BOB = DEVNET_ADDRESSES[1]
CALLS = 3

POINTS = {
    "before it was simulated": (Client, "call", "before"),
    "after it was simulated": (Client, "call", "after"),
    "before it was stored": (Outbox, "add", "before"),
    "after it was stored": (Outbox, "add", "after"),
    "before it was broadcast": (Client, "send_raw", "before"),
    "after it was broadcast": (Client, "send_raw", "after"),
    "before a better offer was stored": (Outbox, "add_attempt", "before"),
    "after a better offer was stored": (Outbox, "add_attempt", "after"),
    "before its end was stored": (Outbox, "finish", "before"),
    "after its end was stored": (Outbox, "finish", "after"),
}


async def scenario(client: Client, sender: Sender, dollar: TestDollar) -> None:
    """Mint 1, 10 and 100 dollars for Bob."""
    for number in range(CALLS):
        await sender.execute(dollar.mint(BOB, 10**number), f"mint/{number}", 60)


def armed(point: str) -> None:
    """Make the second pass through a point the last thing this process does; offers are replaced only once."""
    owner, name, when = POINTS[point]
    last = 1 if name == "add_attempt" else 2
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)
    passes = 0

    async def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal passes
        passes += 1
        if passes == last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await original(*arguments, **named)
        if passes == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def new_sender(client: Client, database: Any) -> Sender:
    signer = devnet_signer(0, DEVNET_CHAIN_ID)
    return Sender(client, signer, database, DEVNET_CHAIN_ID, poll_seconds=0.02, fees=FeePolicy(bump_after_blocks=1))


async def live(point: str, rpc_url: str, database_url: str, dollar: str) -> None:
    armed(point)
    database = open_database(database_url)
    async with devnet_client(rpc_url) as client:
        await scenario(client, new_sender(client, database), TestDollar(Address(dollar), client))


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(live(*line.strip().split("|")))
            os._exit(0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
