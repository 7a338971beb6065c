"""The operator's pages: money, payees, keys, jobs, settings without secrets, and the doctor's findings."""

from dataclasses import replace

import httpx
import pytest

from tests.console.test_sales import ready
from tests.support.browser import NARROW, chromium, needs_chromium, visit
from tests.support.gateway_server import served
from tests.support.misbehaving_upstream import misbehaving_server
from usufruct.app import open_installation
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.config import DataConfig, Secret
from usufruct.core import Unavailable
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
        await shown.page.get_by_text("upstreams", exact=True).wait_for()
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        assert shown.problems == []
