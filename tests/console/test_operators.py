"""Who may sell: the till's owner and the wallets of a setting; on a devnet who is at the machine; nobody else."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from eth_account import Account

from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from usufruct.app import open_installation
from usufruct.config import InvalidSetting, OperatorConfig, load_config
from usufruct.console import Operators
from usufruct.core import Address, Unavailable
from usufruct.market.trade import NodeView
from usufruct.web import at_public_url

pytestmark = pytest.mark.anvil

OWNER = Address("0x" + "11" * 20)


async def test_the_first_visit_of_a_devnet_is_one_tap_from_being_its_operator(http):
    page = await http.get(http.base_url.copy_with(path="/sell"))
    assert page.status_code == 200
    assert "Use the operator's account" in page.text
    form = {"back": "/sell"}
    entered = await http.post(http.base_url.copy_with(path="/operator/sign-in"), data=form)
    assert (entered.status_code, httpx.URL(entered.headers["location"]).path) == (303, "/sell")
    assert (await http.get(http.base_url.copy_with(path="/sell"))).status_code == 200
    assert (await http.get("/sales")).json() == {"drafts": []}


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/sell/../../x", "", "/account"])
async def test_a_sign_in_leads_to_no_other_place(http, back):
    entered = await http.post(http.base_url.copy_with(path="/operator/sign-in"), data={"back": back})
    assert entered.headers["location"] == str(http.base_url.copy_with(path="/sell")).rstrip("/")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"x-forwarded-for": "203.0.113.7"},
        {"forwarded": "for=203.0.113.7"},
        {"cf-connecting-ip": "203.0.113.7"},
    ],
)
async def test_a_tunnel_and_a_name_that_resolves_here_are_not_this_machine(http, headers):
    refused = await http.post("/sessions/operator", headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_operator")
    assert "set-cookie" not in refused.headers
    page = await http.get(http.base_url.copy_with(path="/sell"), headers=headers)
    assert "operator's account" not in page.text


async def test_behind_a_public_address_no_one_is_here(world, http):
    async with served(at_public_url(world.gateway.router(), "https://ai.example.org")) as (_, url, _):
        refused = await http.post(f"{url}/sessions/operator")
    assert refused.json()["error"]["code"] == "not_operator"


async def test_others_get_a_clear_page_and_no_action(world, http, enter):
    stranger = await world.account()
    assert (await http.get("/sales")).json()["error"]["code"] == "not_signed_in"
    await enter(http, stranger)
    page = await http.get(http.base_url.copy_with(path="/sell"))
    assert page.status_code == 403
    assert "This page is for operators" in page.text
    assert stranger.address.lower() in page.text
    for method, path in [
        ("GET", "/sales"),
        ("POST", "/sales"),
        ("GET", "/sales/servers"),
        ("POST", "/sales/x/confirm"),
    ]:
        refused = await http.request(method, path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_operator")


async def test_a_wallet_of_the_setting_is_an_operator_and_sees_its_own_sales_only(world, http, enter):
    admin = Account.create()
    config = replace(world.gateway.config, operator=OperatorConfig(admin=f" {admin.address.lower()} "))
    async with (
        open_installation(config) as gateway,
        served(gateway.router()) as (_, url, _),
        httpx.AsyncClient(base_url=url, timeout=60) as other,
    ):
        await enter(other, admin)
        mine = (await other.post("/sales")).json()["id"]
        await http.post("/sessions/operator")
        assert (await http.get("/sales")).json() == {"drafts": []}
        assert (await http.get(f"/sales/{mine}")).json()["error"]["code"] == "unknown_sale"
        theirs = await http.post(f"/sales/{mine}/server", json={"url": "http://127.0.0.1:1"})
        assert theirs.json()["error"]["code"] == "unknown_sale"


def test_the_setting_takes_addresses_only():
    variables = {"USUFRUCT_OPERATOR_ADMIN": "0x12"}
    with pytest.raises(InvalidSetting, match=r"operator\.admin must be an address"):
        load_config(variables)


async def test_another_sites_page_signs_no_one_in(http):
    refused = await http.post("/sessions/operator", headers={"origin": "https://evil.example"})
    assert refused.json()["error"]["code"] == "cross_site_request"


async def test_an_owner_who_is_known_stays_one_while_the_node_is_away():
    class Till:
        answers = True

        async def owner(self):
            if not self.answers:
                raise Unavailable("the node does not answer", code="rpc_unavailable")
            return OWNER

    till, clock = Till(), FakeClock()
    operators = Operators(None, till, clock, frozenset(), None)
    till.answers = False
    with pytest.raises(Unavailable):
        await operators.allows(OWNER)
    till.answers = True
    assert await operators.allows(OWNER)
    till.answers = False
    clock.advance(3_600)
    assert (await operators.allows(OWNER), await operators.allows(Address("0x" + "22" * 20))) == (True, False)


async def test_a_page_waits_once_for_a_node_that_hangs():
    class Till:
        hangs = False
        asked = 0

        async def owner(self):
            self.asked += 1
            if self.hangs:
                await asyncio.Event().wait()
            return OWNER

    till, clock = Till(), FakeClock()
    operators = Operators(None, till, clock, frozenset(), None)
    assert await operators.allows(OWNER)
    clock.advance(3_600)
    till.hangs, node = True, NodeView(0.0)
    assert await operators.allows(OWNER, node), "as the chain said last"
    assert await operators.allows(OWNER, node)
    assert (till.asked, node.answers) == (2, False), "the page knows that it need not ask again"
