"""Voters decide in a browser: a wallet and a passkey propose, vote, queue, execute; a hostile text is harmless."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browser import DESKTOP, NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.dao import CAROL, PENALTY, Dao
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.gateway_server import served
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from tests.support.staked_economy import ANN, BEN, TOKEN
from usufruct.app import Installation, open_installation
from usufruct.chain import ChainAccess
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address
from usufruct.governance import Proposals
from usufruct.staking import Stakes
from usufruct.staking.lock_model import WEEK_SECONDS

pytestmark = [pytest.mark.anvil, needs_chromium]

HOSTILE = "<img src=x onerror=alert(1)>\n\N{RIGHT-TO-LEFT OVERRIDE}gnp.<script>alert(1)</script>"


@dataclass
class Town:
    """A DAO and the site of its installation."""

    dao: Dao
    installation: Installation
    root: str

    async def do(self, work: Any, *arguments: Any, **options: Any) -> Any:
        """Run what the DAO does by commands, beside the server."""
        return await asyncio.to_thread(work, *arguments, **options)


@pytest.fixture
async def town(dao_template: DevnetTemplate, tmp_path: Path) -> AsyncIterator[Town]:
    async with dao_template.running(tmp_path) as anvil:
        dao = await asyncio.to_thread(Dao, tmp_path, anvil.url, made=True)
        async with (
            open_installation(dao.commands.config) as installation,
            served(installation.router()) as (_, base, _),
        ):
            yield Town(dao, installation, base.removesuffix("/v1").replace("127.0.0.1", "localhost"))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def give_lock(chain: ChainAccess, holder: Address, voter: Address) -> None:
    """Give an account tokens of Ann's, lock them, and let `voter` vote with them."""
    stakes, devnet = Stakes(chain), Devnet(chain.client)
    await devnet.send_as(DEVNET_ADDRESSES[ANN], stakes.token.transfer(holder, 5_000_000 * TOKEN))
    for call in (*await stakes.lock(holder, 5_000_000 * TOKEN, 52), stakes.delegate(voter)):
        await devnet.send_as(holder, call)


async def sign_in(page: Page, root: str, wallet: InjectedWallet) -> None:
    await wallet.inject(page)
    await page.goto(f"{root}/account")
    await page.get_by_role("button", name="Test Wallet").click()
    await expect(page.get_by_text("No keys yet")).to_be_visible()


async def propose_penalty(page: Page, root: str) -> str:
    """Propose another penalty in the page, after values that the contract would refuse; return the proposal's id."""
    await page.goto(f"{root}/proposals")
    await page.get_by_role("link", name="Propose a change").click()
    await page.get_by_label("What changes").select_option("VoteEscrow.score_floor")
    await expect(page.get_by_text("Now: 0.")).to_be_visible()
    value = page.get_by_label("New value")
    await value.fill("60")
    await page.get_by_label("What changes").select_option("VoteEscrow.exit_penalty")
    await expect(page.get_by_text("Now: 20%. From 10% to 50%, or 0.")).to_be_visible()
    await expect(value).to_have_value("60")
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_text("The contract takes no such value.")).to_be_visible()
    await expect(value).to_be_focused()
    await value.fill("25")
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_text("VoteEscrow: penalty of an early exit: 20% → 25%")).to_be_visible()
    await page.get_by_role("button", name="See what it would do").click()
    title = page.get_by_label("Title")
    await expect(title).to_be_focused()
    await title.fill("Raise the <b>penalty</b>")
    await page.get_by_label("Why").fill("For those who stay.\n\nTruly.")
    await page.get_by_text("Write any other call").click()
    await page.get_by_label("Contract").fill("VoteEscrow")
    await page.get_by_label("Function").fill("setExitPenalty")
    await page.get_by_label("Arguments").fill("99%")
    await page.get_by_role("button", name="See what it would do").click()
    await expect(page.get_by_text("OutOfBounds(value=9900, least=1000, most=5000)")).to_be_visible()
    await expect(page.get_by_text("a call would fail, and so nothing would be done")).to_be_visible()
    await expect(page.get_by_role("button", name="Propose it though it would fail now")).to_be_visible()
    await page.get_by_role("button", name="Change it").click()
    await page.get_by_role("button", name="Remove").nth(1).click()
    await expect(page.get_by_role("button", name="Remove")).to_have_count(1)
    await page.get_by_role("button", name="See what it would do").click()
    await expect(page.get_by_role("heading", name="What it does")).to_be_focused()
    await expect(page.get_by_text("all calls would succeed")).to_be_visible()
    await expect(page.get_by_text("your votes are enough")).to_be_visible()
    await page.get_by_role("button", name="Propose it").click()
    await expect(page.get_by_text("Your proposal is made.")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Raise the <b>penalty</b>")
    return page.url.rpartition("/")[2]


async def propose_payment(page: Page, root: str) -> None:
    """Propose by a passkey that the treasury sends coins and calls a contract that is not known."""
    await page.goto(f"{root}/proposals/new")
    await page.get_by_text("Write any other call").click()
    await page.get_by_label("Contract").fill(DEVNET_ADDRESSES[CAROL])
    await page.get_by_label("Coins").fill("0.5")
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_text("Pay 0.5 of the chain's coin from the treasury")).to_be_visible()
    await page.get_by_text("Write any other call").click()
    await page.get_by_label("Contract").fill(DEVNET_ADDRESSES[CAROL])
    await page.get_by_label("Function").fill("poke(uint256)")
    await page.get_by_label("Arguments").fill("25%")
    await page.get_by_label("Title").fill("Pay the auditor")
    await page.get_by_role("button", name="See what it would do").click()
    await expect(page.get_by_text("There is no contract at this address now.")).to_be_visible()
    await page.get_by_role("button", name="Propose it").click()
    await expect(page.get_by_text("Your proposal is made.")).to_be_visible()


