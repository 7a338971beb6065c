"""Runs of the claimer that are killed at a named point, one for each line read: `POINT DATABASE_URL RPC_URL PLACE`.

The fixture `crash` starts it; kill -9 comes from the process itself, so it comes exactly there. Imports cost seconds,
so one process imports and forks: it answers each line with how the run ended.
"""

import asyncio
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable

from tests.support import settlement_devnet
from usufruct.chain import Client
from usufruct.store import open_database


class DyingClient(Client):
    """A node's client whose process dies around the broadcast."""

    def __init__(self, url: str, die_at: Callable[[str], None]) -> None:
        super().__init__(url)
        self._die_at = die_at

    async def send_raw(self, raw: bytes) -> str:
        self._die_at("broadcast.before")
        sent = await super().send_raw(raw)
        self._die_at("broadcast.after")
        return sent


async def run(deadly: str, database_url: str, rpc_url: str, place: str) -> None:
    def die_at(point: str) -> None:
        if point == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    database = open_database(database_url)
    async with DyingClient(rpc_url, die_at) as client:
        town = settlement_devnet.Town(client, database, pickle.loads(bytes.fromhex(place)), faults=die_at)
        await town.claimer.run()
        await town.close()
    await database.close()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(run(*line.split()))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


main()
