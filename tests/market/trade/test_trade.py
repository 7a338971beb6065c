"""Shares change hands by a signed offer and a signed purchase: to the unit, once, and not when anything is wrong."""

import asyncio

import httpx
import pytest

from tests.support.trade_town import NAME, SHARE, Trader, TradeTown, code, fill
from usufruct.accounts import DEMO_ACCOUNT
from usufruct.chain import FEE_SINK, Call
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.market.trade.exchange_logs import ExchangeIndexer

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
PRICE = 100 * DOLLAR


async def offered(seller: Trader, amount: int = 1_000 * SHARE, price: int = PRICE, **more) -> str:
    made = await seller.offer(amount, price, **more)
    assert made.status_code == 201, made.text
    return made.json()["offer"]


@pytest.mark.parametrize(("amount", "price"), [(1, 2**127), (1_000 * SHARE, 1)])
async def test_the_page_shows_an_offer_at_any_price(town: TradeTown, amount, price):
    seller = await town.trader(shares=1_000 * SHARE, dollars=0)
    await offered(seller, amount, price)
    page = f"{town.world.url.removesuffix('/v1')}/shares/{NAME}"
    shown = await seller.http.get(page, headers={"accept": "text/html"})
    assert (shown.status_code, str(seller.address) in shown.text) == (200, True)


async def test_a_sale_moves_shares_and_money_to_the_unit(town: TradeTown):
    """The seller has no coins and never sent a transaction; the buyer neither."""
    seller, buyer = await town.trader(shares=1_000 * SHARE, dollars=0), await town.trader(dollars=40)
    made = await seller.offer(1_000 * SHARE, PRICE)
    assert made.status_code == 201, made.text
    offer = made.json()
    assert (offer["state"], offer["left"], offer["available"]) == ("open", str(1_000 * SHARE), str(1_000 * SHARE))
    fee_bps = (await town.exchange.protocol_fee()).bps
    assert fee_bps > 0

    bought = await buyer.buy(offer["offer"], 333_333_333)
    assert bought.status_code == 200, bought.text
    price = 33_333_334  # rounded up
    fee = price * fee_bps // 10_000
    assert bought.json()["price"] == str(price)
    dollar = town.world.dollar
    assert await dollar.balance_of(buyer.address) == 40 * DOLLAR - price
    assert await dollar.balance_of(seller.address) == price - fee
    assert await dollar.balance_of(town.exchange.address) == fee
    assert await dollar.balance_of(town.shares.address) == 0, "shares have no resale royalty"
    assert await town.shares.balance_of(buyer.address) == 333_333_333
    assert await town.shares.balance_of(seller.address) == 1_000 * SHARE - 333_333_333
    before = await dollar.balance_of(FEE_SINK)
    await town.act(buyer.address, town.exchange.release(dollar.address))
    assert await dollar.balance_of(FEE_SINK) == before + fee

    facts = await buyer.offer_facts(offer["offer"])
    assert (facts["state"], facts["left"]) == ("open", str(1_000 * SHARE - 333_333_333))
    (trade,) = (await buyer.http.get(f"/shares/{town.asset_text}/trades")).json()["trades"]
    assert (trade["price"], trade["fee"], trade["buyer"]) == (str(price), str(fee), buyer.address)
    header = await town.world.installation.client.head()
    assert 0 < trade["time"] <= header.timestamp
    rest = await buyer.ask(offer["offer"], 666_666_667, bought=333_333_333)
    assert (rest.status_code, code(rest)) == (402, "purchase_unfunded")


async def test_shares_are_sold_with_the_income_that_is_not_booked(town: TradeTown):
    seller, buyer = await town.trader(shares=10_000_000 * SHARE), await town.trader()
    await town.earn(1_000 * DOLLAR)
    await town.act(buyer.address, town.shares.accrue(town.world.dollar.address))  # booked: it is the seller's
    await town.earn(500 * DOLLAR)
    facts = (await buyer.http.get(f"/shares/{town.asset_text}")).json()
    assert (facts["unbooked"], facts["supply"]) == (str(500 * DOLLAR), str(100_000_000 * SHARE))

    async def holding(who: Trader) -> tuple[int, int]:
        found = (await who.http.get(f"/shares/{town.asset_text}/holders/{who.address}")).json()
        return int(found["booked"]), int(found["pending"])

    booked, pending = await holding(seller)
    assert 0 < booked < pending
    offer = await offered(seller, 5_000_000 * SHARE, PRICE)
    assert (await buyer.buy(offer, 5_000_000 * SHARE)).status_code == 200
    (left, sellers), (none, buyers) = await holding(seller), await holding(buyer)
    assert (left, none) == (booked, 0)
    assert sellers == booked + (pending - booked) // 2
    assert 0 <= pending - sellers - buyers <= 1, "each part is rounded down"


