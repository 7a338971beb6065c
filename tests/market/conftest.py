"""An installation on a real devnet with a service on sale, and wallets that sign in."""

from collections.abc import AsyncIterator

import httpx
import pytest
from eth_account.messages import encode_defunct

from tests.support import x402_installation


@pytest.fixture
def hardfork() -> str | None:
    """Return whose rules hold on the devnet; None: the newest's."""
    return None


@pytest.fixture
async def world(devnet_template, tmp_path, hardfork) -> AsyncIterator[x402_installation.X402Installation]:
    async with x402_installation.x402_installation(devnet_template, tmp_path, hardfork=hardfork) as opened:
        await opened.sell("chat")
        yield opened


@pytest.fixture
async def http(world) -> AsyncIterator[httpx.AsyncClient]:
    """A client with cookies, at the gateway's base URL."""
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as client:
        yield client


async def sign_in(http: httpx.AsyncClient, account) -> None:
    """Sign in as a wallet does."""
    asked = (await http.post("/sessions/challenge", json={"address": account.address.lower()})).json()
    signature = account.sign_message(encode_defunct(text=asked.pop("text"))).signature.hex()
    entered = await http.post("/sessions", json=asked | {"signature": "0x" + signature.removeprefix("0x")})
    assert entered.status_code == 201, entered.text


@pytest.fixture
def enter():
    return sign_in


@pytest.fixture
def http_at():
    """Open a client with cookies at another installation's gateway."""
    return lambda world: httpx.AsyncClient(base_url=world.url, timeout=60)
