"""Our client of `/v2` against scripted answers: pages, changes between them, waits, errors, tables, what it loads."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars
import pytest

import usufruct_client
from usufruct_client import (
    AsyncMarkets,
    BadAnswer,
    DataChanged,
    GatewayRefused,
    GatewayUnavailable,
    Invalid,
    Markets,
    MarketTable,
    MissingLibrary,
)
from usufruct_client.blocking import run_blocking
from usufruct_client.market_calls import PAGE_ROWS, READINGS, MarketCalls
from usufruct_client.market_data_documents import AssetPrice, Correlation, TraderGrade

TMAI = Path(__file__).parents[2] / "build" / "tmai"
URL = "http://gateway.test"
EMPTY = {"success": False, "length": 0, "data": []}


def price(number: int) -> dict[str, Any]:
    return {"TOKEN_ID": number, "TOKEN_NAME": f"Coin {number}", "TOKEN_SYMBOL": f"C{number}", "CURRENT_PRICE": number}


def page(rows: list[dict[str, Any]], cursor: str = "", version: str = "one", **changes: Any) -> dict[str, Any]:
    about = {"as_of": "2026-01-31T23:00:00.000Z", "stale": False, "synthetic": True, "source": "a test"}
    content = {"success": True, "message": f"{len(rows)} rows", "length": len(rows), "data": rows, "version": version}
    return content | about | ({"next_cursor": cursor} if cursor else {}) | changes


def refusal(status: int, code: str, **headers: str) -> httpx.Response:
    error = {"code": code, "message": "no", "details": {"calls": "60"}}
    return httpx.Response(status, json=EMPTY | {"message": "no", "error": error}, headers=headers)


class Script:
    """Answers in turn, the last again and again, and keeps what it was asked."""

    def __init__(self, *answers: object) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)
        return httpx.Response(200, json=answer)

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(each.url.params) for each in self.asked]


def blocking(script: Script, **asked: Any) -> MarketTable[AssetPrice]:
    with Markets(URL, "um_secret", transport=httpx.MockTransport(script)) as markets:
        return markets.price(**asked)


def on_a_loop(script: Script, **asked: Any) -> MarketTable[AssetPrice]:
    async def call() -> MarketTable[AssetPrice]:
        async with AsyncMarkets(URL, "um_secret", transport=httpx.MockTransport(script)) as markets:
            return await markets.price(**asked)

    return asyncio.run(call())


both = pytest.mark.parametrize("read", [blocking, on_a_loop])
Read = Callable[..., MarketTable[AssetPrice]]


@both
def test_pages_are_read_to_the_end(read: Read):
    script = Script(page([price(1), price(2)], "a"), page([price(3)], "b"), page([]))
    found = read(script, symbol=["C1", "C2", "C3"])
    assert [each.current_price for each in found] == [1.0, 2.0, 3.0]
    assert (found.as_of, found.stale, found.synthetic) == (datetime(2026, 1, 31, 23, tzinfo=UTC), False, True)
    asked = {"symbol": "C1,C2,C3", "limit": str(PAGE_ROWS)}
    assert script.queries == [asked, asked | {"cursor": "a"}, asked | {"cursor": "b"}]
    assert [each.headers["x-api-key"] for each in script.asked] == ["um_secret"] * 3


@both
def test_a_limit_is_of_all_rows(read: Read):
    script = Script(page([price(each) for each in range(PAGE_ROWS)], "a"), page([price(7), price(8)], "b"))
    assert len(read(script, limit=PAGE_ROWS + 2)) == PAGE_ROWS + 2
    assert [each["limit"] for each in script.queries] == [str(PAGE_ROWS), "2"]


@both
def test_a_list_is_of_one_state_of_the_data(read: Read):
    old, new = page([price(1)], "a"), page([price(2)], "a", "two")
    found = read(Script(old, page([price(9)], "", "two"), new, page([price(3)], "", "two")))
    assert [each.token_id for each in found] == [2, 3]
    assert found.version == "two"
    endless = Script(*(page([price(1)], "a", str(each)) for each in range(99)))
    with pytest.raises(DataChanged, match="/price changed 3 times"):
        read(endless)
    assert len(endless.asked) == 2 * READINGS


def test_what_did_not_change_is_not_sent_again():
    tagged = httpx.Response(200, json=page([price(1)]), headers={"etag": '"x"'})
    script = Script(tagged, page([price(2)]), httpx.Response(304))
    with Markets(URL, transport=httpx.MockTransport(script)) as markets:
        first, other, again = markets.price(), markets.price(token_id=2), markets.price()
    assert [each.headers.get("if-none-match") for each in script.asked] == [None, None, '"x"']
    assert list(again) == list(first) != list(other)


@both
def test_a_wait_that_the_gateway_names_is_kept_within_bounds(read: Read):
    script = Script(refusal(429, "quota_used_up", **{"retry-after": "0"}), page([price(1)]))
    assert len(read(script)) == 1
    script = Script(refusal(429, "quota_used_up", **{"retry-after": "86400"}))
    with pytest.raises(GatewayRefused) as refused:
        read(script)
    assert (refused.value.status, refused.value.reason) == (429, "quota_used_up")
    assert refused.value.numbers == {"calls": "60"}
    assert len(script.asked) == 1


@both
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refusal(401, "key_missing"), GatewayRefused, "key_missing: no"),
        (httpx.ConnectError("refused"), GatewayUnavailable, "http://gateway.test does not answer"),
        (httpx.Response(200, text="<html>"), BadAnswer, "/price must be JSON, not"),
        (httpx.Response(502, text="<html>"), BadAnswer, "502 without a JSON object"),
        (httpx.Response(302, json={}), BadAnswer, "302"),
        (httpx.Response(304), BadAnswer, "304"),
        (page([price(1) | {"CURRENT_PRICE": "much"}]), BadAnswer, r"data\.0\.CURRENT_PRICE must be .*not 'much'"),
        (page([]) | {"stale": None}, BadAnswer, "stale must be true or false"),
        (page([price(1)], "a"), BadAnswer, "next_cursor leads nowhere"),
    ],
)
def test_an_error_names_what_is_wrong(read: Read, answer: object, error: type[Exception], words: str):
    with pytest.raises(error, match=words) as raised:
        read(Script(answer))
    assert "um_secret" not in str(raised.value)


def test_what_is_asked_for_wrongly_is_not_sent():
    script = Script(page([]))
    with Markets(URL, transport=httpx.MockTransport(script)) as markets:
        with pytest.raises(Invalid, match="symbl is not a parameter here; there are limit, symbol, token_id"):
            markets.price(symbl="BTC")  # type: ignore[call-arg]
        with pytest.raises(Invalid, match="limit must be a whole number of rows, 1 or more, not 0"):
            markets.price(limit=0)
        assert not script.asked
        markets.price(symbol=None, token_id=7)
    with pytest.raises(Invalid, match="not the address of a gateway"):
        Markets("gateway.test")
    assert "x-api-key" not in script.asked[0].headers
    assert script.queries == [{"token_id": "7", "limit": "1000"}]


@pytest.mark.parametrize("given", ["", "/", "/v1", "/v2", "/v2/"])
def test_an_address_may_name_either_api(given: str):
    script = Script(page([]))
    with Markets(URL + given, transport=httpx.MockTransport(script)) as markets:
        assert markets.price().message == "0 rows"
    assert script.asked[0].url.path == "/v2/price"


def test_few_pages_are_kept():
    script, kept_rows = Script(), 4
    rows = {each: [price(number) for number in range(2)] for each in "abc"}

    class Sender:
        async def send(self, method: str, path: str, query: Any, headers: Any, content: object) -> httpx.Response:
            script.asked.append(httpx.Request(method, URL + path, params=query, headers=headers))
            return httpx.Response(200, json=page(rows[query["symbol"]]), headers={"etag": query["symbol"]})

        async def pause(self, seconds: float) -> None:
            raise AssertionError

    calls = MarketCalls(Sender(), 0, kept_rows)
    for symbol in "abaca":
        run_blocking(calls.table(Markets.price, Markets.price.ask(symbol=symbol)))
    assert [each.headers.get("if-none-match") for each in script.asked] == [None, None, "a", None, "a"]
    run_blocking(calls.table(Markets.price, Markets.price.ask(symbol="b")))
    assert "if-none-match" not in script.asked[-1].headers, "b was used longest ago"


GRADE = {"TOKEN_ID": 1, "TOKEN_NAME": "a", "TOKEN_SYMBOL": "A", "DATE": "2026-01-31T00:00:00.000Z"}
GRADE |= {"TA_GRADE": 60, "QUANT_GRADE": None, "TM_TRADER_GRADE": 62.5, "TM_TRADER_GRADE_24H_PCT_CHANGE": None}


def table(script: Script, name: str) -> Any:
    with Markets(URL, transport=httpx.MockTransport(script)) as markets:
        return getattr(markets, name)()


def test_rows_become_a_polars_table_with_the_kinds_of_their_members():
    frame = table(Script(page([GRADE, GRADE | {"QUANT_GRADE": 1}])), "trader_grades").to_polars()
    assert frame["ta_grade"].to_list() == [60.0, 60.0]
    assert frame["quant_grade"].to_list() == [None, 1.0]
    assert frame["date"].to_list() == [datetime(2026, 1, 31, tzinfo=UTC)] * 2
    kinds = {"token_id": polars.Int64, "token_name": polars.String, "date": polars.Datetime("ms", "UTC")}
    kinds |= {"tm_trader_grade_24h_pct_change": polars.Float64}
    assert kinds.items() <= dict(frame.schema).items()
    assert table(Script(page([])), "trader_grades").to_polars().schema == frame.schema


def test_lists_in_rows_become_lists_of_structs():
    other = {"token": "b", "symbol": "B", "token_id": 2, "correlation": 0.5}
    row = {name: GRADE[name] for name in ("TOKEN_ID", "TOKEN_NAME", "TOKEN_SYMBOL", "DATE")}
    found = table(Script(page([row | {"TOP_CORRELATION": [other]}])), "correlation")
    assert isinstance(found[0], Correlation)
    assert found.to_polars()["top_correlation"].to_list() == [[other]]


def test_pandas_is_used_where_it_is_installed():
    """`build/tmai` has it, as Token Metrics' own client needs it; ours does not."""
    code = "import sys; from usufruct_client.market_table import MarketTable\n"
    code += "from usufruct_client.market_data_documents import TraderGrade; from datetime import datetime, UTC\n"
    code += "row = TraderGrade(1, 'a', 'A', datetime(2026, 1, 31, tzinfo=UTC), 60.0, None, 62.5, None)\n"
    code += "frame = MarketTable(TraderGrade, [row], row.date, False, False, '', '', '').to_pandas()\n"
    code += "print(frame.dtypes['quant_grade'], frame['date'][0].isoformat(), frame['tm_trader_grade'][0])"
    environment = os.environ | {"PYTHONPATH": str(TMAI)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split() == ["float64", "2026-01-31T00:00:00+00:00", "62.5"], done.stderr
    found = MarketTable(TraderGrade, [], datetime(2026, 1, 31, tzinfo=UTC), False, False, "", "", "")
    with pytest.raises(MissingLibrary, match="pandas is not installed; pip install pandas"):
        found.to_pandas()


def test_the_markets_load_no_signatures_and_no_table_library():
    code = "import sys; from usufruct_client import Markets; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "usufruct_client.markets" in loaded
    assert not loaded & {"coincurve", "eth_account", "polars", "pandas", "usufruct_client.signing"}


def test_every_public_name_has_a_module():
    assert {name for name in usufruct_client.__all__ if getattr(usufruct_client, name)} == set(usufruct_client.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        usufruct_client.nothing  # noqa: B018