async def test_a_wallet_and_a_passkey_decide(town: Town, browser: Browser):
    """The wallet has Ben's votes, the passkey Carol's; both propose. The wallet queues, the passkey executes."""
    dao, root = town.dao, town.root
    wallet = InjectedWallet(node=town.installation.client)
    voter = Address(wallet.account.address.lower())
    async with visit(browser, "about:blank", **DESKTOP) as desk, visit(browser, "about:blank", **PHONE) as phone:
        account = await passkey_wallet(phone.page, root)
        await sign_in(desk.page, root, wallet)
        await town.do(dao.stake, "delegate", voter, wallet=BEN)
        await town.do(dao.inside, lambda chain: give_lock(chain, DEVNET_ADDRESSES[CAROL], account))
        await town.do(dao.inside, lambda chain: Devnet(chain.client).set_balance(voter, 10**18))
        await town.do(dao.pass_time, WEEK_SECONDS)
        proposal = await propose_penalty(desk.page, root)
        await expect(desk.page.get_by_text("voting not begun")).to_be_visible()
        await propose_payment(phone.page, root)
        await town.do(dao.begin_voting)

        await desk.page.reload()
        await expect(desk.page.get_by_text("would succeed now")).to_be_visible()
        await expect(desk.page.get_by_text("VoteEscrow: penalty of an early exit: 20% → 25%")).to_be_visible()
        await desk.page.get_by_label("Reason").fill("long locks <b>matter</b>")
        await desk.page.get_by_role("button", name="Vote for it").click()
        await expect(desk.page.get_by_text("Your vote is cast.")).to_be_visible()
        await expect(desk.page.get_by_text("you have voted")).to_be_visible()
        await expect(desk.page.get_by_text("long locks <b>matter</b>")).to_be_visible()

        await phone.page.goto(f"{root}/proposals/{proposal}")
        await phone.page.get_by_role("button", name="Vote against it").click()
        await expect(phone.page.get_by_text("Your vote is cast.")).to_be_visible()
        shown = await town.do(dao.gov, "show", proposal)
        assert [(each["voter"], each["support"]) for each in shown["votes"]] == [(voter, "for"), (account, "against")]

        await town.do(dao.end_voting)
        await desk.page.reload()
        await desk.page.get_by_role("button", name="Queue it").click()
        await expect(desk.page.get_by_text("The proposal is queued.")).to_be_visible()
        await town.do(dao.pass_time, 2 * 86_400)
        await phone.page.reload()
        await phone.page.get_by_role("button", name="Execute it").click()
        await expect(phone.page.get_by_text("The proposal is executed.")).to_be_visible()
        assert (await town.do(dao.commands.json, "stake", "terms"))["exit_penalty"] == "25 %"
        assert desk.problems == []


