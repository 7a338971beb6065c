"""What an account holds of all services, on a page and as JSON; and the list of all open offers."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, PHONE, needs_chromium, visit
from tests.support.injected_wallet import InjectedWallet
from tests.support.trade_town import NAME, SHARE, Trader, TradeTown, code
from usufruct.assets import ShareHolders
from usufruct.core import address

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
CREDIT = 10**6


async def page_of(town: TradeTown, trader: Trader) -> str:
    shown = await trader.http.get(town.world.url.removesuffix("/v1") + "/account/holdings")
    assert shown.status_code == 200, shown.text
    return shown.text.replace("\xa0", " ")


async def test_shares_income_titles_credits_and_offers_of_an_account_are_together(town: TradeTown):
    trader, other = await town.trader(1_000_000 * SHARE), await town.trader()
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    await town.give_credits(trader.address, plan)
    await town.give_title(trader.address)
    await town.earn(500 * DOLLAR)
    offer = (await trader.offer(400_000 * SHARE, 20 * DOLLAR)).json()["offer"]
    facts = (await trader.http.get("/account/holdings")).json()
    [shares] = facts["shares"]
    pending = await town.shares.pending(trader.address, town.world.dollar.address)
    assert (shares["name"], shares["amount"]) == (NAME, str(1_000_000 * SHARE))
    assert int(shares["pending"]) == int(facts["pending"]) == pending > 0
    assert facts["titles"] == [{"asset": town.asset_text, "name": NAME}]
    [credits_] = facts["credits"]
    assert (credits_["name"], credits_["circulating"], credits_["left"]) == (NAME, str(10 * CREDIT), "0")
    assert [(each["offer"], each["state"]) for each in facts["offers"]] == [(offer, "open")]
    assert facts["more"] is False

    page = await page_of(town, trader)
    for link in (f"/shares/{NAME}", f"/titles/{NAME}", f"/passes/{NAME}", f"/desk/{town.asset_text}"):
        assert f'href="{link}"' in page
    assert "400,000 revenue shares" in page
    nothing = (await other.http.get("/account/holdings")).json()
    assert [nothing[name] for name in ("shares", "titles", "credits", "offers")] == [[], [], [], []]
    assert "No revenue shares" in await page_of(town, other)
    assert (
        await town.world.installation.get(ShareHolders).received_by(trader.address, 10) == []
    )  # not read: few services
    await town.world.installation.get(ShareHolders).holders(town.asset)
    assert await town.world.installation.get(ShareHolders).received_by(trader.address, 10) == [town.asset]


async def test_without_the_node_the_page_says_what_is_not_known(town: TradeTown):
    trader = await town.trader(SHARE)
    assert (await trader.offer(SHARE, DOLLAR)).status_code == 201
    await town.world.anvil.stop()
    page = await page_of(town, trader)
    assert "It is not known now" in page
    assert "See or cancel it" in page
    assert (await trader.http.get("/account/holdings")).status_code == 503


async def test_signed_out_there_is_nothing_to_see(town: TradeTown, http):
    assert code(await http.get("/account/holdings")) == "not_signed_in"
    sent_on = await http.get(town.world.url.removesuffix("/v1") + "/account/holdings")
    assert (sent_on.status_code, sent_on.headers["location"]) == (303, "/account")


async def listed(town: TradeTown, trader: Trader, **filters: str) -> list[str]:
    """Read every page of open offers, and return their hashes."""
    found: list[str] = []
    asked: dict[str, Any] = dict(filters)
    while True:
        answer = await trader.http.get("/offers", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [each["offer"] for each in page["offers"]]
        if page["next"] is None:
            return found
        asked["after"] = page["next"]


async def test_open_offers_of_all_services_are_filtered_and_come_page_by_page(town: TradeTown):
    one, two = await town.trader(1_000 * SHARE), await town.trader(1_000 * SHARE)
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    await town.give_credits(two.address, plan)
    shares = [(await each.offer(SHARE, DOLLAR + price)).json()["offer"] for price in range(3) for each in (one, two)]
    credits_ = (await two.offer(CREDIT, DOLLAR, plan=plan)).json()["offer"]
    assert sorted(await listed(town, one)) == sorted([*shares, credits_])
    assert await listed(town, one, kind="credits") == [credits_]
    assert sorted(await listed(town, one, maker=one.address)) == sorted(shares[::2])
    assert await listed(town, one, asset="0x" + "12" * 16) == []
    assert sorted(await listed(town, one, asset=town.asset_text, kind="shares")) == sorted(shares)
    for wrong in ({"kind": "nothing"}, {"asset": "chat"}, {"maker": "0x12"}, {"after": "x"}):
        assert (await one.http.get("/offers", params=wrong)).status_code == 400


@needs_chromium
async def test_income_is_collected_on_the_page(town: TradeTown, browser, root):
    wallet = InjectedWallet(await town.world.account(), node=town.world.installation.client)
    holder = address(wallet.account.address)
    await town.give(holder, 1_000_000 * SHARE)
    await town.earn(500 * DOLLAR)
    await town.world.devnet.set_balance(holder, 10**18)
    dollar = town.world.dollar
    before, pending = await dollar.balance_of(holder), await town.shares.pending(holder, dollar.address)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await wallet.inject(page)
        await page.goto(f"{root}/account")
        await page.get_by_role("button", name="Test Wallet").click()
        await page.get_by_role("link", name="What you hold").click()
        await page.get_by_role("button", name="Collect the income").click()
        await expect(page.get_by_text("Your income is in your wallet.")).to_be_visible()
        await expect(page.get_by_role("button", name="Collect the income")).to_have_count(0)
        assert shown.problems == []
        await page.set_viewport_size(NARROW["viewport"])
        await page.reload()  # without the toast
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
    assert await dollar.balance_of(holder) == before + pending
