"""`/v2` in this process: every path of the table of endpoints, with correct rows, limits, paging, errors, and keys."""

import math
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.analytics.conftest import LAST_DAY, NOW
from tests.support.fake_clock import FakeClock
from tests.support.market_archive import simulated_inputs
from tests.support.market_world import MarketWorld, OneSession, market_world
from tests.support.scripted_model import MODEL, ScriptedModel
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.api_keys import MarketKeys
from usufruct.analytics.grades import grade
from usufruct.analytics.rows import token_row
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot
from usufruct.analytics.writing import ModelWriter, ReportFile, Wording, Words
from usufruct.connectors.openai import UpstreamClient
from usufruct.connectors.prices import Asset, Panel
from usufruct.store import Database, Stamp
from usufruct.web import HttpExchange


@pytest.fixture(scope="module")
def panel() -> Panel:
    return simulated_inputs(LAST_DAY).panel


def column_of(panel: Panel, row: dict[str, Any]) -> int:
    return next(index for index, each in enumerate(panel.assets) if each.number == row["TOKEN_ID"])


FIELDS = {
    "/tokens": "TOKEN_ID TOKEN_NAME TOKEN_SYMBOL EXCHANGE_LIST CATEGORY_LIST TM_LINK",
    "/price": "TOKEN_ID TOKEN_NAME TOKEN_SYMBOL CURRENT_PRICE DATE",
    "/top-market-cap-tokens": "TOKEN_ID TOKEN_NAME TOKEN_SYMBOL EXCHANGE_LIST CATEGORY_LIST",
    "/hourly-ohlcv": "TOKEN_ID DATE TIMESTAMP OPEN HIGH LOW CLOSE VOLUME",
    "/daily-ohlcv": "TOKEN_ID DATE TIMESTAMP OPEN HIGH LOW CLOSE VOLUME",
    "/trader-grades": "TOKEN_ID DATE TA_GRADE QUANT_GRADE TM_TRADER_GRADE TM_TRADER_GRADE_24H_PCT_CHANGE",
    "/investor-grades": "TOKEN_ID DATE TM_INVESTOR_GRADE TM_INVESTOR_GRADE_7D_PCT_CHANGE FUNDAMENTAL_GRADE "
    "TECHNOLOGY_GRADE VALUATION_GRADE COMMUNITY_SCORE EXCHANGE_SCORE TOKENOMICS_SCORE DEFI_SCANNER_SCORE "
    "ACTIVITY_SCORE SECURITY_SCORE REPOSITORY_SCORE COLLABORATION_SCORE",
    "/tm-grade": "TOKEN_ID TM_GRADE TM_GRADE_SIGNAL TM_GRADE_24h_PCT_CHANGE TM_TRADER_GRADE_24H_CHANGE QUANT_GRADE "
    "FUNDAMENTAL_GRADE FUNDAMENTAL_GRADE_CLASS MOMENTUM",
    "/tm-grade-history": "TOKEN_ID DATE TM_GRADE TM_GRADE_SIGNAL",
    "/fundamental-grade": "TOKEN_ID FUNDAMENTAL_GRADE FUNDAMENTAL_GRADE_CLASS",
    "/fundamental-grade-history": "TOKEN_ID DATE FUNDAMENTAL_GRADE FUNDAMENTAL_GRADE_CLASS",
    "/trading-signals": "TOKEN_ID DATE TRADING_SIGNAL TOKEN_TREND TRADING_SIGNALS_RETURNS HOLDING_RETURNS "
    "TM_TRADER_GRADE TM_INVESTOR_GRADE TM_LINK",
    "/hourly-trading-signals": "TIMESTAMP TOKEN_ID CLOSE SIGNAL POSITION",
    "/moonshot-tokens?type=past": "TOKEN_NAME TOKEN_SYMBOL MOONSHOT_AT MOONSHOT_END_AT MOONSHOT_ROI "
    "LAST_TRADING_SIGNAL_TIME TM_TRADER_GRADE TM_TRADER_GRADE_24H_PCT_CHANGE "
    "PRICE_CHANGE_PERCENTAGE_7D_IN_CURRENCY MARKET_CAP VOLUME_24H",
    "/market-metrics": "DATE TOTAL_CRYPTO_MCAP ALTS_MARKET_CAP BTC_PRICE BTC_MARKET_CAP TM_GRADE_SIGNAL "
    "LAST_TM_GRADE_SIGNAL TM_GRADE_PERC_HIGH_COINS RECT_SIGNAL VOL_INDEX VOL_10 VOL_90 ALTS_INDICATOR ABOVE_MA "
    "FEAR_AND_GREED_VALUE",
    "/quantmetrics": "TOKEN_ID DATE VOLATILITY ALL_TIME_RETURN CAGR SHARPE SORTINO MAX_DRAWDOWN SKEW TAIL_RATIO "
    "RISK_REWARD_RATIO PROFIT_FACTOR KURTOSIS DAILY_VALUE_AT_RISK DAILY_RETURN_AVG DAILY_RETURN_STD",
    "/correlation": "TOKEN_ID DATE TOP_CORRELATION",
    "/resistance-support": "TOKEN_ID DATE HISTORICAL_RESISTANCE_SUPPORT_LEVELS",
    "/scenario-analysis": "TOKEN_ID DATE SCENARIO_ANALYSIS",
    "/price-prediction": "TOKEN_ID DATE PRICE_PREDICTION",
    "/sentiments": "DATETIME MARKET_SENTIMENT_GRADE MARKET_SENTIMENT_LABEL NEWS_SENTIMENT_GRADE NEWS_SUMMARY "
    "REDDIT_SENTIMENT_GRADE TWITTER_SENTIMENT_GRADE",
    "/ai-reports": "TOKEN_ID INVESTMENT_ANALYSIS_POINTER INVESTMENT_ANALYSIS DEEP_DIVE CODE_REVIEW TRADER_REPORT "
    "FUNDAMENTAL_REPORT TECHNOLOGY_REPORT",
    "/trader-indices": "PORTFOLIO_DATE TOKEN_ID INDEX_WEIGHT AMOUNT_OF_TOKENS INITIAL_PRICE",
}


