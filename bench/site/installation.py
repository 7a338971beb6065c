"""A real installation on a local chain that began weeks ago, with something to show on every page."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.gateway.installation import PAYEE, Commands, chain
from bench.gateway.processes import started
from bench.site import trust
from bench.site.stakers import REVENUE, STAKERS, TOKEN, make_history
from usufruct.accounts import DEMO_ACCOUNT
from usufruct.app import open_installation
from usufruct.chain import keccak, open_chain
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, devnet_signer, signer_of
from usufruct.config import Config, load_config
from usufruct.core import Address, Clock, address
from usufruct.staking import WEEK_SECONDS

SERVICES = [
    ("librarian", ["--kind", "chat", "--input", "0.5", "--output", "1.5", "--model", "librarian"]),
    (
        "librarian-vectors",
        ["--kind", "embeddings", "--input", "0.02", "--output", "0", "--model", "librarian-embedding"],
    ),
    ("poet", ["--kind", "chat", "--input", "3", "--output", "15", "--per-call", "0.001", "--model", "librarian"]),
]
HOLDERS = [(DEVNET_ADDRESSES[DEMO_ACCOUNT], "12"), (DEVNET_ADDRESSES[6], "20")]
"""Holders of the traded shares beside the wallet that registers the service, in per cent."""

OFFERS = [
    ("6", "4000000", "220", ("500000",)),
    ("5", "10000000", "600", ("1500000", "2000000")),
    ("5", "2500000", "162.5", ("250000",)),
    (str(DEMO_ACCOUNT), "1000000", "75", ()),
]
"""Wallet, number of shares, price in dollars, and the parts that are sold."""

CREDIT_OFFERS = [("6", "20", "15", ("4",)), ("5", "12", "10", ())]
"""Wallet, credits in dollars of use, price in dollars, and the parts that are sold."""

INCOME = 184_250_000
"""Income of the traded shares, in atomic units of the devnet's dollar."""

MARKET, MARKET_DAYS = ("--seed", "3", "--assets", "120"), 600
"""The simulated market: with this seed prices of its last day both rise and fall."""

MARKETS = {"USUFRUCT_MARKETS_API": "yes", "USUFRUCT_MARKETS_INDICES": "global-100 top-10 top-50 defi layer-1"}

HOLDER_COUNT = 12_000
"""Accounts of the airdrop; the buyer's is one."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are; `places` has the ids in their paths, by name."""

    url: str
    places: Mapping[str, str]

    def address(self, path: str) -> str:
        """Return the address of a page's path."""
        return self.url + path.format_map(self.places)


