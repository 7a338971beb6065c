"""An operator with a passkey sells on a phone: the passkey signs, the relayer sends, and no coin for gas is needed."""

from functools import partial

import httpx
import pytest
from playwright.async_api import expect

from tests.console.test_sales import SHARES, ready
from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.passkey_wallet import passkey_wallet
from usufruct.assets import FREE, Assets, NewAsset, RegistryClient
from usufruct.chain.contracts.shares import Parent
from usufruct.chain.keys import DEVNET_ADDRESSES, devnet_signer
from usufruct.console.operators import Operators
from usufruct.gateway import Catalogue, Operator

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


async def test_a_passkey_registers_and_gives_what_the_page_shows_and_nothing_else(world, http, upstream, monkeypatch):
    """The answer to the confirmation is altered on its way, in each term of each call."""
    root = world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")
    installation, registry = world.installation, world.installation.get(RegistryClient)
    terms = NewAsset("parent", symbol="PARENT", currency=installation.get(Operator).token, card=FREE)
    sender = installation.sender(devnet_signer(7, installation.chain_id))
    parent = await Assets(registry).register(sender, terms)
    parts = [{"of": "parent", "percent": "5"}]
    async with chromium() as browser, visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        monkeypatch.setattr(world.gateway.get(Operators), "_admins", frozenset({account}))
        cookies = {each["name"]: each["value"] for each in await page.context.cookies()}
        async with httpx.AsyncClient(base_url=f"{root}/v1", cookies=cookies, timeout=60) as seller:
            sale = await ready(seller, upstream.url(), SHARES | {"parents": parts, "resaleRoyalty": "2.5"})
            asked = (await seller.post(f"/sales/{sale}/confirm")).json()["transactions"]
        await page.goto(f"{root}/sell/{sale}/review")
        await expect(page.get_by_text("2.5 % of each resale")).to_be_visible()
        signed: list[str] = []
        page.on("request", lambda request: signed.append(request.url) if "operations" in request.url else None)
        for at, transaction in enumerate(asked):
            for word in range((len(transaction["data"]) - 10) // 64):
                await refused_when(page, "**/confirm", partial(change_word, word, transaction=at), "Put it on sale")
            await refused_when(page, "**/confirm", partial(change_receiver, at), "Put it on sale")
        await refused_when(page, "**/confirm", give_twice, "Put it on sale")
        assert signed == []
        await page.get_by_role("button", name="Put it on sale").click()
        await expect(page.get_by_role("heading", name="answers is on sale")).to_be_visible(timeout=60_000)
    served = await world.gateway.get(Catalogue).find("answers")
    assert await (await registry.shares(served.id)).parents() == (Parent(parent.shares, 500),)


def change_receiver(at: int, asked) -> None:
    asked["transactions"][at]["to"] = DEVNET_ADDRESSES[6]


def give_twice(asked) -> None:
    asked["transactions"].append(asked["transactions"][-1])
