"""Whom the till pays, as its owner decides in a browser: on a chain whose owner's key is not the gateway's."""

import httpx
import pytest

from tests.console.conftest import sign_in
from tests.console.test_sales import SHARES, ready
from usufruct.chain import Call
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.console.operators import Operators
from usufruct.core import Address
from usufruct.gateway import Operator

pytestmark = [pytest.mark.anvil, pytest.mark.usefixtures("public_chain")]

PLAIN = {"mode": "plain", "payTo": DEVNET_ADDRESSES[7]}


@pytest.fixture
def till(world) -> Till:
    return Till(world.installation.get(Operator).till, world.installation.client)


async def admin_of(world, http, monkeypatch):
    """Sign in as a wallet that the owner made an operator."""
    account = await world.account()
    monkeypatch.setattr(world.gateway.get(Operators), "_admins", frozenset({Address(account.address.lower())}))
    await sign_in(http, account)
    return account


async def send(world, asked, sender: str = DEVNET_ADDRESSES[0]) -> None:
    """Send transactions as the till's owner, or another wallet."""
    for each in asked["transactions"]:
        await world.devnet.send_as(sender, Call(Address(each["to"]), bytes.fromhex(each["data"][2:])))


async def test_a_sale_waits_for_its_payee_until_the_owner_lists_it(world, http, owner, upstream, till, monkeypatch):
    seller = await admin_of(world, http, monkeypatch)
    sale = await ready(http, upstream.url(), PLAIN)
    before = (await http.get("/operator")).json()
    assert before["payees"] == [], "nothing waits that was not confirmed"
    refused = await http.post(f"/sales/{sale}/confirm")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "payee_not_listed")
    [waiting] = (await http.get("/operator")).json()["payees"]
    assert waiting["sales"] == [{"name": "answers", "seller": seller.address.lower()}]
    assert (waiting["payTo"], waiting["listed"], waiting["services"]) == (DEVNET_ADDRESSES[7], False, [])

    wish = {"payTo": DEVNET_ADDRESSES[7], "listed": True}
    others = await http.post("/operator/payees", json=wish)
    assert (others.status_code, others.json()["error"]["code"]) == (403, "not_till_owner")
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as owners:
        await sign_in(owners, owner)
        asked = (await owners.post("/operator/payees", json=wish)).json()
        [transaction] = asked["transactions"]
        assert (transaction["to"], transaction["what"]) == (till.address, "payee")
        assert bytes.fromhex(transaction["data"][2:]) == till.set_payee(DEVNET_ADDRESSES[7], PayeeKind.PLAIN).data
        await send(world, asked)
        assert (await owners.post("/operator/payees", json=wish)).json() == {"transactions": []}
        assert (await owners.get("/operator")).json()["payees"] == [], "it is listed, and nothing is sold for it yet"
    assert (await http.post(f"/sales/{sale}/confirm")).json()["draft"]["service"] == "answers"
    [payee] = (await http.get("/operator")).json()["payees"]
    assert (payee["listed"], payee["services"], payee["sales"]) == (True, ["answers"], [])


async def test_shares_are_listed_as_shares_and_a_changed_sale_waits_no_more(
    world, http, owner, upstream, till, monkeypatch
):
    seller = await admin_of(world, http, monkeypatch)
    sale = await ready(http, upstream.url(), SHARES)
    await world.devnet.set_balance(seller.address, 10**18)
    await send(world, (await http.post(f"/sales/{sale}/confirm")).json(), seller.address.lower())
    assert (await http.post(f"/sales/{sale}/confirm")).status_code == 403
    [waiting] = (await http.get("/operator")).json()["payees"]
    assert waiting["hasShares"] is True
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as owners:
        await sign_in(owners, owner)
        await send(
            world, (await owners.post("/operator/payees", json={"payTo": waiting["payTo"], "listed": True})).json()
        )
    assert await till.payees(waiting["payTo"]) is PayeeKind.SHARES

    other = await ready(http, upstream.url(), PLAIN, name="others")
    assert (await http.post(f"/sales/{other}/confirm")).status_code == 403
    assert len((await http.get("/operator")).json()["payees"]) == 1
    assert (await http.post(f"/sales/{other}/owners", json=PLAIN | {"payTo": seller.address})).status_code == 200
    assert (await http.get("/operator")).json()["payees"] == []


async def test_a_cap_is_set_for_one_payee_and_for_all_without_their_own(world, http, owner, till):
    await sign_in(http, owner)
    token, payee = world.installation.get(Operator).token, DEVNET_ADDRESSES[7]
    await send(world, (await http.post("/operator/caps", json={"amount": "12.5"})).json())
    assert await till.daily_cap(payee, token) == 12_500_000
    await send(world, (await http.post("/operator/caps", json={"amount": "3", "payTo": payee})).json())
    assert await till.daily_cap(payee, token) == 3_000_000
    assert await till.daily_cap(DEVNET_ADDRESSES[6], token) == 12_500_000
    assert (await http.get("/operator")).json()["till"]["dailyCap"] == "12500000"
    for amount, code in [("1.1234567", "invalid_amount"), ("-1", "invalid_amount"), (str(2**96), "invalid_cap")]:
        refused = await http.post("/operator/caps", json={"amount": amount})
        said = refused.json()["error"]
        assert (refused.status_code, said["code"], said["param"]) == (400, code, "amount"), amount
