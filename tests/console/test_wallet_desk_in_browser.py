"""The desk in Debian's chromium: an injected wallet, or a passkey with the relayer, sends what the chain decides."""

import json
from functools import partial
from typing import Any

import pytest
from playwright.async_api import expect
from x402.http.clients import x402HttpxClient

from tests.console.test_wallet_desk import sold_by_wallet
from tests.console.test_wallet_sale_in_browser import KEPT
from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import DESKTOP, PHONE, chromium, needs_chromium, visit
from tests.support.confirm_sheet import agree, yes
from tests.support.injected_wallet import InjectedWallet
from tests.support.passkey_wallet import passkey_wallet
from tests.support.waiting import until
from usufruct.assets import Assets, RegistryClient
from usufruct.chain import Client
from usufruct.chain.keys import Role, signer_of
from usufruct.gateway import Catalogue
from usufruct.payments.settlement import Claimer

pytestmark = [needs_chromium, pytest.mark.anvil, pytest.mark.usefixtures("public_chain")]


class HeldWallet(InjectedWallet):
    """The owner's wallet; while `held`, its transactions wait for a block that is made by hand."""

    held = False

    def __init__(self, account: Any, node: Client) -> None:
        super().__init__(account, node=node)
        self.sent: list[str] = []

    async def _sent(self, node: Client, method: str, params: list[Any]) -> dict[str, Any]:
        if method == "eth_sendTransaction":
            await node.ask("evm_setAutomine", not self.held)
            self.sent.append(params[0]["data"])
        return await super()._sent(node, method, params)


async def earn(world) -> None:
    """Have a stranger call the service, and claim what they paid."""
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=True)), timeout=60) as http:
        assert (await world.ask(http, "answers")).status_code == 200
    claimer = world.installation.get(Claimer)
    assert await claimer.lease.hold()
    await claimer.run(everything=True)
    await claimer.lease.release()


async def test_a_price_an_income_and_an_end_are_one_transaction_each(world, http, enter, owner, upstream):
    client = world.installation.client
    await enter(http, owner)
    service = await sold_by_wallet(world, http, upstream)
    await earn(world)
    root = world.url.removesuffix("/v1")
    cookies = [{"name": each.name, "value": each.value, "url": root} for each in http.cookies.jar]
    wallet = HeldWallet(owner, client)
    signed_in = {"storage_state": {"cookies": cookies, "origins": []}}
    async with chromium() as browser, visit(browser, "about:blank", **DESKTOP, **signed_in) as shown:
        page = shown.page
        await wallet.inject(page)
        await page.goto(root + service)
        change = page.get_by_role("button", name="Change the price")
        output = page.get_by_label("A million text tokens of output, in")
        wallet.held = True
        await output.fill("9")
        await change.dblclick()

        async def sent() -> bool:
            return any("hash" in json.loads(each) for each in await page.evaluate(KEPT))

        await until(sent)  # and waits for a block
        await page.reload()
        await output.fill("9")
        async with page.expect_response("**/price"):
            await change.click()
        wallet.held = False
        await client.ask("evm_setAutomine", True)
        await client.ask("anvil_mine", "0x1")
        await expect(page.get_by_text("The new price is announced.")).to_be_visible()
        assert len(wallet.sent) == 1

        await page.get_by_role("button", name="Collect").dblclick()
        await expect(page.get_by_text("What was due is in your wallet.")).to_be_visible()
        await expect(page.get_by_text("Nothing is to be collected now.")).to_be_visible()
        assert len(wallet.sent) == 2

        wallet.declines = True
        await page.get_by_text("Take it off sale for good").click()
        await page.get_by_role("button", name="Take it off sale").click()
        await agree(page)
        await expect(page.locator("#toasts")).to_contain_text("You declined in your wallet. Nothing was sent.")
        wallet.declines = False
        await page.get_by_role("button", name="Take it off sale").click()
        await yes(page).dblclick()
        await expect(page.get_by_text("Its end is announced")).to_be_visible()
        assert len(wallet.sent) == 3
        assert shown.problems == []
    known = await world.installation.get(RegistryClient).asset((await world.gateway.get(Catalogue).find("answers")).id)
    assert known.retires_at > 0


async def test_a_passkey_announces_a_price_and_the_relayer_pays_for_that_alone(world, http, enter, owner, upstream):
    await enter(http, owner)
    service = await sold_by_wallet(world, http, upstream)
    asset = (await world.gateway.get(Catalogue).find("answers")).id
    registry = world.installation.get(RegistryClient)
    sender = world.installation.sender(signer_of(Role.OWNER, world.installation.config))
    root = world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")
    async with chromium() as browser, visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        give = registry.contract.transfer_from(sender.address, account, int(asset))
        await sender.execute(give, "give the title")
        await page.goto(root + service)
        await page.get_by_label("A million text tokens of output, in").fill("9")
        for word in range(5):  # the asset, and each price of the card
            await refused_when(page, "**/price", partial(change_word, word), "Change the price")
        sent = []

        async def lose(route) -> None:  # it reaches the server, and its answer is lost with the network
            sent.append(await route.fetch())
            await page.context.set_offline(True)
            await route.abort()

        await page.route("**/v1/passkeys/operations", lose, times=1)
        await page.get_by_label("A million text tokens of output, in").fill("9")
        await page.get_by_role("button", name="Change the price").click()
        await expect(page.locator("#toasts")).to_contain_text("What you signed is kept in this tab and sent again.")
        await page.context.set_offline(False)
        await expect(page.get_by_text("The new price is announced.")).to_be_visible()
        assert len(sent) == 1
        announced = await Assets(registry).pending_price(asset)
        assert announced.card.output_per_million == 9_000_000
        refused = await page.evaluate(
            """async (to) => (await fetch("/v1/account/wallet/operations", {
              method: "POST", headers: { "content-type": "application/json" },
              body: JSON.stringify({ calls: [{ to, data: "0x12345678" }] }) })).json()""",
            registry.contract.address,
        )
        assert refused["error"]["code"] == "call_not_relayed"
