"""`/v2` of indices: fields that clients read, correct rows, paging, days, conditional requests, and errors."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import orjson
import pytest

from tests.indices.conftest import NOW
from tests.support.fake_clock import FakeClock
from tests.support.market_world import MarketWorld, OneSession, market_world
from usufruct.analytics import CurrentReader, MarketApi, MarketKeys
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.snapshot import DAY, Snapshot
from usufruct.analytics.snapshot_build import MarketInputs
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot
from usufruct.indices import Backtest, load_rulebook, run_index
from usufruct.indices.publication import CurrentIndices, index_number, index_routes, read_indices
from usufruct.web import RawRoute
from usufruct_client import AsyncMarkets
from usufruct_client.market_endpoints import Endpoint, IndexEndpoints
from usufruct_client.wire_types import adapter


@pytest.fixture
async def world(sqlite_url: str, folder: Path) -> AsyncIterator[MarketWorld]:
    clock = FakeClock(NOW)
    ratings = MarketTables(SnapshotReader(folder / "ratings", clock), clock)
    current = CurrentIndices(CurrentReader(folder / "indices", read_indices, clock), clock)

    def build(api: MarketApi, keys: MarketKeys) -> list[RawRoute]:
        return [*market_routes(ratings, api, keys, OneSession()), *index_routes(current, api)]  # type: ignore[arg-type]

    async with market_world(sqlite_url, folder, clock, build) as found:
        yield found


@pytest.fixture(scope="module")
def top(inputs: MarketInputs) -> Backtest:
    return run_index(load_rulebook("top-10"), inputs.panel)


TOKEN = "TOKEN_ID TOKEN_NAME TOKEN_SYMBOL"
HOLDINGS = f"{TOKEN} COIN CG_ID WEIGHT MARKET_CAP PRICE CURRENT_ROI TRADER_GRADE TRADER_GRADE_CHANGE_24H ICON DATE"
VALUES = "ID DATE INDEX_CUMULATIVE_ROI MARKET_CAP VOLUME FDV"
TRADES = f"ID DATE {TOKEN} ACTION WEIGHT_BEFORE WEIGHT CAUSE REASON"
PORTFOLIO = f"PORTFOLIO_DATE ID {TOKEN} WEIGHT INDEX_WEIGHT INITIAL_PRICE"
FIELDS = {
    "/indices": "ID NAME TICKER PRICE COINS 24H 7D 1M ALL_TIME 24H_VOLUME MARKET_CAP INDEX_GRADE TOP_GAINERS_ICONS",
    "/indices-holdings?id=top-10": HOLDINGS,
    "/indices-performance?id=top-10": VALUES,
    "/indices-transaction?index_id=top-10": TRADES,
    "/investor-indices": PORTFOLIO,
    "/index-holdings?index_id=top-10": PORTFOLIO,
    "/index-specific-performance?index_id=defi": VALUES,
    "/sector-indices-holdings?index_id=defi": PORTFOLIO,
    "/sector-index-transaction?index_id=defi": TRADES,
}


@pytest.mark.parametrize("path", FIELDS)
async def test_a_path_has_rows_with_the_fields_that_clients_read(world: MarketWorld, path: str):
    body = await world.get(path)
    assert 0 < body["length"] <= 50
    assert (body["stale"], body["synthetic"], body["as_of"]) == (False, True, "2026-01-31T00:00:00.000Z")
    for row in body["data"]:
        assert set(FIELDS[path].split()) <= set(row)


async def test_indices_are_listed_by_kind_and_what_is_missing_is_named(world: MarketWorld, top: Backtest):
    body = await world.get("/indices")
    assert [row["SLUG"] for row in body["data"]] == ["defi", "global-100", "top-10", "top-50"]
    assert body["message"] == "4 rows; not computed: metaverse-gaming"
    assert [row["SLUG"] for row in await world.rows("/indices", indicesType="active")] == ["global-100"]
    assert [row["SLUG"] for row in await world.rows("/indices", indicesType="passive")] == ["defi", "top-10", "top-50"]
    row = body["data"][2]
    assert (row["ID"], row["TICKER"], row["COINS"], row["STALE"]) == (index_number("top-10"), "TOP-10", 10, False)
    assert row["PRICE"] == top.nav[-1]
    for name, days in (("24H", 1), ("7D", 7), ("1M", 30)):
        assert row[name] == pytest.approx(100 * (top.nav[-1] / top.nav[-1 - days] - 1))
    assert row["ALL_TIME"] == pytest.approx(100 * (top.nav[-1] / 1_000 - 1))
    held = await world.rows("/indices-holdings", id=row["ID"])
    rated = await world.rows("/trader-grades", startDate="2026-01-31")
    grades = {each["TOKEN_ID"]: each["TM_TRADER_GRADE"] for each in rated}
    assert {each["TOKEN_ID"]: each["TRADER_GRADE"] for each in held}.items() <= grades.items()
    mean = sum(each["WEIGHT"] * each["TRADER_GRADE"] for each in held) / sum(each["WEIGHT"] for each in held)
    assert row["INDEX_GRADE"] == pytest.approx(mean, abs=0.011)
    assert sum(each["WEIGHT"] for each in held) == pytest.approx(1)


async def test_days_are_included_and_cursors_go_to_the_end(world: MarketWorld, top: Backtest):
    asked = {"id": index_number("top-10"), "startDate": "2025-12-01", "endDate": "2026-01-15"}
    whole = await world.rows("/indices-performance", limit=1000, **asked)
    days = [str(date(2026, 1, 15) - timedelta(days=each)) for each in range(46)]
    assert [row["DATE"][:10] for row in whole] == days
    assert whole[0]["INDEX_CUMULATIVE_ROI"] == pytest.approx(100 * (top.nav[-17] / 1_000 - 1))
    assert await world.rows("/indices-performance", limit=20, page=0, **asked) == whole[:20]
    assert await world.rows("/indices-performance", limit=20, page=2, **asked) == whole[20:40]
    first = await world.get("/indices-performance", limit=40, **asked)
    rest = await world.get("/indices-performance", limit=40, cursor=first["next_cursor"], **asked)
    assert first["data"] + rest["data"] == whole
    assert "next_cursor" not in rest
    one = await world.get("/indices", limit=1)
    rest = await world.get("/indices", cursor=one["next_cursor"])
    assert [row["SLUG"] for row in rest["data"]] == ["global-100", "top-10", "top-50"]


async def test_trades_and_portfolios_are_those_of_the_engine(world: MarketWorld, top: Backtest):
    traded = top.data.panel.day(int(top.traded_on[-1]))
    portfolio = await world.rows("/investor-indices", index_id="top-10", startDate=traded, endDate=traded)
    held = {each: weight for each, weight in zip(top.ids(), top.held[:, -1].tolist(), strict=True) if weight > 0}
    assert {row["CG_ID"]: row["WEIGHT"] for row in portfolio} == held
    assert sum(row["INDEX_WEIGHT"] for row in portfolio) == pytest.approx(100)
    before = await world.rows("/index-holdings", index_id="top-10", date=traded - timedelta(days=1))
    assert {row["CG_ID"] for row in before} == {
        each for each, weight in zip(top.ids(), top.held[:, -2].tolist(), strict=True) if weight > 0
    }
    assert await world.rows("/index-holdings", index_id="top-10", date=traded) == portfolio
    assert await world.rows("/index-holdings", index_id="top-10") == portfolio
    early = await world.get("/index-holdings", index_id="top-10", date="2000-01-01")
    first = top.data.panel.day(int(top.traded_on[0]))
    assert (early["data"], early["message"]) == ([], f"the index holds nothing before its first trade on {first}")
    for row in await world.rows("/indices-transaction", index_id="top-10", limit=1000):
        rises = row["WEIGHT"] - row["WEIGHT_BEFORE"]
        if "not traded" not in row["REASON"]:
            assert row["ACTION"] == ("BUY" if rises > 0 else "SELL" if rises < 0 else "HOLD")
        assert row["REASON"]
    default = await world.rows("/investor-indices")
    assert {row["NAME"] for row in default} == {"Top 50"}


@pytest.mark.parametrize(
    ("path", "parameters", "field", "words"),
    [
        ("/indices-holdings", {}, "id", "/v2/indices"),
        ("/indices-performance", {"id": "7"}, "id", "'7'"),
        ("/indices-transaction", {"index_id": "bitcoin"}, "index_id", "'bitcoin'"),
        ("/indices", {"indicesType": "lazy"}, "indicesType", "active or passive"),
        ("/indices", {"limit": "1001"}, "limit", "1 to 1000"),
        ("/index-holdings", {"index_id": "top-10", "date": "today"}, "date", "2026-01-31"),
        (
            "/indices-performance",
            {"id": "top-10", "startDate": "2026-01-02", "endDate": "2026-01-01"},
            "endDate",
            "before",
        ),
    ],
)
async def test_a_wrong_parameter_is_named(
    world: MarketWorld, path: str, parameters: dict[str, str], field: str, words: str
):
    answer = await world.client.get(f"/v2{path}", params=parameters)
    body = answer.json()
    assert (answer.status_code, body["success"], body["data"], body["length"]) == (400, False, [], 0)
    assert (body["error"]["code"], body["error"]["param"]) == ("invalid_parameter", field)
    assert words in body["message"]


async def test_a_key_is_needed_and_an_unchanged_answer_is_not_sent_again(world: MarketWorld):
    none = await world.client.get("/v2/indices", headers={"x-api-key": ""})
    assert (none.status_code, none.json()["success"]) == (401, False)
    first = await world.client.get("/v2/indices")
    again = await world.client.get("/v2/indices", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    world.clock.advance(2 * DAY)
    later = await world.client.get("/v2/indices", headers={"if-none-match": first.headers["etag"]})
    assert (later.status_code, later.json()["stale"]) == (200, True)


async def test_the_routes_are_described(world: MarketWorld):
    document = (await world.client.get("/openapi.json")).json()
    for path in FIELDS:
        operation = document["paths"][f"/v2{path.partition('?')[0]}"]["get"]
        assert operation["summary"]
        assert {"limit", "page", "cursor"} <= {each["name"] for each in operation["parameters"]}
    asked = document["paths"]["/v2/indices-performance"]["get"]["parameters"]
    assert {"id", "startDate", "endDate"} <= {each["name"] for each in asked}


ENDPOINTS = {name: each for name, each in vars(IndexEndpoints).items() if isinstance(each, Endpoint)}
ASKED: dict[str, dict[str, str]] = {
    "indices": {},
    "indices_holdings": {"id": "top-10"},
    "indices_performance": {"id": "top-10", "start": "2026-01-01", "end": "2026-01-31"},
    "indices_transaction": {"index_id": "top-10", "start": "2026-01-01", "end": "2026-01-31"},
    "investor_indices": {"index_id": "top-10", "start": "2026-01-01", "end": "2026-01-31"},
}


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_our_client_reads_exactly_the_members_of_each_row(world: MarketWorld, name: str):
    endpoint = ENDPOINTS[name]
    async with AsyncMarkets("http://gateway.test", world.key, transport=world.client._transport) as client:
        found = await getattr(client, name)(**ASKED[name])
    sent = await world.rows(endpoint.path, limit=1000, **endpoint.ask(**ASKED[name]).query)
    members = set(adapter(endpoint.row).json_schema()["properties"])
    assert len(found) == len(sent) > 0
    for row, document in zip(sent, found, strict=True):
        assert set(row) == members
        written = document.as_json()
        numbers = {key: value for key, value in row.items() if isinstance(value, int | float)}
        assert {key: written[key] for key in numbers} == numbers
    document = (await world.client.get("/openapi.json")).json()
    described = document["paths"][f"/v2{endpoint.path}"]["get"]["parameters"]
    offered = {each["name"] for each in described if each["in"] == "query"}
    assert set(endpoint.ask(**ASKED[name]).query) <= offered


async def test_without_indices_the_answer_names_the_remedy(sqlite_url: str, tmp_path: Path, snapshot: Snapshot):
    clock = FakeClock(NOW)
    write_snapshot(tmp_path / "ratings", snapshot)
    ratings = MarketTables(SnapshotReader(tmp_path / "ratings", clock), clock)
    current = CurrentIndices(CurrentReader(tmp_path / "indices", read_indices, clock), clock)

    def build(api: MarketApi, keys: MarketKeys) -> list[RawRoute]:
        return [*market_routes(ratings, api, keys, OneSession()), *index_routes(current, api)]  # type: ignore[arg-type]

    async with market_world(sqlite_url, tmp_path, clock, build) as world:
        answer = await world.client.get("/v2/indices")
    assert answer.status_code == 503
    assert "runs a worker" in orjson.loads(answer.content)["message"]


async def test_what_was_not_traded_is_held_and_neither_bought_nor_sold(world: MarketWorld):
    rows = await world.rows("/indices-transaction", index_id="global-100", limit=1000)
    actions = {row["ACTION"] for row in rows if "not traded" in row["REASON"]}
    assert actions == {"HOLD"}, "costs of other trades move its weight a little"
