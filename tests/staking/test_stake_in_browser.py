"""A person with a phone locks tokens, gets a part of the revenue, holds the score, and leaves, in Debian's chromium."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account import Account
from playwright.async_api import Browser, Locator, Page, expect

from tests.market.test_lost_network_in_browser import LOST, REACHES, TAP_TWICE, Cut
from tests.staking.stake_town import BEN, DOLLAR, TOKEN, StakeTown, stake_town
from tests.support.altered_answer import refused_when
from tests.support.batching_wallet import BatchingWallet
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from tests.support.safe_wallet import SafeWallet
from usufruct.app import set_up_devnet
from usufruct.core import Address, address
from usufruct.staking.lock_model import end_after
from usufruct_client.stake_documents import StakeWish

REQUESTS = "**/v1/staking/requests"

pytestmark = [needs_chromium, pytest.mark.anvil]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def town(devnet_template, tmp_path) -> AsyncIterator[StakeTown]:
    """Ben has a lock of 100 tokens that does not end; a token costs 0.05 dollars."""
    settings = {"relayer_account_gas": 12_000_000, "platform_token_reinvest_test_price": "0.05"}
    async with stake_town(devnet_template, tmp_path, **settings) as opened:
        await opened.lock(BEN, 100, 52)
        await opened.act(BEN, opened.stakes.renew(on=True))
        yield opened


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog")


def form_of(page: Page, action: str) -> Locator:
    """The form of an action."""
    return page.locator("form", has=page.locator(f"input[value={action}]"))


async def look(page: Page, action: str, **fields: str) -> None:
    """Fill the form of an action, and open its sheet."""
    form = form_of(page, action)
    details = page.locator("details", has=form)
    if await details.count() and await details.get_attribute("open") is None:
        await details.locator("summary").click()
    for name, text in fields.items():
        await form.locator(f"[name={name}]").fill(text)
    await form.get_by_role("button").click()
    await expect(sheet(page)).to_be_visible()


async def confirm(page: Page, button: str, said: str) -> None:
    """Confirm the sheet by two taps, and wait for what the page says then."""
    await sheet(page).get_by_role("button", name=button).evaluate(TAP_TWICE)
    await expect(page.get_by_text(said, exact=True)).to_be_visible()


async def staker(town: StakeTown, page: Page, tokens: int = 100) -> Address:
    """Make a passkey wallet that holds tokens, and open the page."""
    account = await passkey_wallet(page, town.root)
    await town.give(account, tokens)
    await page.goto(f"{town.root}/stake")
    return account


async def enter(town: StakeTown, page: Page, wallet: InjectedWallet, tokens: int = 100) -> Address:
    """Sign in with a wallet that holds tokens, and open the page."""
    account = address(wallet.account.address)
    await town.give(account, tokens)
    await town.devnet.set_balance(account, 10**18)
    await wallet.inject(page)
    await page.goto(f"{town.root}/account")
    await page.get_by_role("button", name="Test Wallet").click()
    await expect(page.get_by_text("No keys yet")).to_be_visible()
    await page.goto(f"{town.root}/stake")
    return account


async def test_a_passkey_locks_earns_holds_and_leaves(town: StakeTown, browser: Browser):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await staker(town, page)
        form = form_of(page, "lock")
        await form.locator("[name=amount]").fill("101")
        await expect(form.get_by_text("You hold fewer tokens than that.")).to_be_visible()
        await look(page, "lock", amount="52", weeks="26")
        ends = end_after(26, (await town.of(account)).now)
        await expect(form).to_contain_text(day_of(ends))
        await expect(sheet(page)).to_contain_text(f"Ends{day_of(ends)}")
        await expect(sheet(page)).to_contain_text("52 EXM")
        await expect(sheet(page)).to_contain_text("Your passkey is asked once")
        await confirm(page, "Lock 52", "Your tokens are locked.")
        assert (await town.of(account)).ends_at == ends

        await town.pass_week()
        await town.pay_revenue(126 * DOLLAR)  # of a score of 126 in all, 26 are the reader's
        await page.reload()
        await expect(page.get_by_text("26", exact=True).first).to_be_visible()
        await expect(page.get_by_text("The next income comes after")).to_be_visible()
        await town.pass_week()
        await page.reload()
        await expect(page.locator(".chart").first).to_be_visible()
        await expect(page.locator("table").last).to_contain_text("126 tUSD")
        await expect(page.get_by_text("Next week about")).to_contain_text("the mean of 1 week until")
        await look(page, "claim")
        due = (await town.of(account)).revenue
        assert 26 * DOLLAR - due in (0, 1)
        await confirm(page, "Take it", "Your income is in your wallet.")
        assert await town.dollar.balance_of(account) == 100 * DOLLAR + due

        await look(page, "renew")
        await confirm(page, "Hold the score", "Your score is held.")
        await expect(page.get_by_text("the score is held at 24 weeks")).to_be_visible()
        await reinvest(town, page, account)
        await look(page, "stopRenewal")
        await confirm(page, "Let it fall", "Your score falls again, week by week.")
        await look(page, "delegate", to=BEN)
        await confirm(page, "Let it vote", "Your votes are given.")
        assert (await town.of(account)).delegate == BEN

        found = await town.of(account)
        await look(page, "exit")
        await expect(sheet(page)).to_contain_text(f"Penalty, at most{found.exit_penalty // TOKEN}.")
        await confirm(page, "Leave now", "Your lock has ended early.")
        left = await town.of(account)
        assert (left.lock.amount, left.held) == (0, found.held + found.lock.amount - found.exit_penalty)
        assert [each for each in shown.problems if "pubKeyCredParams" not in each] == []


async def reinvest(town: StakeTown, page: Page, account: Address) -> None:
    """Add a week's revenue to a lock; a hostile server that asks to buy less, or elsewhere, gets no signature."""
    await town.pay_revenue(126 * DOLLAR)
    await town.pass_week()
    await set_up_devnet(town.installation.config)  # which posts the price again
    await page.reload()
    locked, quote = (
        (await town.of(account)).lock.amount,
        await town.requests.changes.read(StakeWish(account, "reinvest")),
    )
    await look(page, "reinvest")
    await expect(sheet(page)).to_contain_text("Price of one0.05 tUSD, 0 minutes ago")
    least, place = quote.wish.amount, town.stakes.reinvestments.address
    assert least
    assert place
    for old, new in ((f"{least:064x}", f"{1:064x}"), (place[2:], "66" * 20)):
        await refused_when(page, REQUESTS, swapped(old, new), "Buy and lock")
    await confirm(page, "Buy and lock", "Your income is in your lock now.")
    assert (await town.of(account)).lock.amount >= locked + least


