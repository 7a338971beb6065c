"""The till goes to another owner in two steps, on a chain whose owner's key is not the gateway's."""

import httpx
import pytest

from tests.console.conftest import sign_in
from tests.market.test_passkey_buyer import Person
from usufruct.chain import Call
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.gateway import Operator

pytestmark = [pytest.mark.anvil, pytest.mark.usefixtures("public_chain")]

OWNER = DEVNET_ADDRESSES[0]


@pytest.fixture
def till(world) -> Till:
    return Till(world.installation.get(Operator).till, world.installation.client)


@pytest.fixture
async def other(world):
    """A client that is signed in as another wallet, and its address."""
    account = await world.account()
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as http:
        await sign_in(http, account)
        yield http, Address(account.address.lower())


async def send(world, asked: httpx.Response, sender: Address) -> None:
    """Send transactions as a wallet with coins."""
    assert asked.status_code == 200, asked.text
    await world.devnet.set_balance(sender, 10**18)
    for each in asked.json()["transactions"]:
        assert each["what"] == "owner"
        await world.devnet.send_as(sender, Call(Address(each["to"]), bytes.fromhex(each["data"][2:])))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_the_owner_offers_the_till_and_the_other_accepts_it(world, http, owner, till, other):
    theirs, address = other
    await sign_in(http, owner)
    assert code(await theirs.get("/operator/owner")) == (403, "not_operator")
    assert code(await theirs.post("/operator/owner/acceptance")) == (403, "not_operator")
    assert code(await http.post("/operator/owner/acceptance")) == (403, "not_next_owner")
    assert code(await http.post("/operator/owner", json={"to": OWNER})) == (409, "owns_already")
    asked = await http.post("/operator/owner", json={"to": address})
    assert [each["data"] for each in asked.json()["transactions"]] == [
        "0x" + till.transfer_ownership(address).data.hex()
    ]
    await send(world, asked, OWNER)
    assert (await http.post("/operator/owner", json={"to": address})).json() == {"transactions": []}
    facts = {"till": till.address, "owner": OWNER, "nextOwner": address}
    assert (await theirs.get("/operator/owner")).json() == facts
    assert await till.owner() == OWNER, "nothing changes by an offer"
    assert code(await theirs.post("/operator/owner", json={"to": None})) == (403, "not_till_owner")
    assert (await theirs.get("/desk")).status_code == 403

    await send(world, await theirs.post("/operator/owner/acceptance"), address)
    assert await till.owner() == address
    assert (await theirs.get("/operator/owner")).json() == facts | {"owner": address, "nextOwner": None}
    assert (await theirs.get("/operator")).status_code == 200, "the new owner is an operator at once"
    assert code(await http.get("/operator")) == (403, "not_operator")


async def test_an_offer_is_taken_back(world, http, owner, till, other):
    theirs, address = other
    await sign_in(http, owner)
    await send(world, await http.post("/operator/owner", json={"to": address}), OWNER)
    await send(world, await http.post("/operator/owner", json={"to": None}), OWNER)
    assert await till.pending_owner() == ZERO_ADDRESS
    assert code(await theirs.post("/operator/owner/acceptance")) == (403, "not_operator")


async def test_the_page_says_to_whom_it_is_offered_and_what_is_wrong(world, http, owner, till):
    await sign_in(http, owner)
    page = http.base_url.copy_with(path="/operator/owner")
    assert "Nothing changes until the other accepts" in (await http.get(page)).text
    wrong = await http.post(page, data={"to": "0x12"})
    assert (wrong.status_code, "Write an address: 0x and 40 digits" in wrong.text) == (400, True)
    scripts = await http.post(page, data={"to": DEVNET_ADDRESSES[7]})
    assert (scripts.status_code, "which needs scripts" in scripts.text) == (409, True)
    await send(world, await http.post("/operator/owner", json={"to": DEVNET_ADDRESSES[7]}), OWNER)
    assert DEVNET_ADDRESSES[7] in (await http.get(page)).text


async def test_a_passkey_account_without_money_is_created_to_accept_the_till(world, http, till):
    http.base_url = str(http.base_url).replace("127.0.0.1", "localhost")
    person, stranger = Person(world, http, 97), till.set_payee(OWNER, PayeeKind.PLAIN)
    await person.enter()
    await world.devnet.send_as(OWNER, till.transfer_ownership(person.account))

    async def asked(call: Call) -> httpx.Response:
        calls = [{"to": call.to, "data": f"0x{call.data.hex()}"}]
        return await http.post("/account/wallet/operations", json={"calls": calls})

    assert code(await asked(stranger)) == (403, "call_not_relayed"), "it does not own the till yet"
    accepted = await person.send_operation((await asked(till.accept_ownership())).json())
    assert (accepted.status_code, accepted.json()["state"]) == (200, "succeeded"), accepted.text
    assert await till.owner() == person.account
    assert await world.installation.client.balance(person.account) == 0
