"""`usufruct prices fetch`: an exchange, vendors and the median, into one archive."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.answering_server import Answered, AnsweringServer
from tests.support.command_line import Commands
from tests.support.exchange_server import ExchangeServer, market_of
from usufruct.connectors.prices import LARGEST, SyntheticMarket, synthesize

KEY = "CG-very-secret-key"
PANEL = synthesize(SyntheticMarket(assets=24, days=30))


@pytest.fixture
def offline(tmp_path: Path) -> Commands:
    """Commands in an empty folder with a vendor's key; there is no chain."""
    (tmp_path / "config.toml").write_text(f'[markets]\ncoingecko_key = "{KEY}"\n')
    return Commands({"USUFRUCT_DATA_FOLDER": str(tmp_path / "data"), "USUFRUCT_CONFIG": str(tmp_path / "config.toml")})


def test_an_exchange_is_fetched_and_the_next_fetch_goes_on(offline: Commands, tmp_path: Path):
    table = tmp_path / "symbols.csv"
    table.write_text(f"venue,symbol,asset\nbinance,AAA/USDT,{LARGEST}\n")
    asked = ["prices", "fetch", "binance", "--table", str(table), "--first", "2019-01-01", "--synthetic"]
    refused = offline.refused(*asked)
    assert "is in USDT, and the table has no USDT/USD there" in refused.message
    with ExchangeServer(market_of(PANEL, LARGEST, "AAA")) as server:
        asked += ["--at-par", "USDT", "--url", server.url]
        report = offline.json(*asked)
        assert (report["new"], report["refused"], report["synthetic"]) == (30, 0, True)
        assert offline.json(*asked)["new"] == 0
    assert report["warnings"] == [], "a simulated market describes itself"
    rows = offline.json("prices", "show", LARGEST, "--last", "2019-01-30")
    assert rows[-1]["close"] == pytest.approx(PANEL.close[29, PANEL.column[LARGEST]])
    refused = offline.refused("prices", "fetch", "median", "--venue", "binance", "--venue", "kraken")
    assert "the archive has no source 'kraken'" in refused.message


def test_a_vendor_is_fetched_with_the_key_of_the_configuration(offline: Commands, tmp_path: Path):
    table = tmp_path / "ids.csv"
    table.write_text("source,id,asset\ncoingecko,bitcoin,bitcoin\n")
    first = date(2024, 1, 1)

    def answer(asked):
        if asked.headers.get("x-cg-demo-api-key") != KEY:
            return Answered(status=401)
        if asked.path == "/coins/markets":
            coin = {"id": "bitcoin", "symbol": "btc", "name": "Bitcoin"}
            return Answered(json.dumps([coin] if "ids" in asked.query else []).encode())
        midnights = [1_704_067_200_000 + day * 86_400_000 for day in range(1, 4)]
        series = {name: [[at, 100.0] for at in midnights] for name in ("prices", "market_caps", "total_volumes")}
        return Answered(json.dumps(series).encode())

    with AnsweringServer(answer) as server:
        asked = ["prices", "fetch", "coingecko", "--table", str(table), "--first", str(first), "--url", server.url]
        report = offline.json(*asked)
        assert report["new"] == 3
        assert "usufruct prices assets --describe" in report["warnings"][0]
    assert offline.json("prices", "show", "BTC", "--last", "2024-01-03")[-1]["close"] == 100.0
    (tmp_path / "assets.csv").write_text("id,name,categories\nbitcoin,Bitcoin,stablecoin\n")
    offline.json("prices", "assets", "--describe", str(tmp_path / "assets.csv"))
    with AnsweringServer(answer) as server:
        assert offline.json(*asked[:-1], server.url)["warnings"] == []
    shown = offline.json("prices", "show")
    assert shown["sources"] == ["coingecko (Data provided by CoinGecko (https://www.coingecko.com))"]
    assert shown["last_1d"].startswith(str(first + timedelta(days=2)))
    assert KEY not in offline.run("config", "show").stdout
    refused = offline.refused("prices", "fetch", "coinmetrics")
    assert "coinmetrics needs --table FILE.csv with the columns source,id,asset" in refused.message
