"""What a purchase of the largest bundle takes is within what the relayer counts for it, and not far below."""

from typing import Any

import httpx
import pytest

from tests.market.test_passkey_buyer import Person
from tests.support.passkeys import deposit_digest, hexed
from tests.support.trade_town import SHARE, TradeTown, call_of, plan_text
from usufruct.accounts.passkeys import Passkeys
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import hash32
from usufruct.market.trade import OfferBook
from usufruct.market.trade.purchases import most_gas

pytestmark = pytest.mark.anvil

DOLLAR = CREDIT = 10**6
MOST_MORE = 8
RELAYER = DEVNET_ADDRESSES[8]


@pytest.fixture
async def buyer(town: TradeTown, http: httpx.AsyncClient) -> Person:
    """A passkey account that holds dollars: a contract, which each transfer of credits asks whether it takes them."""
    http.base_url = str(http.base_url).replace("127.0.0.1", "localhost")
    found = Person(town.world, http, 91)
    await found.enter()
    await town.act(DEVNET_ADDRESSES[0], await town.world.gateway.get(Passkeys).creation(found.account))
    await town.act(DEVNET_ADDRESSES[0], town.world.dollar.mint(found.account, 600 * DOLLAR))
    return found


async def signed(buyer: Person, offer: str) -> dict[str, Any]:
    """Have the passkey sign the purchase of all of an offer."""
    wish = {"offer": offer, "amount": "0", "maxPrice": str(600 * DOLLAR), "bought": "0"}
    asked = await buyer.http.post("/purchases/requests", json=wish)
    assert asked.status_code == 200, asked.text
    request = asked.json()["request"]
    assertion = buyer.passkey.get(deposit_digest(request["document"], buyer.account))
    return request["body"] | {"assertion": assertion.body(credentialId=hexed(buyer.passkey.credential))}


async def test_the_largest_bundle_takes_as_much_gas_as_is_counted(town: TradeTown, buyer: Person):
    """Shares, and credits of seven plans, none of which the buyer ever held: each writes words that were zero."""
    client, seller = town.world.installation.client, await town.trader(shares=40_000_000 * SHARE, dollars=0)
    more = [{"amount": str(40_000_000 * SHARE), "price": str(100 * DOLLAR)}]
    for number in range(1, MOST_MORE):
        plan = await town.plan(9 * DOLLAR, (10 + number) * CREDIT)
        await town.give_credits(seller.address, plan)
        more.append({"plan": plan_text(plan), "amount": str(4 * CREDIT), "price": str(3 * DOLLAR + number)})
    await town.give_title(seller.address)
    taken = []
    for goods in ([], more):
        made = await seller.offer_title(500 * DOLLAR, goods)
        assert made.status_code == 201, made.text
        offer, purchase = made.json()["offer"], await signed(buyer, made.json()["offer"])
        sent = (await buyer.http.post("/purchases/transactions", json=purchase)).json()
        taken.append(await client.estimate(call_of(sent), RELAYER))
    bundle = (await town.world.gateway.get(OfferBook).offer(hash32(offer, "offer"))).more
    counted = most_gas(bundle, p256=True) - most_gas([], p256=True)
    assert len(bundle) == MOST_MORE
    assert 0.8 * counted <= taken[1] - taken[0] <= counted
    bought = await buyer.http.post("/purchases", json=purchase)
    assert bought.status_code == 200, bought.text
    receipt = await client.receipt(bought.json()["transaction"])
    assert receipt is not None
    assert receipt.gas_used <= most_gas(bundle, p256=True)
