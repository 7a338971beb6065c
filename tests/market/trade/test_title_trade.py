"""Titles change hands by a signed offer and a signed purchase, alone or as a bundle: all to the unit, or nothing."""

from dataclasses import replace

import pytest

from tests.support.trade_town import DAY, ROYALTY_BPS, SHARE, Trader, TradeTown, call_of, code, fill, plan_text
from tests.support.waiting import until
from usufruct.chain import FEE_SINK
from usufruct.core import Address
from usufruct.market.trade import ExchangeIndexer

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
CREDIT = 10**6
PRICE = 500 * DOLLAR + 1


async def owner_of(town: TradeTown, shares: int = 0) -> Trader:
    """A signed-in wallet with the title and shares, and no dollars."""
    trader = await town.trader(shares=shares, dollars=0)
    await town.give_title(trader.address)
    return trader


async def offered(seller: Trader, price: int = PRICE, more=()) -> str:
    made = await seller.offer_title(price, more)
    assert made.status_code == 201, made.text
    return made.json()["offer"]


def shares_of(amount: int, price: int) -> dict[str, str]:
    return {"amount": str(amount), "price": str(price)}


def credits_of(plan: int, amount: int, price: int) -> dict[str, str]:
    return {"plan": plan_text(plan), **shares_of(amount, price)}


async def balances(town: TradeTown, *whose: Address) -> list[int]:
    return [await town.world.dollar.balance_of(each) for each in whose]


async def desk_of(trader: Trader) -> list[str]:
    """The services that an account looks after at the desk; none where it is refused."""
    answer = await trader.http.get("/desk")
    if answer.status_code != 200:
        assert (answer.status_code, code(answer)) == (403, "not_operator")
        return []
    return [each["name"] for each in answer.json()["services"]]


async def test_a_sale_moves_title_price_fee_and_royalty_to_the_unit(town: TradeTown):
    seller, buyer = await owner_of(town), await town.trader(dollars=600)
    asked = (await seller.ask_to_offer_title(PRICE)).json()
    fee = PRICE * (await town.exchange.protocol_fee()).bps // 10_000
    royalty = PRICE * ROYALTY_BPS // 10_000
    assert asked["permit"] is None
    assert [each["to"] for each in asked["approvals"]] == [town.titles.address]
    assert (int(asked["fee"]), int(asked["royalty"])) == (fee, royalty)
    assert int(asked["proceeds"]) == PRICE - fee - royalty
    offer = await offered(seller)
    assert await town.titles.get_approved(town.asset) == town.exchange.address, "of this title, not of all"
    facts = await buyer.offer_facts(offer)
    assert (facts["title"], facts["more"], facts["price"], facts["available"]) == (True, [], str(PRICE), "1")
    wanted = (await buyer.ask(offer, 0)).json()
    assert [int(wanted[name]) for name in ("price", "fee", "royalty")] == [PRICE, fee, royalty]

    bought = await buyer.buy(offer, 0)
    assert bought.status_code == 200, bought.text
    assert await town.titles.owner_of(town.asset) == buyer.address
    parties = (buyer.address, seller.address, town.exchange.address, town.shares.address)
    assert await balances(town, *parties) == [600 * DOLLAR - PRICE, PRICE - fee - royalty, fee, royalty]
    facts = await buyer.offer_facts(offer)
    assert (facts["state"], facts["left"], facts["available"]) == ("sold", "0", "0")
    (trade,) = (await buyer.http.get(f"/titles/{town.asset_text}/trades")).json()["trades"]
    shown = [trade[name] for name in ("amount", "price", "fee", "royalty", "buyer")]
    assert shown == ["0", str(PRICE), str(fee), str(royalty), buyer.address]
    assert (await buyer.http.get(f"/shares/{town.asset_text}/trades")).json()["trades"] == []
    assert code(await seller.offer_title(PRICE)) == "not_title_owner"


async def test_the_desk_follows_the_title_and_the_shares_do_not(town: TradeTown):
    seller, buyer = await owner_of(town, shares=1_000 * SHARE), await town.trader()

    async def sellers() -> bool:
        return await desk_of(seller) == ["shared"]

    await until(sellers)
    assert await desk_of(buyer) == []
    assert (await buyer.buy(await offered(seller), 0)).status_code == 200

    async def buyers() -> bool:
        return await desk_of(buyer) == ["shared"] and await desk_of(seller) == []

    await until(buyers)
    assert await town.shares.balance_of(seller.address) == 1_000 * SHARE
    assert await town.shares.balance_of(buyer.address) == 0
    assert await town.titles.may_manage(buyer.address, town.asset)
    assert not await town.titles.may_manage(seller.address, town.asset)