@pytest.mark.parametrize("path", FIELDS)
async def test_a_path_has_rows_with_the_fields_that_clients_read(market: MarketWorld, path: str):
    rows = await market.rows(path)
    assert 0 < len(rows) <= 50
    for row in rows:
        assert set(FIELDS[path].split()) <= set(row)
        assert not [value for value in row.values() if isinstance(value, float) and not math.isfinite(value)]


async def test_grades_are_those_of_the_formula_and_the_newest_come_first(market: MarketWorld, panel: Panel):
    graded = grade(panel)
    rows = await market.rows("/trader-grades", limit=1000)
    assert len(rows) == 1000
    assert rows[0]["DATE"] == "2026-01-31T00:00:00.000Z"
    keys = [(row["DATE"], -row["TOKEN_ID"]) for row in rows]
    assert keys == sorted(keys, reverse=True)
    for row in rows[::37]:
        at, column = panel.row(date.fromisoformat(row["DATE"][:10])), column_of(panel, row)
        assert row["TM_TRADER_GRADE"] == pytest.approx(graded.trader[at, column], abs=0.0051)
        assert row["TA_GRADE"] == pytest.approx(graded.technical[at, column], abs=0.0051)
        assert row["QUANT_GRADE"] == pytest.approx(graded.quantitative[at, column], abs=0.0051)
    at = column_of(panel, rows[0])
    [last] = await market.rows("/tm-grade", token_id=rows[0]["TOKEN_ID"])
    assert last["TM_GRADE"] == pytest.approx(graded.overall[-1, at], abs=0.0051)


