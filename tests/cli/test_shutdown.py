"""SIGTERM to `usufruct serve`, Ctrl-C on `up`: callers see no cut, bills are right, nothing stays reserved."""

import asyncio
import json
import signal
import socket
import time
from contextlib import asynccontextmanager
from secrets import token_hex

import openai
import pytest
from openai import AsyncOpenAI

from tests.support.paced_upstream import BEFORE, paced_upstream
from usufruct.app import open_installation
from usufruct.config import load_config
from usufruct.gateway import Catalogue
from usufruct.payments.ledger import Ledger

pytestmark = pytest.mark.anvil

ASK = {"messages": [{"role": "user", "content": "What is the question?"}], "max_tokens": 40}
WHOLE = "To be or not to be"
PATIENCE = 90


@pytest.fixture
def own_of(commands, cli_world, tmp_path):
    """Return the settings under which a command runs; `up` brings a chain of its own."""

    def settings(command: str, **more: object) -> dict[str, str]:
        if command == "up":
            return cli_world.settings(tmp_path / "data", f"http://127.0.0.1:{cli_world.free_port()}", **more)
        return commands.own | {f"USUFRUCT_{name.upper()}": str(value) for name, value in more.items()}

    return settings


class Callers:
    """Two streams and a whole call in the middle of their answers, each paid by a key of its own."""

    def __init__(self) -> None:
        self.ask = ASK | {"model": f"paced-{token_hex(4)}"}
        self.clients: list[AsyncOpenAI] = []
        self.keys: list = []
        self.texts = ["", ""]
        self.calls: list[asyncio.Task] = []

    async def begin(self, url: str, upstream, installation, cli_world) -> None:
        await installation.get(Catalogue).add(
            cli_world.asset(self.ask["model"], upstream.url, cli_world.SOMEBODY.address)
        )
        self.keys = [await cli_world.paying_key(installation) for _ in range(3)]
        self.clients = [AsyncOpenAI(api_key=key.text, base_url=url, max_retries=0, timeout=120) for key in self.keys]
        begun = [asyncio.Event(), asyncio.Event()]
        self.calls = [asyncio.create_task(self._stream(number, begun[number])) for number in range(2)]
        self.calls.append(asyncio.create_task(self.clients[2].chat.completions.create(**self.ask)))
        async with asyncio.timeout(PATIENCE):
            for each in begun:
                await each.wait()
            for _ in range(3):
                await upstream.asked.acquire()

    async def _stream(self, number: int, begun: asyncio.Event) -> object:
        usage = None
        stream = await self.clients[number].chat.completions.create(
            **self.ask, stream=True, stream_options={"include_usage": True}
        )
        async for chunk in stream:
            self.texts[number] += chunk.choices[0].delta.content or "" if chunk.choices else ""
            usage = chunk.usage or usage
            if self.texts[number] == "".join(BEFORE):
                begun.set()
        return usage

    async def results(self) -> list:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.gather(*self.calls, return_exceptions=True)

    async def close(self) -> None:
        for client in self.clients:
            await client.close()


@asynccontextmanager
async def calling(command, own, cli_world, log):
    """Run a command that serves, and three calls on it; yields the process, the upstream, the calls, the books."""
    callers = Callers()
    arguments = ("up", "--json") if command == "up" else (command,)
    with cli_world.running_cli(*arguments, own=own, log=log) as running:
        async with paced_upstream() as upstream, open_installation(load_config(own)) as installation:
            await callers.begin(running.ready["url"], upstream, installation, cli_world)
            try:
                yield running, upstream, callers, installation
            finally:
                await callers.close()


async def refuses(url: str) -> None:
    """Wait until nothing listens there any more."""
    port = int(url.split(":")[2].split("/")[0])
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline
        try:
            with socket.create_connection(("127.0.0.1", port), 5):
                await asyncio.sleep(0.05)
        except ConnectionRefusedError:
            return


@pytest.mark.parametrize(
    ("command", "number"), [("serve", signal.SIGTERM), ("serve", signal.SIGINT), ("up", signal.SIGINT)]
)
async def test_running_calls_end_whole_and_billed(command, number, own_of, cli_world, tmp_path):
    own = own_of(command)
    async with calling(command, own, cli_world, tmp_path / "log") as (running, upstream, callers, installation):
        running.process.send_signal(number)
        await refuses(running.ready["url"])
        assert running.process.poll() is None
        upstream.go_on.set()
        *usages, answer = await callers.results()
        assert callers.texts == [WHOLE, WHOLE]
        assert answer.choices[0].message.content == WHOLE
        bills = []
        for key, usage in zip(callers.keys, [*usages, answer.usage], strict=True):
            (call,) = await installation.get(Ledger).metered(key.key.channel)
            assert (call.bill.usage.input_tokens, call.bill.usage.output_tokens) == (4, 6)
            assert (usage.prompt_tokens, usage.completion_tokens) == (4, 6)
            assert (await installation.get(Ledger).account(key.key.channel)).reserved == 0
            bills.append(call.bill.charge)
        assert len(set(bills)) == 1
        assert bills[0] > 0
        assert await asyncio.to_thread(running.process.wait, PATIENCE) == 0
    logs = [tmp_path / "log"] if command == "serve" else list((tmp_path / "data").glob("*.log"))
    assert logs
    for log in logs:
        assert "Traceback" not in log.read_text(), log
    if command == "serve":
        ready = next(line for line in map(json.loads, logs[0].read_text().splitlines()) if line["message"] == "ready")
        assert ready["event_loop"] == "uvloop"


@pytest.mark.parametrize("command", ["serve", "up"])
async def test_a_second_signal_cuts_what_runs_and_bills_what_was_delivered(command, own_of, cli_world, tmp_path):
    own = own_of(command, gateway_drain_seconds=3_000)
    async with calling(command, own, cli_world, tmp_path / "log") as (running, _, callers, installation):
        running.process.send_signal(signal.SIGINT)
        await refuses(running.ready["url"])
        assert running.process.poll() is None
        running.process.send_signal(signal.SIGINT)
        *streams, whole = await callers.results()
        assert [error.code for error in [*streams, whole]] == ["shutting_down"] * 3
        assert isinstance(whole, openai.InternalServerError)
        for key, delivered in zip(callers.keys, [True, True, False], strict=True):
            calls = await installation.get(Ledger).metered(key.key.channel)
            assert [call.bill.usage.output_tokens > 0 for call in calls] == [True] * delivered
            assert (await installation.get(Ledger).account(key.key.channel)).reserved == 0
        assert await asyncio.to_thread(running.process.wait, PATIENCE) in (0, 130)
