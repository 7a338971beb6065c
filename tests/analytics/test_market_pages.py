"""The pages of the market: what they show is the snapshot's, by formula; simulated and old data is named; keys work."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect

from tests.analytics.conftest import NOW
from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.gateway_server import served
from tests.support.learning import needs_openmp
from tests.support.market_page_world import PagesWorld, market_page_world
from tests.support.page_budgets import check_page
from usufruct.analytics import grades
from usufruct.analytics.news_tables import news_tables
from usufruct.analytics.snapshot import RowTable, Snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.analytics.writing import ReportFile, Words
from usufruct.connectors.news import NewsItem

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "overall": grades.OVERALL_WEIGHTS,
    "trader": grades.TRADER_WEIGHTS,
    "investor": grades.INVESTOR_WEIGHTS,
    "technical": grades.TECHNICAL_WEIGHTS,
    "quantitative": grades.QUANT_WEIGHTS,
    "fundamental": grades.FUNDAMENTAL_WEIGHTS,
    "valuation": grades.VALUATION_WEIGHTS,
}


@pytest.fixture
async def world(sqlite_url: str, snapshot: Snapshot, tmp_path: Path) -> AsyncIterator[PagesWorld]:
    async with market_page_world(sqlite_url, snapshot, tmp_path, NOW) as found:
        yield found


async def test_every_grade_is_the_weighted_mean_of_the_parts_that_are_shown(world: PagesWorld, snapshot: Snapshot):
    for asset in snapshot.assets:
        facts = await world.json(f"/markets/assets/{asset.id}")
        for grade in facts["grades"]:
            weights = {part["name"]: part["weight"] for part in grade["parts"]}
            assert weights == dict(WEIGHTS.get(grade["name"], {}))
            known = [part for part in grade["parts"] if part["value"] is not None]
            if grade["value"] is None or not known:
                assert not known
                continue
            mean = sum(part["weight"] * part["value"] for part in known) / sum(part["weight"] for part in known)
            assert grade["value"] == pytest.approx(mean, abs=0.02), (asset.id, grade["name"])


@needs_openmp
async def test_a_learned_signal_is_beside_the_rule_based_one(world: PagesWorld, learned: Snapshot):
    scored = np.flatnonzero(np.isfinite(learned.series["learned-signals"].fields["score"][-1]))
    path = f"/markets/{learned.assets[int(scored[0])].id}"
    assert "Learned signal" not in await world.page(path)
    write_snapshot(world.folder, learned)
    world.clock.advance(10)
    english, german = await world.page(path), await world.page(path, "de")
    for words in ("Learned signal", "Rank correlation, walk-forward", "Points of 100 that each feature added or took"):
        assert words in english
        assert words not in german
    assert "Gelerntes Signal" in german


async def test_a_models_report_is_named_as_one_and_harmless(world: PagesWorld, snapshot: Snapshot):
    path = f"/markets/assets/{snapshot.assets[0].id}"
    report = (await world.json(path))["report"]
    assert (await world.json(path))["worded"] is None
    evil = "<script>alert(document.domain)</script> [more](javascript:alert(0))"
    ReportFile(world.folder.parent / "words").add(report, Words(evil, "wordsmith<b>"), [report])
    assert (await world.json(path))["worded"] == {"text": evil, "model": "wordsmith<b>"}
    page = f"/markets/{snapshot.assets[0].id}"
    text = (await world.client.get(page, headers={"accept": "text/html"})).text
    assert "<script>alert" not in text
    assert "wordsmith<b>" not in text
    english, german = await world.page(page), await world.page(page, "de")
    assert "Written by the model wordsmith&lt;b&gt;, in English." in english
    assert "Geschrieben vom Modell wordsmith&lt;b&gt;" in german
    for shown in (english, german):
        assert "alert(document.domain)" in shown
        assert report.split("\n")[0] in shown, "what it was written from"


async def test_the_overview_has_the_largest_first_and_the_most_gained_of_them(world: PagesWorld, snapshot: Snapshot):
    overview = await world.json("/markets")
    close = snapshot.series["daily-ohlcv"].fields["close"]
    change = dict(zip((each.id for each in snapshot.assets), close[-1] / close[-2] - 1.0, strict=True))
    pegged = {each.id for each in snapshot.assets if each.categories & {"stablecoin", "wrapped"}}
    known = sorted((value, name) for name, value in change.items() if np.isfinite(value) and name not in pegged)
    assert [each["id"] for each in overview["gainers"]] == [name for _, name in known[::-1][:5]]
    assert [each["id"] for each in overview["losers"]] == [name for _, name in known[:5]]
    assert overview["gainers"][0]["dayChange"] == pytest.approx(known[-1][0])
    assert [each["rank"] for each in overview["coins"]] == list(range(1, 26))
    caps = [each["marketCap"] or -1 for each in overview["coins"]]
    assert caps == sorted(caps, reverse=True)
    rest = await world.json("/markets", page=2)
    assert [each["rank"] for each in rest["coins"]] == list(range(26, 31))
    assert (await world.json("/markets", page=99))["page"] == 2
    named = await world.json("/markets", search=f"{snapshot.assets[3].symbol.lower()} ")
    assert snapshot.assets[3].id in {each["id"] for each in named["coins"]}
    signs = [day["signal"] for day in overview["history"]]
    since = overview["signalSince"]
    assert {sign for day, sign in zip(overview["history"], signs, strict=True) if day["day"] >= since} == {signs[-1]}


async def test_signals_and_closes_are_those_of_the_snapshot(world: PagesWorld, snapshot: Snapshot):
    column = int(np.flatnonzero(np.isfinite(snapshot.market_caps))[2])
    asset = snapshot.assets[column]
    facts = await world.json(f"/markets/assets/{asset.id}", range=365)
    close = snapshot.series["daily-ohlcv"].fields["close"][:, column]
    signal = snapshot.series["trading-signals"].fields["signal"][:, column]
    assert facts["prices"][-1]["close"] == close[-1]
    assert len(facts["prices"]) <= 92
    changed = np.flatnonzero(signal[1:] != signal[:-1]) + 1
    assert [each["signal"] for each in facts["changes"]] == [int(signal[row]) for row in changed[::-1][:8]]
    assert facts["changes"][0]["day"] == facts["signalSince"]
    assert facts["returns"][-1]["holding"] == pytest.approx(facts["holdingReturns"])
    assert len((await world.json(f"/markets/assets/{asset.id}", range=0))["prices"]) <= 92


async def test_growth_begins_at_one_on_the_first_day_that_all_have(world: PagesWorld, snapshot: Snapshot):
    names = [each.id for each in snapshot.assets[:3]]
    compared = await world.json("/market-comparison", ids=",".join(names))
    assert [each["coin"]["id"] for each in compared["coins"]] == names
    close = snapshot.series["daily-ohlcv"].fields["close"]
    first = next(row for row in range(len(close) - 365, len(close)) if (close[row, :3] > 0).all())
    assert len(compared["days"]) == len(compared["coins"][0]["growth"])
    assert compared["coins"][1]["growth"][-1] == pytest.approx(close[-1, 1] / close[first, 1], rel=0.2)
    assert (await world.json("/market-comparison"))["coins"] == []


async def test_pages_name_simulated_and_old_data_in_the_readers_language(world: PagesWorld, snapshot: Snapshot):
    paths = ("/markets", f"/markets/{snapshot.assets[0].id}", f"/market-comparison?ids={snapshot.assets[0].id}")
    for path in paths:
        text = await world.page(path)
        assert "Simulated prices." in text
        assert "They are no advice" in text
        assert "Old data." not in text
        assert "Simulierte Kurse." in await world.page(path, "de")
    world.clock.advance(3 * 86_400)
    for path in paths:
        text = await world.page(path)
        assert "Old data." in text
        assert "31 Jan 2026" in text


async def test_a_page_is_drawn_once_for_a_snapshot(world: PagesWorld):
    first = await world.client.get("/markets")
    again = await world.client.get("/markets", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


async def test_what_is_not_there_is_said(world: PagesWorld):
    assert "There is no such asset here." in await world.page("/markets/nothing")
    assert "Choose at most five assets." in await world.page("/market-comparison?ids=a,b,c,d,e,f")
    for path in ("/markets?page=0", "/markets?page=x"):
        assert (await world.client.get(path)).status_code == 400
    (world.folder / "current").unlink()
    world.clock.advance(60)
    assert "No market data yet" in await world.page("/markets")
    world.clock.advance(60)
    assert (await world.client.get("/v1/markets")).status_code == 503


async def test_a_key_is_shown_once_used_and_deleted_without_scripts(world: PagesWorld):
    made = await world.page("/market-keys", label="laptop")
    [key] = set(re.findall(r"um_[\w-]{43}", made))
    for _ in range(3):
        assert (await world.client.get("/v2/price", headers={"x-api-key": key})).status_code == 200
    used = await world.page("/market-keys/use", key=key)
    assert "3 of 1,000" in used
    assert "laptop" in used
    assert key not in used, "only in the hidden field of the form that deletes it"
    assert "The key is deleted." in await world.page("/market-keys/delete", key=key)
    assert (await world.client.get("/v2/price", headers={"x-api-key": key})).status_code == 401
    assert "This key was deleted." in await world.page("/market-keys/use", key=key)
    other = await world.client.post("/market-keys", data={"label": "x"}, headers={"sec-fetch-site": "cross-site"})
    assert other.status_code == 403
    assert "no-store" in (await world.client.get("/market-keys")).headers["cache-control"]


async def test_live_prices_are_in_the_page_without_scripts_and_stale_ones_are_marked(
    world: PagesWorld, snapshot: Snapshot
):
    asset = snapshot.assets[int(np.nanargmax(snapshot.market_caps))].id
    paths = ("/markets", f"/markets/{asset}")
    assert [await world.states(path) for path in paths] == [set(), set()]
    world.publish(asset, 1234.5)
    for path in paths:
        assert "1,234.50 USD" in await world.page(path)
        assert "1.234,50 USD" in await world.page(path, "de")
        assert await world.states(path) == {"live"}
    assert "last price of alpha, beta" in await world.page(paths[1])
    world.clock.advance(59)
    assert [await world.states(path) for path in paths] == [{"live"}, {"live"}]
    world.clock.advance(1)
    assert [await world.states(path) for path in paths] == [{"stale"}, {"stale"}]
    world.publish(asset, 1234.5, synthetic=False)
    assert [await world.states(path) for path in paths] == [set(), set()], "real prices beside simulated ones"


async def test_a_series_has_every_close_and_at_most_2000_points(world: PagesWorld, snapshot: Snapshot):
    asset = snapshot.assets[0].id
    series = await world.json(f"/markets/assets/{asset}/prices")
    close = snapshot.series["daily-ohlcv"].fields["close"][:, 0]
    first = int(np.flatnonzero(close > 0)[0])
    assert series["days"] == len(close) - first == len(series["times"]) <= 2_000
    assert series["lines"][0]["values"] == [value if np.isfinite(value) else None for value in close[first:].tolist()]
    assert series["times"][-1] == snapshot.last_day
    assert (await world.client.get("/v1/markets/assets/nothing/prices")).status_code == 404


@needs_chromium
async def test_live_prices_change_in_place_and_say_when_they_are_old(world: PagesWorld, snapshot: Snapshot):
    asset = snapshot.assets[int(np.nanargmax(snapshot.market_caps))].id
    world.publish(asset, 1234.5)
    async with served(world.app) as (server, url, _), chromium() as browser:
        root = url.removesuffix("/v1")
        async with visit(browser, f"{root}/markets/{asset}", **NARROW) as narrow:
            page, price = narrow.page, narrow.page.locator("[data-price]")
            state = page.locator("[data-state]:not([hidden])")
            await expect(page.get_by_role("button", name="Pause")).to_be_enabled()
            world.publish(asset, 1250.25)
            await expect(price).to_have_text("1,250.25")
            await expect(state).to_have_text("live")
            world.clock.advance(61)
            await expect(state).to_have_text("stale")
            await expect(page.locator("[data-age]")).to_have_text("1 min. ago")
            world.publish(asset, 0.0123456)
            await expect(price).to_have_text("0.01235")
            await page.get_by_role("button", name="Pause").click()
            await expect(state).to_have_text("paused")
            world.publish(asset, 7.0)
            await page.get_by_role("button", name="Pause").click()
            await expect(price).to_have_text("7.00")
            assert await narrow.too_wide() <= 0
            assert await narrow.accessibility_faults_in_both_schemes() == []
            assert await narrow.layout_shift() <= 0.05
            assert narrow.problems == []
            server.drain()  # the gateway is gone: nothing comes any more
            await page.clock.install()
            await page.clock.fast_forward("02:00")
            await expect(state).to_have_text("stale")


@needs_chromium
async def test_an_interactive_chart_is_loaded_on_demand_and_used_by_keyboard_and_finger(
    world: PagesWorld, snapshot: Snapshot
):
    asset = snapshot.assets[0].id
    async with served(world.app) as (_, url, _), chromium() as browser:
        path = f"{url.removesuffix('/v1')}/markets/{asset}"
        async with visit(browser, path, **NARROW) as narrow:
            page, output = narrow.page, narrow.page.locator(".interactive output")
            assert not [each for each in narrow.requests if "uplot" in each or "/chart.js" in each]
            await page.get_by_role("button", name="Interactive chart").press("Enter")
            await expect(output).to_contain_text("31 Jan 2026")
            await expect(page.get_by_role("button", name="Zoom in")).to_be_focused()
            slider = page.get_by_role("slider", name="Day")
            await slider.press("ArrowLeft")
            await expect(output).to_contain_text("30 Jan 2026")
            await expect(slider).to_have_attribute("aria-valuetext", re.compile("30 Jan 2026 · Close "))
            assert await page.locator(".u-cursor-x").is_visible()
            await slider.press("Home")
            first = await output.text_content()
            for _ in range(3):
                await page.get_by_role("button", name="Zoom in").click()
            await page.get_by_role("button", name="Later").click()
            await page.get_by_role("button", name="All").click()
            await page.get_by_role("button", name="Zoom out").click()
            assert await output.text_content() == first
            assert await narrow.too_wide() <= 0
            assert await narrow.accessibility_faults_in_both_schemes() == []
            assert narrow.problems == []
        async with visit(browser, path, **PHONE) as phone:
            before = sum(phone.sizes.values())
            await phone.page.get_by_role("button", name="Interactive chart").tap()
            output = phone.page.locator(".interactive output")
            await expect(output).to_contain_text("31 Jan 2026")
            assert await phone.small_targets() == []
            await phone.page.locator(".interactive .u-over").tap(position={"x": 20, "y": 60})
            await expect(output).to_contain_text("2024")
            assert sum(phone.sizes.values()) - before <= 60 * 1024, phone.sizes
            assert phone.problems == []


@needs_chromium
async def test_every_page_keeps_the_budgets_and_changes_its_period_and_search_in_place(
    world: PagesWorld, snapshot: Snapshot
):
    names = [each.id for each in snapshot.assets[:4]]
    paths = ("/markets", f"/markets/{names[0]}", "/market-keys")
    world.publish(names[0], 1234.5)
    write_snapshot(world.folder, replace(snapshot, id="told", rows=snapshot.rows | _many_headlines(snapshot, names)))
    world.clock.advance(10)
    async with served(world.app) as (_, url, _), chromium() as browser:
        root = url.removesuffix("/v1")
        for path in paths:
            await check_page(browser, root + path)
        async with visit(browser, f"{root}/markets/{names[0]}", **PHONE) as phone:
            await phone.page.get_by_role("link", name="1 year").click()
            await phone.page.locator("figcaption", has_text="Close in USD, 1 year").wait_for()
            assert "range" not in phone.page.url
        async with visit(browser, f"{root}/markets", **PHONE) as phone:
            await phone.page.get_by_label("Name or ticker").fill(snapshot.assets[1].name)
            await phone.page.get_by_text("1 asset", exact=True).first.wait_for()


def _many_headlines(snapshot: Snapshot, names: list[str]) -> dict[str, RowTable]:
    """Return the news of 13 weeks, with long titles, one of them without a space, which name all of some assets."""
    last = datetime.fromtimestamp(snapshot.last_day, UTC)
    items = []
    for number in range(45):
        at, title = last - timedelta(days=2 * number), f"{number} surges {'x' * 180 if number == 1 else 'a lot ' * 20}"
        items.append(
            NewsItem(str(number), "wire", title, f"https://news.example.org/{number}", "", at, at, tuple(names))
        )
    return news_tables(items, snapshot.assets)
