"""The operator's pages: money, payees, keys, jobs, settings without secrets, and the doctor's findings."""

import re
from dataclasses import replace

import httpx
import pytest

from tests.console.test_sales import SHARES, ready
from tests.support.browser import NARROW, chromium, needs_chromium, visit
from tests.support.gateway_server import served
from tests.support.misbehaving_upstream import misbehaving_server
from tests.support.x402_installation import PAYEE
from usufruct.app import open_installation
from usufruct.assets import plain_listing_id
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, role_address
from usufruct.config import DataConfig, Secret
from usufruct.core import Unavailable, address, format_asset
from usufruct.gateway import Catalogue
from usufruct.store import DatabaseJobBoard

pytestmark = pytest.mark.anvil

SECRET = "a secret that must not be on any page"


async def test_an_operator_sees_how_the_installation_does(world, seller):
    async with misbehaving_server() as upstream:
        sale = await ready(seller, upstream.url())
        assert (await seller.post(f"/sales/{sale}/confirm")).status_code == 200
        board = DatabaseJobBoard(world.installation.database, "worker")
        await board.failed("claims", Unavailable("the node does not answer", code="rpc_unavailable"))
        facts = (await seller.get("/operator")).json()
        [payee] = facts["payees"]
        assert (payee["payTo"], payee["services"], payee["listed"]) == (DEVNET_ADDRESSES[0], ["answers"], True)
        assert {each["role"]: int(each["coins"]) > 0 for each in facts["keys"]}["owner"] is True
        job = next(each for each in facts["jobs"] if each["name"] == "claims")
        assert (job["failures"], job["code"], job["message"]) == (1, "rpc_unavailable", "the node does not answer")
        findings = (await seller.get("/operator/health")).json()["findings"]
    assert {"node", "contracts", "token", "till", "payees"} <= {each["subject"] for each in findings}
    [answers] = [each for each in findings if each["subject"] == "upstreams"]
    assert (answers["verdict"], "answers answers at" in answers["says"]) == ("ok", True)


async def test_a_broken_state_is_shown_as_what_it_is(world, seller):
    async with misbehaving_server() as upstream:
        sale = await ready(seller, upstream.url())
        assert (await seller.post(f"/sales/{sale}/confirm")).status_code == 200
        asset = format_asset((await world.gateway.get(Catalogue).find("answers")).id)
        await seller.post(f"/desk/{asset}/pause")
        board = DatabaseJobBoard(world.installation.database, "worker")
        await board.failed("claims", Unavailable("the node does not answer", code="rpc_unavailable"))
        relayer = role_address(Role.RELAYER, world.gateway.config)
        await world.installation.client.ask("anvil_setBalance", relayer, "0x1")
        facts = (await seller.get("/operator")).json()
        page = (await seller.get(seller.base_url.copy_with(path="/operator"))).text
        findings = (await seller.get("/operator/health")).json()["findings"]
    [service] = facts["services"]
    assert (service["name"], service["servers"], service["pausedAt"] > 0) == ("answers", 1, True)
    gas = {each["role"]: each for each in facts["keys"]}
    assert int(gas["relayer"]["coins"]) == 1 < int(gas["relayer"]["needed"])
    assert int(gas["owner"]["coins"]) > int(gas["owner"]["needed"])
    assert gas["receipts"]["needed"] is None
    assert page.count("too little for gas") == 1
    for text in ("1 failure in a row, since", "the node does not answer", "rpc_unavailable", "paused"):
        assert text in page, text
    [low] = [each for each in findings if each["subject"] == "gas money" and each["verdict"] == "problem"]
    assert "relayer key" in low["says"]
    assert low["remedy"].startswith("send it")


