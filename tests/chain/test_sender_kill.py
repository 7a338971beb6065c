"""kill -9 between any two steps neither loses a transaction nor sends it twice: a real process, a real node."""

import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.support import sender_crash as world
from tests.support.devnet import Devnet
from usufruct.chain import Client, State
from usufruct.chain.anvil import Anvil
from usufruct.chain.contract_base import Creation
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.chain.store import Outbox
from usufruct.core import Address
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.store import Database

pytestmark = pytest.mark.anvil

ALICE, BOB = DEVNET_ADDRESSES[:2]


@pytest.fixture(scope="module")
def mortal() -> Iterator[Callable[..., int]]:
    """Lives one life to its end and returns how it ended."""
    with subprocess.Popen(
        [sys.executable, "-m", world.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def live(*arguments: str) -> int:
            process.stdin.write("|".join(arguments) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield live
        process.stdin.close()


async def make_an_offer_that_is_passed_by(client: Client, files: Database, dollar: TestDollar) -> None:
    """Send the first call, and let blocks pass that cost more than it offers."""
    await Devnet(client).set_automine(on=False)
    await world.new_sender(client, files).send(dollar.mint(BOB, 1), "mint/0")
    for _ in range(2):
        await client.ask("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
        await Devnet(client).mine()


@pytest.mark.parametrize("point", world.POINTS)
async def test_killed(
    point: str,
    mortal: Callable[..., int],
    anvil: Anvil,
    client: Client,
    files: Database,
    create: Callable[[Creation], Awaitable[Address]],
):
    dollar = TestDollar(await create(TestDollar.deploy()), client)
    outbox = Outbox(files, DEVNET_CHAIN_ID)
    if "offer" in point:
        await make_an_offer_that_is_passed_by(client, files, dollar)
    assert mortal(point, anvil.url, f"sqlite:///{files.path}", dollar.address) == -signal.SIGKILL
    assert await dollar.balance_of(BOB) < 111

    await Devnet(client).set_automine(on=True)
    await client.ask("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    await Devnet(client).mine()
    await world.scenario(client, world.new_sender(client, files), dollar)
    assert await dollar.balance_of(BOB) == 111
    assert await client.nonce(ALICE) == world.CALLS
    sent = [await outbox.find(f"mint/{number}") for number in range(world.CALLS)]
    assert [each.state for each in sent] == [State.CONFIRMED] * world.CALLS
    assert [each.nonce for each in sent] == list(range(world.CALLS))
    assert await outbox.pending(ALICE) == []
