"""Packages are bought, credits activated, granted and given back by the web's endpoints: to the unit, and once."""

from typing import Any

import httpx
import pytest

from tests.support.trade_town import DAY, METER, NAME, Trader, TradeTown, call_of, code, fill, plan_text, signed
from tests.support.x402_installation import request
from usufruct.assets import RegistryClient
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.payments.settlement import Claimer

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
CREDIT = 10**6
"""Credits that pay for calls of one dollar."""

_TITLE_HOLDER = DEVNET_ADDRESSES[4]


async def ask(trader: Trader, plan: int, packages: int = 1, most: int = 10**30, bought: int = 0) -> httpx.Response:
    """Ask for what is sent to buy packages."""
    wish = {"plan": plan_text(plan), "packages": str(packages), "maxPrice": str(most), "bought": str(bought)}
    return await trader.http.post(f"/passes/{trader.asset}/packages", json=wish)


async def send(town: TradeTown, trader: Trader, answer: httpx.Response) -> None:
    """Send transactions as the trader's wallet."""
    assert answer.status_code == 200, answer.text
    for each in answer.json()["transactions"]:
        await town.act(trader.address, call_of(each))


async def activate(trader: Trader, plan: int, amount: int) -> httpx.Response:
    """Ask for what is sent to activate credits."""
    wish = {"plan": plan_text(plan), "amount": str(amount)}
    return await trader.http.post(f"/passes/{trader.asset}/activation", json=wish)


async def ask_grant(trader: Trader, plan: int, limit: int | None = None, days: int = 7) -> dict[str, Any]:
    """Ask for what is signed for a key."""
    wish = {"plan": plan_text(plan), "limit": None if limit is None else str(limit), "days": days}
    answer = await trader.http.post("/pass-grants/requests", json=wish)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def key_of(trader: Trader, plan: int, limit: int | None = None) -> str:
    """Make a key that pays with activated credits."""
    made = await trader.http.post("/pass-grants", json=fill(await ask_grant(trader, plan, limit), trader.account))
    assert made.status_code == 200, made.text
    assert made.headers["cache-control"] == "no-store"
    return str(made.json()["key"])


async def call(town: TradeTown, key: str) -> httpx.Response:
    """Make a call that the key pays for."""
    async with httpx.AsyncClient(timeout=60) as http:
        headers = {"authorization": f"Bearer {key}"}
        return await http.post(f"{town.world.url}/chat/completions", json=request(NAME), headers=headers)


async def held(trader: Trader) -> list[dict[str, Any]]:
    """What the trader holds of the service's plans."""
    answer = await trader.http.get(f"/passes/{trader.asset}/holders/{trader.address}")
    return list(answer.json()["credits"])


