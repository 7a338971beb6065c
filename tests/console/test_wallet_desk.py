"""The desk of a seller whose key is not the gateway's: what the chain decides is returned for their wallet to send."""

import pytest

from tests.console.test_sales import SHARES, ready
from usufruct.assets import RegistryClient
from usufruct.chain import Call
from usufruct.chain.keys import Role, signer_of
from usufruct.core import format_asset
from usufruct.gateway import Catalogue

pytestmark = [pytest.mark.anvil, pytest.mark.usefixtures("public_chain")]


async def send(world, transactions) -> None:
    """Send transactions as the owner's wallet does."""
    sender = world.installation.sender(signer_of(Role.OWNER, world.installation.config))
    for each in transactions:
        call = Call(each["to"], bytes.fromhex(each["data"][2:]), int(each["value"]))
        await sender.execute(call, f"wallet/{each['data'][:200]}")


async def sold_by_wallet(world, http, upstream) -> str:
    """Sell a service with shares by the wallet that is signed in; return its path at the desk."""
    sale = await ready(http, upstream.url(), SHARES, costs={"perHour": "1"})
    while left := (await http.post(f"/sales/{sale}/confirm")).json()["transactions"]:
        await send(world, left)
    return f"/desk/{format_asset((await world.gateway.get(Catalogue).find('answers')).id)}"


async def test_price_and_end_are_transactions_until_they_are_on_the_chain(world, http, enter, owner, upstream):
    await enter(http, owner)
    service = await sold_by_wallet(world, http, upstream)
    registry = world.installation.get(RegistryClient).contract
    asked = (await http.post(f"{service}/price", json={"output": "9"})).json()
    assert (asked["startsAt"], [each["what"] for each in asked["transactions"]]) == (None, ["price"])
    assert asked["transactions"][0]["to"] == registry.address
    assert (await http.post(f"{service}/price", json={"output": "9"})).json() == asked, "nothing changes by asking"
    await send(world, asked["transactions"])
    announced = (await http.post(f"{service}/price", json={"output": "9"})).json()
    assert (announced["startsAt"] > 0, announced["transactions"]) == (True, [])
    page = (await http.get(http.base_url.copy_with(path=service))).text
    assert "on</h3>" in page
    ending = (await http.post(f"{service}/retire")).json()
    assert (ending["retiresAt"], [each["what"] for each in ending["transactions"]]) == (None, ["retire"])
    await send(world, ending["transactions"])
    assert (await http.post(f"{service}/retire")).json()["error"]["code"] == "retirement_announced"
    assert "Its end is announced" in (await http.get(http.base_url.copy_with(path=service))).text


async def test_nothing_due_is_no_transaction_and_without_scripts_the_page_says_what_is_needed(
    world, http, enter, owner, upstream
):
    await enter(http, owner)
    service = await sold_by_wallet(world, http, upstream)
    assert (await http.post(f"{service}/collect")).json() == {"amount": "0", "transaction": None, "transactions": []}
    page = await http.post(http.base_url.copy_with(path=f"{service}/price"), data={"output": "9"})
    assert (page.status_code, "which needs scripts" in page.text) == (409, True)
