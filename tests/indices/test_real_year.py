"""On prices of 2021, which are not part of this repository: ranks by market cap are those of the data."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.command_line import Commands
from usufruct.connectors.prices import Asset, Panel
from usufruct.indices import Rulebook, rebalances, run_index
from usufruct.indices.market_data import MarketData
from usufruct.indices.screens import best

NAME = Path("shared", "data", "coingecko_daily_2021_ever_top250.parquet")
ABOVE = Path(__file__).resolve().parents[3:]
FILE = next((each / NAME for each in ABOVE if (each / NAME).exists()), ABOVE[0] / NAME)
pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"no {FILE.name} beside the repository")


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return pl.read_parquet(FILE)


@pytest.fixture(scope="module")
def panel(rows: pl.DataFrame) -> Panel:
    ids = sorted(rows["asset"].unique())
    place = {each: at for at, each in enumerate(ids)}
    shape = (365, len(ids))
    matrices = {name: np.full(shape, np.nan) for name in ("price", "market_cap", "volume")}
    day = (rows["date"] - pl.Series([date(2021, 1, 1)])).dt.total_days().to_numpy()
    column = np.array([place[each] for each in rows["asset"]])
    for name, matrix in matrices.items():
        matrix[day, column] = rows[name].to_numpy()
    assets = tuple(Asset(each, at, each, each) for at, each in enumerate(ids))
    return Panel(date(2021, 1, 1), assets, *matrices.values(), source="CoinGecko, 2021")


def test_each_days_largest_hundred_are_those_that_the_source_ranked(rows: pl.DataFrame, panel: Panel):
    found = best(np.nan_to_num(MarketData(panel).market_caps(np.arange(365)), nan=-np.inf), 100)
    names = np.array(MarketData(panel).ids)
    wrong = 0
    for at in range(365):
        ranked = rows.filter((pl.col("date") == panel.day(at)) & (pl.col("rk") <= 100))
        source, ours = set(ranked["asset"]), set(names[found[at]])
        assert len(ours) == 100
        caps = {each: panel.market_cap[at, panel.column[each]] for each in source ^ ours}
        lowest = min(panel.market_cap[at, panel.column[each]] for each in source)
        wrong += len([each for each, cap in caps.items() if each in ours and each not in source and cap > lowest])
    assert wrong == 0, "an asset that we rank higher is not smaller than one that the source has"


def test_a_weekly_top_100_of_2021_prints_both_delisting_bounds(panel: Panel):
    ends = []
    for value in ("last", "zero"):
        rulebook = Rulebook.model_validate(
            {"name": "real", "title": "Real", "weights": {"each_at_most": 0.1}, "delisting": {"value": value}}
        )
        found = run_index(rulebook, panel)
        assert np.isfinite(found.nav).all()
        assert {len(each.holdings) for each in rebalances(found)} <= {100, 101, 102}
        ends.append(found.nav[-1])
    assert ends[0] >= ends[1] > 1_000


# Through the commands, as an operator does it

STABLE = "binance-usd dai fei-usd frax husd liquity-usd musd nusd tether terrausd true-usd usd-coin usdk usdp usdx"
WRAPPED = "compound-ether compound-usd-coin compound-usdt wrapped-bitcoin wrapped-nxm"


KINDS = {"stablecoin": STABLE, "wrapped": WRAPPED}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """An installation whose archive has the year, with the categories that rules name."""
    there = tmp_path_factory.mktemp("real")
    (there / "config.toml").touch()
    commands = Commands({"USUFRUCT_DATA_FOLDER": str(there / "data"), "USUFRUCT_CONFIG": str(there / "config.toml")})
    done = commands.json("prices", "import", str(FILE), "--source", "coingecko-2021", "--known-after", "6h")
    assert done["read"] == 184_195
    assert done["refused"] < 100
    lines = [f"{each},{each},{each},{kind}" for kind, ids in KINDS.items() for each in ids.split()]
    (there / "assets.csv").write_text("\n".join(["id,symbol,name,categories", *lines]))
    commands.json("prices", "assets", "--describe", str(there / "assets.csv"))
    return commands


def test_the_commands_backtest_the_imported_year(imported: Commands, rows: pl.DataFrame, tmp_path: Path):
    rules = tmp_path / "largest.toml"
    rules.write_text('name = "largest"\ntitle = "Largest"\n[weights]\neach_at_most = 0.1\n')
    report = imported.json("index", "backtest", str(rules), "--out", str(tmp_path))
    assert (report["source"], report["synthetic"]) == ("coingecko-2021", False)
    bounds = report["total_return_by_delisting_rule"]
    assert bounds["last"] >= bounds["zero"] > 1
    assert 1 < report["market_held"]["total_return"] < 10, "one wrong price of a small asset is not the market"

    record = json.loads((tmp_path / "record.json").read_bytes())
    others = {*STABLE.split(), *WRAPPED.split()}
    ranked = rows.filter(~pl.col("asset").is_in(sorted(others))).sort("date", "rk")
    for each in record["rebalances"]:
        held = {holding["asset"] for holding in each["holdings"]}
        assert not held & others
        day = ranked.filter(pl.col("date") == date.fromisoformat(each["decided"]))
        largest, nearly = set(day["asset"][:95]), set(day["asset"][:105])
        assert len(largest - held) <= 1, (
            each["decided"],
            "a price that was quarantined, or none on the day of the trade",
        )
        assert len(held - nearly) <= 2, (each["decided"], "an asset without a price cannot be sold")
    (verified,) = imported.json("index", "verify", str(tmp_path / "record.json"))
    assert verified["equal"]


def test_global_100_trades_the_imported_year(imported: Commands):
    report = imported.json("index", "backtest", "global-100", "--from", "2021-04-15")
    assert report["switching"]["changes"] > 0
    assert 0 < report["days_bearish"] < 261
    assert report["switching"]["without_switching"]["max_drawdown"] < report["net"]["max_drawdown"] < 0
