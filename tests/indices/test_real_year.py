"""On prices of 2021, which are not part of this repository: ranks by market cap are those of the data."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from usufruct.connectors.prices import Asset, Panel
from usufruct.indices import Rulebook, rebalances, run_index
from usufruct.indices.market_data import MarketData
from usufruct.indices.screens import best

FILE = Path(__file__).parents[3] / "shared" / "data" / "coingecko_daily_2021_ever_top250.parquet"
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
