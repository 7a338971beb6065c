"""A sale by a wallet that makes several calls at once (EIP-5792), in one confirmation; else by plain transactions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from eth_account import Account
from playwright.async_api import Page, expect

from tests.console.test_sales import SHARES, ready
from tests.support.batching_wallet import BatchingWallet
from tests.support.browser import DESKTOP, chromium, needs_chromium, visit
from tests.support.misbehaving_upstream import misbehaving_server
from usufruct.assets import RegistryClient
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.gateway import Catalogue

pytestmark = [needs_chromium, pytest.mark.anvil]


@pytest.fixture(autouse=True)
def public_chain(monkeypatch):
    """Have the console take the devnet for a public chain, before the world is built."""
    monkeypatch.setattr("usufruct.console.component.is_devnet", lambda _: False)


@asynccontextmanager
async def at_the_last_step(world, http, enter, **claims) -> AsyncIterator[tuple[Page, BatchingWallet]]:
    """Open the review of a sale of shares, with the owner's wallet in the browser."""
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(" ".join(["test"] * 11 + ["junk"]))  # the owner of every devnet
    await enter(http, account)
    async with misbehaving_server() as server, chromium() as browser:
        sale = await ready(http, server.url(), SHARES)
        root = world.url.removesuffix("/v1")
        cookies = [{"name": each.name, "value": each.value, "url": root} for each in http.cookies.jar]
        signed_in = {"storage_state": {"cookies": cookies, "origins": []}}
        wallet = BatchingWallet(account, world.installation.client, **claims)
        async with visit(browser, "about:blank", **DESKTOP, **signed_in) as shown:
            await wallet.inject(shown.page)
            await shown.page.goto(f"{root}/sell/{sale}/review")
            yield shown.page, wallet


async def confirm(page: Page) -> None:
    await page.get_by_role("button", name="Put it on sale").click()


async def on_sale(world, page: Page) -> None:
    await expect(page.get_by_role("heading", name="answers is on sale")).to_be_visible()
    served = await world.gateway.get(Catalogue).find("answers")
    shares = await world.installation.get(RegistryClient).shares(served.id)
    assert await shares.balance_of(DEVNET_ADDRESSES[6]) == 20_000_000 * 10**6


@pytest.mark.parametrize("claims", ["supported", "ready"])
async def test_a_wallet_that_offers_it_confirms_once(world, http, enter, claims):
    async with at_the_last_step(world, http, enter, claims=claims) as (page, wallet):
        await confirm(page)
        await on_sale(world, page)
        assert [len(each) for each in wallet.batches.values()] == [3]
        assert wallet.transactions == []


@pytest.mark.parametrize("claims", ["unsupported", None])
async def test_a_wallet_that_does_not_sends_plain_transactions(world, http, enter, claims):
    async with at_the_last_step(world, http, enter, claims=claims) as (page, wallet):
        await confirm(page)
        await on_sale(world, page)
        assert (len(wallet.transactions), wallet.batches) == (3, {})


@pytest.mark.parametrize("code", [5760, 4200, -32601])
async def test_a_wallet_that_claims_it_and_refuses_before_it_sends_falls_back(world, http, enter, code):
    async with at_the_last_step(world, http, enter) as (page, wallet):
        wallet.refuses = code
        await confirm(page)
        await on_sale(world, page)
        assert (len(wallet.transactions), wallet.batches) == (3, {})


async def test_what_may_have_been_sent_is_not_sent_in_another_way_and_is_found_after_a_reload(world, http, enter):
    async with at_the_last_step(world, http, enter) as (page, wallet):
        await world.devnet.set_automine(on=False)
        wallet.loses_answers = True
        await confirm(page)
        await expect(page.locator("#toasts")).to_contain_text("internal error")
        await page.reload()
        await confirm(page)
        await world.devnet.set_automine(on=True)
        await world.devnet.mine()
        await on_sale(world, page)
        assert [len(each) for each in wallet.batches.values()] == [3]
        assert wallet.transactions == []


async def test_an_unclear_refusal_sends_nothing_else_until_the_owner_asks_again(world, http, enter):
    async with at_the_last_step(world, http, enter) as (page, wallet):
        wallet.refuses = -32603
        await confirm(page)
        await expect(page.locator("#toasts")).to_contain_text("refused")
        assert (wallet.transactions, wallet.batches) == ([], {})
        wallet.refuses = None
        await confirm(page)
        await on_sale(world, page)
        assert len(wallet.batches) == 1


async def test_what_is_declined_is_not_sent(world, http, enter):
    async with at_the_last_step(world, http, enter) as (page, wallet):
        wallet.declines = True
        await confirm(page)
        await expect(page.locator("#toasts")).to_contain_text("You declined in your wallet. Nothing was sent.")
        assert (wallet.transactions, wallet.batches) == ([], {})