@contextmanager
def site() -> Iterator[Site]:
    """Sell the services while the block runs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        starts_at = Clock().now() - (len(REVENUE) + 1) * WEEK_SECONDS
        commands = Commands(folder, stack.enter_context(chain(starts_at)))
        commands.environment = {**commands.environment, **TOKEN, **MARKETS}
        librarian = [sys.executable, "-m", "usufruct_librarian", "--port", "0"]
        _, model = stack.enter_context(started(librarian, folder / "librarian.log"))
        upstream = str(model["url"])
        for step in (["migrate"], ["deploy", "--yes"]):
            commands.run(*step)
        for account, tokens, weeks in STAKERS:
            commands.run("stake", "lock", tokens, "--weeks", weeks, "--wallet", str(account))
        airdrop = _airdrop(commands, folder)
        places = asyncio.run(make_history(load_config(commands.environment)))
        commands.environment = {**commands.environment, "USUFRUCT_PLATFORM_TOKEN_AIRDROPS": airdrop}
        _rate(commands)
        serve = [sys.executable, "-m", "usufruct.cli", "serve"]
        _, ready = stack.enter_context(started(serve, folder / "gateway.log", commands.environment))
        for name, options in SERVICES:
            sold = ["--upstream", upstream, "--pay-to", PAYEE, "--context", "8192", "--max-output", "1024"]
            commands.run("sell", "--no-up", "--name", name, *sold, *options)
        _sell_asset(commands, trust.SERVICE, upstream)
        _trade(commands, upstream, ["--gateway", str(ready["url"])])
        yield Site(str(ready["url"]).removesuffix("/v1").replace("127.0.0.1", "localhost"), places)


def _rate(commands: Commands) -> None:
    """Simulate a market that ended yesterday, rate its assets, publish indices of them, and write bulletins."""
    first_day = datetime.fromtimestamp(Clock().now(), UTC).date() - timedelta(days=MARKET_DAYS)
    commands.run("prices", "synthesize", *MARKET, "--days", str(MARKET_DAYS), "--first-day", first_day.isoformat())
    commands.run("rating", "compute")
    asyncio.run(_publish(load_config(commands.environment)))


async def _publish(config: Config) -> None:
    """Publish indices and write bulletins, as the worker does."""
    async with open_installation(config) as installation:
        jobs = {each.name: each for each in installation.jobs()}
        for name in ("indices", "bulletins"):
            await jobs[name].step()


def _sell_asset(commands: Commands, name: str, upstream: str) -> None:
    """Serve a registered asset."""
    sold = ("--name", name, "--asset", name, "--upstream", upstream, "--model", "librarian")
    commands.run("sell", "--no-up", *sold)


def _airdrop(commands: Commands, folder: Path) -> str:
    """Deploy an airdrop for the buyer and others; return the setting that serves it."""
    holders = [
        f"0x{keccak(number.to_bytes(4, 'big'))[:20].hex()},{100 + number % 900}" for number in range(HOLDER_COUNT)
    ]
    source = folder / "holders.csv"
    rows = ["address,amount", f"{DEVNET_ADDRESSES[DEMO_ACCOUNT]},1250.5", *holders[1:]]
    source.write_text("\n".join(rows))
    file = commands.run("airdrop", "build", str(source), "--cap", "10000000")["file"]
    end = datetime.fromtimestamp(Clock().now() + 90 * 86_400, UTC).date().isoformat()
    owner = str(DEVNET_ADDRESSES.index(signer_of(Role.OWNER, load_config(commands.environment)).address))
    made = commands.run("airdrop", "deploy", file, "--until", end, "--wallet", owner)
    return f"{file}={made['contract']}"


def _trade(commands: Commands, upstream: str, at: Sequence[str]) -> None:
    """Sell a service whose revenue shares are on offer, were sold before, and have income; the buyer holds some."""
    prices = ["--input", "2", "--output", "8", "--context", "8192"]
    holders = [each for address, part in HOLDERS for each in ("--owner", f"{address}:{part}")]
    made = commands.run("asset", "register", "archive", *prices, *holders, "--wallet", "5")
    _sell_asset(commands, "archive", upstream)
    commands.run("wallet", "fund", "7", "1000")
    for wallet, amount, price, parts in OFFERS:
        offer = commands.run("shares", "offer", "archive", amount, "--price", price, "--wallet", wallet, *at)["offer"]
        for part in parts:
            commands.run("shares", "buy", offer, part, "--max-price", price, "--wallet", "7", *at)
    commands.run("pass", "plan", "archive", "--price", "9", "--credits", "10", "--expires", "365d", "--wallet", "5")
    commands.run("wallet", "fund", str(DEMO_ACCOUNT), "9")
    commands.run("pass", "buy", "archive", "--wallet", str(DEMO_ACCOUNT))
    for wallet, credits_, price, parts in CREDIT_OFFERS:
        commands.run("wallet", "fund", wallet, "100")
        commands.run("pass", "buy", "archive", "--packages", "4", "--wallet", wallet)
        offer = commands.run("pass", "offer", "archive", credits_, "--price", price, "--wallet", wallet, *at)["offer"]
        for part in parts:
            commands.run("pass", "buy-offered", offer, part, "--max-price", price, "--wallet", "7", *at)
    bundle = ("--price", "2500", "--shares", "20000000:1200", "--expires", "90d", "--wallet", "5")
    commands.run("title", "offer", "archive", *bundle, *at)
    asyncio.run(_earn(load_config(commands.environment), address(made["shares"])))


async def _earn(config: Config, shares: Address) -> None:
    """Mint dollars to the shares contract, as income from a till arrives: not booked yet."""
    async with open_chain(config) as opened:
        dollar = TestDollar(opened.deployments.address(TestDollar))
        sender = opened.sender(devnet_signer(0, opened.chain_id))
        await sender.execute(dollar.mint(shares, INCOME), "income of the service in the pictures")
