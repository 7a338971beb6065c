"""A passkey buys a package that is priced in another token than the installation's, at the relayer's cost."""

import httpx
import pytest

from tests.market.test_passkey_buyer import Person
from tests.support.trade_town import NAME, TradeTown, code, plan_text
from usufruct.assets import RegistryClient
from usufruct.chain import Call
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.keys import DEVNET_ADDRESSES

pytestmark = pytest.mark.anvil

DOLLAR = CREDIT = 10**6
COIN = 10**18
_TITLE_HOLDER = DEVNET_ADDRESSES[4]


@pytest.fixture
async def coin(town: TradeTown) -> WrappedNative:
    """The chain's wrapped coin: a revenue token that the installation does not charge in."""
    tokens = await town.titles.revenue_tokens()
    (other,) = [each for each in tokens if each != town.world.dollar.address]
    return WrappedNative(other, town.world.installation.client)


@pytest.fixture
async def buyer(town: TradeTown, http: httpx.AsyncClient, coin: WrappedNative) -> Person:
    """A passkey account that was never created, with wrapped coins and no dollars."""
    http.base_url = str(http.base_url).replace("127.0.0.1", "localhost")
    found = Person(town.world, http, 83)
    await found.enter()
    payer = DEVNET_ADDRESSES[6]
    await town.world.devnet.set_balance(payer, 10 * COIN)
    await town.world.devnet.send_as(payer, coin.deposit(value=COIN))
    await town.world.devnet.send_as(payer, coin.transfer(found.account, COIN))
    return found


async def plan_in(town: TradeTown, token: WrappedNative, price: int) -> int:
    """Put a plan for 10 dollars of use on sale, priced in a token."""
    terms = (town.asset, token.address, 0, price, 10 * CREDIT)
    await town.act(_TITLE_HOLDER, town.passes.create_plan(*terms))
    return await town.passes.plan_id_of(*terms)


async def buy(town: TradeTown, buyer: Person, plan: int) -> httpx.Response:
    """Ask for the purchase of a package, have the passkey sign it, and send it."""
    wish = {"plan": plan_text(plan), "packages": "1", "maxPrice": str(COIN), "bought": "0"}
    asked = await buyer.http.post(f"/passes/{town.asset_text}/packages", json=wish)
    assert asked.status_code == 200, asked.text
    return await buyer.send_operation(asked.json()["request"])


async def test_a_package_priced_in_another_token_is_bought(town: TradeTown, buyer: Person, coin: WrappedNative):
    plan, client = await plan_in(town, coin, COIN // 250), town.world.installation.client
    page = await buyer.http.get(buyer.http.base_url.copy_with(path=f"/passes/{NAME}"))
    assert "it must hold at least" in page.text, "a new account needs the token that the installation charges in"
    assert code(await buy(town, buyer, plan)) == "account_unfunded"
    payer, dollar = DEVNET_ADDRESSES[0], town.world.dollar
    await town.act(payer, dollar.mint(buyer.account, DOLLAR))
    bought = await buy(town, buyer, plan)
    assert (bought.status_code, bought.json()["state"]) == (200, "succeeded"), bought.text
    assert await town.passes.balance_of(buyer.account, plan) == 10 * CREDIT
    assert await coin.balance_of(buyer.account) == COIN - COIN // 250
    assert await coin.allowance(buyer.account, town.passes.address) == 0
    assert await dollar.balance_of(buyer.account) == DOLLAR
    assert await client.balance(buyer.account) == 0


async def test_no_other_approval_of_another_token_is_paid_for(town: TradeTown, buyer: Person, coin: WrappedNative):
    registry = town.world.installation.get(RegistryClient).contract
    passes, stranger = town.passes.address, DEVNET_ADDRESSES[6]
    assert not await registry.is_revenue_token(town.shares.address)
    for call in (
        coin.approve(stranger, 1),
        coin.transfer(stranger, 1),
        Call(town.shares.address, coin.approve(passes, 1).data),  # not a token that plans are priced in
    ):
        asked = {"calls": [{"to": call.to, "data": f"0x{call.data.hex()}"}]}
        refused = await buyer.http.post("/account/wallet/operations", json=asked)
        assert (refused.status_code, code(refused)) == (403, "call_not_relayed")
