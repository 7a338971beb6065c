"""The account page lists all prepaid credits that an account holds, however they came to it."""

import httpx
import pytest

from tests.support.trade_town import DAY, METER, Trader, TradeTown, call_of, plan_text
from usufruct.assets import AssetIndexer, Assets, NewAsset, Passes, RegistryClient
from usufruct.chain.keys import DEVNET_ADDRESSES, devnet_signer
from usufruct.core import Address, format_asset
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Operator
from usufruct.market.trade import OfferBook, PassPlans
from usufruct.market.trade.credit_transfers import CreditIndexer
from usufruct.payments.ledger import Ledger
from usufruct.payments.pricing import PassTerms

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
CREDIT = 10**6


async def account_page(town: TradeTown, trader: Trader) -> str:
    """Read the account page; spaces in amounts are plain ones."""
    shown = await trader.http.get(town.world.url.removesuffix("/v1") + "/account")
    assert shown.status_code == 200, shown.text
    return shown.text.replace("\xa0", " ")


async def sent(town: TradeTown, trader: Trader, answer: httpx.Response) -> None:
    """Send transactions as the trader's wallet."""
    assert answer.status_code == 200, answer.text
    for each in answer.json()["transactions"]:
        await town.act(trader.address, call_of(each))


async def give(town: TradeTown, giver: Address, to: Address, plan: int, amount: int = CREDIT) -> None:
    """Transfer credits, past everything that sells them."""
    await town.act(giver, town.passes.safe_transfer_from(giver, to, plan, amount, b""))


async def test_credits_of_packages_and_offers_are_listed_and_it_is_said_when_they_are_not_known(town: TradeTown):
    plan, dear = await town.plan(9 * DOLLAR, 10 * CREDIT), await town.plan(4 * DOLLAR, 4 * CREDIT)
    buyer, seller = await town.trader(dollars=20), await town.trader(dollars=0)
    other = await town.trader(dollars=0)
    assert "Not activated" not in await account_page(town, buyer)
    wish = {"plan": plan_text(plan), "packages": "1", "maxPrice": str(9 * DOLLAR), "bought": "0"}
    await sent(town, buyer, await buyer.http.post(f"/passes/{town.asset_text}/packages", json=wish))
    await town.give_credits(seller.address, dear)
    offer = (await seller.offer(CREDIT, DOLLAR, plan=dear)).json()["offer"]
    assert (await buyer.buy(offer, CREDIT)).status_code == 200
    assert "11 tUSD" in await account_page(town, buyer)
    await town.give_credits(buyer.address, await town.plan(DOLLAR, CREDIT, days=40))
    assert "12 tUSD" in await account_page(town, buyer)
    await town.world.devnet.pass_time(41 * DAY)
    assert "11 tUSD" in await account_page(town, buyer), "void credits pay for nothing"
    await town.world.anvil.stop()
    shown = (await buyer.http.get(town.world.url.removesuffix("/v1") + "/account")).text
    assert "Your prepaid credits are not known now" in shown
    assert "Prepaid credits" not in await account_page(town, other), "it never had any"


async def test_credits_that_were_given_are_listed_activated_and_given_back(town: TradeTown):
    plan, other = await town.plan(9 * DOLLAR, 10 * CREDIT), await town.plan(4 * DOLLAR, 4 * CREDIT)
    giver, holder = await town.trader(dollars=0), await town.trader(dollars=0)
    for each in (plan, other):
        await town.give_credits(giver.address, each)
    amounts = [6 * CREDIT, CREDIT]
    many = town.passes.safe_batch_transfer_from(giver.address, holder.address, [plan, other], amounts, b"")
    await town.act(giver.address, many)
    assert "7 tUSD" in await account_page(town, holder)
    await give(town, giver.address, holder.address, plan, 2 * CREDIT)
    assert "9 tUSD" in await account_page(town, holder)
    assert "5 tUSD" in await account_page(town, giver), "what is left of 14"
    wish = {"plan": plan_text(plan), "amount": str(3 * CREDIT)}
    await sent(town, holder, await holder.http.post(f"/passes/{town.asset_text}/activation", json=wish))
    assert await town.passes.activated(plan, holder.address, METER) == 3 * CREDIT
    shown = await account_page(town, holder)
    assert "3 tUSD" in shown, "left for calls"
    assert "6 tUSD" in shown, "not activated"
    await town.world.devnet.pass_time(31 * DAY)  # the meter gives no sign
    refund = await holder.http.post(f"/passes/{town.asset_text}/refund", json={"plan": plan_text(plan)})
    assert refund.json()["amount"] == str(8 * CREDIT * 9 // 10)
    await sent(town, holder, refund)
    assert "1 tUSD" in await account_page(town, holder)


async def test_what_a_reorganisation_takes_is_not_listed(town: TradeTown):
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    giver, holder = await town.trader(dollars=0), await town.trader(dollars=0)
    await town.give_credits(giver.address, plan)
    known = town.world.gateway.get(CreditIndexer)
    await town.world.devnet.mine(3)
    await known.poll()
    await give(town, giver.address, holder.address, plan)
    await known.poll()
    assert await known.plans(holder.address) == [plan]
    await town.world.devnet.reorganise(1)
    await town.world.devnet.mine()
    await known.poll()
    assert await known.plans(holder.address) == []
    assert await known.plans(giver.address) == [plan]


async def test_a_transfer_of_no_credits_names_no_plan(town: TradeTown):
    """ERC-1155 lets anyone transfer nothing of any plan, also of one that there is not."""
    stranger, holder = await town.trader(dollars=0), await town.trader(dollars=0)
    made_up = [(int(town.asset_text, 16) << 128) | number for number in range(3)]
    await give(town, stranger.address, holder.address, made_up[0], 0)
    nothing = town.passes.safe_batch_transfer_from(stranger.address, holder.address, made_up, [0, 0, 0], b"")
    await town.act(stranger.address, nothing)
    known = town.world.gateway.get(CreditIndexer)
    await known.poll()
    assert await known.plans(holder.address) == []


async def test_gifts_of_strangers_do_not_hide_the_credits_of_services_here(town: TradeTown):
    """An account cannot refuse credits: the chain is asked about a bounded number of plans."""
    get, holder = town.world.installation.get, await town.trader(dollars=0)
    registry, dollar = get(RegistryClient), get(Operator).token
    await town.give_credits(holder.address, await town.plan(9 * DOLLAR, 10 * CREDIT))
    sender = town.world.installation.sender(devnet_signer(6, town.world.installation.chain_id))
    card = PriceCard(500_000, 1_500_000, 0, 8_192, 1)
    strange = await Assets(registry).register(sender, NewAsset("strange", "ODD", currency=dollar, card=card), ())
    terms = (strange.id, dollar, 0, DOLLAR, CREDIT)
    await town.act(DEVNET_ADDRESSES[6], town.passes.create_plan(*terms))
    await town.give_credits(holder.address, await town.passes.plan_id_of(*terms))
    shown = await account_page(town, holder)
    assert shown.index("Left for your calls") < shown.index(format_asset(strange.id)), "what is sold here comes first"
    assert "usufruct pass balance" not in shown
    passes = Passes(registry, get(AssetIndexer))
    few = PassPlans(get(OfferBook), registry, passes, get(CreditIndexer), get(Ledger), get(PassTerms), most_plans=1)
    credits_ = await few.by_service(holder.address)
    assert [each.asset for each in credits_.services] == [town.asset_text]
    assert credits_.more