async def test_a_holder_collects_all_income_by_the_transactions_that_are_returned(town: TradeTown):
    holder, dollar = await town.trader(shares=10_000_000 * SHARE, dollars=0), town.world.dollar
    path = f"/shares/{town.asset_text}/collection"
    nothing = (await holder.http.post(path)).json()
    assert (nothing["amount"], nothing["transactions"]) == ("0", [])
    await town.earn(1_000 * DOLLAR)
    due = await town.shares.pending(holder.address, dollar.address)
    asked = (await holder.http.post(path)).json()
    assert asked["amount"] == str(due)
    [transaction] = asked["transactions"]
    assert (transaction["to"], transaction["sent"]) == (town.shares.address, False)
    await town.act(holder.address, Call(transaction["to"], bytes.fromhex(transaction["data"][2:])))
    assert await dollar.balance_of(holder.address) == due > 0
    assert (await holder.http.post(path)).json() == nothing
    async with httpx.AsyncClient(base_url=town.world.url, timeout=120) as stranger:
        refused = await stranger.post(path)
    assert refused.status_code == 401


async def test_the_demo_accounts_income_is_collected_by_its_key_as_often_as_there_is_some(town: TradeTown):
    demo, dollar = DEVNET_ADDRESSES[DEMO_ACCOUNT], town.world.dollar
    async with httpx.AsyncClient(base_url=town.world.url, timeout=60) as http:
        (await http.post("/sessions/demo", json={})).raise_for_status()
        for _ in range(2):
            before = await dollar.balance_of(demo)
            await town.earn(100 * DOLLAR)
            due = await town.shares.pending(demo, dollar.address)
            asked = (await http.post(f"/shares/{town.asset_text}/collection")).json()
            assert [each["sent"] for each in asked["transactions"]] == [True]
            assert await dollar.balance_of(demo) == before + due > before


async def test_a_purchase_is_made_once_however_often_it_is_asked_for(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller)
    first = second = (await buyer.ask(offer, SHARE)).json()["request"]
    while second["body"]["validBefore"] == first["body"]["validBefore"]:  # two tabs, a second apart
        second = (await buyer.ask(offer, SHARE)).json()["request"]
    bodies = [fill(each, buyer.account) for each in (first, second)]
    answers = await asyncio.gather(*(buyer.http.post("/purchases", json=each) for each in bodies * 2))
    assert [each.status_code for each in answers] == [200] * 4, [each.text for each in answers]
    assert len({each.json()["transaction"] for each in answers}) == 1
    assert await town.shares.balance_of(buyer.address) == SHARE
    again = await buyer.http.post("/purchases", json=bodies[1])  # after the network came back
    assert again.status_code == 200
    assert await town.shares.balance_of(buyer.address) == SHARE
    stale = await buyer.ask(offer, SHARE)  # a page from before the purchase
    assert (stale.status_code, code(stale)) == (409, "purchase_outdated")
    assert (await buyer.buy(offer, SHARE, bought=SHARE)).status_code == 200
    assert await town.shares.balance_of(buyer.address) == 2 * SHARE


async def test_a_purchase_that_the_buyers_wallet_sent_is_known_too(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller)
    body = fill((await buyer.ask(offer, SHARE)).json()["request"], buyer.account)
    sent = (await buyer.http.post("/purchases/transactions", json=body)).json()
    assert sent["to"] == town.exchange.address
    call = Call(sent["to"], bytes.fromhex(sent["data"][2:]))
    await town.act(buyer.address, call)
    assert await town.shares.balance_of(buyer.address) == SHARE
    made = await buyer.http.post("/purchases", json=body)
    assert made.status_code == 200, made.text
    assert made.json()["transaction"]
    assert await town.shares.balance_of(buyer.address) == SHARE