async def test_a_buyer_sees_when_the_price_may_change(town: TradeTown):
    seller, buyer = await owner_of(town), await town.trader()
    path = f"/titles/{town.asset_text}"
    facts = (await buyer.http.get(path)).json()
    known = await town.titles.asset(town.asset)
    assert (facts["owner"], facts["noticeSeconds"], facts["retiresAt"]) == (seller.address, known.notice_period, 0)
    assert (facts["nextPrice"], facts["nextPriceFrom"], facts["royaltyBps"]) == (None, None, ROYALTY_BPS)
    assert (facts["price"]["inputPerMillion"], facts["price"]["version"]) == ("500000", "1")
    card = replace(await town.titles.price_card(town.asset), input_per_million=900_000, version=2)
    await town.act(seller.address, town.titles.set_price_card(town.asset, card))
    await town.act(seller.address, town.titles.retire(town.asset))
    facts = (await buyer.http.get(path)).json()
    pending = await town.titles.pending_price_card(town.asset)
    assert (facts["nextPrice"]["inputPerMillion"], facts["nextPriceFrom"]) == ("900000", pending.effective_at)
    assert facts["retiresAt"] == (await town.titles.asset(town.asset)).retires_at > 0


async def test_a_bundle_moves_everything_at_once_and_each_item_pays_its_royalty(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT, days=40)
    seller, buyer = await owner_of(town, shares=40_000_000 * SHARE), await town.trader()
    await town.give_credits(seller.address, plan)
    more = [shares_of(40_000_000 * SHARE, 300 * DOLLAR), credits_of(plan, 4 * CREDIT, 3_333_333)]
    asked = (await seller.ask_to_offer_title(PRICE, more)).json()
    contracts = {town.titles.address, town.shares.address, town.passes.address}
    assert {each["to"] for each in asked["approvals"]} == contracts
    fee = PRICE * (await town.exchange.protocol_fee()).bps // 10_000
    of_title = (PRICE - 300 * DOLLAR - 3_333_333) * ROYALTY_BPS // 10_000
    royalty = of_title + 3_333_333 * ROYALTY_BPS // 10_000
    assert (int(asked["fee"]), int(asked["royalty"])) == (fee, royalty)
    offer = await offered(seller, more=more)
    facts = await buyer.offer_facts(offer)
    assert facts["more"] == [{"plan": None, **more[0]}, more[1]]
    listed = (await buyer.http.get(f"/titles/{town.asset_text}/offers")).json()["offers"]
    assert [each["offer"] for each in listed] == [offer]
    for goods in ("shares", "passes"):
        assert (await buyer.http.get(f"/{goods}/{town.asset_text}/offers")).json()["offers"] == []

    bought = await buyer.buy(offer, 0)
    assert bought.status_code == 200, bought.text
    assert await town.titles.owner_of(town.asset) == buyer.address
    assert [await town.shares.balance_of(each.address) for each in (seller, buyer)] == [0, 40_000_000 * SHARE]
    held = [await town.passes.balance_of(each.address, plan) for each in (seller, buyer)]
    assert held == [6 * CREDIT, 4 * CREDIT]
    parties = (buyer.address, seller.address, town.exchange.address, town.shares.address)
    assert await balances(town, *parties) == [1_000 * DOLLAR - PRICE, PRICE - fee - royalty, fee, royalty]


async def test_income_of_bundled_shares_stays_the_sellers_as_the_royalty_books_it(town: TradeTown):
    """Shares sold alone go with their income that is not booked; in a bundle the title's royalty books it first."""
    seller, buyer = await owner_of(town, shares=40_000_000 * SHARE), await town.trader()
    offer = await offered(seller, more=[shares_of(40_000_000 * SHARE, 300 * DOLLAR)])
    await town.earn(100 * DOLLAR)
    dollar = town.world.dollar.address
    before = await town.shares.pending(seller.address, dollar)
    assert before > 0
    assert (await buyer.buy(offer, 0)).status_code == 200
    after = await town.shares.pending(seller.address, dollar)
    assert after > before, "with the seller's part of the royalty"
    assert await town.shares.pending(buyer.address, dollar) == 0
    await town.earn(100 * DOLLAR)
    assert await town.shares.pending(seller.address, dollar) == after
    assert await town.shares.pending(buyer.address, dollar) == before


