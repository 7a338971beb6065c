"""CoinGecko and Coin Metrics by servers that speak their formats: keys, dates, pages, caps, refusals."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.answering_server import Answered, AnsweringServer
from tests.support.fake_clock import FakeClock
from usufruct.connectors.prices import AssetFacts, PriceArchive, SyntheticMarket, ingest, synthesize, synthesize_supply
from usufruct.connectors.vendors import (
    CoinGecko,
    CoinMetrics,
    InvalidIds,
    UnknownToVendor,
    VendorRateLimited,
    VendorRefused,
    VendorUnavailable,
    VendorUnreadable,
    read_ids,
)
from usufruct.core import Invalid
from usufruct.http import FetchLimits

MARKET = SyntheticMarket(assets=24, days=40)
PANEL, SUPPLY = synthesize(MARKET), synthesize_supply(MARKET)
FIRST = date(2019, 1, 1)
START = datetime(2019, 1, 1, tzinfo=UTC)
KEY = "CG-very-secret-key"
COLUMN = 0


def day(number, hours=3):
    """Return a clock `hours` after the end of the day before the day `number`."""
    return FakeClock(int((START + timedelta(days=number, hours=hours)).timestamp()))


async def no_pause(_):
    pass


COINS = {
    "one": {"id": "one", "symbol": "usdo", "name": "One  Dollar", "current_price": 1.0},
    "two": {"id": "two", "symbol": "two", "name": "Two"},
}


def coingecko_facts(asked, stablecoins=("one",)):
    """Answer as CoinGecko's list of markets does: by ids, or by a category, which counts before ids."""
    category = asked.query.get("category")
    if category is None:
        chosen = asked.query["ids"].split(",")
    elif category == "tokenized-gold":
        return Answered(b'{"error":"category not found"}', 404)
    else:
        chosen = stablecoins if category == "stablecoins" else ()
    return Answered(json.dumps([COINS[each] for each in chosen if each in COINS]).encode())


def charts(server):
    return [each for each in server.requests if each.path.endswith("/market_chart/range")]


def coingecko_answer(asked):
    """Answer as CoinGecko's market chart does: values of 00:00 UTC, and one of now."""
    if asked.headers.get("x-cg-demo-api-key") != KEY:
        return Answered(json.dumps({"status": {"error_code": 10002, "error_message": f"bad key {KEY}"}}).encode(), 401)
    if asked.path == "/coins/markets":
        return coingecko_facts(asked)
    if asked.path != "/coins/one/market_chart/range":
        return Answered(b'{"error":"coin not found"}', 404)
    first, last = int(asked.query["from"]), int(asked.query["to"])
    series = {"prices": PANEL.close, "market_caps": PANEL.market_cap, "total_volumes": PANEL.volume}
    found = {}
    for name, values in series.items():
        stamps = [(START + timedelta(days=row + 1), float(values[row, COLUMN])) for row in range(PANEL.days)]
        points = [[int(at.timestamp() * 1000), value] for at, value in stamps if first <= at.timestamp() <= last]
        found[name] = [*points, [last * 1000 + 7_000_000, 1.0]]
    return Answered(json.dumps(found).encode())


def coinmetrics_answer(asked):
    """Answer as Coin Metrics' v4 does: text numbers, nanoseconds, pages by a token."""
    if asked.query["assets"] != "one":
        return Answered(b'{"error":{"type":"bad_parameter","message":"Bad parameter \'assets\'."}}', 400)
    first = date.fromisoformat(asked.query["start_time"])
    begin = int(asked.query.get("next_page_token") or max(0, (first - FIRST).days))
    size = int(asked.query["page_size"])
    rows = [
        {
            "asset": "one",
            "time": f"{FIRST + timedelta(days=row)}T00:00:00.000000000Z",
            "PriceUSD": repr(float(PANEL.close[row, COLUMN])),
            "SplyCur": repr(float(SUPPLY[row, COLUMN])),
            "CapMrktCurUSD": "1.5",
        }
        for row in range(begin, min(begin + size, PANEL.days))
    ]
    found = {"data": rows}
    if begin + size < PANEL.days:
        found |= {"next_page_token": str(begin + size), "next_page_url": "http://169.254.169.254/"}
    return Answered(json.dumps(found).encode())


@pytest.fixture
def archive(tmp_path):
    return PriceArchive(tmp_path / "archive")


