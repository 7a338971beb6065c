"""Our client against the API itself: every path and parameter, rows as they travel, pages, quotas, keys; an agent."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from tests.analytics.conftest import NOW
from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from tests.support.learning import needs_openmp
from tests.support.market_world import MarketWorld
from usufruct.analytics.learned import LearnedModel
from usufruct.analytics.live import LivePriceFeed, live_routes
from usufruct.analytics.live.fixing import FixedPrice
from usufruct.analytics.live.model import LiveTable
from usufruct.analytics.live.price_file import LiveReader, updated, write_table
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.web import Router
from usufruct_client import AsyncMarkets, GatewayRefused, Invalid, Markets
from usufruct_client.market_data_documents import CryptoInvestor, LearnedSignalDay
from usufruct_client.market_endpoints import Endpoint, MarketEndpoints
from usufruct_client.wire_types import adapter

ROOT = Path(__file__).parents[2]
AGENT = ROOT / "examples" / "trading_agent.py"
ENDPOINTS = {name: each for name, each in vars(MarketEndpoints).items() if isinstance(each, Endpoint)}
"""Those of indices are tested with the routes of indices."""
FULL = {  # a value of each parameter
    "token_id": [1, 2],
    "symbol": "A",
    "token_name": "a",
    "category": ["layer-1"],
    "exchange": "x",
    "blockchain_address": "ethereum:0x00",
    "market_cap": 1.5,
    "fdv": 1,
    "volume": 1,
    "start": date(2026, 1, 1),
    "end": "2026-01-31",
    "trader_grade": 50,
    "trader_grade_change": -1,
    "investor_grade": 50,
    "signal": 1,
    "base_symbol": "A",
    "quote_symbol": ["B", "C"],
    "kind": "past",
    "limit": 7,
}


@pytest.fixture
async def markets(market: MarketWorld) -> AsyncIterator[AsyncMarkets]:
    async with AsyncMarkets("http://gateway.test", market.key, transport=market.client._transport) as client:
        yield client


def parameters(endpoint: Endpoint) -> set[str]:
    """Names of the query for all parameters that an endpoint takes, and `limit`."""
    [kind] = get_args(endpoint.ask.__annotations__["given"])
    return set(endpoint.ask(**{name: FULL[name] for name in kind.__annotations__}).query) | {"limit"}


def plain(value: object) -> bool:
    """Whether a value travels in one form only; times do not."""
    return value is None or isinstance(value, int | float)


async def test_there_is_a_method_for_every_path_with_all_its_parameters(market: MarketWorld):
    paths = (await market.client.get("/openapi.json")).json()["paths"]
    offered = {
        path.removeprefix("/v2"): {each["name"] for each in methods["get"]["parameters"] if each["in"] == "query"}
        for path, methods in paths.items()
        if path.startswith("/v2") and "get" in methods and path != "/v2/keys/current"
    }
    by_the_client = {"page", "cursor", "top_k"}  # it pages itself, and `top_k` is its `limit`
    assert {each.path: parameters(each) for each in ENDPOINTS.values()} == {
        path: names - by_the_client for path, names in offered.items()
    }
    others = {path for path in paths if path.startswith("/v2")} - {f"/v2{path}" for path in offered}
    assert others == {"/v2/tmai", "/v2/keys", "/v2/keys/current"}


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_rows_have_exactly_the_members_of_their_document(market: MarketWorld, markets: AsyncMarkets, name: str):
    endpoint = ENDPOINTS[name]
    found = await getattr(markets, name)(**({"kind": "past"} if "moonshot" in name else {}), limit=3)
    sent = await market.rows(endpoint.path, limit=3, type="past")
    assert len(found) == len(sent)
    empty = ("crypto_investors", "learned_signals")
    assert bool(found) != (name in empty or "technology" in name), "the others have rows"
    members = set(adapter(endpoint.row).json_schema().get("properties", {}))
    for row, document in zip(sent, found, strict=True):
        assert set(row) == members
        written = document.as_json()
        assert (
            {key: written[key] for key in row if not isinstance(row[key], str)}
            == {key: value for key, value in row.items() if not isinstance(value, str)}
            or "PREDICTION" in str(members)
            or "SUPPORT" in str(members)
        ), "dates within rows are written shorter"
    assert endpoint.row is CryptoInvestor or members


async def test_a_list_of_many_pages_is_whole_and_unchanged_ones_are_not_counted(
    market: MarketWorld, markets: AsyncMarkets
):
    first = date(2025, 12, 1)
    found = await markets.trader_grades(start=first)
    assert len(found) > 1_000
    assert len({(row.token_id, row.date) for row in found}) == len(found)
    assert [row.date for row in found] == sorted((row.date for row in found), reverse=True)
    assert found[-1].date.date() == first
    used = (await markets.current_key()).calls_this_month
    again = await markets.trader_grades(start=first)
    assert list(again) == list(found)
    assert (await markets.current_key()).calls_this_month == used == 2
    assert len(await markets.trader_grades(limit=1_001)) == 1_001
    assert (found.synthetic, found.stale) == (True, False)


async def test_a_key_is_made_used_and_revoked(market: MarketWorld, snapshot: Snapshot):
    transport = market.client._transport
    async with AsyncMarkets("http://gateway.test", transport=transport) as visitor:
        with pytest.raises(GatewayRefused, match="POST /v2/keys makes one") as refused:
            await visitor.price()
        assert refused.value.reason == "key_missing"
        made = await visitor.create_key("laptop")
    assert made.key.startswith("um_")
    assert made.key not in repr(made)
    async with AsyncMarkets("http://gateway.test", made.key, transport=transport) as markets:
        answer = await markets.ask("How is the market?")
        assert answer == snapshot.briefing
        known = await markets.current_key()
        assert (known.id, known.label, known.calls_this_month) == (made.id, "laptop", 1)
        with pytest.raises(GatewayRefused) as refused:
            await markets.daily_ohlcv(start="yesterday")
        assert (refused.value.status, refused.value.reason) == (400, "invalid_parameter")
        await markets.revoke_key()
        with pytest.raises(GatewayRefused) as refused:
            await markets.price()
        assert refused.value.reason == "key_revoked"


def test_the_trading_agent_has_at_most_ten_lines():
    code = AGENT.read_text().partition('"""\n')[2]
    assert 5 <= len([line for line in code.splitlines() if line.strip()]) <= 10
    assert max(map(len, code.splitlines())) <= 120
    assert f"```python\n{code.strip()}\n```" in (ROOT / "docs" / "guides" / "sdk.md").read_text()


