"""A fake gateway on a port, and purses to pay it with."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.support import fake_gateway
from usufruct_client import Connection, Wallet, connect

KEY = "0x" + "21" * 32


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    """`tests/support/fake_gateway.py`."""
    return fake_gateway


@pytest.fixture(scope="session")
def hall(fake: ModuleType) -> Iterator[ModuleType]:
    """One server for the session; `hall.guest` is the gateway that answers now."""

    class Hall:
        guest = None
        url = ""

        async def __call__(self, scope, receive, send) -> None:
            await self.guest(scope, receive, send)

    hall = Hall()
    server = fake.Server(hall)
    hall.url = server.url
    yield hall
    server.stop()


@pytest.fixture
def gateway(fake: ModuleType, hall):
    """A fresh gateway."""
    hall.guest = fake.FakeGateway()
    return hall.guest


@pytest.fixture
def wallet() -> Wallet:
    return Wallet.from_key(KEY)


@pytest.fixture
def join(fake, hall, gateway, wallet):
    """Make a connection to the gateway, with other rules if need be."""

    made: list[Connection] = []

    def make(**rules) -> Connection:
        usual = {"limit": 100, "budget": 100_000, "tokens": [fake.TOKEN]}
        made.append(connect(hall.url, rules.pop("wallet", wallet), **usual | rules))
        return made[-1]

    yield make
    for connection in made:
        connection.close()
