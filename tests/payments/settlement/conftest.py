"""The fixture `town`: a devnet of the test's own, everything deployed. See `tests/support/settlement_devnet.py`."""

import asyncio
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from tests.support import settlement_devnet
from tests.support.devnet import devnet_client
from usufruct.chain import Client
from usufruct.chain.anvil import Anvil
from usufruct.store import Database, migrate, open_database


@pytest.fixture(scope="session")
def settlement_world() -> ModuleType:
    """The parts that settle, `tests/support/settlement_devnet.py`."""
    return settlement_devnet


@pytest.fixture(scope="session")
def settled_chain(settlement_world: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """A devnet's whole state after everything was deployed, to be loaded into others; and where things stand."""

    async def prepare() -> tuple[str, Any]:
        database = open_database(f"sqlite:///{tmp_path_factory.mktemp('deployment') / 'deployment.db'}")
        await migrate(database)
        async with Anvil() as anvil, devnet_client(anvil.url) as client:
            place = await settlement_world.build(client, database)
            state = await client.ask("anvil_dumpState")
        await database.close()
        return state, place

    return asyncio.run(prepare())


@pytest.fixture(scope="session")
def crash(settled_chain: tuple[str, Any]) -> Iterator[Callable[[str, str, str], Awaitable[int]]]:
    """Runs the claimer in a process that dies at a point, with a database's and a node's URL; tells how it ended."""
    place = pickle.dumps(settled_chain[1]).hex()
    command = [sys.executable, "-m", "tests.support.claimer_crash"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(*arguments: str) -> int:
            process.stdin.write(" ".join((*arguments, place)) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield partial(asyncio.to_thread, run)
        process.stdin.close()


@pytest.fixture
async def anvil(settled_chain: tuple[str, Any]) -> AsyncIterator[Anvil]:
    """A devnet of the test's own, everything deployed."""
    async with Anvil() as running:
        async with devnet_client(running.url) as client:
            await client.ask("anvil_loadState", settled_chain[0])
            await client.ask(
                "anvil_mine", "0x1"
            )  # or its newest block is as old as the state, however long ago that was
        yield running


@pytest.fixture
async def client(anvil: Anvil) -> AsyncIterator[Client]:
    """Its node."""
    async with devnet_client(anvil.url) as opened:
        yield opened


@pytest.fixture
async def make_town(
    client: Client, database: Database, settled_chain: tuple[str, Any], settlement_world: ModuleType
) -> AsyncIterator[Callable[..., Any]]:
    """A maker of the parts that settle; in the end the books must balance, whatever the test did."""
    made = []

    def make(**options: Any) -> Any:
        town = settlement_world.Town(client, database, settled_chain[1], **options)
        made.append(town)
        return town

    yield make
    for town in made:
        assert await town.ledger.audit() == []
        await town.close()


@pytest.fixture
async def town(make_town: Callable[..., Any]) -> Any:
    """The parts that settle, with their defaults for tests."""
    return make_town()
