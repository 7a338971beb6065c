"""The shipped indices over the simulated market: sectors, factors, and regimes against the market's own truth."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from usufruct.connectors.prices import STABLECOIN, Panel, Regime, SyntheticMarket, regimes, synthesize
from usufruct.indices import Backtest, Report, Rulebook, load_rulebook, make_report, measure, returns_of, run_index
from usufruct.indices.market_data import MarketData
from usufruct.indices.regime import regime_states
from usufruct.indices.screens import open_screens
from usufruct.indices.sums import Mask

START = date(2020, 1, 1)
LONG = SyntheticMarket(days=1_500, assets=150)


@pytest.fixture(scope="module")
def parent(market: Panel) -> Backtest:
    return run_index(load_rulebook("top-100"), market, START)


@pytest.fixture(scope="module")
def long_market() -> Panel:
    return synthesize(LONG)


@pytest.mark.parametrize("name", ["ai", "defi", "layer-1", "metaverse-gaming"])
def test_members_of_a_sector_index_are_of_its_category(market: Panel, name: str):
    rulebook = load_rulebook(name)
    found = run_index(rulebook, market, START)
    wanted = set(rulebook.universe.include)
    assert wanted
    for asset in found.ids():
        assert market.assets[market.column[asset]].categories & wanted, asset
    count = (found.held > 0).sum(axis=0)
    assert count.min() >= rulebook.selection.minimum_count
    others = [each for each in market.assets if not each.categories & wanted]
    assert len(others) > len(market.assets) / 2, "most of the market is of other categories"


def test_the_momentum_index_has_more_momentum_than_its_parent_at_every_decision(market: Panel, parent: Backtest):
    found = run_index(load_rulebook("momentum"), market, START)
    rule = found.rulebook.selection
    for at, row in enumerate(found.decided.tolist()):
        now, then = (found.data.prices(np.array([row - days]))[0] for days in (7, 7 + rule.lookback_days))
        past = dict(zip(found.data.ids, (now / then - 1).tolist(), strict=True))
        own = exposure(found, at, past)
        others = exposure(parent, int(np.searchsorted(parent.decided, row, side="right")) - 1, past)
        assert own > max(others, 0), found.data.panel.day(row)


def exposure(found: Backtest, at: int, scores: dict[str, float]) -> float:
    """Return the mean score of the targets of a decision by weight, over the assets that have a score."""
    weights = {each: w for each, w in zip(found.ids(), found.targets.weights[:, at], strict=True) if w > 0}
    known = [each for each in weights if np.isfinite(scores[each])]
    return sum(weights[each] * scores[each] for each in known) / sum(weights[each] for each in known)


def test_the_momentum_index_moves_with_winners_less_losers(market: Panel, parent: Backtest):
    """The slope of its return over its parent's on a factor of our own: the best third less the worst, held a month."""
    found = run_index(load_rulebook("momentum"), market, START)
    days = len(found.nav)
    factor = np.zeros(days - 1)
    members = parent.targets.columns
    for at, row in enumerate(found.traded_on.tolist()):
        end = int(found.traded_on[at + 1]) if at + 1 < len(found.traded_on) else found.first + days - 1
        if end == row:
            continue
        decided = int(found.decided[at])
        now, then = (found.data.prices(np.array([decided - days]))[0, members] for days in (7, 187))
        prices = found.data.price_history(members, row, end)
        usable = np.isfinite(now / then) & np.isfinite(prices).all(axis=1)
        ranked = np.flatnonzero(usable)[np.argsort((now / then)[usable])]
        third = len(ranked) // 3
        moved = prices[:, 1:] / prices[:, :-1] - 1
        spread = moved[ranked[-third:]].mean(axis=0) - moved[ranked[:third]].mean(axis=0)
        factor[row - found.first : end - found.first] = spread
    excess = returns_of(found.nav) - returns_of(parent.nav)
    slope = float(np.cov(excess, factor)[0, 1] / factor.var(ddof=1))
    assert slope > 0.1


def test_the_low_volatility_index_moves_less_than_its_parent(market: Panel, parent: Backtest):
    found = run_index(load_rulebook("low-volatility"), market, START)
    own, others = (measure(returns_of(each.nav)).annual_volatility for each in (found, parent))
    assert own < 0.95 * others


# Regimes against the truth


@dataclass(frozen=True)
class Detection:
    """How a regime rule fares in the bullish and bearish stretches of a simulated market.

    `delays`: days until its state is that of the stretch, or the stretch's length. `false`: changes away from it later.
    """

    delays: tuple[int, ...]
    false: int
    agreement: float
    years: float


