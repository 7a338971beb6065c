"""A sale that the seller's wallet sends, in Debian's chromium, as on a chain whose owner's key is not the gateway's."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.console.test_sales import SHARES, ready
from tests.support.browser import DESKTOP, chromium, needs_chromium, visit
from tests.support.injected_wallet import InjectedWallet
from tests.support.misbehaving_upstream import misbehaving_server
from tests.support.waiting import until
from usufruct.assets import RegistryClient
from usufruct.chain import Client
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.gateway import Catalogue

KEPT = "Object.keys(sessionStorage).filter((name) => name.startsWith('sent ')).map((name) => sessionStorage[name])"

pytestmark = [needs_chromium, pytest.mark.anvil, pytest.mark.usefixtures("public_chain")]


class SlowChainWallet(InjectedWallet):
    """The owner's wallet; from its second transaction on, blocks are made by hand."""

    def __init__(self, account: Any, node: Client) -> None:
        super().__init__(account, node=node)
        self.sent: list[str] = []
        self.answers_late = False

    async def _sent(self, node: Client, method: str, params: list[Any]) -> dict[str, Any]:
        if method == "eth_sendTransaction":
            if len(self.sent) == 1:
                await node.ask("evm_setAutomine", False)
            answer = await super()._sent(node, method, params)
            self.sent.append(params[0]["data"])
            if self.answers_late and len(self.sent) == 2:
                await asyncio.Event().wait()  # the page is gone before its wallet answers
            return answer
        return await super()._sent(node, method, params)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_page_that_is_loaded_again_sends_nothing_twice(world, http, enter, owner, answered):
    client, account = world.installation.client, owner
    await enter(http, account)
    async with misbehaving_server() as server, chromium() as browser:
        sale = await ready(http, server.url(), SHARES)
        root = world.url.removesuffix("/v1")
        cookies = [{"name": each.name, "value": each.value, "url": root} for each in http.cookies.jar]
        wallet = SlowChainWallet(account, client)
        wallet.answers_late = not answered
        signed_in = {"storage_state": {"cookies": cookies, "origins": []}}
        async with visit(browser, "about:blank", **DESKTOP, **signed_in) as shown:
            page, confirm = shown.page, shown.page.get_by_role("button", name="Put it on sale")
            await wallet.inject(page)
            await page.goto(f"{root}/sell/{sale}/review")
            await confirm.dblclick()

            async def handed_out() -> bool:
                kept = [json.loads(each) for each in await page.evaluate(KEPT)]
                return len(wallet.sent) == 2 and (not answered or any("hash" in each for each in kept))

            await until(handed_out)  # registered; the shares' transaction waits for a block
            await page.reload()
            async with page.expect_response("**/confirm"):
                await confirm.click()
            await client.ask("evm_setAutomine", True)
            await client.ask("anvil_mine", "0x1")
            await expect(page.get_by_role("heading", name="answers is on sale")).to_be_visible()
    assert len(set(wallet.sent)) == len(wallet.sent) == 3
    served = await world.gateway.get(Catalogue).find("answers")
    shares = await world.installation.get(RegistryClient).shares(served.id)
    assert await shares.balance_of(DEVNET_ADDRESSES[6]) == 20_000_000 * 10**6


async def test_a_sale_that_is_not_seen_for_a_minute_says_how_to_go_on_and_sends_nothing_twice(
    world, http, enter, owner
):
    """The server's node is behind the wallet's: it lists transactions as missing that are mined."""
    await enter(http, owner)
    async with misbehaving_server() as server, chromium() as browser:
        sale = await ready(http, server.url(), SHARES)
        root = world.url.removesuffix("/v1")
        cookies = [{"name": each.name, "value": each.value, "url": root} for each in http.cookies.jar]
        wallet = InjectedWallet(owner, node=world.installation.client)
        signed_in = {"storage_state": {"cookies": cookies, "origins": []}}
        async with visit(browser, "about:blank", **DESKTOP, **signed_in) as shown:
            page, confirm = shown.page, shown.page.get_by_role("button", name="Put it on sale")
            late = page.get_by_text("this site does not see them yet")
            await wallet.inject(page)
            await page.clock.install()
            await page.goto(f"{root}/sell/{sale}/review")
            first = await page.request.post(f"{root}/v1/sales/{sale}/confirm")
            behind = {"body": await first.text(), "content_type": "application/json"}
            await page.route("**/confirm", lambda route: route.fulfill(**behind))
            await confirm.click()
            await wallet.has_sent(3)

            async def said() -> bool:
                await page.clock.run_for(1_000)
                return await late.is_visible()

            await until(said)
            await expect(confirm).to_be_enabled()
            await page.reload()
            await confirm.click()
            await until(said)
            await page.unroute("**/confirm")
            await confirm.click()

            async def sold() -> bool:
                await page.clock.run_for(1_000)
                return await page.get_by_role("heading", name="answers is on sale").is_visible()

            await until(sold)
    assert len(wallet.transactions) == 3