async def test_a_price_above_what_the_buyer_allows_is_refused_before_and_after_signing(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller, 3 * SHARE, 100)
    refused = await buyer.ask(offer, SHARE, most=33)
    assert (refused.status_code, code(refused)) == (409, "price_above_max")
    asked = await buyer.ask(offer, SHARE, most=34)
    assert asked.json()["price"] == "34"
    body = fill(asked.json()["request"], buyer.account)
    dearer = await buyer.http.post("/purchases", json=body | {"price": "35"})
    assert (dearer.status_code, code(dearer)) == (400, "invalid_purchase")
    other = await offered(seller, 3 * SHARE, 200)  # the offer switched under the signature
    switched = await buyer.http.post("/purchases", json=body | {"offer": other, "price": "67"})
    assert switched.status_code == 409
    more = await buyer.http.post("/purchases", json=body | {"amount": str(SHARE - 1)})
    assert more.status_code == 409
    assert await town.world.dollar.balance_of(seller.address) == 1_000 * DOLLAR


async def test_only_an_offer_that_can_be_filled_is_published(town: TradeTown):
    seller, stranger = await town.trader(shares=100 * SHARE), await town.trader()
    too_many = await seller.offer(101 * SHARE, PRICE)
    assert code(too_many) == "not_enough_shares"
    for changes, wanted in [
        ({"price": "1"}, "invalid_signature"),
        ({"amount": "7"}, "invalid_signature"),
        ({"maker": stranger.address}, "invalid_signature"),
        ({"expiry": 1}, "invalid_offer"),
        ({"expiry": 10**10}, "invalid_offer"),
        ({"amount": "0"}, "invalid_offer"),
        ({"maxDeductionBps": 0}, "fee_above_allowed"),
        ({"asset": "0x" + "12" * 16}, "not_traded"),
        ({"permit": None}, "item_not_approved"),
    ]:
        refused = await seller.offer(50 * SHARE, PRICE, changes=changes)
        assert code(refused) == wanted, changes
    assert (await seller.http.get(f"/shares/{town.asset_text}/offers")).json()["offers"] == []
    assert await town.shares.allowance(seller.address, town.exchange.address) == 0
    published = await offered(seller, 50 * SHARE)
    assert (await seller.http.get(f"/shares/{town.asset_text}/offers")).json()["offers"][0]["offer"] == published


async def test_an_offer_of_another_chain_is_no_offer_here(town: TradeTown):
    seller = await town.trader(shares=100 * SHARE)
    wish = {"asset": town.asset_text, "amount": str(SHARE), "price": "5", "days": 1}
    asked = (await seller.http.post("/offers/requests", json=wish)).json()
    for domain in ({"chainId": 1}, {"verifyingContract": "0x" + "77" * 20}):
        document = asked["offer"]["document"] | {"domain": asked["offer"]["document"]["domain"] | domain}
        body = fill(asked["offer"] | {"document": document}, seller.account)
        body["permit"] = fill(asked["permit"], seller.account)
        refused = await seller.http.post("/offers", json=body)
        assert (refused.status_code, code(refused)) == (409, "invalid_signature")


async def test_a_cancelled_offer_is_over_for_good(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller)
    strange = await buyer.http.post(f"/offers/{offer}/cancellation")
    assert (strange.status_code, code(strange)) == (403, "not_the_maker")
    body = fill((await buyer.ask(offer, SHARE)).json()["request"], buyer.account)
    sent = (await seller.http.post(f"/offers/{offer}/cancellation")).json()
    call = Call(sent["to"], bytes.fromhex(sent["data"][2:]))
    await town.act(seller.address, call)
    assert (await seller.offer_facts(offer))["state"] == "cancelled"
    assert code(await buyer.ask(offer, SHARE)) == "nonce_used"
    assert code(await buyer.http.post("/purchases", json=body)) == "nonce_used"  # signed before
    assert (await seller.http.get(f"/shares/{town.asset_text}/offers")).json()["offers"] == []
    assert await town.world.balance(buyer.account) == 1_000 * DOLLAR


async def test_a_seller_without_shares_or_approval_sells_nothing(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller)
    body = fill((await buyer.ask(offer, 700 * SHARE)).json()["request"], buyer.account)
    await town.act(seller.address, town.shares.transfer(FEE_SINK, 600 * SHARE))
    facts = await buyer.offer_facts(offer)
    assert (facts["state"], facts["available"]) == ("open", str(400 * SHARE))
    assert code(await buyer.ask(offer, 700 * SHARE)) == "not_enough_left"
    assert code(await buyer.http.post("/purchases", json=body)) == "item_not_owned"
    await town.act(seller.address, town.shares.transfer(FEE_SINK, 400 * SHARE))
    assert (await buyer.offer_facts(offer))["state"] == "uncovered"
    assert code(await buyer.ask(offer, SHARE)) == "item_not_owned"
    await town.give(seller.address, 1_000 * SHARE)
    assert (await buyer.offer_facts(offer))["state"] == "open", "an offer that was not cancelled is good again"
    await town.act(seller.address, town.shares.approve(town.exchange.address, 0))
    assert (await buyer.offer_facts(offer))["state"] == "uncovered"
    assert code(await buyer.ask(offer, SHARE)) == "item_not_approved"
    assert await town.world.balance(buyer.account) == 1_000 * DOLLAR


