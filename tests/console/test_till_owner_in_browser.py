"""The till's owner offers it and another accepts it, in Debian's chromium: by an injected wallet, or by a passkey."""

from functools import partial

import pytest
from playwright.async_api import Page, expect

from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import DESKTOP, PHONE, chromium, needs_chromium, visit
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from usufruct.chain.contracts.till import Till
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.core import ZERO_ADDRESS, address
from usufruct.gateway import Operator

pytestmark = [needs_chromium, pytest.mark.anvil, pytest.mark.usefixtures("public_chain")]

OFFERED = "The till is offered. Nothing changes until it is accepted."
ACCEPTED = "You own the till now."


@pytest.fixture
def till(world) -> Till:
    return Till(world.installation.get(Operator).till, world.installation.client)


async def offer(page: Page, to: str) -> None:
    """Offer the till by the sheet that says what it means."""
    await page.get_by_label("Address of the next owner").fill(to)
    await page.get_by_role("button", name="Offer", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text(to)
    await page.get_by_role("button", name="Offer the till").click()


async def accept(page: Page) -> None:
    """Accept the till by the sheet that says what it means."""
    await page.get_by_role("button", name="Accept", exact=True).click()
    await page.get_by_role("button", name="Become the owner").click()


async def test_wallets_hand_the_till_over(world, owner, till):
    root, client = world.url.removesuffix("/v1"), world.installation.client
    next_owner = await world.account()
    wallet = InjectedWallet(owner, node=client)
    await world.devnet.set_balance(address(next_owner.address), 10**18)
    async with chromium() as browser:
        async with visit(browser, "about:blank", **DESKTOP) as shown:
            page = shown.page
            await wallet.inject(page)
            await page.goto(f"{root}/operator/owner")
            await page.get_by_role("button", name="Test Wallet").click()
            await page.get_by_label("Address of the next owner").fill(next_owner.address)
            await page.get_by_role("button", name="Offer", exact=True).click()
            await refused_when(page, "**/v1/operator/owner", partial(change_word, 0), "Offer the till")
            assert wallet.transactions == []
            await page.reload()
            await offer(page, next_owner.address)
            await expect(page.get_by_text(OFFERED)).to_be_visible()
            assert await till.pending_owner() == address(next_owner.address)
            await page.get_by_role("button", name="Take the offer back").click()
            await expect(page.get_by_text("The offer is taken back.")).to_be_visible()
            assert await till.pending_owner() == ZERO_ADDRESS
            await offer(page, next_owner.address)
            await expect(page.get_by_text(OFFERED)).to_be_visible()
            assert shown.problems == []
        async with visit(browser, "about:blank", **PHONE) as shown:
            page = shown.page
            await InjectedWallet(next_owner, node=client).inject(page)
            await page.goto(f"{root}/operator/owner")
            await page.get_by_role("button", name="Test Wallet").click()
            await accept(page)
            await expect(page.get_by_text(ACCEPTED)).to_be_visible()
            await page.get_by_role("link", name="Installation").first.click()
            await expect(page.get_by_role("heading", name="How the installation does")).to_be_visible()
            assert shown.problems == []
        await check_page(browser, f"{root}/operator/owner")
    assert await till.owner() == address(next_owner.address)


async def test_a_passkey_accepts_the_till_and_hands_it_on_at_the_relayers_cost(world, till):
    client, root = world.installation.client, world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")
    async with chromium() as browser, visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        await page.goto(f"{root}/operator/owner")
        await expect(page.get_by_role("button", name="Accept", exact=True)).to_have_count(0)
        call = till.accept_ownership()
        asked = {"calls": [{"to": call.to, "data": "0x" + call.data.hex()}]}
        stranger = await page.request.post(f"{root}/v1/account/wallet/operations", data=asked)
        assert (await stranger.json())["error"]["code"] == "call_not_relayed", "it is not offered to this account"
        sender = world.installation.sender(signer_of(Role.OWNER, world.installation.config))
        await sender.execute(till.transfer_ownership(account), "the next owner")
        await world.devnet.set_balance(account, 0)
        await page.reload()
        await expect(page.get_by_text("If your only passkey is lost")).to_be_visible()
        await accept(page)
        await expect(page.get_by_text(ACCEPTED)).to_be_visible(timeout=60_000)
        assert await till.owner() == account
        await offer(page, DEVNET_ADDRESSES[0])
        await expect(page.get_by_text(OFFERED)).to_be_visible(timeout=60_000)
    assert await till.pending_owner() == DEVNET_ADDRESSES[0]
    assert await client.balance(account) == 0