async def test_the_trading_agent_buys_the_best_graded_and_sells_what_turned(market: MarketWorld):
    async with served(market.app) as (_, url, _):
        command = (sys.executable, AGENT, url, market.key)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        said, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    *orders, sold = said.decode().splitlines()
    signals = await market.rows("/trading-signals", startDate="2026-01-31", limit=1_000)
    bullish = sorted(
        (each for each in signals if each["TRADING_SIGNAL"] == 1), key=lambda each: -each["TM_TRADER_GRADE"]
    )
    assert bullish
    best = bullish[:5]
    prices = {each["TOKEN_ID"]: each["CURRENT_PRICE"] for each in await market.rows("/price", limit=1_000)}
    assert orders == [
        f"buy {10_000 / len(best) / prices[each['TOKEN_ID']]:,.4f} {each['TOKEN_SYMBOL']}, "
        f"grade {each['TM_TRADER_GRADE']}"
        for each in best
    ]
    assert set(sold.removeprefix("sell ").split(", ")) == {
        each["TOKEN_SYMBOL"] for each in signals if each["TRADING_SIGNAL"] == -1
    }


@needs_openmp
async def test_learned_signals_are_those_of_the_model(
    market: MarketWorld, markets: AsyncMarkets, learned: Snapshot, model: LearnedModel
):
    without = await markets.learned_signals(limit=3)
    assert (list(without), without.message) == (
        [],
        "this installation has no trained model; its operator makes one with `usufruct rating train`",
    )
    write_snapshot(market.folder, learned)
    market.clock.advance(10)
    found = await markets.learned_signals(start="2026-01-30")
    scores = learned.series["learned-signals"].fields["score"]
    assert len(found) == np.count_nonzero(np.isfinite(scores[-2:])) > 20
    columns = {each.number: column for column, each in enumerate(learned.assets)}
    for each in found:
        score = scores[-1 if each.date.day == 31 else -2, columns[each.token_id]]
        assert each.score == pytest.approx(score, abs=0.0051)
        assert each.signal == (1 if score >= 80 else -1 if score <= 20 else 0)
        assert (each.model, each.horizon_days) == (model.id, 7)
    highest = await markets.learned_signals(signal=1, start="2026-01-31")
    assert {each.token_id for each in highest} == {
        each.token_id for each in found if each.signal == 1 and each.date.day == 31
    }
    assert set((await market.rows("/learned-signals", limit=1))[0]) == set(
        adapter(LearnedSignalDay).json_schema()["properties"]
    )
    old = await market.get("/learned-signals", startDate="2020-01-01", endDate="2020-01-02")
    [first] = re.findall(r"there are days from (\S+) to 2026-01-31", old["message"])
    assert await markets.learned_signals(start=first, end=first), "the first day that is scored"


async def test_live_prices_come_with_age_and_venues_with_and_without_an_event_loop(tmp_path: Path):
    clock = FakeClock(NOW)
    app = Router(live_routes(LivePriceFeed(LiveReader(tmp_path), clock)))
    async with served(app) as (_, url, _), AsyncMarkets(url) as markets:
        with pytest.raises(GatewayRefused) as refused:
            await markets.live_prices("bitcoin")
        assert refused.value.reason == "no_live_prices"
        with pytest.raises(Invalid, match="no asset is named"):
            await markets.live_prices([])
        table = LiveTable(0, 60, synthetic=True)
        table = updated(table, [("bitcoin", FixedPrice(64_020.5, NOW, ("kraken", "coinbase")))], NOW)
        write_table(tmp_path, table)
        clock.advance(7)
        found = await markets.live_prices(["bitcoin", "dogecoin"])
        [price] = found.prices
        assert (price.asset, price.price, price.age, price.stale) == ("bitcoin", 64_020.5, 7, False)
        assert sorted(price.venues) == ["coinbase", "kraken"]
        assert (found.missing, found.synthetic, found.stale_after) == (["dogecoin"], True, 60)
        clock.advance(60)
        with Markets(url) as blocking:
            [late] = (await asyncio.to_thread(blocking.live_prices, "bitcoin")).prices
        assert (late.price, late.age, late.stale) == (64_020.5, 67, True)
