"""The gateway dies while a wallet pays: nothing is charged that was not delivered, nothing is deposited twice."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from x402.http.clients import x402HttpxClient

from tests.support import x402_installation as worlds
from usufruct.chain import Sender
from usufruct.chain.anvil import free_port
from usufruct.cli.support.child_process import Process
from usufruct.config import process_environment

DOLLAR = worlds.DOLLAR

pytestmark = pytest.mark.anvil


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    port = free_port()
    async with worlds.x402_installation(devnet_template, tmp_path, port=port, lease_seconds=2) as opened:
        await opened.sell("chat")
        await opened.sell("stalls", "stalls")
        opened.url = f"http://127.0.0.1:{port}/v1"
        yield opened


async def gateway(world) -> Process:
    config = world.installation.config
    log = config.data.folder / "gateway.log"
    return await asyncio.to_thread(Process, "usufruct.cli", "serve", environment=process_environment(config), log=log)


async def stream_until_killed(world, http: httpx.AsyncClient, process: Process) -> None:
    body = worlds.request("stalls", stream=True)
    async with http.stream("POST", f"{world.url}/chat/completions", json=body) as answer:
        chunks = answer.aiter_raw()
        await anext(chunks)
        process.kill()
        async for _ in chunks:
            pass


@pytest.mark.parametrize("rpc", [True, False], ids=["with RPC", "without RPC"])
async def test_killed_in_a_stream_the_same_client_goes_on(world, rpc):
    process = await gateway(world)
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=rpc)), timeout=30) as http:
        assert (await world.ask(http, stream=True)).status_code == 200
        charged = (await world.channel_of(account)).charged
        with pytest.raises(httpx.TransportError):
            await stream_until_killed(world, http, process)
        process = await gateway(world)
        try:
            async with asyncio.timeout(60):
                while (await world.channel_of(account)).reserved:
                    await asyncio.sleep(0.1)
            assert (await world.channel_of(account)).charged == charged
            answer = await world.ask(http)
            assert answer.status_code == 200, answer.text
            assert (await world.channel_of(account)).reading.balance == 1000 * DOLLAR - await world.balance(account)
        finally:
            process.stop()
    assert len(await world.bills(account)) == 2


async def test_killed_while_a_deposit_is_on_its_way(world):
    """Its transaction is in the outbox: the next gateway waits for it, and takes no second one."""
    process = await gateway(world)
    account = await world.account()
    await world.devnet.set_automine(on=False)
    scheme = world.scheme(account, rpc=True)
    async with x402HttpxClient(world.payer(scheme), timeout=30) as http:
        asking = asyncio.create_task(world.ask(http))
        async with asyncio.timeout(60):
            while not await world.ledger.pending_deposits():
                await asyncio.sleep(0.05)
            key = (await world.ledger.pending_deposits())[0].outbox_id
            outbox = world.installation.sender(worlds.signer_of(worlds.Role.RELAYER, world.installation.config))
            assert isinstance(outbox, Sender)
            while await outbox.find(key) is None:
                await asyncio.sleep(0.05)
        process.kill()
        with pytest.raises(Exception, match=r"payment|connect"):
            await asking
        process = await gateway(world)
        try:
            again = asyncio.create_task(world.ask(http))
            early, _ = await asyncio.wait({again}, timeout=1)
            assert not early, "it waits for the deposit"
            await world.devnet.mine()
            await world.devnet.set_automine(on=True)
            answer = await again
            assert answer.status_code == 200, answer.text
        finally:
            process.stop()
    held = (await world.channel_of(account)).reading.balance
    assert held == 1000 * DOLLAR - await world.balance(account) == DOLLAR // 10
    assert len(await world.bills(account)) == 1