async def test_money_is_conserved_from_the_package_to_the_owners(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    buyer, dollar, passes = await town.trader(dollars=40), town.world.dollar, town.passes
    asked = await ask(buyer, plan, 2)
    assert (asked.json()["price"], asked.json()["credits"]) == (str(18 * DOLLAR), str(20 * CREDIT))
    await send(town, buyer, asked)
    assert await dollar.balance_of(buyer.address) == 22 * DOLLAR
    assert await dollar.balance_of(passes.address) == 18 * DOLLAR == (await passes.plan(plan)).escrow
    assert await dollar.allowance(buyer.address, passes.address) == 0

    await send(town, buyer, await activate(buyer, plan, 15 * CREDIT))
    (mine,) = await held(buyer)
    assert [mine[name] for name in ("circulating", "activated", "left")] == [str(n * CREDIT) for n in (5, 15, 15)]
    assert mine["meter"] == METER
    answer = await call(town, await key_of(buyer, plan))
    assert answer.status_code == 200, answer.text
    charge = int(answer.json()["usage"]["cost_details"]["charge"])
    assert 0 < charge < CREDIT
    (mine,) = await held(buyer)
    assert (mine["activated"], mine["left"]) == (str(15 * CREDIT), str(15 * CREDIT - charge)), "charged, not burned yet"

    await town.world.installation.get(Claimer).run(everything=True)
    (mine,) = await held(buyer)
    assert mine["activated"] == mine["left"] == str(15 * CREDIT - charge)
    state, income = await passes.plan(plan), await dollar.balance_of(town.shares.address)
    assert income == charge * 9 // 10, "what was used, at the plan's price, rounded down"
    assert income + state.escrow == 18 * DOLLAR
    assert state.outstanding == 20 * CREDIT - charge


async def test_a_page_from_before_a_purchase_buys_nothing(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    buyer = await town.trader(dollars=40)
    await send(town, buyer, await ask(buyer, plan))
    again = await ask(buyer, plan)
    assert (again.status_code, code(again)) == (409, "purchase_outdated")
    await send(town, buyer, await ask(buyer, plan, bought=10 * CREDIT))
    assert await town.passes.balance_of(buyer.address, plan) == 20 * CREDIT
    assert await town.world.dollar.balance_of(buyer.address) == 22 * DOLLAR


async def test_packages_are_refused_with_the_reason(town: TradeTown):
    plan, other = await town.plan(9 * DOLLAR, 10 * CREDIT), 7 << 128 | 1
    buyer = await town.trader(dollars=20)
    for wish, status, wanted in [
        ({"packages": 0}, 400, "invalid_purchase"),
        ({"packages": 2, "most": 18 * DOLLAR - 1}, 409, "price_above_max"),
        ({"packages": 3}, 402, "purchase_unfunded"),
        ({"bought": 1}, 409, "purchase_outdated"),
    ]:
        refused = await ask(buyer, plan, **wish)
        assert (refused.status_code, code(refused)) == (status, wanted), wish
    assert code(await ask(buyer, other)) == "not_traded"
    assert code(await ask(buyer, plan ^ 1)) == "unknown_plan"
    async with httpx.AsyncClient(base_url=town.world.url, timeout=60) as stranger:
        assert (await stranger.post(f"/passes/{town.asset_text}/packages", json={})).status_code == 401
        assert (await stranger.post(f"/passes/{town.asset_text}/activation", json={})).status_code == 401
        assert (await stranger.post(f"/passes/{town.asset_text}/refund", json={})).status_code == 401
    await town.act(_TITLE_HOLDER, town.passes.set_selling(plan, False))
    refused = await ask(buyer, plan)
    assert (refused.status_code, code(refused)) == (409, "plan_closed")
    assert await town.world.dollar.balance_of(buyer.address) == 20 * DOLLAR


async def test_only_credits_that_circulate_are_activated(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    holder, other = await town.trader(dollars=0), await town.trader(dollars=0)
    await town.give_credits(holder.address, plan)
    refused = await activate(holder, plan, 10 * CREDIT + 1)
    assert (refused.status_code, code(refused)) == (409, "not_enough_credits")
    assert code(await activate(other, plan, 1)) == "not_enough_credits"
    assert code(await activate(holder, plan, 0)) == "invalid_asset"
    registry = town.world.installation.get(RegistryClient).contract
    await town.act(_TITLE_HOLDER, registry.set_meter(town.asset, DEVNET_ADDRESSES[8]))
    refused = await activate(holder, plan, CREDIT)
    assert (refused.status_code, code(refused)) == (409, "other_meter"), "they would pay for nothing here"


async def test_a_key_is_its_holders_word_alone(town: TradeTown):
    plan, other = await town.plan(9 * DOLLAR, 10 * CREDIT), await town.plan(4 * DOLLAR, 5 * CREDIT)
    holder, thief = await town.trader(dollars=0), await town.trader(dollars=0)
    await town.give_credits(holder.address, plan)
    await town.activate(holder.address, plan, 10 * CREDIT)
    asked = await ask_grant(holder, plan, limit=CREDIT)
    body = fill(asked, holder.account)
    for changes in (
        {"limit": str(2 * CREDIT)},
        {"plan": plan_text(other)},
        {"expiresAt": body["expiresAt"] + 1},
        {"holder": thief.address},
        {"signature": signed(thief.account, asked["document"])},
    ):
        refused = await thief.http.post("/pass-grants", json=body | changes)
        assert (refused.status_code, code(refused)) == (401, "grant_refused"), changes
    unfunded = await call(town, await key_of(thief, plan))
    assert (unfunded.status_code, code(unfunded)) == (402, "insufficient_balance")
    wish = {"plan": plan_text(plan), "limit": "0", "days": 7}
    assert code(await holder.http.post("/pass-grants/requests", json=wish)) == "invalid_grant"
    small = await call(town, await key_of(holder, plan, limit=1))
    assert (small.status_code, code(small)) == (402, "limit_reached")
    assert (await call(town, await key_of(holder, plan, limit=CREDIT))).status_code == 200


async def test_unused_credits_are_given_back_where_the_contract_allows_it(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    holder, other = await town.trader(dollars=0), await town.trader(dollars=0)
    await town.give_credits(holder.address, plan)
    await town.activate(holder.address, plan, 4 * CREDIT)
    path, wish = f"/passes/{town.asset_text}/refund", {"plan": plan_text(plan)}
    early = await holder.http.post(path, json=wish)
    assert (early.status_code, code(early)) == (409, "nothing_to_give_back")
    await town.world.devnet.pass_time(31 * DAY)  # the meter gives no sign
    assert code(await other.http.post(path, json=wish)) == "nothing_to_give_back"
    asked = await holder.http.post(path, json=wish)
    assert (asked.json()["amount"], len(asked.json()["transactions"])) == (str(9 * DOLLAR), 2)
    await send(town, holder, asked)
    assert await town.world.dollar.balance_of(holder.address) == 9 * DOLLAR
    assert (await town.passes.plan(plan)).escrow == 0
    assert code(await holder.http.post(path, json=wish)) == "nothing_to_give_back"
