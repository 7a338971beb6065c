"""Bars of an exchange come into the archive: resumed, converted, mapped by the table."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from tests.support.exchange_server import DAY, ExchangeServer, Fault, TradedMarket, market_of
from tests.support.fake_clock import FakeClock
from usufruct.connectors.exchanges import (
    ExchangeBars,
    Pacing,
    SymbolTable,
    TradedSymbol,
    UnconvertedQuote,
    UnlistedSymbol,
    VenueSettings,
    VenueUnavailable,
)
from usufruct.connectors.prices import LARGEST, AssetFacts, Interval, PriceArchive, SyntheticMarket, ingest, synthesize

PANEL = synthesize(SyntheticMarket(assets=24, days=40))
OTHER = "syn-layer-1-002"
START = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp())
FIRST = date(2019, 1, 1)


async def _no_pause(_):
    pass


@pytest.fixture
def server():
    with ExchangeServer(market_of(PANEL, LARGEST, "AAA"), market_of(PANEL, OTHER, "BBB")) as server:
        yield server


@pytest.fixture
def archive(tmp_path):
    return PriceArchive(tmp_path / "archive")


def source(server, *table, days=40, **values):
    pacing = Pacing(tries=2, sleep=_no_pause, timeout=60.0)
    settings = VenueSettings("binance", url=server.url, page=15, pacing=pacing)
    rows = table or (("AAA/USDT", LARGEST), ("BBB/USDT", OTHER))
    table = SymbolTable([each if isinstance(each, TradedSymbol) else TradedSymbol("binance", *each) for each in rows])
    values = {"first": FIRST, "at_par": frozenset({"USDT"}), "synthetic": True} | values
    return ExchangeBars(settings, table, clock=FakeClock(START + days * 86_400), **values)


def closes(archive, asset=LARGEST):
    return archive.panel(ids=[asset]).close[:, 0]


def test_bars_are_imported_and_the_next_import_goes_on(server, archive):
    report = ingest(archive, source(server, days=30))
    assert (report.read, report.added.new, report.refused) == (60, 60, 0)
    asked = len(server.asked("klines"))
    report = ingest(archive, source(server))
    assert (report.added.new, report.added.corrected) == (20, 0)
    assert len(server.asked("klines")) == asked + 2, "one page for each symbol"
    assert archive.synthetic
    for asset in (LARGEST, OTHER):
        assert closes(archive, asset) == pytest.approx(PANEL.close[:40, PANEL.column[asset]], rel=1e-11)


def test_an_asset_without_a_ticker_gets_that_of_its_symbol(server, archive):
    with archive.writing() as writer:
        writer.describe([AssetFacts(OTHER, "MINE")], datetime(2019, 1, 1, tzinfo=UTC))
    ingest(archive, source(server, days=30))
    assert archive.registry().resolve("AAA").id == LARGEST
    assert archive.registry().by_id[OTHER].symbol == "MINE"
    assert TradedSymbol("binance", "1000SATS/USDT", "sats", units=1000.0).ticker == "SATS"
    assert TradedSymbol("binance", "KILO/USDT", "sats", units=1000.0).ticker == ""


def test_a_symbol_that_is_another_asset_by_now_gives_no_ticker(server, archive):
    ingest(archive, source(server, TradedSymbol("binance", "AAA/USDT", LARGEST, last=date(2019, 1, 10))))
    assert archive.registry().by_id[LARGEST].symbol == LARGEST.upper()


def test_an_import_that_breaks_off_keeps_what_it_read(server, archive):
    server.fail_after("klines", 2, Fault(503, "down", times=2))
    with pytest.raises(VenueUnavailable):
        ingest(archive, source(server, ("AAA/USDT", LARGEST)))
    assert len(closes(archive)) == 30
    ingest(archive, source(server, ("AAA/USDT", LARGEST)))
    assert closes(archive) == pytest.approx(PANEL.close[:40, PANEL.column[LARGEST]], rel=1e-11)


def test_prices_are_converted_by_the_currency_s_own_symbol(server, archive):
    rate = [0.9 + 0.001 * day for day in range(40)]
    bars = [((START + day * 86_400) * 1000, x, x, x, x, 10.0) for day, x in enumerate(rate) if day != 7]
    server.markets["USDTUSD"] = TradedMarket("USDT", "USD", {"1d": bars})
    table = (("USDT/USD", "tether"), ("AAA/USDT", LARGEST))
    report = ingest(archive, source(server, *table, at_par=frozenset()))
    expected = PANEL.close[:40, PANEL.column[LARGEST]] * rate
    expected[7] = np.nan
    assert closes(archive) == pytest.approx(expected, rel=1e-11, nan_ok=True)
    assert closes(archive, "tether")[0] == pytest.approx(0.9)
    assert {each.rule for each in report.findings} >= {"no-quote-rate"}
    volume = archive.panel(ids=[LARGEST]).volume[0, 0]
    assert volume == pytest.approx(PANEL.volume[0, PANEL.column[LARGEST]] * 0.9, rel=0.02)


def test_a_currency_without_a_rate_is_refused_before_anything_is_read(server, archive):
    with pytest.raises(UnconvertedQuote, match="no USDT/USD there; add that row, or count USDT as a dollar"):
        ingest(archive, source(server, at_par=frozenset()))
    assert not server.requests


def test_a_redenominated_symbol_is_continuous_by_its_table(server, archive):
    server.redenominate("AAAUSDT", (START + 20 * 86_400) * 1000, 1000.0)
    table = (
        TradedSymbol("binance", "AAA/USDT", LARGEST, last=date(2019, 1, 20)),
        TradedSymbol("binance", "AAA/USDT", LARGEST, first=date(2019, 1, 21), units=1000.0),
    )
    report = ingest(archive, source(server, *table))
    assert not {each.rule for each in report.findings} & {"price-jump", "price-spike"}
    assert closes(archive) == pytest.approx(PANEL.close[:40, PANEL.column[LARGEST]], rel=1e-11)


def test_a_redenomination_that_the_table_does_not_know_is_reported(server, archive):
    server.redenominate("AAAUSDT", (START + 20 * 86_400) * 1000, 1000.0)
    report = ingest(archive, source(server, ("AAA/USDT", LARGEST)))
    (jump,) = [each for each in report.findings if each.rule == "price-jump"]
    assert "2019-01-21" in jump.examples[0]


def test_a_symbol_that_is_gone_does_not_stop_the_others(server, archive):
    with pytest.raises(UnlistedSymbol, match="does not trade 'GONE/USDT'"):
        ingest(archive, source(server, ("GONE/USDT", "gone"), ("AAA/USDT", LARGEST)))
    assert len(closes(archive)) == 40


def test_contradicting_bars_are_refused_and_gaps_stay_gaps(server, archive):
    start = START * 1000
    server.repeat_bars("AAAUSDT", "1d", start + 5 * DAY, close=1.0, low=0.5)
    server.remove_bars("AAAUSDT", "1d", start + 10 * DAY, 3)
    report = ingest(archive, source(server, ("AAA/USDT", LARGEST)))
    assert report.refused == 2
    assert np.flatnonzero(np.isnan(closes(archive))).tolist() == [5, 10, 11, 12]
    assert set(archive.quarantined()["rule"]) == {"duplicate-differs"}


def test_hours(server, archive):
    ingest(archive, source(server, ("AAA/USDT", LARGEST), days=2, interval=Interval.HOUR))
    bars = archive.bars(Interval.HOUR)
    assert bars.close.shape == (48, 1)
    assert bars.first + timedelta(hours=47) == datetime(2019, 1, 2, 23, tzinfo=UTC)
