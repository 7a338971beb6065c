"""An installation on a real devnet with nothing on sale, a model's server, and ways to sign in."""

from collections.abc import AsyncIterator

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from tests.support import x402_installation
from tests.support.librarian_process import librarian_process
from tests.support.misbehaving_upstream import misbehaving_server


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[x402_installation.X402Installation]:
    async with x402_installation.x402_installation(devnet_template, tmp_path) as opened:
        yield opened


@pytest.fixture
def public_chain(monkeypatch):
    """Have the console take the devnet for a public chain; ask for it before the world is built."""
    monkeypatch.setattr("usufruct.console.component.is_devnet", lambda _: False)


@pytest.fixture
def owner():
    """Return the wallet that owns the till of every devnet."""
    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(" ".join(["test"] * 11 + ["junk"]))


@pytest.fixture
async def upstream():
    """A model's server that behaves."""
    async with misbehaving_server() as opened:
        yield opened


@pytest.fixture(scope="session")
def librarian_url():
    with librarian_process() as url:
        yield url


@pytest.fixture
async def http(world) -> AsyncIterator[httpx.AsyncClient]:
    """A client with cookies, at the gateway's base URL."""
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as client:
        yield client


@pytest.fixture
async def seller(http) -> httpx.AsyncClient:
    """The same, signed in as the devnet's operator."""
    entered = await http.post("/sessions/operator")
    assert entered.status_code == 201, entered.text
    return http


async def sign_in(http: httpx.AsyncClient, account) -> None:
    """Sign in as a wallet does."""
    asked = (await http.post("/sessions/challenge", json={"address": account.address.lower()})).json()
    signature = account.sign_message(encode_defunct(text=asked.pop("text"))).signature.hex()
    entered = await http.post("/sessions", json=asked | {"signature": "0x" + signature.removeprefix("0x")})
    assert entered.status_code == 201, entered.text


@pytest.fixture
def enter():
    return sign_in
