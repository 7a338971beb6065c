"""`make bench-pages`: what a reader on a phone feels; `make screenshots`: what every page looks like.

A real installation sells the librarian on a local chain. Each page is opened in Debian's chromium as a Pixel 5 on slow
4G (150 ms, 1.6 Mbit/s) with a processor four times slower, in a profile of its own, and read by the browser's own
performance observers. `--check` fails when a page is over a budget; for times, which depend on the machine's load, the
best of the rounds counts.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from playwright.async_api import Browser

from bench.gateway.installation import PAYEE, Commands, chain
from bench.gateway.processes import started
from bench.report import OURS, ROOT, Row, write
from tests.support.browser import PHONE, Visit, chromium, visit
from tests.support.browser_server import CHROMIUM
from usufruct.accounts import DEMO_ACCOUNT
from usufruct.chain import keccak, open_chain
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, devnet_signer, signer_of
from usufruct.config import Config, load_config
from usufruct.core import Address, Clock, address
from usufruct.staking import WEEK_SECONDS, Stakes

SERVICES = [
    ("librarian", ["--kind", "chat", "--input", "0.5", "--output", "1.5", "--model", "librarian"]),
    (
        "librarian-vectors",
        ["--kind", "embeddings", "--input", "0.02", "--output", "0", "--model", "librarian-embedding"],
    ),
    ("poet", ["--kind", "chat", "--input", "3", "--output", "15", "--per-call", "0.001", "--model", "librarian"]),
]
BUYERS_PAGES = {
    "services": "/",
    "service": f"/s/{quote('librarian')}",
    "receipt": "/r",
    "account": "/account",
    "notifications": "/account/notifications",
    "shares": "/shares/archive",
    "passes": "/passes/archive",
    "titles": "/titles/archive",
    "recover": "/account/recover",
    "airdrop": "/airdrop",
    "stake": "/stake",
    "proposals": "/proposals",
    "propose": "/proposals/new",
    "gallery": "/_gallery",
}
SELLERS_PAGES = {
    "sell": "/sell",
    "desk": "/desk",
    "operator": "/operator",
    "owner": "/operator/owner",
    "health": "/operator/health",
}
PAGES = BUYERS_PAGES | SELLERS_PAGES
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

STAKERS = [(str(DEMO_ACCOUNT), "5200", "52"), ("6", "8000", "26")]
"""Wallet, tokens that it locks, and weeks."""

REVENUE = (92_500_000, 141_000_000, 0, 118_750_000)
"""What the stakers got in the weeks before now, in atomic units of the devnet's dollar."""

TOKEN = {
    "USUFRUCT_PLATFORM_TOKEN_NAME": "Example",
    "USUFRUCT_PLATFORM_TOKEN_SYMBOL": "EXM",
    "USUFRUCT_PLATFORM_TOKEN_EXIT_PENALTY_PERCENT": "20",
    "USUFRUCT_GOVERNANCE_QUORUM_FLOOR": "20000000",
    "USUFRUCT_PLATFORM_TOKEN_ALLOCATION": ",".join(f"{DEVNET_ADDRESSES[int(each)]}=1" for each, _, _ in STAKERS),
}
HOLDER_COUNT = 12_000
"""Accounts of the airdrop; the buyer's is one."""

EVENTS = ("balance.low", "income.arrived", "key.limit_low", "refund.sent")
QUESTIONS = ["What is a voucher?", "Who is paid?", "How do I get my money back?"]
SCREENSHOTS = ROOT / "docs" / "guides" / "screenshots"

_SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
_SLOWER = 4
_TIMES = """() => new Promise((resolve) => {
  const seen = { lcp: 0, blocked: 0 };
  new PerformanceObserver((list) => { seen.lcp = list.getEntries().at(-1).startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.blocked += Math.max(0, entry.duration - 50);
  }).observe({ type: "longtask", buffered: true });
  setTimeout(() => resolve(seen), 500);
})"""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a figure may be on any page; `least` tells whether the best round counts."""

    unit: str
    most: float
    best_counts: bool = False


BUDGETS = {
    "lcp": Budget("ms", 1_200, best_counts=True),
    "tbt": Budget("ms", 100, best_counts=True),
    "transferred": Budget("bytes", 60 * 1024),
    "scripts": Budget("bytes", 30_000),
    "elements": Budget("elements", 1_500),
    "cls": Budget("shift", 0.05),
}


@contextmanager
def site() -> Iterator[str]:
    """Sell the services while the block runs; yields the address of the pages."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        starts_at = Clock().now() - (len(REVENUE) + 1) * WEEK_SECONDS
        commands = Commands(folder, stack.enter_context(chain(starts_at)))
        commands.environment = {**commands.environment, **TOKEN}
        librarian = [sys.executable, "-m", "usufruct_librarian", "--port", "0"]
        _, model = stack.enter_context(started(librarian, folder / "librarian.log"))
        for step in (["migrate"], ["deploy", "--yes"]):
            commands.run(*step)
        for wallet, tokens, weeks in STAKERS:
            commands.run("stake", "lock", tokens, "--weeks", weeks, "--wallet", wallet)
        asyncio.run(_pass_weeks(load_config(commands.environment)))
        commands.environment = {**commands.environment, "USUFRUCT_PLATFORM_TOKEN_AIRDROPS": _airdrop(commands, folder)}
        serve = [sys.executable, "-m", "usufruct.cli", "serve"]
        _, ready = stack.enter_context(started(serve, folder / "gateway.log", commands.environment))
        for name, options in SERVICES:
            upstream = ["--upstream", str(model["url"]), "--pay-to", PAYEE, "--context", "8192", "--max-output", "1024"]
            commands.run("sell", "--no-up", "--name", name, *upstream, *options)
        _trade(commands, str(model["url"]), ["--gateway", str(ready["url"])])
        yield str(ready["url"]).removesuffix("/v1").replace("127.0.0.1", "localhost")


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
    commands.run(
        "sell", "--no-up", "--name", "archive", "--asset", "archive", "--upstream", upstream, "--model", "librarian"
    )
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


async def _pass_weeks(config: Config) -> None:
    """Pay the stakers' revenue of each week until now, on a chain that began so many weeks ago."""
    async with open_chain(config) as opened:
        dollar = TestDollar(opened.deployments.address(TestDollar))
        sender, escrow = opened.sender(devnet_signer(0, opened.chain_id)), Stakes(opened).escrow
        start = (await opened.client.head()).timestamp

        async def jump(time: int) -> None:
            await opened.client.ask("evm_setNextBlockTimestamp", time)
            await opened.client.ask("evm_mine")

        for number, amount in enumerate(REVENUE, 1):
            await jump(start + number * WEEK_SECONDS)
            if amount:
                await sender.execute(dollar.mint(escrow.address, amount), f"revenue of week {number} in the pictures")
                await sender.execute(escrow.notify(), f"booking of week {number} in the pictures")
        await jump(Clock().now())
        await sender.execute(escrow.roll(len(REVENUE)), "the end of the last week in the pictures")


def profiles(url: str) -> dict[str, dict[str, Any]]:
    """Return the options of each page's profile: its reader is signed in as a buyer, or as the operator who sells."""
    buyer, seller = _buyer(url), _seller(url)
    return dict.fromkeys(BUYERS_PAGES, buyer) | dict.fromkeys(SELLERS_PAGES, seller)


def _seller(url: str) -> dict[str, Any]:
    with httpx.Client(base_url=f"{url}/v1", timeout=60) as client:
        client.post("/sessions/operator", json={}).raise_for_status()
        return _profile(client, url)


def _profile(client: httpx.Client, url: str) -> dict[str, Any]:
    """Return the options of a profile that has a client's cookies."""
    cookies = [{"name": each.name, "value": each.value, "url": url} for each in client.cookies.jar]
    return {"storage_state": {"cookies": cookies, "origins": []}}


