"""A devnet for each test, a node to ask, a database, and bindings of the fixture contracts in `fixture/src`."""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.devnet import devnet_client
from usufruct.chain import Client, Receipt
from usufruct.chain.anvil import Anvil
from usufruct.chain.contract_base import Creation
from usufruct.chain.contracts import ERRORS
from usufruct.chain.generate.__main__ import write
from usufruct.chain.generate.package import Bindings
from usufruct.chain.keys import DEVNET_ADDRESSES, KeySigner, devnet_signer
from usufruct.chain.revert import Errors
from usufruct.core import Address, Hash32
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.store import Database, migrate, open_database

FIXTURE = Path(__file__).parent / "fixture"
PACKAGE = "fixture_contracts"


@pytest.fixture(scope="session")
def bindings_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder above the package generated from the fixture; importable."""
    folder = tmp_path_factory.mktemp("bindings")
    (folder / PACKAGE).mkdir()
    write(Bindings(FIXTURE, ("Traps",), PACKAGE).files(), folder / PACKAGE)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def traps(bindings_folder: Path) -> ModuleType:
    """The generated module of the fixture's contract."""
    return importlib.import_module(f"{PACKAGE}.traps")


@pytest.fixture(scope="session")
def trap_errors(traps: ModuleType) -> Errors:
    """Its errors, by selector."""
    errors: Errors = importlib.import_module(PACKAGE).ERRORS
    return errors


@pytest.fixture
async def anvil() -> AsyncIterator[Anvil]:
    """A devnet of the test's own."""
    async with Anvil() as running:
        yield running


@pytest.fixture
async def client(anvil: Anvil, trap_errors: Errors) -> AsyncIterator[Client]:
    """A node that knows the errors of our contracts and of the fixture's."""
    async with devnet_client(anvil.url) as opened:
        opened.errors = {**ERRORS, **trap_errors}
        yield opened


async def mined(client: Client, sent: Hash32) -> Receipt:
    """Wait until a transaction has its receipt: anvil mines at once, but answers before."""
    for _ in range(6_000):
        if receipt := await client.receipt(sent):
            return receipt
        await asyncio.sleep(0.01)
    raise TimeoutError(sent)


@pytest.fixture
def create(client: Client) -> Callable[[Creation], Awaitable[Address]]:
    """Creates a contract with the node's own rich account, past our sender, and returns its address."""

    async def create(creation: Creation) -> Address:
        fields = {"from": DEVNET_ADDRESSES[9], "data": "0x" + creation.init_code.hex()}
        sent = await client.ask("eth_sendTransaction", fields)
        return (await mined(client, sent)).created

    return create


@pytest.fixture
def signer() -> KeySigner:
    """The devnet's first rich account."""
    return devnet_signer(0, DEVNET_CHAIN_ID)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database; tests of what only the database decides use `database`, which is both kinds."""
    opened = open_database(f"sqlite:///{tmp_path / 'chain.db'}")
    await migrate(opened)
    yield opened
    await opened.close()