async def test_a_server_that_asks_for_another_vote_gets_no_signature(town: Town, browser: Browser):
    """What a wallet is asked for is checked on the page: this vote, about this proposal, by this governor."""
    dao, root = town.dao, town.root
    wallet = InjectedWallet(node=town.installation.client)
    async with visit(browser, "about:blank", **DESKTOP) as shown:
        page = shown.page
        await sign_in(page, root, wallet)
        await town.do(dao.stake, "delegate", wallet.account.address, wallet=BEN)
        await town.do(dao.pass_time, WEEK_SECONDS)
        proposal = await town.do(dao.propose, PENALTY)
        await town.do(dao.begin_voting)
        await page.goto(f"{root}/proposals/{proposal}")

        async def against(route: Any) -> None:
            governor = Proposals(await _chain(town)).governor
            data = governor.cast_vote(int(proposal, 16), 0).data.hex()
            body = {"chainId": "31337", "to": governor.address, "data": f"0x{data}", "value": "0", "sent": False}
            await route.fulfill(json=body)

        await page.route("**/transactions", against)
        await page.get_by_role("button", name="Vote for it").click()
        await expect(page.locator("#toasts")).to_contain_text("The server asked to sign something else.")
        assert wallet.transactions == []


async def _chain(town: Town) -> ChainAccess:
    return town.installation.get(ChainAccess)


async def test_hostile_texts_and_unknown_calls_are_shown_and_harmless(town: Town, browser: Browser, tmp_path: Path):
    file = tmp_path / "proposal.toml"
    lines = 'target = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"\ndata = "0xdeadbeef"\n'
    relayed = "PlatformGovernor.relay(0x70997970C51812dc3A010C7d01b50e0d17dc79C8, 0, 0xfeedc0de)"
    turned = 'AssetRegistry.setAgentURI(5, "https://a.example/\\u202egpj.live")'
    calls = "".join(f"[[calls]]\ncall = '{each}'\n" for each in (relayed, turned))
    file.write_text(f"[[calls]]\n{lines}{calls}")
    words = ("propose", "--file", str(file), "--anyway", "--description", HOSTILE)
    proposal = (await town.do(town.dao.gov, *words, wallet=ANN))["id"]
    async with visit(browser, f"{town.root}/proposals/{proposal}", **PHONE) as shown:
        page = shown.page
        await expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")
        await expect(page.locator(".said")).to_contain_text("gnp.<script>alert(1)</script>")
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in await page.content()
        await expect(page.get_by_text("There is no contract at this address")).to_have_count(2)
        await expect(page.get_by_text("It carries these calls:")).to_be_visible()
        for data in ("0xdeadbeef", "0xfeedc0de"):
            await expect(page.get_by_text(data, exact=True).last).to_be_visible()
        await expect(page.get_by_text("https://a.example/gpj.live")).to_be_visible()
        assert shown.problems == []
    async with visit(browser, f"{town.root}/proposals/0x1234", **PHONE) as shown:
        await expect(shown.page.get_by_text("There is no such proposal here.")).to_be_visible()
    for path in ("/proposals", "/proposals/new", f"/proposals/{proposal}", "/powers"):
        await check_page(browser, town.root + path)
    async with visit(browser, f"{town.root}/powers?language=de", **PHONE) as shown:
        await expect(shown.page.get_by_role("heading", level=1)).to_have_text("Wer was darf")
        await expect(shown.page.get_by_text("Jede Rolle liegt bei dem Konto")).to_be_visible()


async def test_the_balances_that_a_payment_changes_fit_a_phone(town: Town, browser: Browser):
    async def fund(chain: ChainAccess) -> None:
        mint = TestDollar(chain.deployments.address(TestDollar)).mint
        treasury = chain.deployments.address(PlatformTimelock)
        await Devnet(chain.client).send_as(DEVNET_ADDRESSES[0], mint(treasury, 5_000_000))

    await town.do(town.dao.inside, fund)
    call = f"tUSD.transfer({DEVNET_ADDRESSES[9]}, 5 tUSD)"
    proposal = await town.do(town.dao.propose, call, text="Pay the auditor")
    async with visit(browser, f"{town.root}/proposals/{proposal}", **NARROW) as narrow:
        await expect(narrow.page.get_by_role("table", name="What balances would change by")).to_be_visible()
        assert await narrow.too_wide() <= 0