def swapped(old: str, new: str) -> Callable[[Any], None]:
    """Alter what an operation does."""

    def alter(asked: Any) -> None:
        message = asked["operation"]["document"]["message"]
        assert old in message["callData"]
        message["callData"] = message["callData"].replace(old, new)

    return alter


def day_of(seconds: int) -> str:
    """A day as the page shows it, without its hour."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b} {at.year}"


async def test_a_wallet_locks_by_a_permit_adds_extends_and_takes_out(town: StakeTown, browser: Browser):
    wallet = InjectedWallet(Account.create(), node=town.installation.client)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await enter(town, page, wallet)
        await look(page, "lock", amount="60", weeks="1")
        await expect(sheet(page)).to_contain_text("Your wallet signs a permit for exactly these tokens")
        wallet.declines = True
        await sheet(page).get_by_role("button", name="Lock 60").click()
        await expect(page.get_by_text("You declined in your wallet.")).to_be_visible()
        wallet.declines = False
        await confirm(page, "Lock 60", "Your tokens are locked.")
        assert len(wallet.transactions) == 1, "two taps, one transaction"
        await look(page, "increase", amount="40")
        await confirm(page, "Add 40", "Your tokens are added.")
        await look(page, "extend", weeks="2")
        await confirm(page, "Extend to 2 weeks", "Your lock ends later.")
        assert len(wallet.transactions) == 3
        for _ in range(3):
            await town.pass_week()
        await page.reload()
        await look(page, "withdraw")
        await confirm(page, "Take out 100", "Your tokens are in your wallet.")
        assert shown.problems == []
    stake = await town.of(account)
    assert (stake.lock.amount, stake.held) == (0, 100 * TOKEN)


async def test_a_contract_wallet_locks_by_one_confirmation(town: StakeTown, browser: Browser):
    safe = await SafeWallet.make(town.installation.client)
    await safe.create()
    wallet = BatchingWallet(safe, town.installation.client)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await enter(town, page, wallet)
        await look(page, "lock", amount="60", weeks="4")
        await expect(sheet(page)).to_contain_text("two transactions, or both as one")
        await confirm(page, "Lock 60", "Your tokens are locked.")
    assert len(wallet.batches) == 1
    assert (await town.of(account)).lock.amount == 60 * TOKEN


async def test_two_tabs_add_tokens_once(town: StakeTown, browser: Browser):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await staker(town, page)
        await look(page, "lock", amount="50", weeks="4")
        await confirm(page, "Lock 50", "Your tokens are locked.")
        other = await page.context.new_page()
        await other.goto(f"{town.root}/stake")
        for each in (page, other):
            await look(each, "increase", amount="10")
        await confirm(page, "Add 10", "Your tokens are added.")
        await sheet(other).get_by_role("button", name="Add 10").click()
        await expect(other.get_by_text("Your lock has changed since you opened this page.")).to_be_visible()
    assert (await town.of(account)).lock.amount == 60 * TOKEN


@REACHES
async def test_a_lock_goes_on_when_the_network_comes_back(town: StakeTown, browser: Browser, reaches: bool):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await staker(town, page)
        await look(page, "lock", amount="50", weeks="4")
        cut = Cut(page, reaches=reaches, stays=True)
        await cut.at("**/v1/passkeys/operations")
        await sheet(page).get_by_role("button", name="Lock 50").evaluate(TAP_TWICE)
        await expect(page.locator("#toasts")).to_contain_text(LOST)
        await cut.mend()
        await page.reload()
        async with page.expect_event("load"):  # the page loads again when it is done
            await cut.end()
        await expect(page.get_by_text("locked: yours at the end")).to_be_visible()
    assert (await town.of(account)).lock.amount == 50 * TOKEN


async def test_a_passkey_signs_no_other_change(town: StakeTown, browser: Browser):
    """A hostile server asks for another amount, account, contract, or one call more: nothing is signed."""
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await staker(town, page)
        amount, stranger = 50 * TOKEN, "66" * 20
        escrow, token = town.stakes.escrow.address[2:], town.stakes.token.address[2:]
        await look(page, "lock", amount="50", weeks="4")
        more = f"{amount:064x}", f"{amount + 1:064x}"
        longer = f"{amount:064x}{4:064x}", f"{amount:064x}{52:064x}"
        for old, new in (more, longer, (escrow, stranger), (token, stranger)):
            await refused_when(page, REQUESTS, swapped(old, new), "Lock 50")
        await confirm(page, "Lock 50", "Your tokens are locked.")
        await look(page, "exit")
        await refused_when(page, REQUESTS, swapped(account[2:].rjust(64, "0"), stranger.rjust(64, "0")), "Leave now")
        penalty = (await town.of(account)).exit_penalty
        await refused_when(page, REQUESTS, swapped(f"{penalty:064x}", f"{amount:064x}"), "Leave now")
    assert (await town.of(account)).lock.amount == amount


async def test_the_page_keeps_every_budget(town: StakeTown, browser: Browser):
    await town.devnet.pass_time(7 * 86_400)
    await town.pay_revenue(126 * DOLLAR)
    await town.pass_week()
    await check_page(browser, f"{town.root}/stake")


async def test_a_reader_of_german_locks(town: StakeTown, browser: Browser):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await staker(town, page)
        await page.goto(f"{town.root}/stake?language=de")
        await expect(page.get_by_role("heading", level=1)).to_have_text("EXM staken")
        assert await shown.small_targets() == []
        await look(page, "lock", amount="12,5", weeks="26")
        await expect(sheet(page)).to_contain_text("Sie sperren12,5 EXM")
        assert await shown.accessibility_faults() == []
        assert await shown.too_wide() <= 0
        await confirm(page, "12,5", "Ihre Token sind gesperrt.")
        await look(page, "exit")
        await expect(sheet(page)).to_contain_text("Abzug, höchstens")
        assert await shown.accessibility_faults() == []
    assert (await town.of(account)).lock.amount == 125 * TOKEN // 10