def _buyer(url: str) -> dict[str, Any]:
    """Sign in as the demo account, and make a key that paid for calls."""
    with httpx.Client(base_url=f"{url}/v1", timeout=60) as client:

        def ask(path: str, body: dict[str, Any]) -> Any:
            answer = client.post(path, json=body).raise_for_status()
            return answer.json() if answer.content else None

        ask("/sessions/demo", {})
        ask("/account/play-money", {})
        terms = {"spendingLimit": "5000000", "days": 30, "assets": [], "label": "laptop"}
        key = ask("/keys", ask("/account/key-requests", terms)["body"])
        deposit = {"channel": key["channel"], "amount": "2000000"}
        ask("/deposits", ask("/account/deposit-requests", deposit)["body"])
        bearer = {"authorization": f"Bearer {key['key']}"}
        for question in QUESTIONS:
            call = {"model": "librarian", "messages": [{"role": "user", "content": question}], "max_tokens": 200}
            client.post("/chat/completions", json=call, headers=bearer).raise_for_status()
        terms = {"events": sorted(EVENTS), "lowBalance": "1000000", "language": "en"}
        ask("/account/notifications", terms)
        ask("/account/notifications/webhook", {"url": "https://hooks.example.org/usufruct"})
        ask("/account/notifications/test", {})
        return _profile(client, url)


async def measure(browser: Browser, url: str, profile: dict[str, Any]) -> dict[str, float]:
    """Open a page once, as a phone; return its figures by metric."""
    async with visit(browser, "about:blank", **PHONE, **profile) as phone:
        session = await phone.page.context.new_cdp_session(phone.page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", _SLOW_4G)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
        await phone.page.goto(url, wait_until="load")
        return await _figures(phone)


async def _figures(phone: Visit) -> dict[str, float]:
    times = await phone.page.evaluate(_TIMES)
    return {
        "lcp": times["lcp"],
        "tbt": times["blocked"],
        "transferred": sum(phone.sizes.values()),
        "scripts": phone.sizes.get("Script", 0),
        "elements": await phone.elements(),
        "cls": await phone.layout_shift(),
    }


async def bench(url: str, rounds: int, pages: Mapping[str, str]) -> tuple[list[Row], list[str]]:
    """Measure pages in turn, `rounds` times; return the rows, and the budgets that were missed."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pages}
    profile = profiles(url)
    async with chromium() as browser:
        for _ in range(rounds):
            for name, path in pages.items():
                found[name].append(await measure(browser, url + path, profile[name]))
    rows, missed = [], []
    for name, figures in found.items():
        for metric, budget in BUDGETS.items():
            values = [each[metric] for each in figures]
            counted = min(values) if budget.best_counts else max(values)
            note = f"at most {budget.most:g}"
            if counted > budget.most:
                missed.append(f"{name}: {metric} is {counted:g} {budget.unit}, {note}")
            rows.append(Row(f"{metric}_{name}", OURS, statistics.median(values), budget.unit, rounds, note))
    return rows, missed


async def photograph(url: str, pages: Mapping[str, str]) -> None:
    """Write pictures of pages: phone and desktop, light and dark."""
    SCREENSHOTS.mkdir(exist_ok=True)
    profile = profiles(url)
    shapes: dict[str, dict[str, Any]] = {
        "phone": PHONE | {"device_scale_factor": 1.5},
        "desktop": {"viewport": {"width": 1280, "height": 860}},
    }
    async with chromium() as browser:
        for name, path in pages.items():
            for shape, options in shapes.items():
                for scheme in ("light", "dark"):
                    async with visit(browser, url + path, **options, **profile[name], color_scheme=scheme) as shown:
                        await shown.page.wait_for_load_state("networkidle")
                        file = SCREENSHOTS / f"{name}-{shape}-{scheme}.png"
                        await shown.page.screenshot(path=file, full_page=shape == "desktop")
                        print(file.relative_to(ROOT))


def main() -> None:
    """Measure, check or photograph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="fail when a page is over a budget")
    parser.add_argument("--screenshots", action="store_true", help="write pictures into docs/guides instead")
    parser.add_argument("--page", action="append", choices=PAGES, help="only this page, repeatable; left out: all")
    asked = parser.parse_args()
    pages = {name: path for name, path in PAGES.items() if name in (asked.page or PAGES)}
    if CHROMIUM is None:
        print("not measured: needs chromium (apt-get install chromium)")
        sys.exit(0 if asked.check else 1)
    with site() as url:
        if asked.screenshots:
            asyncio.run(photograph(url, pages))
            return
        rows, missed = asyncio.run(bench(url, asked.rounds, pages))
    write("pages", rows)
    if asked.check and missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    main()
