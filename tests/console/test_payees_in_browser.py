"""The till's owner decides whom it pays, in Debian's chromium: by an injected wallet, or a passkey and the relayer."""

from functools import partial

import httpx
import pytest
from playwright.async_api import expect

from tests.console.conftest import sign_in
from tests.console.test_payees import PLAIN, admin_of
from tests.console.test_sales import ready
from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import DESKTOP, PHONE, chromium, needs_chromium, visit
from tests.support.injected_wallet import InjectedWallet
from tests.support.passkey_wallet import passkey_wallet
from usufruct.accounts.passkeys import Passkeys
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.console.operators import Operators
from usufruct.gateway import Operator

pytestmark = [needs_chromium, pytest.mark.anvil, pytest.mark.usefixtures("public_chain")]

LIST = "Let the till pay it"
DONE = "The till's list of payees is as you wanted."


async def test_the_owner_lists_a_waiting_payee_caps_it_and_takes_it_off(world, http, owner, upstream, monkeypatch):
    await admin_of(world, http, monkeypatch)
    sale = await ready(http, upstream.url(), PLAIN)
    assert (await http.post(f"/sales/{sale}/confirm")).status_code == 403
    root, client = world.url.removesuffix("/v1"), world.installation.client
    till, token = Till(world.installation.get(Operator).till, client), world.installation.get(Operator).token
    wallet, stranger = InjectedWallet(owner, node=client), await world.account()
    async with chromium() as browser, visit(browser, "about:blank", **DESKTOP) as shown:
        page = shown.page
        await wallet.inject(page)
        await page.goto(f"{root}/operator")
        await page.get_by_role("button", name="Test Wallet").click()
        listing = page.get_by_role("button", name=LIST)
        await expect(page.get_by_text("a sale that waits until this address is listed")).to_be_visible()
        for word in range(2):  # another payee, another kind
            await refused_when(page, "**/operator/payees", partial(change_word, word), LIST)
        wallet.account = stranger
        await listing.click()
        await expect(page.locator("#toasts")).to_contain_text("Your wallet does not show the till's owner now.")
        wallet.account, wallet.declines = owner, True
        await listing.click()
        await expect(page.locator("#toasts")).to_contain_text("You declined in your wallet. Nothing was sent.")
        wallet.declines = False
        assert wallet.transactions == []
        await listing.dblclick()
        await expect(page.get_by_text(DONE)).to_be_visible()
        assert len(wallet.transactions) == 1
        assert await till.payees(DEVNET_ADDRESSES[7]) is PayeeKind.PLAIN
        assert (await http.post(f"/sales/{sale}/confirm")).json()["draft"]["service"] == "answers"

        await page.goto(f"{root}/operator")
        await page.get_by_text("Cap what a payee gets a day").click()
        await page.get_by_label("Payee").select_option(DEVNET_ADDRESSES[7])
        await page.get_by_label("At most, a day, in").fill("12,5")
        await page.get_by_role("button", name="Set the cap").click()
        await expect(page.get_by_text("The cap is set.")).to_be_visible()
        assert await till.daily_cap(DEVNET_ADDRESSES[7], token) == 12_500_000
        assert await till.daily_cap(DEVNET_ADDRESSES[6], token) != 12_500_000

        await page.get_by_text("Pay it no more").click()
        await page.get_by_role("button", name="Take it off the list").click()
        await expect(page.get_by_text(DONE)).to_be_visible()
        await expect(page.get_by_text("not listed by the till")).to_be_visible()
        assert await till.payees(DEVNET_ADDRESSES[7]) is PayeeKind.NONE
        assert shown.problems == []


async def test_an_operator_who_does_not_own_the_till_is_told_who_does(world, http, owner, upstream, monkeypatch):
    await admin_of(world, http, monkeypatch)
    sale = await ready(http, upstream.url(), PLAIN)
    await http.post(f"/sales/{sale}/confirm")
    page = (await http.get(http.base_url.copy_with(path="/operator"))).text
    assert ("not listed by the till" in page, LIST in page) == (True, False)
    assert owner.address.lower() in page
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as owners:
        await sign_in(owners, owner)
        place = owners.base_url.copy_with(path="/operator/payees")
        refused = await owners.post(place, data={"pay_to": DEVNET_ADDRESSES[7], "listed": "yes"})
    assert (refused.status_code, "which needs scripts" in refused.text) == (409, True)


async def test_a_passkey_that_owns_the_till_lists_a_payee_at_the_relayers_cost(world, http, upstream, monkeypatch):
    await admin_of(world, http, monkeypatch)
    sale = await ready(http, upstream.url(), PLAIN)
    await http.post(f"/sales/{sale}/confirm")
    client = world.installation.client
    till = Till(world.installation.get(Operator).till, client)
    root = world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")
    async with chromium() as browser, visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        call = till.set_payee(DEVNET_ADDRESSES[7], PayeeKind.PLAIN)
        asked = {"calls": [{"to": call.to, "data": "0x" + call.data.hex()}]}
        stranger = await page.request.post(f"{root}/v1/account/wallet/operations", data=asked)
        assert (await stranger.json())["error"]["code"] == "call_not_relayed", "nothing is paid for who does not own it"
        sender = world.installation.sender(signer_of(Role.OWNER, world.installation.config))
        await sender.execute(till.transfer_ownership(account), "the next owner")
        await world.devnet.send_as(DEVNET_ADDRESSES[0], await world.gateway.get(Passkeys).creation(account))
        await world.devnet.set_balance(account, 10**18)
        await world.devnet.send_as(account, till.accept_ownership())
        await world.devnet.set_balance(account, 0)
        monkeypatch.setattr(world.gateway.get(Operators), "_owner", None)  # as a minute later
        await page.goto(f"{root}/operator")
        for word in range(2):
            await refused_when(page, "**/operator/payees", partial(change_word, word), LIST)
        await page.get_by_role("button", name=LIST).click()
        await expect(page.get_by_text(DONE)).to_be_visible(timeout=60_000)
    assert await till.payees(DEVNET_ADDRESSES[7]) is PayeeKind.PLAIN
    assert await client.balance(account) == 0