async def test_bars_and_prices_are_those_of_the_archive(market: MarketWorld, panel: Panel):
    inputs = simulated_inputs(LAST_DAY)
    assert inputs.hourly is not None
    asset = panel.assets[0]
    days = await market.rows("/daily-ohlcv", symbol=asset.symbol, startDate="2026-01-01", endDate="2026-01-30")
    days = [row for row in days if row["TOKEN_ID"] == asset.number]
    assert [row["DATE"][:10] for row in days] == [str(date(2026, 1, 30) - timedelta(days=n)) for n in range(30)]
    for row in days:
        at = panel.row(date.fromisoformat(row["DATE"][:10]))
        assert row["CLOSE"] == panel.close[at, 0]
        assert row["HIGH"] == inputs.daily.high[at, 0]
        assert row["TIMESTAMP"] == row["DATE"]
    hours = await market.rows("/hourly-ohlcv", token_id=asset.number, startDate="2026-01-31", endDate="2026-01-31")
    assert len(hours) == 24
    assert hours[0]["TIMESTAMP"] == "2026-01-31T23:00:00.000Z"
    assert hours[0]["CLOSE"] == inputs.hourly.close[-1, 0]
    [price] = await market.rows("/price", token_id=asset.number)
    assert price == {
        "TOKEN_ID": asset.number,
        "TOKEN_NAME": asset.name,
        "TOKEN_SYMBOL": asset.symbol,
        "CURRENT_PRICE": inputs.hourly.close[-1, 0],
        "DATE": "2026-01-31T23:00:00.000Z",
    }


async def test_filters_join(market: MarketWorld, panel: Panel):
    caps = {each.number: panel.market_cap[-1, n] for n, each in enumerate(panel.assets)}
    ranked = sorted((cap for cap in caps.values() if not np.isnan(cap)), reverse=True)
    large = await market.rows("/tokens", marketcap=ranked[4])
    assert {row["TOKEN_ID"] for row in large} == {number for number, cap in caps.items() if cap >= ranked[4]}
    layer = await market.rows("/tokens", category="layer-1,nothing")
    assert layer
    assert all("layer-1" in row["CATEGORY_LIST"] for row in layer)
    both = await market.rows("/tokens", category="layer-1", marketcap=ranked[4])
    assert [row["TOKEN_ID"] for row in both] == [
        row["TOKEN_ID"] for row in layer if row["TOKEN_ID"] in {each["TOKEN_ID"] for each in large}
    ]
    one, two = panel.assets[0], panel.assets[5]
    named = await market.rows("/tokens", symbol=f"{one.symbol.lower()}, {two.symbol}")
    assert {row["TOKEN_SYMBOL"] for row in named} == {one.symbol, two.symbol}
    assert [row["SLUG"] for row in await market.rows("/tokens", token_name=one.id)] == [one.id]
    top = await market.rows("/top-market-cap-tokens", top_k=3)
    assert [caps[row["TOKEN_ID"]] for row in top] == ranked[:3]
    nothing = await market.get("/tokens", exchange="nowhere")
    assert (nothing["length"], nothing["message"]) == (0, "no row matches")
    good = await market.rows("/trader-grades", traderGrade=70, limit=1000)
    assert good
    assert min(row["TM_TRADER_GRADE"] for row in good) >= 69.99
    falling = await market.rows("/trading-signals", signal=-1, limit=1000)
    assert {row["TRADING_SIGNAL"] for row in falling} == {-1}


async def test_assets_have_their_exchanges_and_a_page_on_this_server(market: MarketWorld, snapshot: Snapshot):
    traded = {0: ("coinbase", "kraken"), 3: ("kraken",)}
    listed = [orjson.dumps(token_row(each, traded.get(at, ()))) for at, each in enumerate(snapshot.assets)]
    tokens = replace(snapshot.rows["tokens"], rows=listed)
    write_snapshot(market.folder, replace(snapshot, id="traded", rows={**snapshot.rows, "tokens": tokens}))
    market.clock.advance(10)
    found = await market.rows("/tokens", exchange="Kraken,nowhere")
    assert [row["EXCHANGE_LIST"] for row in found] == [["coinbase", "kraken"], ["kraken"]]
    assert [row["TOKEN_ID"] for row in found] == [snapshot.assets[at].number for at in (0, 3)]
    assert [row["TOKEN_ID"] for row in await market.rows("/tokens", exchange="coinbase")] == [snapshot.assets[0].number]
    only = {row["TOKEN_ID"] for row in await market.rows("/trader-grades", exchange="kraken", limit=1000)}
    assert only <= {snapshot.assets[at].number for at in (0, 3)}
    for path in ("/tokens", "/top-market-cap-tokens", "/trading-signals"):
        [row] = await market.rows(path, limit=1)
        asset = next(each for each in snapshot.assets if each.number == row["TOKEN_ID"])
        assert row["TM_LINK"] == f"http://gateway.test/markets/{asset.id}", path
    one = await market.client.get("/v2/tokens")
    other = await market.client.get("/v2/tokens", headers={"host": "other.test", "if-none-match": one.headers["etag"]})
    assert other.json()["data"][0]["TM_LINK"].startswith("http://other.test/markets/")


