"""Pass credits change hands by a signed offer and a signed purchase: to the unit, and not when they pay for nothing."""

import pytest

from tests.support.trade_town import DAY, ROYALTY_BPS, SHARE, Trader, TradeTown, call_of, code, fill, plan_text
from tests.support.waiting import until
from usufruct.chain import FEE_SINK

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
CREDIT = 10**6
"""Credits that pay for calls of one dollar."""


async def offered(seller: Trader, plan: int, amount: int, price: int, **more) -> str:
    made = await seller.offer(amount, price, plan=plan, **more)
    assert made.status_code == 201, made.text
    return made.json()["offer"]


async def holder_of(town: TradeTown, plan: int, packages: int = 1) -> Trader:
    """A signed-in wallet with credits and no dollars."""
    trader = await town.trader(dollars=0)
    await town.give_credits(trader.address, plan, packages)
    return trader


async def test_a_sale_moves_credits_price_fee_and_royalty_to_the_unit(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    seller, buyer = await holder_of(town, plan, 2), await town.trader(dollars=40)
    dollar, passes = town.world.dollar, town.passes
    before = await passes.plan(plan)
    assert (before.outstanding, before.escrow) == (20 * CREDIT, 18 * DOLLAR)
    fee_bps = (await town.exchange.protocol_fee()).bps
    asked = (await seller.ask_to_offer(15 * CREDIT, 12 * DOLLAR, plan=plan)).json()
    assert asked["permit"] is None, "credits have none: the approval is a transaction"
    assert int(asked["fee"]) == 12 * DOLLAR * fee_bps // 10_000 > 0
    assert int(asked["royalty"]) == 12 * DOLLAR * ROYALTY_BPS // 10_000
    assert int(asked["proceeds"]) == 12 * DOLLAR - int(asked["fee"]) - int(asked["royalty"])
    offer = await offered(seller, plan, 15 * CREDIT, 12 * DOLLAR)
    again = (await seller.ask_to_offer(CREDIT, DOLLAR, plan=plan)).json()
    assert again["approvals"] == [], "the exchange is approved for all credits"

    amount, price = 3_333_333, 2_666_667  # rounded up
    wanted = (await buyer.ask(offer, amount)).json()
    fee, royalty = price * fee_bps // 10_000, price * ROYALTY_BPS // 10_000
    assert (wanted["price"], wanted["fee"], wanted["royalty"]) == (str(price), str(fee), str(royalty))
    bought = await buyer.buy(offer, amount)
    assert bought.status_code == 200, bought.text
    assert await dollar.balance_of(buyer.address) == 40 * DOLLAR - price
    assert await dollar.balance_of(seller.address) == price - fee - royalty
    assert await dollar.balance_of(town.exchange.address) == fee
    assert await dollar.balance_of(town.shares.address) == royalty, "income of the shareholders"
    assert await passes.balance_of(buyer.address, plan) == amount
    assert await passes.balance_of(seller.address, plan) == 20 * CREDIT - amount
    assert await passes.plan(plan) == before, "a resale leaves the plan's escrow alone"

    facts = await buyer.offer_facts(offer)
    assert (facts["state"], facts["left"]) == ("open", str(15 * CREDIT - amount))
    assert (facts["plan"], facts["token"]) == (plan_text(plan), passes.address)
    (trade,) = (await buyer.http.get(f"/passes/{town.asset_text}/trades")).json()["trades"]
    told = {name: trade[name] for name in ("plan", "amount", "price", "fee", "royalty", "buyer")}
    assert told == {
        "plan": plan_text(plan),
        "amount": str(amount),
        "price": str(price),
        "fee": str(fee),
        "royalty": str(royalty),
        "buyer": buyer.address,
    }
    await town.activate(buyer.address, plan, amount)  # what was bought pays for calls
    held = (await buyer.http.get(f"/passes/{town.asset_text}/holders/{buyer.address}")).json()
    assert [(each["circulating"], each["activated"]) for each in held["credits"]] == [("0", str(amount))]


async def test_plans_are_shown_with_what_a_buyer_must_know(town: TradeTown):
    path = f"/passes/{town.asset_text}"
    anyone = await town.trader(dollars=0)
    assert (await anyone.http.get(path)).json()["plans"] == []
    for_good, ending = await town.plan(9 * DOLLAR, 10 * CREDIT), await town.plan(4 * DOLLAR, 5 * CREDIT, days=40)

    async def read() -> bool:
        return len((await anyone.http.get(path)).json()["plans"]) == 2

    await until(read)
    found = (await anyone.http.get(path)).json()
    assert (found["creditSymbol"], found["creditDecimals"], found["royaltyBps"]) == ("tUSD", 6, ROYALTY_BPS)
    assert [each["plan"] for each in found["plans"]] == [plan_text(for_good), plan_text(ending)]
    first, second = found["plans"]
    assert (first["price"], first["credits"], first["expiry"], first["open"]) == ("9000000", "10000000", 0, True)
    assert first["aboutCalls"] == "8000", "of 1,250 atomic units each"
    assert second["expiry"] == (await town.passes.plan(ending)).expiry
    now = (await town.world.installation.client.head()).timestamp
    assert first["refundableAt"] == await town.passes.circulating_refundable_at(for_good) > now


async def test_an_offer_ends_before_its_credits_are_void(town: TradeTown):
    plan = await town.plan(4 * DOLLAR, 5 * CREDIT, days=40)
    seller, buyer = await holder_of(town, plan), await town.trader()
    void_at = (await town.passes.plan(plan)).expiry
    offer = await offered(seller, plan, 5 * CREDIT, 3 * DOLLAR, days=90)
    assert (await buyer.offer_facts(offer))["expiry"] == void_at
    refused = await seller.offer(CREDIT, DOLLAR, plan=plan, changes={"expiry": void_at + 1})
    assert (refused.status_code, code(refused)) == (400, "invalid_offer")
    body = fill((await buyer.ask(offer, CREDIT)).json()["request"], buyer.account)
    await town.world.devnet.pass_time(41 * DAY)
    refused = await buyer.http.post("/purchases", json=body)
    assert (refused.status_code, code(refused)) == (409, "listing_expired")
    refused = await seller.ask_to_offer(CREDIT, DOLLAR, plan=plan)
    assert (refused.status_code, code(refused)) == (409, "credits_void")
    assert plan_text(plan)[:20] in refused.json()["error"]["message"]
    refused = await seller.offer(CREDIT, DOLLAR, plan=plan)
    assert code(refused) == "credits_void"
    assert await town.world.balance(buyer.account) == 1_000 * DOLLAR


async def test_activated_credits_are_not_sold(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    seller, buyer = await holder_of(town, plan), await town.trader()
    offer = await offered(seller, plan, 8 * CREDIT, 4 * DOLLAR)
    body = fill((await buyer.ask(offer, 3 * CREDIT)).json()["request"], buyer.account)
    await town.activate(seller.address, plan, 8 * CREDIT)
    facts = await buyer.offer_facts(offer)
    assert (facts["state"], facts["available"]) == ("open", str(2 * CREDIT))
    assert code(await buyer.ask(offer, 3 * CREDIT)) == "not_enough_left"
    assert code(await buyer.http.post("/purchases", json=body)) == "item_not_owned"
    await town.activate(seller.address, plan, 2 * CREDIT)
    assert (await buyer.offer_facts(offer))["state"] == "uncovered"
    assert code(await buyer.ask(offer, CREDIT)) == "item_not_owned"
    refused = await seller.ask_to_offer(CREDIT, DOLLAR, plan=plan)
    assert (refused.status_code, code(refused)) == (400, "not_enough_credits")
    await town.give_credits(seller.address, plan)
    assert (await buyer.offer_facts(offer))["state"] == "open", "an offer that was not cancelled is good again"
    await town.act(seller.address, town.passes.set_approval_for_all(town.exchange.address, False))
    assert (await buyer.offer_facts(offer))["state"] == "uncovered"
    assert code(await buyer.ask(offer, CREDIT)) == "item_not_approved"
    assert await town.world.balance(buyer.account) == 1_000 * DOLLAR


async def test_only_credits_that_there_are_can_be_offered(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    seller = await holder_of(town, plan)
    for strange in (plan ^ 1, plan ^ 1 << 255):  # unknown; another asset's
        refused = await seller.ask_to_offer(CREDIT, DOLLAR, plan=strange)
        assert (refused.status_code, code(refused)) == (404, "not_traded")
    wish = {"asset": town.asset_text, "amount": "1", "price": "1", "days": 1, "plan": "0x12"}
    assert code(await seller.http.post("/offers/requests", json=wish)) == "invalid_offer"
    for changes, wanted in [
        ({"price": "1"}, "invalid_signature"),
        ({"plan": None}, "invalid_signature"),
        ({"maxDeductionBps": ROYALTY_BPS}, "fee_above_allowed"),
        ({"permit": {"value": "1", "deadline": 2, "signature": "0x" + "00" * 65}}, None),
    ]:
        answer = await seller.offer(CREDIT, DOLLAR, plan=plan, changes=changes)
        assert (code(answer) if answer.status_code != 201 else None) == wanted, changes
    await town.act(seller.address, town.passes.set_approval_for_all(town.exchange.address, False))
    asked = (await seller.ask_to_offer(CREDIT, DOLLAR, plan=plan)).json()
    body = fill(asked["offer"], seller.account)
    assert code(await seller.http.post("/offers", json=body)) == "item_not_approved"
    permit = {"value": "1", "deadline": 2, "signature": "0x" + "00" * 65}
    assert code(await seller.http.post("/offers", json=body | {"permit": permit})) == "invalid_offer"


async def test_a_raised_fee_and_a_cancellation_stop_the_sale(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    seller, buyer = await holder_of(town, plan), await town.trader()
    offer = await offered(seller, plan, 5 * CREDIT, 4 * DOLLAR)
    fee = (await town.exchange.protocol_fee()).bps
    await town.act(await town.exchange.owner(), town.exchange.set_fee(FEE_SINK, fee + 1))
    assert (await buyer.offer_facts(offer))["state"] == "fee_raised"
    assert code(await buyer.ask(offer, CREDIT)) == "fee_above_allowed"
    await town.act(await town.exchange.owner(), town.exchange.set_fee(FEE_SINK, fee))
    body = fill((await buyer.ask(offer, CREDIT)).json()["request"], buyer.account)
    ended = (await seller.http.post(f"/offers/{offer}/cancellation")).json()
    await town.act(seller.address, call_of(ended))
    assert (await buyer.offer_facts(offer))["state"] == "cancelled"
    assert code(await buyer.http.post("/purchases", json=body)) == "nonce_used"  # signed before
    assert (await buyer.http.get(f"/passes/{town.asset_text}/offers")).json()["offers"] == []


async def test_credits_and_shares_are_listed_apart(town: TradeTown):
    dear, cheap = await town.plan(9 * DOLLAR, 10 * CREDIT), await town.plan(4 * DOLLAR, 5 * CREDIT, days=40)
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    for plan in (dear, cheap):
        await town.give_credits(seller.address, plan)
    offers = [await offered(seller, dear, CREDIT, 900_000), await offered(seller, cheap, CREDIT, 700_000)]
    shares = await seller.offer(1_000 * SHARE, DOLLAR)

    async def listed(goods: str) -> list[str]:
        found = (await buyer.http.get(f"/{goods}/{town.asset_text}/offers")).json()["offers"]
        return [each["offer"] for each in found]

    assert await listed("passes") == offers[::-1], "the lowest price of a credit first"
    assert await listed("shares") == [shares.json()["offer"]]
    assert (await buyer.buy(offers[1], CREDIT)).status_code == 200
    assert (await buyer.buy(shares.json()["offer"], SHARE)).status_code == 200
    sold = [
        [each["plan"] for each in (await buyer.http.get(f"/{goods}/{town.asset_text}/trades")).json()["trades"]]
        for goods in ("passes", "shares")
    ]
    assert sold == [[plan_text(cheap)], [None]]
    for path in ("", "/offers", "/trades"):
        assert code(await buyer.http.get(f"/passes/0x{'12' * 16}{path}")) == "not_traded"
