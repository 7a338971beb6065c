"""`/v1/deals` shows deals and accounts; the relayer pays for what subscribers do in shown deals, and for no more."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from tests.staking.deals.deal_town import CAROL, HOUR, DealTown, address_of, deals_of
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, BEN, DOLLAR, TOKEN
from usufruct.app import Installation, open_installation
from usufruct.chain import Call, ChainAccess
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.core import DAY_SECONDS, ZERO_ADDRESS, Address, hash32, id_to_bytes
from usufruct.core.diagnostics import Finding, Verdict
from usufruct.staking.deals import DealCalls, ShownDeals
from usufruct.staking.deals.api import deal_routes
from usufruct.staking.deals.diagnostics import check_deals
from usufruct.staking.deals.relayed_calls import SubscribersCalls
from usufruct.web.openapi import openapi_document

STRANGER = Address("0x" + "66" * 20)


@pytest.fixture
def town(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[DealTown]:
    with devnet_template.copy(tmp_path) as anvil:
        yield DealTown(tmp_path, anvil.url)


@asynccontextmanager
async def visitor(town: DealTown, shown: str = "all") -> AsyncIterator[tuple[httpx.AsyncClient, Installation]]:
    """Open the gateway of an installation that shows some deals, and a client of it."""
    own = town.commands.own | {"USUFRUCT_PLATFORM_TOKEN_DEALS": shown}
    async with open_installation(type(town.commands)(own).config) as installation:
        transport = httpx.ASGITransport(installation.router())
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
            yield http, installation


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


async def send(installation: Installation, account: Address, answer: httpx.Response) -> None:
    """Send the transactions of an answer, as a wallet does."""
    assert answer.status_code == 200, answer.text
    for each in answer.json()["transactions"]:
        call = Call(each["to"], bytes.fromhex(each["data"][2:]), int(each["value"]))
        await Devnet(installation.client).send_as(account, call)


@pytest.mark.anvil
def test_a_wallet_pays_in_and_sees_what_it_would_get(town: DealTown):
    deal = town.create(soft_cap="50000")

    async def journey() -> None:
        async with visitor(town) as (http, installation):
            listed = (await http.get("/v1/deals")).json()["deals"]
            assert [each["id"] for each in listed] == [deal]
            facts = (await http.get(f"/v1/deals/{deal}")).json()
            assert (facts["phase"], facts["forSale"], facts["feeBps"]) == ("selling", str(10**6 * TOKEN), 250)
            assert [each["cap"] for each in facts["levels"]][::5] == ["0", str(50_000 * DOLLAR), str(80_000 * DOLLAR)]
            mine = f"/v1/deals/{deal}/accounts/{address_of(ANN)}"
            assert (await http.get(mine)).json()["obstacle"] == "notOpen"
            await Devnet(installation.client).pass_time(HOUR)
            before = (await http.get(mine)).json()
            assert (before["level"], before["obstacle"], before["left"]) == (10, "", str(80_000 * DOLLAR))

            wish: dict[str, Any] = {"account": address_of(ANN), "action": "subscribe"}
            calls = f"/v1/deals/{deal}/calls"
            assert code(await http.post(calls, json=wish)) == "invalid_deal_wish"
            wish |= {"amount": str(40_000 * DOLLAR), "paid": "0"}
            assert code(await http.post(calls, json=wish | {"paid": "1"})) == "deal_outdated"
            await send(installation, address_of(ANN), await http.post(calls, json=wish))
            assert code(await http.post(calls, json=wish)) == "deal_outdated", "a page that is out of date pays once"
            after = (await http.get(mine)).json()
            assert (after["paid"], after["allocation"], after["refundable"]) == (wish["amount"], "0", wish["amount"])
            more = wish | {"amount": str(10_000 * DOLLAR), "paid": wish["amount"]}
            await send(installation, address_of(ANN), await http.post(calls, json=more))
            after = (await http.get(mine)).json()
            assert (after["allocation"], after["refundable"]) == (str(500_000 * TOKEN), "0")
            other = wish | {"account": address_of(CAROL)}
            assert code(await http.post(calls, json=other)) == "deal_level_not_admitted"
            assert code(await http.post(calls, json=wish | {"action": "claim"})) == "deal_selling"

            await Devnet(installation.client).pass_time(2 * DAY_SECONDS + 100 * DAY_SECONDS)
            assert code(await http.post(calls, json=more | {"paid": str(50_000 * DOLLAR)})) == "deal_closed"
            assert code(await http.post(calls, json=wish | {"action": "refund"})) == "deal_nothing_due"
            await send(installation, address_of(ANN), await http.post(calls, json=wish | {"action": "claim"}))
            assert (await http.get(mine)).json()["claimed"] == str(500_000 * TOKEN)

    town.inside(lambda _: journey())


@pytest.mark.anvil
def test_only_shown_deals_are_there(town: DealTown):
    shown, hidden = town.create(), town.create(hard_cap="90000")

    async def journey() -> None:
        async with visitor(town, shown) as (http, _):
            assert [each["id"] for each in (await http.get("/v1/deals")).json()["deals"]] == [shown]
            for path in (f"/v1/deals/{hidden}", f"/v1/deals/{hidden}/accounts/{STRANGER}"):
                answer = await http.get(path)
                assert (answer.status_code, code(answer)) == (404, "unknown_deal")
            wish = {"account": address_of(ANN), "action": "refund"}
            assert code(await http.post(f"/v1/deals/{hidden}/calls", json=wish)) == "unknown_deal"
            page = await http.get(f"/deals/{hidden}", headers={"accept": "text/html", "accept-language": "de"})
            assert page.status_code == 404
            assert "Diesen Deal gibt es hier nicht." in page.text
            assert code(await http.get("/v1/deals/0x12")) == "invalid_hash"

    town.inside(lambda _: journey())


@pytest.mark.anvil
def test_the_relayer_pays_in_shown_deals_alone(town: DealTown):
    shown, hidden = town.create(), town.create(hard_cap="90000")

    async def journey(chain: ChainAccess) -> None:
        await deals_of(chain).all()  # reads the chain
        deals = deals_of(chain, ShownDeals(frozenset({shown})))
        relayed, room = SubscribersCalls(deals), DealRoom(deals.room.address)
        dollar = Erc20(chain.deployments.address(TestDollar))
        ours, theirs = (id_to_bytes(hash32(each)) for each in (shown, hidden))
        for call in (
            dollar.approve(room.address, 5),
            room.subscribe(ours, 5),
            room.claim(ours, STRANGER),
            room.refund(ours, STRANGER),
        ):
            assert await relayed.pays_for(STRANGER, call)
        for call in (
            room.subscribe(theirs, 5),
            room.claim(theirs, STRANGER),
            room.subscribe(bytes(32), 5),
            Call(room.address, room.subscribe(ours, 5).data[:20]),
            room.allot(ours, STRANGER),
            room.cancel(ours),
            room.take_proceeds(ours, STRANGER),
            room.release_fees(dollar.address),
            room.set_fee(STRANGER, 500),
            room.transfer_ownership(STRANGER),
            DealRoom(STRANGER).subscribe(ours, 5),
            dollar.approve(STRANGER, 5),
            dollar.transfer(room.address, 5),
            Erc20(STRANGER).approve(room.address, 5),
            Erc20(ZERO_ADDRESS).approve(room.address, 5),
        ):
            assert not await relayed.pays_for(STRANGER, call)

    town.inside(journey)


@pytest.mark.anvil
def test_a_payment_has_one_name_until_it_is_made(town: DealTown):
    deal = town.create()
    town.go_to(12 * HOUR)

    async def names(chain: ChainAccess) -> list[str]:
        calls = DealCalls(deals_of(chain))
        state = await calls.deals.state(hash32(deal))
        wishes = [(address_of(ANN), 5), (address_of(ANN), 5), (address_of(ANN), 6), (address_of(BEN), 5)]
        return [(await calls.subscribe(state, *each)).name for each in wishes]

    first, again, more, other = town.inside(names)
    assert first == again
    assert len({first, more, other}) == 3
    town.deal("subscribe", deal, "1", wallet=ANN)
    assert town.inside(names)[0] != first


@pytest.mark.anvil
def test_the_routes_are_described(town: DealTown):
    async def described(chain: ChainAccess) -> None:
        routes = deal_routes(DealCalls(deals_of(chain)), None, None)
        validate(openapi_document([(each.method, each.path, each.operation) for each in routes], "test", "1"))

    town.inside(described)


@pytest.mark.anvil
def test_doctor_names_a_deal_that_is_not_there(town: DealTown):
    deal, missing = town.create(), "0x" + "12" * 32

    async def asked(chain: ChainAccess) -> list[Finding]:
        config = chain.config
        token = replace(config.platform_token, deals=f"{deal}, {missing}, {STRANGER}")
        there = replace(chain, config=replace(config, platform_token=token))
        return [finding async for finding in check_deals(there)]

    fee, absent = town.inside(asked)
    assert (fee.verdict, fee.says[:40]) == (Verdict.OK, "the fee of deals to come is 2.5 %; fees ")
    assert absent.verdict is Verdict.PROBLEM
    assert f"has no deal {missing}" in absent.says
