"""One run of the claimer that is killed at a named point: `settlement_crash.py POINT DATABASE_URL RPC_URL PLACE`.

Run by `test_claimer_crash.py`; kill -9 comes from the process itself, so it comes exactly there.
"""

import asyncio
import importlib.util
import os
import pickle
import signal
import sys
from pathlib import Path

from usufruct.chain import Client
from usufruct.store import open_database

POINT, DATABASE_URL, RPC_URL, PLACE = sys.argv[1:]
spec = importlib.util.spec_from_file_location("settlement_world", Path(__file__).with_name("settlement_world.py"))
settlement_world = importlib.util.module_from_spec(spec)
sys.modules["settlement_world"] = settlement_world
spec.loader.exec_module(settlement_world)


def die_at(point: str) -> None:
    if point == POINT:
        os.kill(os.getpid(), signal.SIGKILL)


class DyingClient(Client):
    """A node's client whose process dies around the broadcast."""

    async def send_raw(self, raw: bytes) -> str:
        die_at("broadcast.before")
        sent = await super().send_raw(raw)
        die_at("broadcast.after")
        return sent


async def main() -> None:
    database = open_database(DATABASE_URL)
    async with DyingClient(RPC_URL) as client:
        place = pickle.loads(bytes.fromhex(PLACE))
        town = settlement_world.Town(client, database, place, points=die_at)
        await town.claimer.run()
        await town.close()
    await database.close()


asyncio.run(main())