def detect(name: str, seed: int, first: int) -> Detection:
    """Compare the states of an index's regime with the truth, from a row on at which it has enough history."""
    made = SyntheticMarket(seed=seed, assets=120, days=2_000)
    panel, truth, rulebook = synthesize(made), regimes(made), load_rulebook(name)
    states = states_of(rulebook, panel)
    edges = np.concatenate(([0], np.flatnonzero(np.diff(truth)) + 1, [len(truth)])).tolist()
    delays, false, right, days = [], 0, 0, 0
    for start, end in pairwise(edges):
        if truth[start] == Regime.CHOP or start < first:
            continue
        agrees = states[start:end] == (truth[start] == Regime.BULL)
        delays.append(int(agrees.argmax()) if agrees.any() else end - start)
        later = agrees[delays[-1] :]
        false += int((later[:-1] & ~later[1:]).sum())
        right, days = right + int(agrees.sum()), days + end - start
    return Detection(tuple(delays), false, right / days, days / 365)


def states_of(rulebook: Rulebook, panel: Panel) -> Mask:
    data = MarketData(panel)
    eligible = ~open_screens(rulebook, data).wrong_category
    assert rulebook.regime is not None
    return regime_states(rulebook.regime, data.market_index(eligible, 0, panel.days - 1))


def test_the_moving_average_finds_bull_and_bear_within_bounds():
    """With 140 days it cannot be fast; these bounds are what is promised, over four markets together."""
    found = [detect("global-100", seed, 200) for seed in (1, 2, 3, 20240101)]
    delays = [each for one in found for each in one.delays]
    assert len(delays) >= 24
    assert max(delays) <= 100
    assert np.median(delays) <= 25
    assert sum(each.false for each in found) <= 2.5 * sum(each.years for each in found)
    assert all(each.agreement >= 0.7 for each in found)


def test_the_hidden_markov_model_is_quick_and_switches_falsely_more_often():
    """It separates calm from wild days rather than rises from falls: it is quick, and no better than the average."""
    found = [detect("global-100-hmm", seed, 730) for seed in (1, 20240101)]
    average = [detect("global-100", seed, 730) for seed in (1, 20240101)]
    assert np.median([each for one in found for each in one.delays]) <= 15
    assert sum(each.false for each in found) <= 5 * sum(each.years for each in found)
    for one, other in zip(found, average, strict=True):
        assert one.agreement < other.agreement, "the guide says so; correct it where this changes"


def test_global_100_by_the_hidden_markov_model_switches_between_its_members_and_stablecoins(long_market: Panel):
    found = run_index(load_rulebook("global-100-hmm"), long_market, date(2020, 6, 1))
    stable = np.array([STABLECOIN in long_market.assets[long_market.column[each]].categories for each in found.ids()])
    bullish = found.signals.bullish[found.signals.decisions - found.signals.first]
    wanted = found.targets.weights
    assert wanted.sum(axis=0) + found.targets.cash == pytest.approx(np.ones(wanted.shape[1]))
    assert (wanted[stable][:, bullish] == 0).all()
    assert (wanted[~stable][:, ~bullish] == 0).all()
    assert ((wanted[:, bullish] > 0).sum(axis=0) >= found.rulebook.selection.minimum_count).all()
    assert 2 <= found.signals.switched.sum() < len(found.signals.switched) / 4
    changes = np.flatnonzero(np.diff(found.signals.bullish.astype(int)))
    assert np.diff(changes).min() >= 14, "the minimum hold"
    assert np.isfinite(found.nav).all()


# What switching costs, and what it brings


@pytest.fixture(scope="module")
def switching(market: Panel) -> Report:
    return make_report(load_rulebook("global-100"), market, date(2019, 8, 1))


def test_a_report_has_the_cost_of_switches_and_the_index_without_them(switching: Report, market: Panel):
    found, rulebook = switching.backtest, switching.backtest.rulebook
    regime = switching.as_document()["switching"]
    assert regime["changes"] == switching.switches > 2
    changed = [each for at, each in enumerate(switching.log) if found.signals.switched[at]]
    assert regime["cost"] == pytest.approx(1 - np.prod([1 - each.cost for each in changed]))
    assert regime["turnover"] == pytest.approx(sum(each.turnover for each in changed))
    assert 0.8 * len(changed) < regime["turnover"] <= len(changed) + 1e-9, "a change sells and buys everything"
    gaps = np.diff([each.traded.toordinal() for each in changed])
    assert regime["whipsaws"] == (gaps <= 30).sum()
    assert 0 < regime["whipsaw_cost"] < regime["cost"]
    held = rulebook.model_copy(
        update={"regime": None, "calendar": rulebook.calendar.model_copy(update={"on_regime_change": False})}
    )
    nav = run_index(held, market, date(2019, 8, 1)).nav
    assert regime["without_switching"] == measure(returns_of(nav)).as_document()


def test_an_index_without_a_regime_has_no_switches(market: Panel):
    assert make_report(load_rulebook("top-10"), market, START).as_document()["switching"] is None