def coingecko(server, ids=None, **values):
    defaults = {"key": KEY, "url": server.url, "limits": FetchLimits(tries=2), "clock": day(40), "sleep": no_pause}
    return CoinGecko(ids or {"one": "coin-one"}, FIRST, **(defaults | values))


def coinmetrics(server, ids=None, **values):
    defaults = {"url": server.url, "limits": FetchLimits(tries=2), "clock": day(40), "sleep": no_pause, "page": 15}
    return CoinMetrics(ids or {"one": "coin-one"}, FIRST, **(defaults | values))


def test_a_value_of_midnight_is_the_close_of_the_day_before(archive):
    with AnsweringServer(coingecko_answer) as server:
        ingest(archive, coingecko(server, clock=day(30)))
        report = ingest(archive, coingecko(server))
        again = ingest(archive, coingecko(server))
        assert (report.added.new, report.added.corrected) == (10, 0)
        assert (again.added.new, len(charts(server))) == (0, 3)
        assert charts(server)[1].query["from"] == str(int((START + timedelta(days=30)).timestamp()))
    panel = archive.panel()
    assert (panel.first_day, panel.days) == (FIRST, 40)
    assert panel.close[:, 0].tolist() == PANEL.close[:, COLUMN].tolist()
    assert panel.market_cap[:, 0].tolist() == PANEL.market_cap[:, COLUMN].tolist()
    assert panel.volume[:, 0].tolist() == PANEL.volume[:, COLUMN].tolist()
    assert "CoinGecko" in archive.sources()[0].attribution


def test_facts_of_coins_come_with_their_bars_and_never_replace_what_was_described(archive):
    with AnsweringServer(coingecko_answer) as server:
        ingest(archive, coingecko(server, clock=day(5)), clock=day(5))
        known = archive.registry().by_id["coin-one"]
        assert (known.symbol, known.name, known.categories) == ("USDO", "One Dollar", {"stablecoin"})
        first = len(server.requests)
        assert first < 14, "a few requests, however many coins there are"
        ingest(archive, coingecko(server, clock=day(30)), clock=day(30))
        assert len(server.requests) == first + 1, "not asked again within a month"
        with archive.writing() as writer:
            mine = AssetFacts("coin-one", "USD1", "My dollar", frozenset({"defi"}))
            writer.describe([mine], START + timedelta(days=35))
        ingest(archive, coingecko(server, clock=day(36)), clock=day(36))
        assert len(server.requests) == 2 * first + 1, "asked again after a month"
    known = archive.registry().by_id["coin-one"]
    assert (known.symbol, known.name, known.categories) == ("USD1", "My dollar", {"defi"})


def test_facts_fill_what_was_known_of_a_bare_asset(archive):
    with archive.writing() as writer:
        writer.describe([AssetFacts("coin-one", name="My dollar")], START)
    with AnsweringServer(coingecko_answer) as server:
        ingest(archive, coingecko(server))
    known = archive.registry().by_id["coin-one"]
    assert (known.symbol, known.name, known.categories) == ("USDO", "My dollar", {"stablecoin"})
    assert not archive.lacks_stablecoins


def test_many_coins_are_asked_for_a_hundred_at_once():
    ids = {f"coin-{number}": f"our-{number}" for number in range(230)}

    def answer(asked):
        if asked.path == "/coins/markets":
            return coingecko_facts(asked)
        return Answered(b'{"prices":[],"market_caps":[],"total_volumes":[]}')

    with AnsweringServer(answer) as server:
        list(coingecko(server, ids).batches(None))
        named = [len(each.query["ids"].split(",")) for each in server.requests if "ids" in each.query]
    assert named == [100, 100, 30]


def test_caps_that_may_not_be_kept_are_price_times_supply(archive):
    with AnsweringServer(coingecko_answer) as prices, AnsweringServer(coinmetrics_answer) as supplies:
        ingest(archive, coingecko(prices, keeps_caps=False))
        ingest(archive, coinmetrics(supplies, keeps_caps=False))
        assert [each.query.get("next_page_token") for each in supplies.requests] == [None, "15", "30"]
    panel = archive.panel()
    assert panel.market_cap[:, 0] == pytest.approx(PANEL.close[:40, COLUMN] * SUPPLY[:40, COLUMN], rel=1e-12)
    assert "CC BY-NC 4.0" in archive.sources()[1].attribution
    assert archive.quarantined().is_empty()


