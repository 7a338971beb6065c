"""Correlations, levels, scenarios, market metrics and moonshots against slow models or plain facts."""

import math
import statistics
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from tests.support.market_panels import FIRST_DAY, made_panel
from usufruct.analytics.correlation import correlate, find_correlations
from usufruct.analytics.grades import grade
from usufruct.analytics.levels import TURN_DAYS, find_levels, turning_points
from usufruct.analytics.market import compute_market_metrics
from usufruct.analytics.moonshots import BEGINS_AT, ENDS_AT, JUMP, JUMP_DAYS, LARGEST_RANK, MOST_DAYS, find_moonshots
from usufruct.analytics.scenarios import FACTORS, compute_scenarios
from usufruct.connectors.prices import Asset, Panel


@pytest.fixture(scope="module")
def panel() -> Panel:
    return made_panel(420, 30, 7)


def test_correlations_are_pearsons_best_first_then_the_least(panel: Panel):
    found = find_correlations(panel)
    returns = np.diff(np.log(panel.close), axis=0)[-90:]
    whole = [column for column in range(30) if not np.isnan(returns[:, column]).any()]
    assert 3 not in whole
    assert found[3] == []
    for column in whole:
        slow = {
            other: statistics.correlation(returns[:, column].tolist(), returns[:, other].tolist())
            for other in whole
            if other != column
        }
        ordered = sorted(slow.values(), reverse=True)
        shown = [each.correlation for each in found[column]]
        assert shown == pytest.approx(ordered[:10] + ordered[-10:])
        assert all(slow[each.column] == pytest.approx(each.correlation) for each in found[column])


def test_a_panel_too_short_has_no_correlations():
    assert find_correlations(made_panel(50, 3)) == [[], [], []]
    assert np.isnan(correlate(made_panel(50, 3).close, np.array([0]), np.array([1, 2]))).all()


def test_a_pair_is_correlated_as_in_the_lists_and_not_with_itself(panel: Panel):
    returns = np.diff(np.log(panel.close), axis=0)[-90:]
    one, two, three = np.flatnonzero(~np.isnan(returns).any(axis=0))[:3].tolist()
    bases, quotes = np.array([two, 3, one]), np.array([one, three, two])
    found = correlate(panel.close, bases, quotes)
    assert np.isnan(found[1]).all(), "an asset with a gap has none"
    assert np.isnan([found[0, 2], found[2, 0]]).all()
    for row, column in ((0, 0), (0, 1), (2, 1), (2, 2)):
        pair = returns[:, bases[row]].tolist(), returns[:, quotes[column]].tolist()
        assert found[row, column] == pytest.approx(statistics.correlation(*pair))


def test_turning_points_are_the_extremes_of_their_days_and_known_late(panel: Panel):
    found = turning_points(panel.close)
    days = range(panel.days)
    for column in (0, 1, 5):
        close = panel.close[:, column]
        for day in days:
            around = close[max(0, day - TURN_DAYS) : day + TURN_DAYS + 1]
            whole = day >= TURN_DAYS and day + TURN_DAYS < panel.days and not np.isnan(around).any()
            turned = whole and close[day] in (around.min(), around.max())
            assert (not np.isnan(found[day, column])) == bool(turned)


def test_levels_are_where_a_price_turned_more_than_once():
    wave = np.array([10.0 + 2.0 * math.sin(2 * math.pi * day / 30) for day in range(300)])[:, None]
    panel = Panel(FIRST_DAY, (Asset("wave", 1, "W", "Wave"),), wave, wave, wave)
    found = find_levels(panel)[0]
    assert [round(each.price) for each in found] in ([12, 8], [8, 12])
    assert {each.kind for each in found} == {"support", "resistance"}
    assert all(each.touches >= 9 for each in found)
    assert all(each.day <= panel.last_day - timedelta(days=TURN_DAYS) for each in found)


