"""The engine beside a slow model in decimals, over random rulebooks and markets in which everything goes wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.index_model import IndexModel
from tests.support.small_markets import small_market
from usufruct.indices import Rulebook, TooFewAssets, run_index

RULES = ("market-cap", "equal", "sqrt-cap", "inverse-volatility", "momentum", "low-volatility")


@st.composite
def rulebooks(draw: st.DrawFn) -> Rulebook:
    count = draw(st.integers(2, 8))
    each = draw(st.sampled_from([1.0, 0.5, 0.3, 0.15]))
    regime = draw(
        st.sampled_from(
            [None, {"window_days": 20, "band": 0.01, "minimum_hold_days": 5}, {"window_days": 8, "band": 0}]
        )
    )
    trading = draw(
        st.sampled_from([{}, {}, {"minimum_trade": 0.02}, {"turnover_at_most": 0.2}, {"minimum_trade": 0.01}])
    )
    costs = draw(
        st.sampled_from(
            [
                {},
                {"fee_bps": 0.0, "half_spread_bps": 0.0},
                {"fee_bps": 200.0, "half_spread_bps": 50.0},
                {"impact": 0.5, "gas_per_trade": 3.0, "capital": 50_000.0},
            ]
        )
    )
    return Rulebook.model_validate(
        {
            "name": "drawn",
            "title": "Drawn",
            "universe": {
                "include": draw(st.sampled_from([(), ("layer-1", "defi"), ("defi",)])),
                "minimum_age_days": draw(st.sampled_from([0, 0, 10])),
                "minimum_market_cap": draw(st.sampled_from([0.0, 100_000.0])),
                "stay_market_cap": draw(st.sampled_from([None, 0.0])),
                "minimum_daily_volume": draw(st.sampled_from([0.0, 10_000.0])),
                "volume_window_days": 5,
            },
            "selection": {
                "count": count,
                "minimum_count": draw(st.integers(1, 2)),
                "by": draw(st.sampled_from(["market-cap", "market-cap", "momentum", "low-volatility"])),
                "parent_count": draw(st.sampled_from([0, 9])),
                "lookback_days": 10,
                "skip_days": draw(st.sampled_from([0, 2])),
                "enter_rank": draw(st.sampled_from([1.0, 0.7])),
                "leave_rank": draw(st.sampled_from([1.0, 1.5])),
            },
            "weights": {
                "rule": draw(st.sampled_from(RULES)),
                "each_at_most": each,
                "largest_at_most": draw(st.sampled_from([None, max(each, 0.4)])),
                "lookback_days": 12,
            },
            "calendar": {
                "every": draw(st.sampled_from(["day", "week", "month", "never"])),
                "weekday": "thursday",
                "delay_days": draw(st.integers(1, 3)),
                "on_regime_change": regime is not None and draw(st.booleans()),
            },
            "trading": trading,
            "costs": costs,
            "delisting": {"after_days": draw(st.integers(1, 5)), "value": draw(st.sampled_from(["last", "zero"]))},
            "regime": regime,
        }
    )


@given(rulebooks(), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_engine_is_the_model_to_nine_digits(rulebook: Rulebook, seed: int):
    panel = small_market(seed, days=80)
    first = 15
    try:
        found = run_index(rulebook, panel, panel.day(first))
    except TooFewAssets:
        return
    model = IndexModel(rulebook, panel).run(first, panel.days - 1)
    assert len(found.decided) == len(model.trades)
    assert found.nav == pytest.approx([float(each) for each in model.nav], rel=1e-9)
    assert found.level == pytest.approx([float(each) for each in model.level], rel=1e-9)
    ids = found.ids()
    for at, (row, weights, kept, traded) in enumerate(model.trades):
        assert found.traded_on[at] == row
        assert float(found.kept[at]) == pytest.approx(float(kept), abs=1e-10)
        assert float(found.traded[at]) == pytest.approx(float(traded), abs=1e-8)
        held = {each: found.held[place, at] for place, each in enumerate(ids) if found.held[place, at] > 1e-15}
        assert held == pytest.approx({each: float(weight) for each, weight in weights.items() if weight > 1e-15})


@given(rulebooks(), st.integers(0, 10_000), st.integers(30, 70), st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_future_changes_no_byte_of_the_past(rulebook: Rulebook, seed: int, cut: int, as_new_assets: bool):
    """Later prices are changed, and columns are added that are only known later; what was before stays, to the byte."""
    panel = small_market(seed, days=80)
    other = small_market(seed + 1, days=80, assets=20 if as_new_assets else 14)
    changed = merge(panel, other, cut)
    first = panel.day(15)
    try:
        short = run_index(rulebook, panel, first, panel.day(cut - 1))
    except TooFewAssets:
        return
    for later in (panel, changed):
        long = run_index(rulebook, later, first)
        days, count = len(short.nav), len(short.decided)
        assert long.nav[:days].tobytes() == short.nav.tobytes()
        assert long.level[:days].tobytes() == short.level.tobytes()
        assert long.kept[:count].tobytes() == short.kept.tobytes()
        place = [long.ids().index(each) for each in short.ids()]
        assert np.ascontiguousarray(long.held[place, :count]).tobytes() == short.held.tobytes()


def merge(panel, other, cut: int):
    """The panel's days up to a row, then the other's; assets that only the other has are unknown until then."""
    ids = {each.id: each for each in (*panel.assets, *other.assets)}
    names = sorted(ids, reverse=True)
    assets = tuple(next((a for a in panel.assets if a.id == name), ids[name]) for name in names)
    parts = []
    for matrix in ("close", "market_cap", "volume"):
        values = np.full((panel.days, len(names)), np.nan)
        for at, name in enumerate(names):
            if name in panel.column:
                values[:cut, at] = getattr(panel, matrix)[:cut, panel.column[name]]
            values[cut:, at] = getattr(other, matrix)[cut:, other.column[name]] if name in other.column else np.nan
        parts.append(values)
    return type(panel)(panel.first_day, assets, *parts)
