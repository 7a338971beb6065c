"""What is signed is done once, in Debian's chromium: the network is lost, a second tab, the back button, two taps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.confirm_sheet import yes
from tests.support.injected_wallet import InjectedWallet
from tests.support.trade_town import NAME, SHARE, TradeTown, trade_town
from tests.support.virtual_authenticator import VirtualAuthenticator
from tests.support.waiting import until
from usufruct.core import address

pytestmark = [needs_chromium, pytest.mark.anvil]

DOLLAR = 10**6
LOST = "The connection was lost. What you signed is kept in this tab and sent again."
RESUMED = "What you signed here before is being finished."
ELSEWHERE = "You signed a deposit in another tab."
TAP_TWICE = "button => { button.click(); button.click(); }"
REACHES = pytest.mark.parametrize("reaches", [False, True], ids=["never-sent", "answer-lost"])


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest.fixture
def root(world):
    return world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")


class Cut:
    """The first request to a path loses the network: before it is sent, or, where it `reaches`, before its answer.

    Where it `stays`, the path's later requests are lost too, until `end`, so that the page cannot finish by itself.
    """

    def __init__(self, page: Page, *, reaches: bool, stays: bool = False) -> None:
        self._page = page
        self._reaches = reaches
        self._stays = stays
        self.bodies: list[str | None] = []
        self.lost = False

    async def at(self, path: str) -> None:
        """Lose the network when this path is asked next."""
        await self._page.route(path, self._handle)

    async def mend(self) -> None:
        """Have the network back."""
        await self._page.context.set_offline(False)

    async def end(self) -> None:
        """Let every request through from here on."""
        await self._page.unroute_all(behavior="ignoreErrors")

    async def happened(self) -> None:
        """Wait until the network is lost."""

        async def lost() -> bool:
            return self.lost

        await until(lost)

    async def _handle(self, route: Route) -> None:
        self.bodies.append(route.request.post_data)
        if self.lost:
            await (route.abort() if self._stays else route.continue_())
            return
        if self._reaches:
            await route.fetch()
        await self._page.context.set_offline(True)
        await route.abort()
        self.lost = True


async def by_wallet(page: Page, world: Any, root: str) -> str:
    """Sign in with a wallet that holds 100 dollars, and return its address."""
    wallet = InjectedWallet(await world.account(100), node=world.installation.client)
    await wallet.inject(page)
    await page.goto(f"{root}/account")
    await page.get_by_role("button", name="Test Wallet").click()
    await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()
    return wallet.account.address


async def by_passkey(page: Page, _world: Any, root: str) -> str:
    """Make a wallet of a passkey that holds 100 dollars, and return its address."""
    await VirtualAuthenticator.add(page)
    await page.goto(f"{root}/account")
    await page.get_by_role("button", name="Create a wallet with a passkey").click()
    await page.get_by_role("button", name="Get 100 test dollars").click()
    await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()
    return str(await page.locator(".address code").first.text_content())


SIGN_IN = pytest.mark.parametrize("sign_in", [by_wallet, by_passkey])
SignIn = Callable[[Page, Any, str], Awaitable[str]]


async def has_deposited(world: Any, payer: str, dollars: int) -> bool:
    """Tell whether a wallet of 100 dollars and the one channel it pays from hold all of them, to the unit."""
    [channel] = [each for each in await world.channels() if each.owner == payer.lower()]
    left = await world.dollar.balance_of(address(payer))
    assert left == (100 - dollars) * DOLLAR
    return bool(channel.usable == dollars * DOLLAR)


@SIGN_IN
@REACHES
async def test_a_deposit_is_made_once_when_the_network_comes_back(world, browser, root, sign_in: SignIn, reaches):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        payer = await sign_in(page, world, root)
        cut = Cut(page, reaches=reaches)
        await cut.at("**/v1/deposits" if sign_in is by_wallet else "**/v1/account/passkey-deposits")
        await page.get_by_role("button", name="Make the key").evaluate(TAP_TWICE)
        await expect(page.locator("#toasts")).to_contain_text(LOST)
        await expect(page.get_by_text("The deposit is being made …")).to_be_visible()
        await cut.mend()
        await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        await expect(page.locator("#toasts .toast")).to_have_count(0)
        assert len(set(cut.bodies)) == 1
        await page.get_by_role("button", name="I have copied it").click()
        await expect(page.locator(".card").get_by_text("active")).to_have_count(1)
    assert await has_deposited(world, payer, 2)


@SIGN_IN
@REACHES
async def test_a_deposit_goes_on_after_a_reload_and_no_second_one_is_signed(
    world, browser, root, sign_in: SignIn, reaches
):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        payer = await sign_in(page, world, root)
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        await page.get_by_role("button", name="I have copied it").click()
        other = await page.context.new_page()
        await other.goto(f"{root}/account")
        second = other.get_by_role("button", name="Deposit", exact=True)
        await expect(second).to_be_enabled()

        cut = Cut(page, reaches=reaches, stays=True)
        await cut.at("**/v1/deposits" if sign_in is by_wallet else "**/v1/account/passkey-deposits")
        await page.get_by_role("button", name="Deposit", exact=True).evaluate(TAP_TWICE)
        await expect(page.locator("#toasts")).to_contain_text(LOST)
        await second.click()
        await expect(other.locator("#toasts")).to_contain_text(ELSEWHERE)
        await cut.mend()
        await page.reload()
        await cut.end()
        await expect(page.get_by_text("The deposit is made.", exact=True)).to_be_visible()
        await expect(page.get_by_text("Your wallet holds 96")).to_be_visible()
        await other.locator(".toast").get_by_role("button", name="Close").click()
        await second.click()
        await expect(other.locator("#toasts")).to_contain_text(ELSEWHERE)
    assert await has_deposited(world, payer, 4)


@SIGN_IN
async def test_a_deposit_goes_on_after_the_back_button(world, browser, root, sign_in: SignIn):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        payer = await sign_in(page, world, root)
        await page.goto(f"{root}/s/chat")
        await page.goto(f"{root}/account")
        cut = Cut(page, reaches=False, stays=True)
        await cut.at("**/v1/deposits" if sign_in is by_wallet else "**/v1/account/passkey-deposits")
        await page.get_by_role("button", name="Make the key").click()
        await cut.happened()
        await cut.mend()
        await page.go_back()
        await cut.end()
        await page.go_forward()
        await expect(page.get_by_text("Your wallet holds 98")).to_be_visible()
        await expect(page.locator(".card").get_by_text("active")).to_have_count(1)
    assert await has_deposited(world, payer, 2)


@REACHES
async def test_an_operation_of_a_passkey_is_done_once(world, browser, root, reaches):
    """A payment out whose answer is lost with the page goes on; one that is on its way is asked about until it ends."""
    to = "0x" + "12" * 20
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = address(await by_passkey(page, world, root))
        await page.goto(f"{root}/account/passkeys")
        cut = Cut(page, reaches=reaches, stays=True)
        await cut.at("**/v1/passkeys/operations")
        await page.get_by_label("To the address").fill(to)
        await page.get_by_label("Amount in").fill("1.5")
        await page.get_by_role("button", name="Pay", exact=True).evaluate(TAP_TWICE)
        await expect(page.locator("#toasts")).to_contain_text(LOST)
        await cut.mend()
        await page.reload()
        async with page.expect_event("load"):  # the page loads again when it is paid
            await cut.end()
        assert await world.dollar.balance_of(address(to)) == DOLLAR * 3 // 2

        pending = {"error": {"code": "operation_pending", "message": "It is on its way."}}
        mined = asyncio.Event()

        async def late(route: Route) -> None:
            if mined.is_set():
                await route.continue_()
            else:
                await route.fulfill(status=503, json=pending)

        await page.route("**/v1/passkeys/operations", late)
        await page.get_by_label("To the address").fill(to)
        await page.get_by_label("Amount in").fill("0.5")
        await page.get_by_role("button", name="Pay", exact=True).click()
        await expect(page.locator("#toasts")).to_contain_text("It is on its way. This page waits")
        await page.get_by_role("button", name="Sign without sending").click()
        await expect(page.locator("#toasts")).to_contain_text(RESUMED)
        mined.set()
        await expect(page.get_by_label("Amount in")).to_have_value("")
    assert await world.dollar.balance_of(address(to)) == 2 * DOLLAR
    assert await world.dollar.balance_of(account) == 98 * DOLLAR


@pytest.fixture
async def town(world, enter) -> AsyncIterator[TradeTown]:
    async with trade_town(world, enter) as opened:
        yield opened


@SIGN_IN
@REACHES
async def test_shares_are_bought_once(town: TradeTown, world, browser, root, sign_in: SignIn, reaches):
    """Two taps, the network lost between signature and answer, the back button: the page goes on, and buys once."""
    seller = await town.trader(shares=1_000 * SHARE, dollars=0)
    assert (await seller.offer(1_000 * SHARE, 10 * DOLLAR)).status_code == 201
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        buyer = address(await sign_in(page, world, root))
        await page.goto(f"{root}/shares/{NAME}")
        cut = Cut(page, reaches=reaches, stays=True)
        await cut.at("**/v1/purchases")
        await page.get_by_text("Buy", exact=True).click()
        await page.get_by_label("How many shares").fill("100")
        await page.get_by_role("button", name="Sign and buy").evaluate(TAP_TWICE)
        await yes(page).evaluate(TAP_TWICE)
        await expect(page.locator("#toasts")).to_contain_text(LOST)
        await cut.mend()
        await page.go_back()
        await cut.end()
        await page.go_forward()
        await expect(page.get_by_text("100", exact=True).first).to_be_visible()
    fee = DOLLAR * (await town.exchange.protocol_fee()).bps // 10_000
    assert await town.shares.balance_of(buyer) == 100 * SHARE
    assert await world.dollar.balance_of(buyer) == 99 * DOLLAR
    assert await world.dollar.balance_of(seller.address) == DOLLAR - fee
    assert await world.dollar.balance_of(town.exchange.address) == fee


@REACHES
async def test_packages_of_credits_are_bought_once(town: TradeTown, world, browser, root, reaches):
    """Two taps, the network lost between signature and answer, a new load: the passkey's purchase is made once."""
    plan = await town.plan(9 * DOLLAR, 10 * DOLLAR)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        buyer = address(await by_passkey(page, world, root))
        await page.goto(f"{root}/passes/{NAME}")
        cut = Cut(page, reaches=reaches, stays=True)
        await cut.at("**/v1/passkeys/operations")
        await page.get_by_text("Buy a package").click()
        await page.get_by_role("button", name="Buy now").evaluate(TAP_TWICE)
        await yes(page).evaluate(TAP_TWICE)
        await expect(page.locator("#toasts")).to_contain_text(LOST)
        await cut.mend()
        await page.go_back()
        await cut.end()
        await page.go_forward()
        await expect(page.get_by_text("10 tUSD", exact=True).first).to_be_visible()
        await expect(page.get_by_text("Activate for calls")).to_be_visible()
    assert await town.passes.balance_of(buyer, plan) == 10 * DOLLAR
    assert await world.dollar.balance_of(buyer) == 91 * DOLLAR
    assert (await town.passes.plan(plan)).escrow == 9 * DOLLAR
