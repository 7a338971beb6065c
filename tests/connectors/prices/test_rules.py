"""The rules for bad bars: each has a bar that it catches, and one beside it that it leaves alone."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.price_rows import START, bar
from usufruct.connectors.prices import CheckRules, Interval
from usufruct.connectors.prices.bars import BAR_SCHEMA
from usufruct.connectors.prices.rules import AT_SOURCE, CLEARING, REFUSING, REPORTING, Judged, judge_rows, judge_series
from usufruct.core import Invalid

NOW = datetime(2025, 1, 1, tzinfo=UTC)
SCHEMA = BAR_SCHEMA | {"place": pl.String()}


def rows(*found: dict[str, Any]) -> pl.DataFrame:
    placed = [{"place": f"line {index + 2}"} | each for index, each in enumerate(found)]
    return pl.DataFrame(placed, schema=SCHEMA)


def alone(*found: dict[str, Any], rules: CheckRules | None = None, interval: Interval = Interval.DAY) -> Judged:
    return judge_rows(rows(*found), interval, rules or CheckRules(), NOW)


def series(
    closes: list[float | None], *, asset: str = "btc", rules: CheckRules | None = None, **values: list[Any]
) -> Judged:
    """Judge daily bars of these closes; a close of None is a day without a bar."""
    found = [
        bar(asset, row, close, **{name: each[row] for name, each in values.items()})
        for row, close in enumerate(closes)
        if close is not None
    ]
    marked = rows(*found).with_columns(context=pl.lit(value=False))
    return judge_series(marked, Interval.DAY, {"usd"}, rules or CheckRules())


def refused(judged: Judged) -> list[tuple[str, str]]:
    return [(row["rule"], row["place"]) for row in judged.quarantined.iter_rows(named=True)]


def found(judged: Judged) -> dict[str, int]:
    return {each.rule: each.count for each in judged.findings}


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"close": 0.0}, "price-not-positive"),
        ({"close": -1.0}, "price-not-positive"),
        ({"low": 0.0}, "price-not-positive"),
        ({"volume": -1.0}, "negative-amount"),
        ({"market_cap": -5.0}, "negative-amount"),
        ({"supply": -5.0}, "negative-amount"),
        ({"close": math.inf}, "not-finite"),
        ({"volume": math.inf}, "not-finite"),
        ({"close": None}, "no-value"),
        ({"close": math.nan}, "no-value"),
        ({"open": 9.0, "high": 9.5, "low": 8.0, "close": 10.0}, "high-below-low"),
        ({"open": 9.0, "high": 10.5, "low": 9.5, "close": 10.0}, "high-below-low"),
        ({"time": datetime(2009, 1, 2, tzinfo=UTC)}, "time-out-of-range"),
        ({"time": datetime(2025, 1, 2, tzinfo=UTC)}, "time-out-of-range"),
        ({"time": START + timedelta(hours=13)}, "time-not-aligned"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_with_its_place(wrong: dict[str, Any], rule: str):
    right = bar("btc", 3, 10.0, open=9.0, high=10.0, low=9.0, volume=0.0)
    judged = alone(right, bar("btc", 4, 10.0) | wrong)
    assert refused(judged) == [(rule, "line 3")]
    assert judged.kept["time"].to_list() == [right["time"]]
    kept = alone(right, bar("btc", 4, 10.0) | wrong, rules=CheckRules(accepted=frozenset({rule})))
    assert len(kept.kept) == 2


def test_an_hour_is_aligned_to_the_hour():
    assert not refused(alone(bar("btc", 0, 1.0, time=START + timedelta(hours=13)), interval=Interval.HOUR))
    halved = bar("btc", 0, 1.0, time=START + timedelta(minutes=30))
    assert refused(alone(halved, interval=Interval.HOUR)) == [("time-not-aligned", "line 2")]


def test_repeated_rows_are_kept_once_and_differing_ones_not_at_all():
    judged = alone(bar("btc", 0, 1.0), bar("btc", 0, 1.0), bar("eth", 0, 2.0), bar("eth", 0, 3.0))
    assert judged.kept["asset"].to_list() == ["btc"]
    assert found(judged) == {"duplicate": 1}
    assert refused(judged) == [("duplicate-differs", "line 4"), ("duplicate-differs", "line 5")]


def test_a_cap_or_supply_of_zero_is_not_known():
    judged = alone(bar("btc", 0, 1.0, market_cap=0.0, supply=0.0, volume=0.0))
    assert judged.kept.select("market_cap", "supply", "volume").row(0) == (None, None, 0.0)
    assert found(judged) == {"zero-cap": 1}
    assert not refused(judged)


@pytest.mark.parametrize("spike", [[100.0], [0.01], [100.0, 90.0]])
def test_a_price_that_comes_back_is_a_spike(spike: list[float]):
    judged = series([10.0, 11.0, 10.0, *spike, 11.0, 10.0, 12.0])
    assert refused(judged) == [("price-spike", f"line {5 + index}") for index in range(len(spike))]
    assert len(judged.kept) == 6
    assert "price-jump" not in found(judged)


def test_a_price_that_stays_is_a_jump_and_kept():
    judged = series([10.0, 11.0, 10.0, 100.0, 101.0, 99.0, 102.0])
    assert not refused(judged)
    assert found(judged) == {"price-jump": 1}
    last = series([10.0, 11.0, 10.0, 100.0])
    assert not refused(last), "what comes after is not known"
    assert found(last) == {"price-jump": 1}
    assert not series([10.0, 11.0, 10.0, 40.0, 11.0, 10.0, 12.0]).findings, "a factor of 4 is a bad day"


def test_a_stablecoin_at_a_fifth_is_a_spike_for_a_day_and_news_when_it_stays():
    day = series([1.0, 1.0, 1.001, 0.2, 1.0, 1.0, 0.999], asset="usd")
    assert refused(day) == [("price-spike", "line 5")]
    stays = series([1.0, 1.0, 1.001, 0.2, 0.2, 0.19, 0.18], asset="usd")
    assert not refused(stays)
    assert found(stays) == {"price-jump": 1, "stablecoin-off-peg": 4}
    assert found(series([1.0, 0.94, 1.0], asset="usd")) == {"stablecoin-off-peg": 1}
    assert found(series([1.0, 0.96, 1.0], asset="usd")) == {}


def test_a_split_is_told_from_a_crash_by_the_cap():
    closes = [100.0, 101.0, 100.0, 10.0, 10.1, 10.0]
    assert found(series(closes, market_cap=[1e9] * 6)) == {"looks-redenominated": 1}
    assert found(series(closes, market_cap=[1e9, 1e9, 1e9, 1e8, 1e8, 1e8])) == {"price-jump": 1}


def test_a_cap_that_jumps_a_thousand_times_is_cleared_when_it_comes_back():
    closes = [10.0] * 4 + [11.0] * 4
    judged = series(closes, market_cap=[1e9, 1e9, 1e9, 1e12, 1.1e9, 1.1e9, 1.1e9, 1.1e9])
    assert refused(judged) == [("cap-spike", "line 5")]
    assert judged.kept["market_cap"].to_list() == [1e9, 1e9, 1e9, None, 1.1e9, 1.1e9, 1.1e9, 1.1e9]
    assert judged.kept["close"].to_list() == closes, "the price is kept"
    assert judged.quarantined["market_cap"].to_list() == [1e12], "as it came"


def test_a_cap_that_jumps_a_thousand_times_and_stays_is_reported():
    judged = series([10.0, 10.1] * 4, market_cap=[1e6] * 4 + [1e9] * 4)
    assert not refused(judged)
    assert found(judged) == {"cap-jump": 1}


def test_a_cap_in_other_units_than_price_and_supply_is_cleared():
    judged = series([10.0, 10.1] * 4, market_cap=[1e3] * 8, supply=[1e8] * 8)
    assert {rule for rule, _ in refused(judged)} == {"cap-not-price-x-supply"}
    assert judged.kept["market_cap"].null_count() == 8


def test_missing_and_frozen_bars_and_volumes_in_other_units_are_reported():
    assert found(series([1.0, None, None, 1.1, 1.0, None, 1.0])) == {"gap": 2}
    assert found(series([1.0] * 10)) == {"price-frozen": 10}
    assert found(series([1.0] * 9)) == {}
    assert found(series([1.0] * 12, asset="usd")) == {}
    assert found(series([1.0, 1.1], volume=[11.0, 9.0], market_cap=[1.0, 1.0])) == {"volume-over-cap": 1}


def test_bars_that_are_there_already_are_looked_at_and_not_judged():
    known = rows(*(bar("btc", row, 10.0) for row in range(4))).with_columns(context=pl.lit(value=True))
    new = rows(bar("btc", 4, 1000.0), bar("btc", 5, 10.1)).with_columns(context=pl.lit(value=False))
    judged = judge_series(pl.concat([known, new]), Interval.DAY, (), CheckRules())
    assert refused(judged) == [("price-spike", "line 2")]
    assert judged.kept["close"].to_list() == [10.1]


def test_series_of_different_assets_and_sources_are_apart():
    marked = rows(
        *(bar("btc", row, 10.0 + row) for row in range(3)),
        *(bar("eth", row, 1000.0 + row) for row in range(3, 6)),
        *(bar("btc", row, 99.0 + row, source="other") for row in range(3, 6)),
    ).with_columns(context=pl.lit(value=False))
    judged = judge_series(marked, Interval.DAY, (), CheckRules())
    assert len(judged.kept) == 9
    assert not judged.findings


def test_an_example_says_where_and_what():
    judged = series([10.0, 11.0, 10.0, 100.0])
    assert judged.findings[0].examples == ("btc 2024-01-04 (line 5): close 100",)


def test_only_rules_that_keep_rows_out_can_be_accepted():
    with pytest.raises(Invalid, match="'gap' is not a rule that keeps rows out; there are unreadable, time-out-of"):
        CheckRules(accepted=frozenset({"gap"}))


def test_the_guide_lists_every_rule():
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "prices.md").read_text()
    assert not [rule for rule in (*REFUSING, *AT_SOURCE, *CLEARING, *REPORTING) if f"`{rule}`" not in guide]
