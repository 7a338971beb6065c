"""Income of a passkey account that was never created and holds no money: the relayer pays what is worth its gas."""

import httpx
import pytest

from tests.market.test_passkey_buyer import Person
from tests.support.trade_town import SHARE, TradeTown, code
from usufruct.chain.keys import DEVNET_ADDRESSES

pytestmark = pytest.mark.anvil

DOLLAR = 1_000_000
SUPPLY = 100_000_000 * SHARE


@pytest.fixture
async def holder(town: TradeTown, http: httpx.AsyncClient) -> Person:
    """A passkey account that was never created and holds a hundredth of the shares."""
    http.base_url = str(http.base_url).replace("127.0.0.1", "localhost")
    found = Person(town.world, http, 79)
    await found.enter()
    await town.give(found.account, SUPPLY // 100)
    return found


async def send(holder: Person, *calls: dict) -> httpx.Response:
    """Have the passkey sign calls as one operation, and send it."""
    asked = await holder.http.post("/account/wallet/operations", json={"calls": calls})
    assert asked.status_code == 200, asked.text
    return await holder.send_operation(asked.json())


async def collection(town: TradeTown, holder: Person) -> list[dict]:
    """Return the calls that collect the holder's income."""
    asked = await holder.http.post(f"/shares/{town.asset_text}/collection")
    assert asked.status_code == 200, asked.text
    return [{"to": each["to"], "data": each["data"]} for each in asked.json()["transactions"]]


async def test_income_that_is_worth_the_gas_is_collected_without_a_deposit(town: TradeTown, holder: Person):
    client, dollar = town.world.installation.client, town.world.dollar
    await town.earn(DOLLAR // 2)  # the holder's part is under the smallest amount that is worth its gas
    calls = await collection(town, holder)
    assert code(await send(holder, *calls)) == "account_unfunded"
    assert await client.code_at(holder.account) == b""

    await town.earn(5 * DOLLAR)
    due = await town.shares.pending(holder.account, dollar.address)
    assert 10_000 <= due < 100_000, "less than the smallest deposit"
    done = await send(holder, *await collection(town, holder))
    assert (done.status_code, done.json()["state"]) == (200, "succeeded"), done.text
    assert await dollar.balance_of(holder.account) == due
    assert await client.balance(holder.account) == 0


async def test_income_pays_for_no_other_operation(town: TradeTown, holder: Person):
    """The relayer creates no account whose first calls leave the income where it is, or collect from other shares."""
    await town.earn(50 * DOLLAR)
    dollar = town.world.dollar
    payment = dollar.transfer(DEVNET_ADDRESSES[6], 0)
    other = {"to": payment.to, "data": f"0x{payment.data.hex()}"}
    assert code(await send(holder, other)) == "account_unfunded"
    assert await town.world.installation.client.code_at(holder.account) == b""
    assert await dollar.balance_of(holder.account) == 0
