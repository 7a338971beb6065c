"""A devnet that was killed begins again from a state of some seconds ago: what it forgot is made good again."""

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.devnet import devnet_client
from usufruct.chain.anvil import Anvil, DevnetUnavailable, PortInUse
from usufruct.core import Conflict
from usufruct.payments.ledger.records import AccountReading

pytestmark = pytest.mark.anvil


async def balance(town: Any) -> AccountReading:
    return (await town.ledger.account(town.channel())).reading


@pytest.fixture
async def kept(settled_chain: tuple[str, Any], tmp_path: Path) -> Path:
    """The state file of a devnet with everything deployed."""
    async with Anvil(state=tmp_path / "chain.json") as first, devnet_client(first.url) as client:
        await client.ask("anvil_loadState", settled_chain[0])
        await client.ask("anvil_mine", "0x1")
    return tmp_path / "chain.json"


async def started_again(state: Path, port: int) -> Anvil:
    """Start a devnet as soon as the killed one has let go of its files and its port."""
    async with asyncio.timeout(60):
        while True:
            try:
                await (again := Anvil(state=state, port=port)).start()
            except (Conflict, DevnetUnavailable, PortInUse):
                await asyncio.sleep(0.02)
            else:
                return again


async def test_a_deposit_and_a_claim_survive_a_killed_devnet(
    kept: Path, settled_chain: tuple[str, Any], database: Any, settlement_world: Any
):
    saved = shutil.copyfile(kept, kept.with_suffix(".saved"))
    anvil = Anvil(state=kept)
    await anvil.start()
    async with devnet_client(anvil.url) as client:
        town = settlement_world.Town(client, database, settled_chain[1], alone=True)
        await town.watcher.poll()
        await town.deposit(5_000)
        await town.call("served", 300)
        await town.claimer.run()
        assert (await balance(town)).total_claimed == 300

        os.killpg(anvil.pid, signal.SIGKILL)
        await anvil.stop()
        shutil.copyfile(saved, kept)
        again = await started_again(kept, anvil.port)
        try:
            assert (await town.sync.channels.peek(town.config())).balance == 0
            await town.watcher.poll()
            assert (await balance(town)).balance == 0, "the ledger is never above the chain"

            await town.deposits.run()
            await town.claim_sender.advance()
            for _ in range(3):
                await town.watcher.poll()
                await town.claimer.run()
            reading = await balance(town)
            assert (reading.balance, reading.total_claimed) == (5_000, 300)
            assert (await town.sync.channels.peek(town.config())).balance == 5_000
            await town.deposit(700, salt=2)
            assert (await balance(town)).balance == 5_700
            assert await town.ledger.audit() == []
            await town.close()
        finally:
            await again.stop()
