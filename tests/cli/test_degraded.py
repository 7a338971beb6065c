"""A gateway and a worker start without a node, say so, fail fast where they need one, and recover by themselves."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from aiohttp import ClientSession, web

from usufruct.app import Installation, open_installation
from usufruct.chain import RpcUnavailable, TokenFacts
from usufruct.chain.access import NodeUnfit
from usufruct.console.sellers import Sellers
from usufruct.core import Conflict
from usufruct.core.jobs import Job, run_jobs
from usufruct.market.trade.offer_book import OfferBook
from usufruct.payments.ledger import Ledger

pytestmark = pytest.mark.anvil


def node_job(installation: Installation) -> Job:
    """The job by which a gateway finds out whether its node answers."""
    [job] = next(component for component in installation.components if component.name == "chain").gateway_jobs()
    return job


JSON = {"Content-Type": "application/json"}


class Node:
    """Stands before a real node: hangs, or speaks for another chain, as told."""

    def __init__(self, real: str) -> None:
        self.real = real
        self.hangs = True
        self.chain: str | None = None
        self.asked = 0
        self.url = ""
        self._ended = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        body = await request.read()
        if self.hangs:
            await self._ended.wait()
            return web.Response(status=503)
        if self.chain and b"eth_chainId" in body:
            return web.json_response({"id": (await request.json())["id"], "result": self.chain})
        async with ClientSession() as session, session.post(self.real, data=body, headers=JSON) as answer:
            return web.Response(body=await answer.read())

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Node"]:
        app = web.Application()
        app.router.add_post("/", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._ended.set()
            await runner.cleanup()


def configured(commands, url: str):
    own = {"USUFRUCT_CHAIN_RPC_URL": url, "USUFRUCT_CHAIN_NODE_SECONDS": "5"}
    return replace(commands, own=commands.own | own).config


@pytest.fixture
def known(commands):
    """An installation that was opened with its node once."""

    async def nothing(_: object) -> None:
        pass

    commands.inside(nothing)
    return commands


async def test_a_node_that_hangs_at_start_is_waited_for_by_a_job_alone(known, cli_world, caplog):
    async with Node(known.config.chain.rpc_url).running() as node:
        caplog.set_level(logging.WARNING)
        async with open_installation(configured(known, node.url), wait_for_node=False) as installation:
            [record] = [each for each in caplog.records if getattr(each, "degraded", "") == "chain"]
            assert "starting degraded" in record.getMessage()
            assert installation.get(TokenFacts).symbol == "tUSD"
            assert await installation.get(Ledger).totals() is not None
            installation.router()
            assert installation.jobs()

            asked = node.asked
            for _ in range(3):
                with pytest.raises(RpcUnavailable) as caught:
                    await cli_world.paying_key(installation)
                assert caught.value.status == 503
            assert node.asked == asked, "nothing waited for the node"

            node.hangs = False
            assert await node_job(installation).step() > 0
            assert (await cli_world.paying_key(installation)).key.id


async def test_a_node_that_comes_back_for_another_chain_is_not_used(known):
    async with Node(known.config.chain.rpc_url).running() as node:
        async with open_installation(configured(known, node.url), wait_for_node=False) as installation:
            node.hangs, node.chain = False, "0x1"
            with pytest.raises(NodeUnfit, match=r"speaks for chain 1, chain\.id is 31337"):
                await node_job(installation).step()
            node.chain = None
            assert await node_job(installation).step() > 0
        node.chain = "0x1"
        with pytest.raises(Conflict, match="speaks for chain"):
            async with open_installation(configured(known, node.url), wait_for_node=False):
                pass


async def test_pages_wait_for_a_node_as_long_as_the_setting_says(known):
    config = replace(known, own=known.own | {"USUFRUCT_CHAIN_NODE_SECONDS": "7"}).config
    async with open_installation(config) as installation:
        waits = [installation.get(kind) for kind in (OfferBook, Sellers)]
        assert [each.node_seconds for each in waits] == [7, 7]


async def test_a_token_that_was_never_read_needs_the_node_once(known):
    own = {"USUFRUCT_CHAIN_RPC_URL": "http://127.0.0.1:9", "USUFRUCT_CHAIN_TOKEN": "0x" + "5" * 40}
    with pytest.raises(RpcUnavailable):
        async with open_installation(replace(known, own=known.own | own).config, wait_for_node=False):
            pass


async def test_what_needs_no_background_waits_for_the_node(known):
    with pytest.raises(RpcUnavailable):
        async with open_installation(configured(known, "http://127.0.0.1:9")):
            pass


async def test_a_gateway_without_its_node_is_ready_and_degraded(known):
    config = configured(known, "http://127.0.0.1:9")
    async with open_installation(config, wait_for_node=False) as installation:
        app = installation.router()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://gateway", timeout=120
        ) as http:
            board = installation.board("test")
            jobs = asyncio.create_task(run_jobs([node_job(installation)], board))
            async with asyncio.timeout(60):
                while not any(state.fails for state in board.states):
                    await asyncio.sleep(0.05)
            jobs.cancel()
            await asyncio.gather(jobs, return_exceptions=True)
            answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (200, {"database": "ok"})
    assert [(state.name, state.code) for state in board.states] == [("node", "rpc_unavailable")]


def test_processes_start_without_a_node(known, cli_world, tmp_path):
    own = known.own | {"USUFRUCT_CHAIN_RPC_URL": "http://127.0.0.1:9"}
    with (
        cli_world.running_cli("serve", own=own, log=tmp_path / "gateway.log") as gateway,
        cli_world.running_cli("worker", own=own, log=tmp_path / "worker.log") as worker,
    ):
        assert gateway.ready["url"]
        assert "watch" in worker.ready["jobs"]
        for process in (gateway, worker):
            assert '"degraded": "chain"' in process.words() or '"degraded":"chain"' in process.words()
        ready = httpx.get(gateway.ready["url"].removesuffix("/v1") + "/readyz", timeout=20)
        assert ready.status_code == 200
        assert ready.json()["degraded"] == {"node": "rpc_unavailable"}
