"""Grades are the published formula, recomputed here for one asset and one day from the raw prices."""

import math
import re
import statistics
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.support.market_panels import made_panel
from usufruct.analytics.grades import (
    FORMULA,
    FUNDAMENTAL_WEIGHTS,
    INVESTOR_WEIGHTS,
    LEAST_DAYS,
    PARTS,
    QUANT_WEIGHTS,
    TECHNICAL_WEIGHTS,
    TRADER_WEIGHTS,
    VALUATION_WEIGHTS,
    fundamental_class,
    grade,
    grade_change,
    hysteresis,
    verdict,
)
from usufruct.analytics.indicators import carried
from usufruct.connectors.prices import Panel


@pytest.fixture(scope="module")
def panel() -> Panel:
    return made_panel(420, 8, 3)


def test_the_published_formula_has_the_weights_that_are_used():
    page = (Path(__file__).parents[2] / "docs" / "protocol" / "ratings.md").read_text()
    published = {name: float(weight) for name, weight in re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", page, re.M)}
    assert published == {**TECHNICAL_WEIGHTS, **QUANT_WEIGHTS, **FUNDAMENTAL_WEIGHTS, **VALUATION_WEIGHTS}
    for weights in (TRADER_WEIGHTS, INVESTOR_WEIGHTS):
        assert " + ".join(f"{weight} x {name}" for name, weight in weights.items()) in page
    assert f"`{FORMULA}`" in page


def clipped(value: float) -> float:
    return 50 + 50 * max(-1.0, min(1.0, value))


def percentile(value: float, others: list[float]) -> float:
    known = [each for each in others if not math.isnan(each)]
    return 100 * (sum(each < value for each in known) + sum(each == value for each in known) / 2) / len(known)


def test_the_technical_grade_is_its_formula(panel: Panel):
    close, volume = panel.close[:, 0].tolist(), panel.volume[:, 0].tolist()
    returns = [math.log(b / a) for a, b in pairwise(close)]
    sigma = statistics.pstdev(returns[-30:])
    parts = {
        f"trend_{n}": clipped(math.log(close[-1] / statistics.fmean(close[-n:])) / (sigma * math.sqrt(n)))
        for n in (20, 50, 200)
    }
    low, high = min(close[-55:]), max(close[-55:])
    parts["channel"] = 100 * (close[-1] - low) / (high - low)
    signed = [v * math.copysign(1, b - a) for a, b, v in zip(close[-21:], close[-20:], volume[-20:], strict=False)]
    parts["volume"] = clipped(sum(signed) / sum(volume[-20:]))
    graded = grade(panel, parts=PARTS)
    for name, value in parts.items():
        assert graded.parts[name][-1, 0] == pytest.approx(value, rel=1e-6), name
    weighed = sum(TECHNICAL_WEIGHTS[name] * graded.parts[name][-1, 0] for name in TECHNICAL_WEIGHTS)
    assert graded.technical[-1, 0] == pytest.approx(weighed)


def test_the_quantitative_grade_ranks_the_assets_of_the_day(panel: Panel):
    graded = grade(panel)
    rated = [column for column in range(8) if not math.isnan(graded.trader[-1, column])]
    assert 3 not in rated, "it is delisted"

    def figures(column: int) -> tuple[float, float, float]:
        close = carried(panel.close, 7)[:, column]
        returns = np.diff(np.log(close))[-90:]
        deviation = max(1e-9, float(returns.std()))
        return float(returns.mean()) / deviation, math.log(close[-1] / close[-31]), close[-1] / close[-90:].max() - 1

    table = {column: figures(column) for column in rated}
    assert not any(math.isnan(each) for row in table.values() for each in row)
    for column in rated:
        ranks = [percentile(table[column][n], [row[n] for row in table.values()]) for n in range(3)]
        expected = 0.4 * ranks[0] + 0.3 * ranks[1] + 0.3 * ranks[2]
        assert graded.quantitative[-1, column] == pytest.approx(expected)


def test_blends_use_what_is_known(panel: Panel):
    graded = grade(panel)
    known = ~np.isnan(graded.technical + graded.quantitative)
    assert known.sum() == (~np.isnan(graded.trader)).sum() > 0
    np.testing.assert_allclose(
        graded.trader[known], (0.8 * graded.technical + 0.2 * graded.quantitative)[known], rtol=1e-12
    )
    assert np.isnan(graded.technology).all()
    without = (0.4 * graded.fundamental + 0.3 * graded.valuation) / 0.7
    both = ~np.isnan(without)
    np.testing.assert_allclose(graded.investor[both], without[both], rtol=1e-12)
    facts = np.full(panel.close.shape, 90.0)
    informed = grade(panel, facts)
    blended = 0.4 * informed.fundamental + 0.3 * 90.0 + 0.3 * informed.valuation
    np.testing.assert_allclose(informed.investor[both], blended[both], rtol=1e-12)
    assert (informed.trader[known] == graded.trader[known]).all(), "facts of projects move no trader grade"


def test_an_asset_is_graded_from_its_sixtieth_price_to_its_last(panel: Panel):
    graded = grade(panel)
    for column in range(8):
        prices = np.flatnonzero(~np.isnan(panel.close[:, column]))
        rated = np.flatnonzero(~np.isnan(graded.trader[:, column]))
        assert rated.tolist() == prices[LEAST_DAYS - 1 :].tolist()
    for name in ("technical", "quantitative", "trader", "fundamental", "valuation", "investor", "overall"):
        values = getattr(graded, name)
        assert (values[~np.isnan(values)] >= 0).all()
        assert (values[~np.isnan(values)] <= 100).all()


def test_one_asset_alone_is_in_the_middle_of_its_day():
    graded = grade(made_panel(200, 1))
    assert graded.quantitative[-1, 0] == 50.0


def test_prices_that_cannot_be_are_not_graded():
    panel = made_panel(200, 3)
    panel.close[150:, 0] = 0.0
    panel.close[150:, 1] = -1.0
    assert np.isnan(grade(panel).trader[150:, :2]).all()


def test_words_and_changes():
    assert [verdict(each) for each in (80, 79.9, 60, 40, 20, 19.9)] == [
        "Strong Buy",
        "Buy",
        "Buy",
        "Hold",
        "Sell",
        "Strong Sell",
    ]
    assert [fundamental_class(each) for each in (95, 80, 60, 30, 10)] == [
        "storeOfValue",
        "blueChip",
        "emerging",
        "speculative",
        "highRisk",
    ]
    change = grade_change(np.array([[50.0, 0.0], [60.0, 10.0]]), 1)
    assert change[1, 0] == pytest.approx(20.0)
    assert np.isnan(change[1, 1])
    assert hysteresis(np.array([[4.0], [6.0], [5.0], [3.0], [5.0]]), 6, 3)[:, 0].tolist() == [0, 1, 1, -1, -1]
