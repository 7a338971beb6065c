"""An operator with a passkey sells on a phone: the passkey signs, the relayer sends, and no coin for gas is needed."""

import httpx
import pytest
from playwright.async_api import expect

from tests.console.test_sales import SHARES, ready
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.passkey_wallet import passkey_wallet
from usufruct.assets import RegistryClient
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.console.operators import Operators
from usufruct.gateway import Catalogue

pytestmark = [needs_chromium, pytest.mark.anvil]

LONG = "a service with a name as long as the registry takes, " + "x" * 11
SIGN_AND_SEND = """async (data) => (await fetch("/v1/account/wallet/operations", {
  method: "POST", headers: { "content-type": "application/json" },
  body: JSON.stringify({ calls: [data] }) })).json()"""


@pytest.mark.parametrize("name", ["answers", LONG])
async def test_a_service_is_registered_its_shares_given_and_put_on_sale(world, upstream, monkeypatch, name):
    root = world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")
    client = world.installation.client
    async with chromium() as browser, visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        registry = world.installation.get(RegistryClient)
        stranger = await page.evaluate(SIGN_AND_SEND, {"to": registry.contract.address, "data": "0x057a8d99"})
        assert stranger["error"]["code"] == "call_not_relayed", "nothing is paid for who sells nothing here"

        coins = await client.balance(account)
        monkeypatch.setattr(world.gateway.get(Operators), "_admins", frozenset({account}))
        cookies = {each["name"]: each["value"] for each in await page.context.cookies()}
        async with httpx.AsyncClient(base_url=f"{root}/v1", cookies=cookies, timeout=60) as http:
            sale = await ready(http, upstream.url(), SHARES, name=name)
        await page.goto(f"{root}/sell/{sale}/review")
        await expect(page.get_by_text("the operator pays its gas")).to_be_visible()
        await page.get_by_role("button", name="Put it on sale").click()
        await expect(page.get_by_role("heading", name=f"{name} is on sale")).to_be_visible(timeout=60_000)
    served = await world.gateway.get(Catalogue).find(name)
    shares = await registry.shares(served.id)
    assert await shares.balance_of(DEVNET_ADDRESSES[6]) == 20_000_000 * 10**6
    assert await shares.balance_of(account) == 80_000_000 * 10**6
    assert await registry.contract.owner_of(int(served.id)) == account
    assert await client.balance(account) == coins