async def test_an_expired_offer_sells_nothing(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller, days=1)
    body = fill((await buyer.ask(offer, SHARE)).json()["request"], buyer.account)
    await town.world.devnet.pass_time(86_400)
    refused = await buyer.http.post("/purchases", json=body)
    assert refused.status_code == 409
    assert code(refused) == "listing_expired"


async def test_an_offer_whose_fee_was_raised_says_so(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller)
    await town.act(await town.exchange.owner(), town.exchange.set_fee(FEE_SINK, 400))
    assert (await buyer.offer_facts(offer))["state"] == "fee_raised"
    assert code(await buyer.ask(offer, SHARE)) == "fee_above_allowed"


async def test_offers_share_one_approval_and_have_a_limit(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    dear, cheap = await offered(seller, 600 * SHARE, 9 * DOLLAR), await offered(seller, 400 * SHARE, DOLLAR)
    assert await town.shares.allowance(seller.address, town.exchange.address) == 1_000 * SHARE
    listed = (await buyer.http.get(f"/shares/{town.asset_text}/offers")).json()["offers"]
    assert [each["offer"] for each in listed] == [cheap, dear]
    assert (await buyer.buy(dear, 600 * SHARE)).status_code == 200
    assert (await buyer.buy(cheap, 400 * SHARE)).status_code == 200
    assert (await buyer.offer_facts(dear))["state"] == "sold"
    assert code(await buyer.buy(dear, SHARE, bought=600 * SHARE)) == "not_enough_left"
    assert code(await seller.ask(dear, SHARE)) == "self_trade"
    rich = await town.trader(shares=1_000 * SHARE)
    for _ in range(20):
        await offered(rich, SHARE)
    assert code(await rich.offer(SHARE, PRICE)) == "too_many_offers"


async def test_the_same_offer_is_published_once(town: TradeTown):
    seller = await town.trader(shares=1_000 * SHARE)
    wish = {"asset": town.asset_text, "amount": str(SHARE), "price": "5", "days": 1}
    asked = (await seller.http.post("/offers/requests", json=wish)).json()
    body = fill(asked["offer"], seller.account) | {"permit": fill(asked["permit"], seller.account)}
    answers = [await seller.http.post("/offers", json=body) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert len((await seller.http.get(f"/shares/{town.asset_text}/offers")).json()["offers"]) == 1


async def test_a_reorganisation_takes_a_sale_back(town: TradeTown):
    seller, buyer = await town.trader(shares=1_000 * SHARE), await town.trader()
    offer = await offered(seller)
    before = await town.world.devnet.snapshot()
    assert (await buyer.buy(offer, SHARE)).status_code == 200
    assert (await buyer.offer_facts(offer))["left"] == str(999 * SHARE)
    await town.world.devnet.revert(before)
    await town.world.devnet.mine(3)
    await town.world.gateway.get(ExchangeIndexer).poll()
    assert (await buyer.offer_facts(offer))["left"] == str(1_000 * SHARE)
    assert (await buyer.http.get(f"/shares/{town.asset_text}/trades")).json()["trades"] == []


async def test_nothing_is_asked_for_without_a_session_or_shares(town: TradeTown, http):
    assert code(await http.post("/offers/requests", json={})) == "not_signed_in"
    assert code(await http.post("/purchases/requests", json={})) == "not_signed_in"
    for path in ("/shares/0x" + "12" * 16, f"/shares/0x{'12' * 16}/offers", f"/shares/0x{'12' * 16}/trades"):
        assert code(await http.get(path)) == "not_traded"
    assert code(await http.get("/shares/no")) == "invalid_offer"
    assert code(await http.get("/offers/0x" + "12" * 32)) == "offer_not_found"
    assert code(await http.get(f"/shares/{town.asset_text}/offers?after=no")) == "invalid_offer"