async def test_a_bundle_of_which_one_item_is_gone_sells_nothing(town: TradeTown):
    seller, buyer = await owner_of(town, shares=100 * SHARE), await town.trader()
    offer = await offered(seller, more=[shares_of(100 * SHARE, DOLLAR)])
    body = fill((await buyer.ask(offer, 0)).json()["request"], buyer.account)
    await town.act(seller.address, town.shares.transfer(FEE_SINK, 1))
    facts = await buyer.offer_facts(offer)
    assert (facts["state"], facts["available"]) == ("uncovered", "0")
    assert code(await buyer.ask(offer, 0)) == "item_not_owned"
    assert code(await buyer.http.post("/purchases", json=body)) == "item_not_owned"
    assert await town.titles.owner_of(town.asset) == seller.address
    assert await balances(town, buyer.address, seller.address) == [1_000 * DOLLAR, 0]
    await town.give(seller.address, 1)
    assert (await buyer.http.post("/purchases", json=body)).status_code == 200, "it is good again"


async def test_an_offer_of_a_title_that_its_seller_gave_away_sells_nothing(town: TradeTown):
    seller, buyer = await owner_of(town), await town.trader()
    offer = await offered(seller)
    body = fill((await buyer.ask(offer, 0)).json()["request"], buyer.account)
    await town.act(seller.address, town.titles.transfer_from(seller.address, FEE_SINK, town.asset))
    assert (await buyer.offer_facts(offer))["state"] == "uncovered"
    assert code(await buyer.ask(offer, 0)) == "item_not_owned"
    assert code(await buyer.http.post("/purchases", json=body)) == "item_not_owned"
    await town.act(FEE_SINK, town.titles.transfer_from(FEE_SINK, seller.address, town.asset))
    assert code(await buyer.ask(offer, 0)) == "item_not_approved", "the approval ended with the transfer"
    assert await balances(town, buyer.address) == [1_000 * DOLLAR]


