"""The gateway dies while a wallet waits for a paid call of `/v2`: nothing is charged, and the same client goes on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from x402.http.clients import x402HttpxClient
from x402.http.clients.httpx import PaymentError

from tests.analytics.conftest import snapshot as snapshot
from tests.support import x402_installation as worlds
from tests.support.devnet_template import DevnetTemplate
from tests.support.scripted_model import MODEL, ScriptedModel
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.chain.anvil import free_port
from usufruct.cli.support.child_process import Process
from usufruct.config import MarketsConfig, process_environment

pytestmark = pytest.mark.anvil

PRICE = 30_000
QUESTION = {"messages": [{"user": "How is the market?"}]}


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    with ScriptedModel("It is what it is.") as server:
        yield server
        server.may_answer.set()


@pytest.fixture
async def world(
    devnet_template: DevnetTemplate, tmp_path: Path, snapshot: Snapshot, model: ScriptedModel
) -> AsyncIterator[worlds.X402Installation]:
    write_snapshot(tmp_path / "ratings", snapshot)
    port = free_port()
    markets = MarketsConfig(api="yes", writer_url=model.base_url, writer_model=MODEL, writer_seconds=120)
    async with worlds.x402_installation(
        devnet_template, tmp_path, port=port, lease_seconds=2, markets=markets
    ) as opened:
        opened.url = f"http://127.0.0.1:{port}/v1"
        yield opened


async def gateway(world: worlds.X402Installation) -> Process:
    config = world.installation.config
    log = config.data.folder / "gateway.log"
    return await asyncio.to_thread(Process, "usufruct.cli", "serve", environment=process_environment(config), log=log)


async def asked(model: ScriptedModel, times: int) -> None:
    async with asyncio.timeout(60):
        while len(model.asked) < times:
            await asyncio.sleep(0.02)


async def test_a_call_whose_gateway_is_killed_costs_nothing_and_is_made_again(
    world: worlds.X402Installation, model: ScriptedModel
):
    url = world.url.removesuffix("/v1") + "/v2/tmai"
    process, account = await gateway(world), await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=False)), timeout=120) as http:
        first = await http.post(url, json=QUESTION)
        assert (first.status_code, first.json()["answer"]) == (200, model.reply)
        assert (await world.channel_of(account)).charged == PRICE

        model.may_answer.clear()
        waiting = asyncio.create_task(http.post(url, json=QUESTION))
        await asked(model, 2)
        process.kill()
        with pytest.raises(PaymentError):
            await waiting
        model.may_answer.set()

        process = await gateway(world)
        try:
            async with asyncio.timeout(60):
                while (await world.channel_of(account)).reserved:
                    await asyncio.sleep(0.1)
            assert (await world.channel_of(account)).charged == PRICE
            again = await http.post(url, json=QUESTION)
            assert (again.status_code, again.json()["answer"]) == (200, model.reply)
        finally:
            process.stop()
    assert (await world.channel_of(account)).charged == 2 * PRICE
    assert len(await world.bills(account)) == 2
    assert len(model.asked) == 3