async def test_without_a_node_the_pages_say_what_is_not_known(world, seller):
    async with misbehaving_server() as upstream:
        sale = await ready(seller, upstream.url(), SHARES)
        assert (await seller.post(f"/sales/{sale}/confirm")).status_code == 200
        asset = format_asset((await world.gateway.get(Catalogue).find("answers")).id)
        await world.anvil.stop()
        facts = (await seller.get("/operator")).json()
        page = await seller.get(seller.base_url.copy_with(path="/operator"))
        desk = await seller.get(seller.base_url.copy_with(path=f"/desk/{asset}"))
        findings = (await seller.get("/operator/health")).json()["findings"]
    assert [each["coins"] for each in facts["keys"]] == [None] * len(facts["keys"])
    assert (facts["claims"]["owed"], facts["payees"][0]["listed"], facts["payees"][0]["owed"]) == (None, None, None)
    assert (page.status_code, page.text.count("not known") >= len(facts["keys"])) == (200, True)
    assert (desk.status_code, "node does not answer now" in desk.text) == (200, True)
    assert "problem" in {each["verdict"] for each in findings if each["subject"] == "node"}


async def test_many_services_and_payees_come_page_by_page_and_are_found_by_a_search(world, seller):
    for number in range(205):
        pay_to = address(f"0x{number + 1:040x}") if number < 105 else PAYEE
        await world.sell(f"model-{number:03}", pay_to=pay_to, id=plain_listing_id(f"model-{number:03}", pay_to))
    facts = (await seller.get("/operator")).json()
    assert (len(facts["services"]), len(facts["payees"])) == (205, 106)

    async def shown(**asked) -> tuple[set[str], set[str]]:
        page = await seller.get(seller.base_url.copy_with(path="/operator"), params=asked)
        assert page.status_code == 200
        services = page.text.partition("<h2>Services")[2].partition("<h2>Claims")[0]
        payees = page.text.partition("<h2>Payees")[2].partition("<h2>Keys and gas")[0]
        return set(re.findall(r"model-\d{3}", services)), set(re.findall(r'data-copy="(0x\w{40})"', payees))

    pages = [await shown(page=page, payees=page) for page in (1, 2, 3, 9)]
    assert [len(services) for services, _ in pages] == [100, 100, 5, 5]
    assert len(set().union(*(services for services, _ in pages))) == 205
    assert [len(payees) for _, payees in pages] == [100, 6, 6, 6]
    assert len(pages[0][1] | pages[1][1]) == 106
    assert await shown(q="MODEL-007") == ({"model-007"}, {f"0x{8:040x}"})
    assert (await shown(q=f"0x{8:040x}"))[0] == {"model-007"}
    assert await shown(q="<none>") == (set(), set())
    refused = await seller.get(seller.base_url.copy_with(path="/operator"), params={"payees": "x"})
    assert refused.status_code == 400


async def test_settings_are_shown_without_their_secrets(world):
    config = world.gateway.config
    config = replace(config, data=DataConfig(config.data.folder, Secret(SECRET)))
    async with (
        open_installation(config) as gateway,
        served(gateway.router()) as (_, url, _),
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        await http.post("/sessions/operator")
        facts = await http.get("/operator")
        page = await http.get(http.base_url.copy_with(path="/operator"))
    assert facts.json()["settings"]["data"]["secret"] == "***"
    assert (page.status_code, SECRET in facts.text + page.text) == (200, False)


async def test_others_see_nothing(world, http, enter):
    await enter(http, await world.account())
    for path in ("/operator", "/operator/health"):
        assert (await http.get(path)).json()["error"]["code"] == "not_operator"
        assert (await http.get(http.base_url.copy_with(path=path))).status_code == 403


@needs_chromium
async def test_the_page_fits_a_phone_in_german(world):
    root = world.url.removesuffix("/v1")
    async with chromium() as browser, visit(browser, f"{root}/operator", **NARROW, locale="de") as shown:
        await shown.page.get_by_role("button", name="Das Konto des Betreibers benutzen").click()
        await shown.page.get_by_role("link", name="Jetzt nachsehen").click()
        await shown.page.get_by_text("Prüfungen ohne Problem").click()
        await shown.page.get_by_text("upstreams", exact=True).wait_for()
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        assert shown.problems == []
