"""x402's own JavaScript packages in processes of their own, unmodified: the client, and what checks signed offers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any

import orjson

from usufruct.gateway import Operator

_SCRIPT = Path(__file__).parents[1] / "journeys" / "x402_js" / "client.mjs"
_VERIFIER = _SCRIPT.with_name("offer_receipt.mjs")
_LONGEST_LINE = 1 << 20


class StockClient:
    """One client with its own memory of its channels."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self._url = url

    async def call(self, body: dict[str, Any]) -> dict[str, Any]:
        """Pay for a request; return `status`, `headers` and `text`."""
        return await self._command("call", {"url": self._url, "body": body})

    async def get(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Pay for a GET; return what `call` does."""
        return await self._command("get", {"url": url, "headers": headers or {}})

    async def refund(self, amount: int | None = None) -> dict[str, Any]:
        """Ask for money back, all of it or `amount`."""
        return await self._command("refund", {"url": self._url, "amount": amount and str(amount)})

    async def _command(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        self._process.stdin.write(orjson.dumps({name: given}) + b"\n")
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        assert line, (await self._process.stderr.read()).decode()
        return orjson.loads(line)


@asynccontextmanager
async def stock_client(
    world: Any, account: Any, *, rpc: bool, most: int, least: bool = False
) -> AsyncIterator[StockClient]:
    """Start a client of `account` that may pay `most` atomic units for a call.

    `least`: it deposits no more than its own count says it must.
    """
    settings = {
        "privateKey": "0x" + account.key.hex().removeprefix("0x"),
        "network": "eip155:31337",
        "token": world.installation.get(Operator).token,
        "most": str(most),
        "least": least,
        "rpc": world.installation.config.chain.rpc_url if rpc else "",
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        _node(), str(_SCRIPT), orjson.dumps(settings), stdin=pipe, stdout=pipe, stderr=pipe, limit=_LONGEST_LINE
    )
    try:
        yield StockClient(process, f"{world.url}/chat/completions")
    finally:
        process.stdin.close()
        await process.wait()


async def verified(required: str, response: str = "", payer: str = "") -> dict[str, Any]:
    """Return what x402's offer-receipt package finds in two headers: see `offer_receipt.mjs`."""
    given = orjson.dumps({"required": required, "response": response, "payer": payer})
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(_node(), str(_VERIFIER), given, stdout=pipe, stderr=pipe)
    found, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return orjson.loads(found)


def _node() -> str:
    node = which("node")
    assert node, "no node on PATH: run `make setup`, then the tests by make"
    return node