def test_the_key_is_sent_and_never_shown():
    with AnsweringServer(coingecko_answer) as server:
        assert KEY not in repr(coingecko(server))
        with pytest.raises(VendorRefused) as caught:
            list(coingecko(server, key=KEY + "x").batches(None))
        assert KEY + "x" not in str(caught.value)
        assert server.requests[-1].headers["x-cg-demo-api-key"] == KEY + "x"
        with pytest.raises(Invalid, match="the key of CoinGecko has characters that cannot be sent"):
            list(coingecko(server, key="a\r\nb").batches(None))
    with AnsweringServer(lambda asked: Answered(json.dumps(dict(asked.query)).encode(), 401)) as server:
        with pytest.raises(VendorRefused, match=r"refuses metrics of 'one': HTTP 401, .*check the key") as caught:
            list(coinmetrics(server, key=KEY).batches(None))
        assert server.requests[0].query["api_key"] == KEY
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("answered", "refusal", "message"),
    [
        (Answered(b"{}", 429, {"retry-after": "3600"}), VendorRateLimited, "go on after 3600 s"),
        (Answered(b"oops", 503), VendorUnavailable, r"answers HTTP 503 \(oops\)"),
        (Answered(b"<html>", 200), VendorUnreadable, "did not answer with a JSON object"),
        (Answered(b"[]", 200), VendorUnreadable, "did not answer with a JSON object"),
        (Answered(b'{"prices":[["x",1]],"data":[1]}', 200), VendorUnreadable, "has no "),
        (Answered(b'{"error":"not found"}', 404), UnknownToVendor, "correct the table of ids"),
    ],
)
def test_failures_have_names(answered, refusal, message):
    def answer(asked):
        return Answered(b"[]") if asked.path == "/coins/markets" and answered.status == 200 else answered

    with AnsweringServer(answer) as server:
        for source in (coingecko(server), coinmetrics(server)):
            with pytest.raises(refusal, match=message):
                list(source.batches(None))


@pytest.mark.parametrize("content", [b"<html>", b"{}", b"[1]"])
def test_an_unreadable_list_of_coins_is_named(content):
    with (
        AnsweringServer(lambda _: Answered(content)) as server,
        pytest.raises(VendorUnreadable, match="did not answer with a JSON list of objects"),
    ):
        list(coingecko(server).batches(None))


def test_a_vendor_that_is_away_is_named():
    source = CoinGecko({"one": "coin-one"}, FIRST, url="http://127.0.0.1:1", limits=FetchLimits(tries=1), clock=day(9))
    with pytest.raises(VendorUnavailable, match="CoinGecko does not answer"):
        list(source.batches(None))
    with pytest.raises(Invalid, match="the address of CoinGecko"):
        list(CoinGecko({"one": "x"}, FIRST, url="file:///x", clock=day(9)).batches(None))


def test_values_that_are_no_numbers_are_refused_by_row(archive):
    rows = [
        {"asset": "one", "time": "2019-01-01T00:00:00.000000000Z", "PriceUSD": "1.5", "SplyCur": "ten"},
        {"asset": "one", "time": "2019-01-02T00:00:00.000000000Z", "PriceUSD": "1.6", "SplyCur": None},
        {"asset": "another", "time": "2019-01-02T00:00:00.000000000Z", "PriceUSD": "9"},
    ]
    with AnsweringServer(lambda _: Answered(json.dumps({"data": rows}).encode())) as server:
        report = ingest(archive, coinmetrics(server))
    assert (report.read, report.refused) == (2, 1)
    assert archive.panel().close.tolist() == [[1.6]]
    assert archive.quarantined()["place"].to_list() == ["coinmetrics one 2019-01-01"]


def test_the_table_of_ids(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("source,id,asset\ncoingecko,bitcoin,btc\ncoinmetrics,btc,btc\ncoingecko,ethereum,eth\n")
    assert read_ids(path, "coingecko") == {"bitcoin": "btc", "ethereum": "eth"}
    for text, message in (
        ("source,id\n", "must have the first line"),
        ("source,id,asset\ncoingecko,bitcoin,btc\ncoingecko,bitcoin,other\n", "line 3: .*one asset"),
        ("source,id,asset\ncoingecko,a,btc\ncoingecko,b,btc\n", "line 3"),
        ("source,id,asset\ncoingecko,,btc\n", "line 2"),
        ("source,id,asset\nother,a,b\n", "has no row of coingecko"),
    ):
        path.write_text(text)
        with pytest.raises(InvalidIds, match=message):
            read_ids(path, "coingecko")
    with pytest.raises(InvalidIds, match="is not readable"):
        read_ids(tmp_path / "none.csv", "coingecko")