def test_scenarios_follow_the_slope_against_the_market():
    random = np.random.default_rng(3)
    market = random.normal(0, 0.03, 400)
    double = 2.0 * market + random.normal(0, 1e-4, 400)
    close = np.exp(np.stack([market, double], axis=1).cumsum(axis=0))
    caps = close * np.array([1e12, 1.0])
    panel = Panel(FIRST_DAY, (Asset("a", 1, "A", "A"), Asset("b", 2, "B", "B")), close, caps, caps)
    large, small = compute_scenarios(panel)
    assert [each.factor for each in large] == list(FACTORS)
    for own, other in zip(large, small, strict=True):
        assert own.base == pytest.approx(close[-1, 0] * own.factor, rel=1e-3)
        assert other.base == pytest.approx(close[-1, 1] * other.factor**2, rel=1e-2)
        assert other.bear < other.base < other.moon
        assert other.total_market_cap == pytest.approx(caps[-1].sum() * other.factor)


def test_market_metrics_of_a_day_are_counted_by_hand(panel: Panel):
    trader = grade(panel).trader
    found = compute_market_metrics(panel, trader)
    for day in (300, 419):
        caps = panel.market_cap[day]
        plain = [column for column in range(30) if column != 1]
        assert found.total_cap[day] == pytest.approx(np.nansum(caps))
        sums = {
            column: np.nansum(panel.market_cap[: day + 1, column]) for column in plain if caps[column] == caps[column]
        }
        leader = max(sums, key=lambda column: sums[column])
        assert found.leader_cap[day] == caps[leader]
        assert found.leader_price[day] == panel.close[day, leader]
        assert found.others_cap[day] == pytest.approx(np.nansum(caps[plain]) - caps[leader]), "without stablecoins"
        graded = [trader[day, column] for column in plain if not np.isnan(trader[day, column])]
        assert found.high_share[day] == pytest.approx(100 * sum(each >= 60 for each in graded) / len(graded))
        close = panel.close[day - 199 : day + 1]
        whole = [column for column in plain if not np.isnan(close[:, column]).any()]
        above = [close[-1, column] > close[:, column].mean() for column in whole]
        assert found.above_average[day] == pytest.approx(100 * sum(above) / len(above))
        gains = {c: panel.close[day, c] / panel.close[day - 90, c] for c in plain}
        gains = {column: gain for column, gain in gains.items() if not np.isnan(gain)}
        won = [gain > gains[leader] for column, gain in gains.items() if column != leader]
        assert found.others_share[day] == pytest.approx(100 * sum(won) / len(won))
        assert 0 <= found.fear_and_greed[day] <= 100
    returns = np.diff(np.log(found.total_cap))[-30:]
    assert found.volatility_index[-1] == pytest.approx(100 * math.sqrt(365) * returns.std())
    assert np.isnan(found.volatility_10[:364]).all()
    assert found.volatility_10[-1] <= found.volatility_90[-1]


def test_moonshots_begin_high_after_a_jump_and_end_low_or_late():
    panel = made_panel(600, 60, 5)
    trader = grade(panel).trader
    found = find_moonshots(panel, trader)
    assert len(found) > 5
    assert [each.began for each in found] == sorted((each.began for each in found), reverse=True)
    for each in found:
        grades, close = trader[:, each.column], panel.close[:, each.column]
        assert grades[each.began] >= BEGINS_AT
        assert grades[each.began] - grades[each.began - JUMP_DAYS] >= JUMP
        caps = panel.market_cap[each.began]
        assert sum(caps > caps[each.column]) >= LARGEST_RANK
        last = panel.days - 1 if each.ended is None else each.ended
        assert last - each.began <= MOST_DAYS
        assert not (grades[each.began : last] <= ENDS_AT).any()
        if each.ended is not None and each.ended - each.began < MOST_DAYS:
            assert grades[each.ended] <= ENDS_AT
        held = close[each.began : last + 1]
        held = held[~np.isnan(held)]
        assert each.roi == pytest.approx(100 * (held[-1] / held[0] - 1))
        assert each.best == pytest.approx(100 * (held.max() / held[0] - 1))
    spans = sorted((each.column, each.began, each.ended or panel.days) for each in found)
    assert all(a[0] != b[0] or a[2] < b[1] for a, b in pairwise(spans)), "one at a time"