def test_a_link_has_no_character_of_an_id_that_is_not_of_a_path():
    assert token_row(Asset("a b?c#d", 1, "A", '"TM_LINK":"/x'))["TM_LINK"] == "/markets/a%20b%3Fc%23d"


async def test_pages_count_from_zero_or_one_and_cursors_go_to_the_end(market: MarketWorld):
    asked: dict[str, Any] = {"startDate": "2026-01-20", "endDate": "2026-01-31"}
    whole = await market.get("/investor-grades", limit=1000, **asked)
    assert whole["length"] > 100
    assert "next_cursor" not in whole
    assert await market.rows("/investor-grades", limit=7, page=0, **asked) == whole["data"][:7]
    assert await market.rows("/investor-grades", limit=7, page=1, **asked) == whole["data"][:7]
    assert await market.rows("/investor-grades", limit=7, page=3, **asked) == whole["data"][14:21]
    found, page = [], await market.get("/investor-grades", limit=60, **asked)
    while True:
        found += page["data"]
        if "next_cursor" not in page:
            break
        page = await market.get("/investor-grades", limit=60, cursor=page["next_cursor"], **asked)
    assert found == whole["data"]
    tokens = await market.get("/tokens", limit=20)
    rest = await market.get("/tokens", limit=20, cursor=tokens["next_cursor"])
    assert [row["TOKEN_ID"] for row in tokens["data"] + rest["data"]] == list(range(1, 31))


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"limit": "1001"}, ["limit", "1 to 1000", "1001"]),
        ({"limit": "-1"}, ["limit", "-1"]),
        ({"page": "x"}, ["page", "'x'"]),
        ({"startDate": "2026-13-01"}, ["startDate", "2026-01-31"]),
        ({"startDate": "2026-02-02", "endDate": "2026-02-01"}, ["endDate", "before"]),
        ({"cursor": "nonsense"}, ["cursor", "next_cursor"]),
        ({"traderGrade": "nan"}, ["traderGrade", "a number"]),
        ({"marketcap": "lots"}, ["marketcap", "lots"]),
        ({"fdv": "lots"}, ["fdv", "lots"]),
    ],
)
async def test_a_wrong_parameter_is_named(market: MarketWorld, parameters: dict[str, str], names: list[str]):
    answer = await market.client.get("/v2/trader-grades", params=parameters)
    body = answer.json()
    assert (answer.status_code, body["success"], body["data"], body["length"]) == (400, False, [], 0)
    assert body["error"]["code"] == "invalid_parameter"
    assert body["error"]["param"] == names[0]
    assert all(name in body["message"] for name in names)


async def test_a_least_grade_beyond_the_numbers_of_the_table_is_no_fault(market: MarketWorld):
    assert await market.rows("/trader-grades", traderGrade="6e198") == []
    assert await market.rows("/trader-grades", traderGrade="-6e198") == await market.rows("/trader-grades")
    assert await market.rows("/trading-signals", signal="6e198") == []


