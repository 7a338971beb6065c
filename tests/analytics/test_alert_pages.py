"""The page of alerts, without scripts: make one from an asset's page, see its value now, delete it; and live prices."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from tests.analytics.conftest import NOW
from tests.support.fake_clock import FakeClock
from tests.support.hostile_names import HOSTILE, check_names
from tests.support.market_world import STAKER, OneSession
from tests.support.notification_crash import notifications_in
from usufruct.accounts.notifications import Notifications
from usufruct.accounts.notifications.refusals import REFUSALS as NOTIFICATION_REFUSALS
from usufruct.analytics.alert_measures import LivePrices
from usufruct.analytics.alert_pages import alert_pages
from usufruct.analytics.alerts import MarketAlerts
from usufruct.analytics.api import MarketTables
from usufruct.analytics.live.feed import LivePriceFeed
from usufruct.analytics.live.price_file import LiveReader
from usufruct.analytics.pages import CurrentFigures, market_pages
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot
from usufruct.core import Address
from usufruct.store import Database
from usufruct.web import Router
from usufruct.web.ui import Pages, Site

OTHER = Address("0x" + "cd" * 20)


@dataclass
class AlertWorld:
    """The pages in this process; `as_person` signs in."""

    client: httpx.AsyncClient
    alerts: MarketAlerts
    notifications: Notifications
    folder: Path

    async def page(self, path: str, person: Address | None = STAKER, language: str = "en") -> str:
        answer = await self.client.get(path, headers=signed_in(person) | {"accept-language": language})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path: str, person: Address | None = STAKER, **fields: str) -> httpx.Response:
        return await self.client.post(path, data=fields, headers=signed_in(person))


def signed_in(person: Address | None) -> dict[str, str]:
    return {"accept": "text/html"} | ({} if person is None else {"x-test-signed-in": person})


def words(html: str) -> str:
    text = re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(text.split())


@pytest.fixture
async def world(database: Database, snapshot: Snapshot, tmp_path: Path) -> AsyncIterator[AlertWorld]:
    clock, folder, sessions, pages = FakeClock(NOW), tmp_path / "ratings", OneSession(), Pages(Site())
    write_snapshot(folder, snapshot)
    tables, feed = MarketTables(SnapshotReader(folder, clock), clock), LivePriceFeed(LiveReader(tmp_path), clock)
    notifications = notifications_in(database)

    def live() -> LivePrices | None:
        return None if feed.newest is None else LivePrices(feed.newest, feed.now)

    alerts, figures = MarketAlerts(database, notifications, lambda: tables.snapshot, live=live), CurrentFigures(tables)
    pages.add_package("usufruct.accounts.notifications", (), NOTIFICATION_REFUSALS)
    routes = [
        *market_pages(figures, pages, feed),
        *alert_pages(alerts, figures, sessions, pages),  # type: ignore[arg-type]
    ]
    transport = httpx.ASGITransport(Router(routes, error_page=pages.error_page))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120) as client:
        yield AlertWorld(client, alerts, notifications, folder)


async def reachable(world: AlertWorld, person: Address = STAKER) -> None:
    await world.notifications.set_webhook(person, "http://127.0.0.1:1/")


async def test_an_alert_is_made_from_the_assets_page_listed_and_deleted_by_plain_forms(
    world: AlertWorld, snapshot: Snapshot
):
    column = int(np.nanargmax(snapshot.market_caps))
    asset = snapshot.assets[column]
    [link] = re.findall(r'href="([^"]*)"[^>]*>Set an alert<', await world.page(f"/markets/{asset.id}", None))
    assert "Sign in first." in await world.page(link, None)
    assert "No message reaches you yet" in await world.page(link)
    await reachable(world)
    shown = await world.page(link)
    assert "No message reaches you yet" not in shown
    [field] = re.findall(r'<input id="asset"[^>]*>', shown)
    assert f'value="{asset.id}"' in field, "the asset is filled in"
    assert f'<option value="{snapshot.assets[0].id}"' in shown
    assert "hx-" not in re.findall(r"<form.*?</form>", shown, re.DOTALL)[0]

    made = await world.post(
        "/market-alerts", asset=asset.id, measure="price", direction="above", threshold="0.00001234567"
    )
    assert (made.status_code, made.headers["location"]) == (303, "/market-alerts")
    await world.post("/market-alerts", asset=asset.id, measure="change_24h", direction="below", threshold="-12.345")
    listed = await world.page("/market-alerts")
    assert f'href="/markets/{asset.id}"' in listed
    for text in ("Price in USD", "reaches or is above 0.00001234567 USD", "reaches or is below -12.345", "watching"):
        assert text in words(listed).replace("\N{MINUS SIGN}", "-"), words(listed)
    assert "Deine Alarme" in await world.page("/market-alerts", language="de")
    await world.alerts.report()
    assert "reached, you were told" in await world.page("/market-alerts")

    [(first, _), _] = await world.alerts.list(STAKER)
    await reachable(world, OTHER)
    assert first.id not in await world.page("/market-alerts", OTHER)
    assert (await world.post("/market-alerts/delete", OTHER, id=first.id)).status_code == 404
    assert (await world.post("/market-alerts/delete", None, id=first.id)).status_code == 401
    assert (await world.post("/market-alerts/delete", id=first.id)).status_code == 303
    assert [alert.id for alert, _ in await world.alerts.list(STAKER)] != [first.id]
    assert len(await world.alerts.list(STAKER)) == 1


async def test_what_no_alert_can_be_is_said_in_words(world: AlertWorld, snapshot: Snapshot):
    asset = snapshot.assets[0].id
    right = {"asset": asset, "measure": "price", "direction": "above", "threshold": "1"}
    unreached = await world.post("/market-alerts", **right)
    assert (unreached.status_code, "Set a webhook, or confirm" in unreached.text) == (409, True)
    await reachable(world)
    for wrong, status, text in (
        ({"asset": "nothing"}, 404, "There is no such asset here. Choose one of the list"),
        ({"measure": "colour"}, 400, "There is no such alert."),
        ({"threshold": "-1"}, 400, "This value cannot be."),
        ({"threshold": "much"}, 400, "This value cannot be."),
        ({"threshold": "nan"}, 400, "This value cannot be."),
        ({"threshold": ""}, 400, "This value cannot be."),
    ):
        refused = await world.post("/market-alerts", **right | wrong)
        assert (refused.status_code, text in refused.text) == (status, True), (wrong, words(refused.text))
    assert (await world.post("/market-alerts", None, **right)).status_code == 401
    elsewhere = signed_in(STAKER) | {"sec-fetch-site": "cross-site"}
    assert (await world.client.post("/market-alerts", data=right, headers=elsewhere)).status_code == 403
    assert await world.alerts.list(STAKER) == []


async def test_the_page_is_there_before_the_first_prices(world: AlertWorld):
    await reachable(world)
    (world.folder / "current").unlink()
    assert "No alerts yet" in await world.page("/market-alerts")
    assert "&lt;b&gt;" in await world.page("/market-alerts?asset=<b>")


async def test_hostile_names_of_assets_are_text_on_every_page(world: AlertWorld, snapshot: Snapshot):
    asset, symbol = snapshot.assets[int(np.nanargmax(snapshot.market_caps))], f"{HOSTILE}s"
    assets = [replace(each, name=HOSTILE, symbol=symbol) if each is asset else each for each in snapshot.assets]
    write_snapshot(world.folder, replace(snapshot, id=f"{snapshot.id}-hostile", assets=tuple(assets)))
    await reachable(world)
    await world.post("/market-alerts", asset=asset.id, measure="price", direction="above", threshold="5")
    for language in ("en", "de"):
        for path in ("/market-alerts", "/markets", f"/markets/{asset.id}"):
            check_names(await world.page(path, language=language), HOSTILE, symbol)
        typed = await world.page(f"/market-alerts?asset={quote(HOSTILE + 't')}", language=language)
        check_names(typed, HOSTILE, symbol, f"{HOSTILE}t")
