"""The table of symbols: one asset for a symbol on any day, errors that name the line."""

from datetime import UTC, date, datetime

import pytest

from usufruct.connectors.exchanges import InvalidSymbols, SymbolTable, TradedSymbol, UnmappedAsset, read_symbols


def test_a_reused_ticker_is_told_apart_by_its_days(tmp_path):
    path = tmp_path / "symbols.csv"
    path.write_text(
        "venue,symbol,asset,from,until,units\n"
        "binance,LUNA/USDT,terra-classic,2020-08-21,2022-05-13,\n"
        "binance,LUNA/USDT,terra-2,2022-05-31,,\n"
        "binance,1000SATS/USDT,sats,2023-12-12,,1000\n"
    )
    table = read_symbols(path)
    at = [table.asset_of("binance", "LUNA/USDT", datetime(2022, 5, day, 12, tzinfo=UTC)).asset for day in (13, 31)]
    assert at == ["terra-classic", "terra-2"]
    assert table.asset_of("binance", "1000SATS/USDT", datetime(2024, 1, 1, tzinfo=UTC)).units == 1000
    with pytest.raises(UnmappedAsset, match=r"LUNA/USDT of binance is on 2022-05-20; add a row"):
        table.asset_of("binance", "LUNA/USDT", datetime(2022, 5, 20, tzinfo=UTC))
    with pytest.raises(UnmappedAsset, match="no row of the venue 'kraken'"):
        table.of("kraken")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("venue,symbol\nbinance,BTC/USDT\n", "no column 'asset'"),
        ("venue,symbol,asset,coin\n", "a column 'coin'"),
        ("venue,symbol,asset\nbinance,BTCUSDT,bitcoin\n", "line 2: .*needs a venue, a symbol such as BTC/USDT"),
        ("venue,symbol,asset,from\nbinance,BTC/USDT,bitcoin,1.1.2020\n", "line 2: .*write days as 2024-12-31"),
        ("venue,symbol,asset,units\nbinance,BTC/USDT,bitcoin,0\n", "line 2: .*units must be a number over 0"),
        ("venue,symbol,asset,from,until\nx,A/USD,a,2020-01-02,2020-01-01\n", "line 2: .*swap them"),
        ("venue,symbol,asset\nx,A/USD,a\nx,A/USD,b\n", "valid on the same days"),
        ("venue,symbol,asset\nx,A/USD,a\nx,B/USD,a\n", "valid on the same days"),
    ],
)
def test_a_wrong_table_is_refused_with_its_remedy(tmp_path, text, message):
    path = tmp_path / "symbols.csv"
    path.write_text(text)
    with pytest.raises(InvalidSymbols, match=message):
        read_symbols(path)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "symbols.csv"
    path.write_bytes(b"\xff\xfe\x00")
    for each in (path, tmp_path / "none.csv"):
        with pytest.raises(InvalidSymbols, match="is not readable"):
            read_symbols(each)


def test_spans_that_touch_do_not_overlap():
    one = TradedSymbol("x", "A/USD", "a", None, date(2020, 1, 1))
    other = TradedSymbol("x", "A/USD", "b", date(2020, 1, 2))
    assert SymbolTable([other, one]).of("x") == (other, one)