async def test_parameters_are_described_with_what_they_take(market: MarketWorld):
    paths = (await market.client.get("/openapi.json")).json()["paths"]
    grades = paths["/v2/trader-grades"]["get"]
    asked = {each["name"]: each for each in grades["parameters"]}
    assert asked["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 1_000}
    assert asked["traderGrade"]["schema"] == {"type": "number"}
    assert asked["startDate"]["schema"] == {"type": "string", "format": "date"}
    assert asked["limit"]["allowEmptyValue"], "an empty one counts as left out"
    assert await market.rows("/trader-grades", limit="") == await market.rows("/trader-grades")
    assert "content" not in grades["responses"]["304"]
    made = paths["/v2/keys"]["post"]
    assert made["requestBody"]["required"] is False
    assert "NewMarketKey" in str(made["responses"]["201"]["content"]["application/json"]["schema"])


async def test_the_last_day_that_can_be_asked_for_is_no_fault(market: MarketWorld):
    assert await market.rows("/market-metrics", endDate="9999-12-31")
    assert not await market.rows("/market-metrics", endDate="0001-01-01")


async def test_an_unchanged_answer_is_not_sent_again_and_does_not_count(market: MarketWorld):
    first = await market.client.get("/v2/price", params={"token_id": "1"})
    used = (await market.client.get("/v2/keys/current")).json()["data"][0]["CALLS_THIS_MONTH"]
    again = await market.client.get(
        "/v2/price", params={"token_id": "1"}, headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await market.client.get(
        "/v2/price", params={"token_id": "2"}, headers={"if-none-match": first.headers["etag"]}
    )
    assert other.status_code == 200
    now = (await market.client.get("/v2/keys/current")).json()["data"][0]["CALLS_THIS_MONTH"]
    assert now == used + 1


async def test_what_is_late_is_said_to_be_stale(market: MarketWorld):
    body = await market.get("/price")
    assert (body["stale"], body["synthetic"], body["as_of"]) == (False, True, "2026-01-31T23:00:00.000Z")
    market.clock.advance(5 * 3_600)
    assert (await market.get("/price"))["stale"] is True


async def test_without_data_the_answer_names_the_remedy(market: MarketWorld):
    (market.folder / "current").unlink()
    market.clock.advance(60)
    answer = await market.client.get("/v2/price")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "runs a worker" in answer.json()["message"]


async def test_weights_of_the_trader_index_sum_to_a_hundred_each_day(market: MarketWorld):
    by_day: dict[str, float] = {}
    for row in await market.rows("/trader-indices", limit=1000, endDate="2026-01-25"):
        by_day[row["PORTFOLIO_DATE"]] = by_day.get(row["PORTFOLIO_DATE"], 0) + row["INDEX_WEIGHT"]
    whole = sorted(by_day)[1:]  # the last page of a day may be cut
    assert len(whole) > 10
    assert all(by_day[day] == pytest.approx(100) for day in whole)
    assert max(by_day) <= "2026-01-25T99"


@pytest.mark.parametrize("path", ["/hourly-ohlcv", "/hourly-trading-signals", "/quantmetrics", "/daily-ohlcv"])
async def test_a_range_from_before_the_data_is_answered_with_the_days_that_there_are(market: MarketWorld, path: str):
    last = "2026-01-31"
    old = await market.get(path, startDate="2019-01-01", endDate="2019-01-31")
    assert old["data"] == []
    known = re.fullmatch(r"no row matches; there (?:are days from|is one day,) (\S+)(?: to (\S+))?", old["message"])
    assert known, old["message"]
    first = known[1]
    assert (known[2] or known[1]) == last
    assert first == last or path != "/quantmetrics"
    assert await market.rows(path, startDate=first, endDate=first)
    before = str(date.fromisoformat(first) - timedelta(days=1))
    assert await market.rows(path, startDate=before, endDate=before) == []
    partly = await market.get(path, startDate=before, endDate=last)
    assert partly["message"] == f"{partly['length']} rows; {old['message'].partition('; ')[2]}"
    assert (await market.get(path, startDate=last))["message"].endswith(" rows")
    future = await market.get(path, startDate="2031-01-01")
    assert old["message"] == future["message"]
    described = (await market.client.get("/openapi.json")).json()["paths"][f"/v2{path}"]["get"]["summary"]
    assert ("last" in described) == (path != "/daily-ohlcv")


async def test_top_k_is_the_size_of_a_page_and_named_where_it_is_wrong(market: MarketWorld):
    ranked = [row["TOKEN_ID"] for row in await market.rows("/top-market-cap-tokens", limit=1000)]
    for page, first in ((0, 0), (1, 0), (2, 10)):
        rows = await market.rows("/top-market-cap-tokens", top_k=10, page=page)
        assert [row["TOKEN_ID"] for row in rows] == ranked[first : first + 10]
    for wrong in ("5000", "0", "ten"):
        refused = await market.client.get("/v2/top-market-cap-tokens", params={"top_k": wrong})
        body = refused.json()
        assert (refused.status_code, body["error"]["param"]) == (400, "top_k")
        assert body["message"] == f"top_k must be a whole number from 1 to 1000, not '{wrong}'"


async def test_correlations_are_of_the_asked_pair(market: MarketWorld, panel: Panel):
    everything = {row["TOKEN_ID"]: row for row in await market.rows("/correlation", limit=1000)}
    base = next(iter(everything.values()))
    same = await market.rows("/correlation", base_symbol=base["TOKEN_SYMBOL"])
    assert same == await market.rows("/correlation", symbol=base["TOKEN_SYMBOL"])
    assert base in same
    for other in (base["TOP_CORRELATION"][0], base["TOP_CORRELATION"][-1]):
        asked = {"base_symbol": base["TOKEN_SYMBOL"], "quote_symbol": other["symbol"].lower()}
        [row] = [row for row in await market.rows("/correlation", **asked) if row["TOKEN_ID"] == base["TOKEN_ID"]]
        assert other in row["TOP_CORRELATION"]
        assert {each["symbol"] for each in row["TOP_CORRELATION"]} == {other["symbol"]}
    assert await market.rows("/correlation", base_symbol="NOTHING", quote_symbol=base["TOKEN_SYMBOL"]) == []
    assert await market.rows("/correlation", quote_symbol="NOTHING") == []
    assert await market.rows("/correlation", base_symbol="NOTHING", symbol=base["TOKEN_SYMBOL"]) == []
    one, two = (each["symbol"] for each in base["TOP_CORRELATION"][:2])
    whole = await market.get("/correlation", quote_symbol=f"{one},{two}", limit=1000)
    assert whole["length"] == len(everything)
    for row in whole["data"]:
        values = [each["correlation"] for each in row["TOP_CORRELATION"]]
        assert values == sorted(values, reverse=True)
        assert row["TOKEN_ID"] not in {each["token_id"] for each in row["TOP_CORRELATION"]}
    paged, page = [], await market.get("/correlation", quote_symbol=f"{one},{two}", limit=7)
    while True:
        paged += page["data"]
        if "next_cursor" not in page:
            break
        page = await market.get("/correlation", quote_symbol=f"{one},{two}", limit=7, cursor=page["next_cursor"])
    assert paged == whole["data"]


async def test_what_a_moonshots_asset_is_now_is_text_and_its_last_signal_is_the_signals(market: MarketWorld):
    texts = ("TM_TRADER_GRADE", "TM_TRADER_GRADE_24H_PCT_CHANGE", "PRICE_CHANGE_PERCENTAGE_7D_IN_CURRENCY")
    found = await market.rows("/moonshot-tokens", type="past")
    later = 0
    for row in found[:10]:
        now = {name: row[name] for name in (*texts, "MARKET_CAP", "VOLUME_24H")}
        assert all(value is None or re.fullmatch(r"-?\d+\.\d\d", value) for value in now.values()), now
        signals = await market.rows("/trading-signals", token_id=row["TOKEN_ID"], limit=1000)
        values = [each["TRADING_SIGNAL"] for each in signals]
        since = next((at for at, value in enumerate(values) if value != values[0]), None)
        assert since is not None
        assert row["LAST_TRADING_SIGNAL_TIME"] == signals[since - 1]["DATE"]
        later += row["LAST_TRADING_SIGNAL_TIME"] != row["MOONSHOT_AT"]
    assert later, "the last signal is not the start of the pick"


async def test_moonshots_are_of_one_kind_and_no_other_is_asked_for(market: MarketWorld):
    past = await market.rows("/moonshot-tokens", type="past")
    assert all(row["MOONSHOT_END_AT"] for row in past)
    assert all(row["MOONSHOT_END_AT"] is None for row in await market.rows("/moonshot-tokens"))
    answer = await market.client.get("/v2/moonshot-tokens", params={"type": "future"})
    assert "active or past" in answer.json()["message"]


async def test_what_has_no_source_is_empty_and_says_so(market: MarketWorld):
    assert (await market.get("/crypto-investors"))["message"] == "this installation has no source about investors"
    assert (await market.get("/technology-grade-history"))["data"] == []


async def test_a_question_is_answered_from_the_numbers_of_what_it_names(market: MarketWorld, snapshot: Snapshot):
    asset = snapshot.assets[0]
    answer = await market.client.post("/v2/tmai", json={"messages": [{"user": f"What about {asset.symbol}?"}]})
    body = answer.json()
    assert body["success"]
    assert body["answer"] == body["data"]["answer"]
    [report] = await market.rows("/ai-reports", token_id=asset.number)
    assert body["answer"] == report["DEEP_DIVE"]
    general = await market.client.post("/v2/tmai", json={"messages": [{"user": "How is the market?"}]})
    assert general.json()["answer"] == snapshot.briefing
    for wrong in (
        {},
        {"messages": []},
        {"messages": [{"user": 3}]},
        {"messages": "BTC?"},
        {"messages": [5, {"user": "BTC?"}]},
    ):
        refused = await market.client.post("/v2/tmai", json=wrong)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "messages")


async def test_a_models_words_are_shown_where_their_numbers_are_the_figures(snapshot, sqlite_url, tmp_path):
    clock, folder, words = FakeClock(NOW), tmp_path / "ratings", ReportFile(tmp_path / "words")
    write_snapshot(folder, snapshot)
    tables, asset = MarketTables(SnapshotReader(folder, clock), clock), snapshot.assets[0]
    question = {"messages": [{"user": f"What about {asset.symbol}?"}]}
    with ScriptedModel("It is what it is.") as model:
        async with UpstreamClient(model.base_url) as server:
            wording = Wording(ModelWriter(server, MODEL, clock), words)
            async with market_world(
                sqlite_url, folder, clock, lambda api, keys: market_routes(tables, api, keys, OneSession(), wording)
            ) as market:
                asked = (await market.client.post("/v2/tmai", json=question)).json()
                assert asked["data"] == {"answer": model.reply, "written_by": MODEL}
                assert asked["message"] == f"answered by {MODEL} from the figures; not advice"
                [sentences] = model.figures
                model.reply = "It will cost $1."
                for told in (question, {"messages": [{"user": f"{asset.symbol} " + "and so on " * 300}]}):
                    answer = (await market.client.post("/v2/tmai", json=told)).json()
                    assert answer["data"] == {"answer": sentences, "written_by": ""}
                assert len(model.asked) == 2, "a question without an end is not passed on"

                before = await market.client.get("/v2/ai-reports?limit=1000")
                assert {row["WORDED_REPORT"] for row in before.json()["data"]} == {None}
                words.add(sentences, Words("In my words.", MODEL), [sentences])
                unseen = {"if-none-match": before.headers["etag"]}
                after = await market.client.get("/v2/ai-reports?limit=1000", headers=unseen)
                worded = [row for row in after.json()["data"] if row["WORDED_BY"]]
                assert [(row["TOKEN_ID"], row["WORDED_REPORT"], row["WORDED_BY"]) for row in worded] == [
                    (asset.number, "In my words.", MODEL)
                ]
                same = await market.client.get(
                    "/v2/ai-reports?limit=1000", headers={"if-none-match": after.headers["etag"]}
                )
                assert same.status_code == 304


async def test_both_headers_name_the_key_and_without_one_nothing_is_told(market: MarketWorld):
    bare = httpx.AsyncClient(transport=market.client._transport, base_url="http://gateway.test", timeout=120)
    assert (await bare.get("/v2/price", headers={"api_key": market.key})).status_code == 200
    for headers, code in (({}, "key_missing"), ({"x-api-key": "um_wrong"}, "key_unknown")):
        answer = await bare.get("/v2/price", headers=headers)
        body = answer.json()
        assert (answer.status_code, body["success"], body["data"], body["error"]["code"]) == (401, False, [], code)
        assert "POST /v2/keys" in body["message"]


async def test_a_key_is_revoked_by_one_request(market: MarketWorld):
    assert (await market.client.delete("/v2/keys/current")).status_code == 200
    answer = await market.client.get("/v2/price")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key_revoked")


async def test_a_network_makes_so_many_keys_a_day(market: MarketWorld):
    made = [await market.client.post("/v2/keys") for _ in range(3)]
    assert [each.status_code for each in made] == [201, 201, 429]
    assert made[2].json()["error"]["code"] == "too_many_keys"
    assert 86_000 < int(made[2].headers["retry-after"]) <= 86_400
    assert made[2].headers["x-should-retry"] == "false"
    assert len({each.json()["data"][0]["KEY"] for each in made[:2]}) == 2
    market.clock.advance(86_401)
    assert (await market.client.post("/v2/keys")).status_code == 201
    wrong = await market.client.post("/v2/keys", json={"label": "x\n"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "label")


async def test_limits_hold_by_minute_and_by_month(market: MarketWorld):
    for _ in range(200):
        assert (await market.client.get("/v2/price", params={"token_id": "1"})).status_code == 200
    answer = await market.client.get("/v2/price")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "200 calls a minute" in answer.json()["message"]
    market.clock.advance(60)
    left = [
        (await market.client.get("/v2/price", params={"token_id": "1"})).headers["x-ratelimit-remaining"]
        for _ in range(100)
    ]
    assert left == [str(each) for each in range(99, -1, -1)]
    answer = await market.client.get("/v2/price")
    assert answer.status_code == 429
    assert "300 calls" in answer.json()["message"]
    end_of_month = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) - market.clock.now()
    assert int(answer.headers["retry-after"]) == end_of_month
    await market.keys.flush()
    market.clock.advance(end_of_month)
    assert (await market.client.get("/v2/price")).status_code == 200


async def test_a_stakers_key_has_more(market: MarketWorld):
    made = await market.client.post("/v2/keys", headers={"x-test-signed-in": "yes"})
    row = made.json()["data"][0]
    assert (row["LEVEL"], row["CALLS_PER_MONTH"], row["CALLS_PER_MINUTE"]) == (3, 1_200, 800)
    shown = await market.client.get("/v2/keys/current", headers={"x-api-key": row["KEY"]})
    assert {name: value for name, value in row.items() if name != "KEY"} == shown.json()["data"][0]
    assert market.key not in shown.text


async def test_a_plan_of_the_operator_counts_instead(market: MarketWorld):
    key = (await market.client.get("/v2/keys/current")).json()["data"][0]["ID"]
    assert await market.keys.store.set_plan(key, 5_000, 7)
    market.clock.advance(60)
    row = (await market.client.get("/v2/keys/current")).json()["data"][0]
    assert (row["CALLS_PER_MONTH"], row["CALLS_PER_MINUTE"]) == (5_000, 7)
    assert not await market.keys.store.set_plan("mkey_none", 1, 1)


async def test_calls_of_all_replicas_count_together(database: Database, market: MarketWorld):
    """Two replicas on one database: what one flushed, the other knows after its own flush."""
    benefits, stamp = market.keys._benefits, Stamp(b"a secret of these tests .........", "networks")
    one, two = (MarketKeys(database, stamp, market.clock, benefits) for _ in range(2))
    exchange = _exchange()
    text, _ = await one.create(exchange)
    exchange.headers = {b"x-api-key": text.encode()}
    for replica in (one, two):
        caller = await replica.admit(exchange)
        for _ in range(10):
            replica.count(caller)
    await one.flush()
    await two.flush()
    assert (await two.admit(exchange)).used == 20
    assert [calls for _, calls in await one.store.list()] == [20]


async def test_a_call_that_lasts_over_the_turn_of_a_month_is_counted(market: MarketWorld):
    exchange = _exchange()
    exchange.headers = {b"x-api-key": market.key.encode()}
    caller = await market.keys.admit(exchange)
    market.clock.advance(32 * 86_400)
    await market.keys.flush()
    market.keys.count(caller)
    await market.keys.flush()
    assert (await market.keys.show(market.key)).used == 1


def _exchange() -> Any:
    async def nothing(*_: Any) -> Any:
        raise AssertionError

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "client": ("203.0.113.9", 1)}
    return HttpExchange(scope, nothing, nothing)


async def test_every_route_is_described_and_answers_as_described(market: MarketWorld):
    document = (await market.client.get("/openapi.json")).json()
    validate(document)
    paths = {path: methods for path, methods in document["paths"].items() if path.startswith("/v2")}
    assert len(paths) == len(FIELDS) + 4 + 3, "four paths are empty without a source; a question, two of keys"
    for path, methods in paths.items():
        if "get" not in methods or path == "/v2/keys/current":
            continue
        schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        asked = {each["name"] for each in methods["get"]["parameters"] if each["in"] == "query"}
        assert {"limit", "page", "cursor"} <= asked
        Draft202012Validator(schema | {"components": document["components"]}).validate(
            (await market.client.get(path)).json()
        )
        refused = methods["get"]["responses"]["400"]["content"]["application/json"]["schema"]
        wrong = (await market.client.get(path, params={"limit": "0"})).json()
        Draft202012Validator(refused | {"components": document["components"]}).validate(wrong)
