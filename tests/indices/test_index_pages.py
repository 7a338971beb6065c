"""The pages of indices: their figures are the published ones; simulated, old and failed data is named; all trades."""

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import orjson
import pytest
from playwright.async_api import expect

from tests.indices.conftest import NOW
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from tests.support.page_budgets import check_page
from usufruct.analytics import CurrentReader
from usufruct.analytics.snapshot_build import MarketInputs
from usufruct.indices import history_of, open_position, run_index, tax_lots_csv
from usufruct.indices.metrics import drawdown_of
from usufruct.indices.publication import CurrentIndices, IndexTables, index_pages, read_indices, write_indices
from usufruct.indices.publication.computation import publish_index
from usufruct.indices.publication.position_pages import MOST_LOTS
from usufruct.indices.publication.record_route import MOST_RECORDS
from usufruct.indices.rulebook import Overlay
from usufruct.indices.verification import read_record, verify_record
from usufruct.web import Router, openapi_route
from usufruct.web.ui import Pages, Site


@dataclass
class IndexPagesWorld:
    """The pages and their JSON in this process."""

    app: Router
    clock: FakeClock
    folder: Path
    tables: IndexTables
    client: httpx.AsyncClient

    async def page(self, path: str, language: str = "en") -> str:
        """Return a page's text, whole words without markup."""
        answer = await self.client.get(path, headers={"accept": "text/html", "accept-language": language})
        assert answer.status_code in (200, 400, 404, 503), answer.text
        text = re.sub(r"<(script|style|template).*?</\1>", "", answer.text, flags=re.DOTALL)
        return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " ").split())

    async def json(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/indices{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture
async def world(folder: Path, tmp_path: Path) -> AsyncIterator[IndexPagesWorld]:
    tables, clock, pages = read_indices(folder / "indices"), FakeClock(NOW), Pages(Site())
    write_indices(tmp_path / "indices", tables)
    current = CurrentIndices(CurrentReader(tmp_path / "indices", read_indices, clock), clock)
    pages.add_package("usufruct.analytics")
    routes = [*pages.static.routes, *index_pages(current, pages)]
    app = Router([*routes, openapi_route(routes, "1")], error_page=pages.error_page)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway.test", timeout=120
    ) as client:
        yield IndexPagesWorld(app, clock, tmp_path / "indices", tables, client)


async def test_the_list_has_the_changes_of_published_values_and_names_what_is_missing(world: IndexPagesWorld):
    found = await world.json("")
    assert [each["id"] for each in found["indices"]] == ["defi", "global-100", "top-10", "top-50"]
    assert [each["id"] for each in found["missing"]] == ["metaverse-gaming"]
    for line in found["indices"]:
        nav = np.asarray(world.tables.find(line["id"]).values["nav"])
        for name, days in (("dayChange", 1), ("monthChange", 30), ("yearChange", 365)):
            expected = nav[-1] / nav[-1 - days] - 1 if len(nav) > days else None
            assert line[name] == (expected if expected is None else pytest.approx(expected))
        assert (line["regime"] is None) == (line["id"] != "global-100")
    text = await world.page("/indices")
    assert "Global 100" in text
    assert "metaverse-gaming : " in text


async def test_the_chart_begins_with_its_benchmark_ends_today_and_hides_no_fall(world: IndexPagesWorld):
    for name in ("top-10", "global-100"):
        facts, values = await world.json(f"/{name}"), world.tables.find(name).values
        nav, chart = np.asarray(values["nav"]), facts["chart"]
        assert (chart[0]["value"], chart[0]["market"]) == (nav[0], nav[0])
        assert chart[-1]["day"] == facts["index"]["day"]
        assert chart[-1]["value"] == nav[-1]
        assert chart[-1]["market"] == pytest.approx(nav[0] * values["market"][-1])
        assert min(each["drawdown"] for each in chart) == pytest.approx(drawdown_of(nav).min())
        assert chart[-1]["regime"] == facts["index"]["regime"]
        weights = sum(each["weight"] for each in facts["holdings"])
        assert weights + facts["cash"] == pytest.approx(1)
        assert facts["bounds"]["zero"] <= facts["bounds"]["last"]


async def test_the_interactive_chart_has_every_value_and_its_benchmark(world: IndexPagesWorld):
    series, values = await world.json("/global-100/values"), world.tables.find("global-100").values
    nav = np.asarray(values["nav"])
    assert series["days"] == len(nav) == len(series["times"]) <= 2_000
    value, market = series["lines"]
    assert (value["name"], value["values"]) == ("value", nav.tolist())
    assert market["values"] == pytest.approx((nav[0] * np.asarray(values["market"])).tolist())
    assert [later - one for one, later in pairwise(series["times"])] == [86_400] * (len(nav) - 1)


async def test_every_rebalance_is_listed_once_and_has_all_its_trades(world: IndexPagesWorld):
    tables = world.tables.find("global-100").tables
    first = await world.json("/global-100/rebalances")
    listed = [
        each
        for page in range(1, first["pages"] + 1)
        for each in (await world.json("/global-100/rebalances", page=page))["rebalances"]
    ]
    assert len(listed) == first["count"] == len(tables["rebalances"].rows)
    assert sorted({each["day"] for each in listed}, reverse=True) == [each["day"] for each in listed]
    reasons = [orjson.loads(each)["REASON"] for each in tables["trades"].rows]
    assert sum(each["trades"] for each in listed) == sum("not traded" not in each for each in reasons) < len(reasons)
    facts = await world.json(f"/global-100/rebalances/{listed[-1]['day']}")
    assert facts["rebalance"] == listed[-1]
    assert len(facts["moves"]) >= listed[-1]["trades"] > 0
    shown = await world.page(f"/indices/global-100/rebalances/{listed[-1]['day']}")
    assert listed[-1]["inputHash"] in shown
    assert facts["moves"][0]["name"] in shown


async def test_an_index_page_has_its_rules_bounds_costs_and_risk_in_the_readers_language(world: IndexPagesWorld):
    index = world.tables.find("global-100")
    english, german = [await world.page("/indices/global-100", each) for each in ("en", "de")]
    for text in (english, german):
        assert index.rulebook.hash in text
        assert index.report["record_hash"] in text
    for words in (
        "Worth nothing",
        "Worth their last price",
        "It is no advice",
        "Simulated prices.",
        "Fee of each trade",
    ):
        assert words in english
        assert words not in german
    assert "Simulierte Kurse." in german
    assert "keine Beratung" in german


async def test_corrected_days_have_old_and_new_values_and_the_reason(world: IndexPagesWorld, inputs: MarketInputs):
    assert "No corrections" in await world.page("/indices/top-10/restatements")
    assert "Corrections" not in await world.page("/indices/top-10")
    largest = int(np.nanargmax(inputs.panel.market_cap[-90]))
    close = inputs.panel.close.copy()
    close[-90, largest] *= 1.5
    panel, before = replace(inputs.panel, close=close), world.tables.find("top-10")
    after = publish_index(before.rulebook, panel, panel.last_day, {}, before)
    others = [each for each in world.tables.indices if each.number != after.number]
    write_indices(world.folder, replace(world.tables, id="corrected", indices=(after, *others)))
    world.clock.advance(60)

    facts, listed = await world.json("/top-10"), await world.json("/top-10/restatements")
    assert facts["restatements"] == 1
    assert facts["restated"] == listed["restated"][:5]
    assert listed["count"] == len(after.restated_days())
    rest = [await world.json("/top-10/restatements", page=each) for each in range(2, listed["pages"] + 1)]
    whole = [*listed["restated"], *(row for each in rest for row in each["restated"])]
    assert len(whole) == listed["count"]
    first = whole[-1]
    at = panel.days - 90
    assert first["day"] == str(panel.day(at))
    assert (first["valueBefore"], first["value"]) == (before.values["nav"][at], after.values["nav"][at])
    assert (first["levelBefore"], first["level"]) == (before.values["level"][at], after.values["level"][at])
    assert inputs.panel.assets[largest].id in first["reason"]
    for language, words in (("en", "Value before"), ("de", "Wert davor")):
        for path in ("/indices/top-10", "/indices/top-10/restatements"):
            text = await world.page(path, language)
            assert words in text
            assert first["reason"] in text


async def test_old_and_failed_data_is_named_with_its_reason(world: IndexPagesWorld):
    assert "Old data." not in await world.page("/indices")
    failed = [each.failed("too few assets <today>") for each in world.tables.indices]
    write_indices(world.folder, replace(world.tables, id="other", indices=tuple(failed)))
    world.clock.advance(3 * 86_400)
    for path in ("/indices", "/indices/top-10"):
        text = await world.page(path)
        assert "Old data." in text
        assert "Not computed since 31 Jan 2026." in text.replace("\N{NO-BREAK SPACE}", " ")
        assert "too few assets &lt;today&gt;" in text


async def test_a_page_is_drawn_once_for_what_is_published(world: IndexPagesWorld):
    first = await world.client.get("/indices/top-10")
    again = await world.client.get("/indices/top-10", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


async def compared(world: IndexPagesWorld, ids: str, days: int) -> dict[str, Any]:
    answer = await world.client.get("/v1/index-comparison", params={"ids": ids, "range": days})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_indices_are_compared_over_the_same_days(world: IndexPagesWorld):
    found = await compared(world, "top-10,global-100,top-10", 90)
    assert [each["index"]["id"] for each in found["indices"]] == ["top-10", "global-100"], "each once, in this order"
    assert (found["firstDay"], found["lastDay"]) == ("2025-11-02", "2026-01-31")
    assert (found["days"][0], found["days"][-1]) == (found["firstDay"], found["lastDay"])
    navs = [np.asarray(world.tables.find(each).values["nav"])[-91:] for each in ("top-10", "global-100")]
    returns = [nav[1:] / nav[:-1] - 1 for nav in navs]
    for at, (nav, each) in enumerate(zip(navs, found["indices"], strict=True)):
        assert (each["values"][0], each["values"][-1]) == (100, pytest.approx(100 * nav[-1] / nav[0]))
        assert each["returns"]["totalReturn"] == pytest.approx(nav[-1] / nav[0] - 1)
        assert each["returns"]["annualVolatility"] == pytest.approx(np.std(returns[at], ddof=1) * np.sqrt(365))
        assert each["returns"]["maxDrawdown"] == pytest.approx(drawdown_of(nav).min())
        index = world.tables.find(each["index"]["id"])
        traded = [orjson.loads(row) for row in index.tables["rebalances"].rows]
        within = [row for row in traded if row["DATE"] > found["firstDay"]]
        assert each["rebalances"] == len(within) > 0
        assert each["turnoverAYear"] == pytest.approx(sum(row["TURNOVER"] for row in within) * 365 / 90)
        assert 1 - each["paid"] == pytest.approx(np.prod([1 - row["COST"] for row in within]), rel=1e-3)
        assert each["bounds"] == index.report["total_return_by_delisting_rule"]
        assert each["correlations"][at] == pytest.approx(1)
    expected = np.mean((returns[0] - returns[0].mean()) * (returns[1] - returns[1].mean()))
    expected /= np.std(returns[0]) * np.std(returns[1])
    assert [each["correlations"][1 - at] for at, each in enumerate(found["indices"])] == pytest.approx([expected] * 2)
    bullish = np.mean(world.tables.find("global-100").values["bullish"][-91:])
    assert [each["bullish"] for each in found["indices"]] == [None, pytest.approx(bullish)]


async def test_all_days_of_a_comparison_are_those_of_the_youngest_index(world: IndexPagesWorld):
    names = [each.rulebook.name for each in world.tables.indices]
    found = await compared(world, ",".join(names), 0)
    assert found["firstDay"] == max(each["firstDay"] for each in found["indices"])
    ended = world.tables.find("top-10")
    cut = replace(
        ended, last_day=ended.first_day, values={name: each[:1] for name, each in ended.values.items()}
    ).failed("no prices")
    others = [each for each in world.tables.indices if each.rulebook.name != "top-10"]
    write_indices(world.folder, replace(world.tables, id="cut", indices=(*others, cut)))
    world.clock.advance(60)
    found = await compared(world, "top-10,top-50", 90)
    assert (found["firstDay"], found["days"], found["indices"][0]["paid"]) == (None, [], None)
    assert found["indices"][0]["correlations"] == [None, None]
    text = await world.page("/index-comparison?ids=top-10,top-50&range=90")
    assert "No days in common" in text
    assert "no prices" in text


async def test_a_comparison_is_offered_and_refused_in_words(world: IndexPagesWorld):
    assert "Choose two or more" in await world.page("/index-comparison?ids=&ids=top-10&range=")
    german = await world.page("/index-comparison?ids=top-10&ids=global-100", "de")
    assert "Indizes vergleichen" in german
    assert "keine Beratung" in german
    for path, status, code in (
        ("?ids=top-10", 400, "invalid_parameter"),
        ("?ids=top-10,top-50&range=7", 400, "invalid_parameter"),
        ("?ids=top-10,nothing", 404, "unknown_index"),
    ):
        answer = await world.client.get(f"/v1/index-comparison{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_what_is_not_there_is_said(world: IndexPagesWorld):
    assert "There is no such index here." in await world.page("/indices/nothing")
    assert "The index did not trade on this day." in await world.page("/indices/top-10/rebalances/1999-01-01")
    for path in ("/indices/top-10?page=0", "/indices/top-10/rebalances?page=x", "/indices/top-10/rebalances/today"):
        assert (await world.client.get(path)).status_code == 400
    (world.folder / "current").unlink()
    world.clock.advance(60)
    assert "No indices yet" in await world.page("/indices")
    world.clock.advance(60)
    assert (await world.client.get("/v1/indices")).status_code == 503


async def test_a_position_page_has_the_figures_of_the_same_backtest(world: IndexPagesWorld, inputs: MarketInputs):
    index = world.tables.find("top-10")
    opened = index.history.last_day - timedelta(days=200)
    core = index.history.assets[-1].id
    wish = {"amount": "5000", "since": str(opened), "stop_loss": "0.15", "core": core, "core_share": "0.4"}
    found = await world.json("/top-10/position", **wish)
    computed = history_of(run_index(index.rulebook, inputs.panel, index.history.first_day, index.history.last_day))
    expected = open_position(computed, 5_000.0, opened, Overlay(stop_loss=0.15, core=(core, 0.4)))
    for name in ("value", "profit", "costs", "drift", "cash"):
        assert found[name] == pytest.approx(getattr(expected, name), rel=1e-12, abs=1e-9), name
    assert found["stops"] == [str(each) for each in expected.stops]
    assert [each["asset"]["id"] for each in found["holdings"]] == [each.asset.id for each in expected.holdings]
    assert found["without"] == pytest.approx(open_position(computed, 5_000.0, opened, Overlay()).value)
    assert (found["chart"][0]["day"], found["chart"][-1]["value"]) == (str(opened), found["value"])
    assert core in {each["id"] for each in found["cores"]}
    answer = await world.client.get("/v1/indices/top-10/position/lots.csv", params=wish)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == tax_lots_csv(expected.lots())
    text = await world.page(f"/indices/top-10/position?{urlencode(wish)}")
    assert "Without settings" in text
    assert "Simulated prices." in text


async def test_a_position_is_of_a_year_if_nothing_is_said_and_wrong_values_are_named(world: IndexPagesWorld):
    history = world.tables.find("top-10").history
    found = await world.json("/top-10/position")
    assert (found["invested"], found["settings"]["positionSize"], found["settings"]["core"]) == (1_000, 1, None)
    year_ago = history.last_day - timedelta(days=365)
    assert found["opened"] == str(max(history.first_trade, year_ago))
    assert await world.json("/top-10/position", amount="", since="", core="", stop_loss="0") == found
    for query, field in (
        ("amount=-1", "amount"),
        ("amount=nan", "amount"),
        ("amount=much", "amount"),
        ("amount=1e26", "amount"),
        ("amount=1e308", "amount"),
        ("amount=100000000000000000000000000", "amount"),
        ("stop_loss=0.001", "stop_loss"),
        ("since=1999-01-01", "since"),
        ("since=yesterday", "since"),
        ("position_size=2", "position_size"),
        ("stop_loss=inf", "stop_loss"),
        ("re_entry_days=0", "re_entry_days"),
        ("re_entry_days=1.5", "re_entry_days"),
        ("core=nothing", "core"),
        ("core=" + found["cores"][0]["id"] + "&core_share=0", "core_share"),
    ):
        answer = await world.client.get(f"/v1/indices/top-10/position?{query}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_position"), query
        assert answer.json()["error"]["details"]["field"] == field
        assert "Einstellungen" in await world.page(f"/indices/top-10/position?{query}", "de")
    answer = await world.client.get("/v1/indices/top-10/position/lots.csv?separator=x")
    assert answer.json()["error"]["details"]["field"] == "separator"
    commas = await world.client.get("/v1/indices/top-10/position/lots.csv?separator=%3B")
    assert commas.text.startswith("asset;bought;sold;")


async def test_the_record_of_a_server_is_verified_by_others(world: IndexPagesWorld, inputs: MarketInputs):
    path = "/v1/indices/top-10/record"
    answer = await world.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "application/json"
    facts = await world.json("/top-10")
    assert hashlib.sha256(answer.content).hexdigest() == facts["recordHash"]
    verified = verify_record(read_record(answer.content), inputs.panel)
    assert verified.difference is None
    assert len(verified.recorded["rebalances"]) == facts["rebalanceCount"]
    plain = await world.client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content
    for _ in range(MOST_RECORDS):
        again = await world.client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    answers = [await world.client.get(path) for _ in range(MOST_RECORDS - 1)]
    assert [each.status_code for each in answers] == [200] * (MOST_RECORDS - 2) + [429]
    assert answers[-1].json()["error"]["code"] == "too_many_records"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61


async def test_a_network_gets_so_many_lots_in_a_minute(world: IndexPagesWorld):
    lots = "/v1/indices/top-10/position/lots.csv"
    answers = [await world.client.get(lots) for _ in range(MOST_LOTS + 1)]
    assert [each.status_code for each in answers] == [200] * MOST_LOTS + [429]
    assert answers[-1].json()["error"]["code"] == "too_many_positions"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    assert (await world.client.get("/v1/indices/top-10/position")).status_code == 200, "positions have their own count"
    world.clock.advance(61)
    assert (await world.client.get(lots)).status_code == 200


async def test_an_index_without_its_history_keeps_its_pages(world: IndexPagesWorld):
    """As an earlier version published it."""
    without = [replace(each, history=None, record=None) for each in world.tables.indices]
    write_indices(world.folder, replace(world.tables, id="earlier", indices=tuple(without)))
    world.clock.advance(60)
    assert (await world.json("/top-10"))["index"]["id"] == "top-10"
    for path in ("position", "record"):
        answer = await world.client.get(f"/v1/indices/top-10/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_market_data")
    assert read_indices(world.folder).incomplete


@needs_chromium
async def test_every_page_keeps_the_budgets(world: IndexPagesWorld):
    newest = (await world.json("/global-100/rebalances"))["rebalances"][-1]["day"]
    async with served(world.app) as (_, url, _), chromium() as browser:
        root = url.removesuffix("/v1")
        compared = "/index-comparison?ids=global-100,top-10,defi,top-50&range=0"
        position = "/indices/global-100/position?stop_loss=0.2&position_size=0.6"
        newest_path = f"/indices/global-100/rebalances/{newest}"
        for path in ("/indices", "/indices/global-100", newest_path, position, compared):
            await check_page(browser, root + path)
        async with visit(browser, f"{root}/indices/global-100", **PHONE) as phone:
            await phone.page.get_by_role("button", name="Interactive chart").tap()
            await expect(phone.page.locator(".interactive output")).to_contain_text("Market, held")
            assert await phone.too_wide() <= 0
            assert phone.problems == []