async def test_a_title_is_bought_once_and_a_second_buyer_pays_nothing(town: TradeTown):
    seller, buyer, late = await owner_of(town), await town.trader(), await town.trader()
    offer = await offered(seller)
    lates = fill((await late.ask(offer, 0)).json()["request"], late.account)
    body = fill((await buyer.ask(offer, 0)).json()["request"], buyer.account)
    answers = [await buyer.http.post("/purchases", json=body) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json()["transaction"] == answers[1].json()["transaction"]
    assert code(await buyer.ask(offer, 0)) == "purchase_outdated"
    assert code(await late.http.post("/purchases", json=lates)) == "nonce_used"
    assert code(await late.ask(offer, 0)) == "nonce_used"
    assert await balances(town, late.address) == [1_000 * DOLLAR]


async def test_a_cancelled_offer_of_a_title_is_over_for_good(town: TradeTown):
    seller, buyer = await owner_of(town), await town.trader()
    offer = await offered(seller)
    assert code(await buyer.http.post(f"/offers/{offer}/cancellation")) == "not_the_maker"
    await town.act(seller.address, call_of((await seller.http.post(f"/offers/{offer}/cancellation")).json()))
    assert (await buyer.offer_facts(offer))["state"] == "cancelled"
    assert code(await buyer.ask(offer, 0)) == "nonce_used"
    assert (await buyer.http.get(f"/titles/{town.asset_text}/offers")).json()["offers"] == []


async def test_only_an_offer_of_a_title_that_can_be_sold_is_published(town: TradeTown):
    plan = await town.plan(4 * DOLLAR, 5 * CREDIT, days=40)
    seller, stranger = await owner_of(town, shares=100 * SHARE), await town.trader()
    await town.give_credits(seller.address, plan)
    for more, wanted in [
        ([shares_of(100 * SHARE, PRICE)], "invalid_offer"),  # nothing is left for the title
        ([shares_of(0, 1)], "invalid_offer"),
        ([shares_of(1, 0)], "invalid_offer"),
        ([shares_of(1, 1), shares_of(2, 1)], "invalid_offer"),
        ([shares_of(101 * SHARE, 1)], "not_enough_shares"),
        ([credits_of(plan, 6 * CREDIT, 1)], "not_enough_credits"),
        ([credits_of(plan ^ 1, CREDIT, 1)], "not_traded"),
        ([shares_of(1, 1)] * 9, "invalid_offer"),
    ]:
        refused = await seller.ask_to_offer_title(PRICE, more)
        assert code(refused) == wanted, more
        assert refused.json()["error"]["message"]
    more = [shares_of(50 * SHARE, DOLLAR)]
    permit = {"value": "1", "deadline": 2_000_000_000, "signature": "0x" + "11" * 65}
    for changes, wanted in [
        ({"price": "1000001"}, "invalid_signature"),
        ({"more": [shares_of(49 * SHARE, DOLLAR)]}, "invalid_signature"),
        ({"more": []}, "invalid_signature"),
        ({"amount": "2"}, "invalid_offer"),
        ({"plan": plan_text(plan)}, "invalid_offer"),
        ({"title": False}, "invalid_offer"),
        ({"maxDeductionBps": 0}, "fee_above_allowed"),
        ({"maker": stranger.address}, "invalid_signature"),
    ]:
        assert code(await seller.offer_title(PRICE, more, changes)) == wanted, changes
    assert code(await stranger.ask_to_offer_title(PRICE)) == "not_title_owner"
    await town.act(seller.address, town.shares.approve(town.exchange.address, 0))
    asked = (await seller.ask_to_offer_title(PRICE, more)).json()
    body = fill(asked["offer"], seller.account)
    assert code(await seller.http.post("/offers", json=body)) == "item_not_approved"
    assert code(await seller.http.post("/offers", json=body | {"permit": permit})) == "invalid_offer"
    assert (await seller.http.get(f"/titles/{town.asset_text}/offers")).json()["offers"] == []


async def test_a_title_is_bought_as_a_whole_by_another_at_the_signed_price(town: TradeTown):
    seller, buyer = await owner_of(town), await town.trader()
    offer = await offered(seller)
    for asked, wanted in [
        (await buyer.ask(offer, 1), "invalid_purchase"),
        (await buyer.ask(offer, 0, most=PRICE - 1), "price_above_max"),
        (await seller.ask(offer, 0), "self_trade"),
    ]:
        assert code(asked) == wanted
    body = fill((await buyer.ask(offer, 0)).json()["request"], buyer.account)
    for changes, wanted in [({"price": "1"}, "invalid_purchase"), ({"amount": "1"}, "invalid_purchase")]:
        assert code(await buyer.http.post("/purchases", json=body | changes)) == wanted
    poor = await town.trader(dollars=1)
    assert code(await poor.ask(offer, 0)) == "purchase_unfunded"
    await town.act(await town.exchange.owner(), town.exchange.set_fee(FEE_SINK, 400))
    assert (await buyer.offer_facts(offer))["state"] == "fee_raised"
    assert code(await buyer.ask(offer, 0)) == "fee_above_allowed"


async def test_a_bundle_ends_before_its_credits_are_void(town: TradeTown):
    plan = await town.plan(4 * DOLLAR, 5 * CREDIT, days=40)
    seller = await owner_of(town)
    await town.give_credits(seller.address, plan)
    made = await seller.offer_title(PRICE, [credits_of(plan, CREDIT, DOLLAR)], days=90)
    assert made.status_code == 201, made.text
    assert made.json()["expiry"] == (await town.passes.plan(plan)).expiry
    await town.world.devnet.pass_time(41 * DAY)
    assert code(await seller.offer_title(PRICE, [credits_of(plan, CREDIT, DOLLAR)])) == "credits_void"


async def test_offers_of_shares_alone_and_in_a_bundle_share_one_approval(town: TradeTown):
    seller, buyer = await owner_of(town, shares=150 * SHARE), await town.trader()
    alone = (await seller.offer(100 * SHARE, DOLLAR)).json()["offer"]
    bundle = await offered(seller, more=[shares_of(50 * SHARE, DOLLAR)])
    assert await town.shares.allowance(seller.address, town.exchange.address) == 150 * SHARE
    assert (await buyer.buy(alone, 100 * SHARE)).status_code == 200
    assert (await buyer.buy(bundle, 0)).status_code == 200
    assert await town.shares.balance_of(buyer.address) == 150 * SHARE


async def test_a_reorganisation_takes_the_sale_of_a_title_back(town: TradeTown):
    seller, buyer = await owner_of(town), await town.trader()
    offer = await offered(seller)
    before = await town.world.devnet.snapshot()
    assert (await buyer.buy(offer, 0)).status_code == 200
    assert (await buyer.offer_facts(offer))["state"] == "sold"
    await town.world.devnet.revert(before)
    await town.world.devnet.mine(3)
    await town.world.gateway.get(ExchangeIndexer).poll()
    assert (await buyer.offer_facts(offer))["state"] == "open"
