"""Learned signals: no look-ahead, skill where there is a pattern and none where there is not, the same bytes again."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.learning import needs_openmp
from tests.support.market_panels import drifting_panel, made_panel, with_future
from usufruct.analytics.learned import (
    FEATURES,
    ModelDamaged,
    ModelOfOtherPrices,
    ModelOutdated,
    NoModel,
    Training,
    TrainingPlan,
    features,
    model_files,
    predict,
    read_card,
    read_model,
    train,
    verdict,
    write_card,
    write_model,
)
from usufruct.analytics.learned.booster import read_booster
from usufruct.analytics.learned.evaluation import measure_skill, signals_of
from usufruct.analytics.learned.labels import forward_returns, rank_labels, shuffled_labels
from usufruct.analytics.learned.portfolio import hold_equally
from usufruct.analytics.learned.splits import decision_rows, purged_folds, walk_forward
from usufruct.analytics.learned.training import features_of
from usufruct.connectors.prices import Panel
from usufruct.core import Invalid

pytestmark = needs_openmp

SMALL = TrainingPlan(
    refit_weeks=8, first_days=120, folds=3, embargo_days=7, trees=12, leaves=7, least_rows_of_leaf=20, learning_rate=0.2
)


@cache
def drifting() -> Training:
    return train(drifting_panel(420, 40), SMALL)


@cache
def past() -> tuple[Panel, Training]:
    panel = made_panel(330, 24, 5)
    return panel, train(panel, SMALL)


def longer(seed: int, *, shuffle: bool) -> Panel:
    panel, other = past()[0], made_panel(90, 24, seed)
    if shuffle:
        rows = np.random.default_rng(seed).permutation(other.days)
        other = Panel(other.first_day, other.assets, other.close[rows], other.market_cap[rows], other.volume[rows])
    return with_future(panel, other, newcomers=3)


@pytest.mark.parametrize("shuffle", [False, True])
def test_no_future_changes_a_byte_of_features_labels_or_predictions(shuffle: bool):
    panel, trained = past()
    more = longer(7, shuffle=shuffle)
    now, later = features_of(panel), features_of(more)
    rows, columns = np.arange(panel.days), slice(len(panel.assets))
    assert later.at(rows)[:, columns].tobytes() == now.at(rows).tobytes()
    labels = [rank_labels(forward_returns(each.close, 7), known.known) for each, known in ((panel, now), (more, later))]
    whole = panel.days - SMALL.span_days  # until then the labels are known
    assert np.ascontiguousarray(labels[1][:whole, columns]).tobytes() == labels[0][:whole].tobytes()
    again = train(more, SMALL)
    assert len(again.fits) > len(trained.fits) > 2
    assert [each.trees.text for each in again.fits[: len(trained.fits)]] == [each.trees.text for each in trained.fits]
    first, second = predict(panel, now, trained.fits, panel.days), predict(more, later, again.fits, more.days)
    until = min(panel.days, (again.fits[len(trained.fits)].start - panel.first_day).days)
    assert until > panel.days - 60
    for name in ("score", "signal"):
        there = np.ascontiguousarray(getattr(second, name)[:until, columns])
        assert there.tobytes() == getattr(first, name)[:until].tobytes()
    assert np.isfinite(first.score).any()


def test_a_prediction_is_made_by_a_fit_that_knew_nothing_of_it():
    panel, trained = past()
    assert all(each.learned_until < each.start for each in trained.fits)
    last = trained.fits[-1]
    assert train(panel.between(panel.first_day, last.start), SMALL).fits[-1].trees.text == last.trees.text
    signals = predict(panel, features_of(panel), trained.fits, panel.days)
    first = (trained.fits[0].start - panel.first_day).days
    assert np.isnan(signals.score[:first]).all()
    assert not signals.signal[:first].any()
    assert np.isfinite(signals.score[first]).any()
    assert np.isnan(signals.score[:, 1]).all(), "a stablecoin is not scored"
    few = predict(panel, features_of(panel), trained.fits, 10)
    np.testing.assert_array_equal(few.score[-10:], signals.score[-10:])
    assert np.isnan(few.score[:-10]).all()
    whole = sum(few.contributions[name] for name in FEATURES)
    order, scored = np.argsort(few.score[-1]), np.count_nonzero(np.isfinite(few.score[-1]))
    moved = whole[order][:scored]
    assert (np.diff(moved) >= -1e-12).all(), "the contributions add up to what is ranked"


def test_a_planted_pattern_is_found_and_shuffled_labels_find_none():
    for each in (drifting().walk_forward, drifting().cross_validation):
        learned, _, everything, shuffled = each.outcomes
        assert learned.skill.rank_correlation > 0.25
        assert learned.skill.t > 5
        assert learned.skill.hits > 0.58
        assert learned.total_return > everything.total_return + 0.5
        assert abs(shuffled.skill.rank_correlation) < 0.15
        assert abs(shuffled.skill.hits - 0.5) < 0.05
        assert np.isnan(everything.skill.rank_correlation)


def test_over_several_seeds_shuffled_labels_give_nothing():
    panel = drifting_panel(260, 30)
    found = [
        train(panel, replace(SMALL, seed=seed, trees=5, refit_weeks=13, folds=2)).cross_validation.outcomes[-1]
        for seed in range(5)
    ]
    assert abs(np.mean([each.skill.rank_correlation for each in found])) < 0.06


def test_no_skill_is_claimed_for_random_walks():
    _, trained = past()
    for each in (trained.walk_forward, trained.cross_validation):
        assert abs(each.model.skill.rank_correlation) < 0.12


def test_the_same_prices_and_seed_give_the_same_bytes(tmp_path: Path):
    panel, trained = past()
    folders = [tmp_path / name for name in ("one", "two", "other")]
    made = [write_model(folders[0], trained), write_model(folders[1], train(panel, SMALL))]
    made.append(write_model(folders[2], train(panel, replace(SMALL, seed=2))))
    assert made[0].id == made[1].id != made[2].id
    one, two = ({each.name: each.read_bytes() for each in sorted(there.glob("*/*"))} for there in folders[:2])
    assert one == two
    assert {"card.json", "card.md", "model.json"} < one.keys()
    assert len(one) == 3 + len(trained.fits)


def test_a_card_says_what_a_reader_has_to_know(tmp_path: Path):
    card = write_model(tmp_path, drifting()).card
    assert card["synthetic"] is True
    assert [each["name"] for each in card["evaluations"]] == ["walk-forward", "purged cross-validation"]
    names = ["learned", "rule-based signal", "all held", "shuffled labels"]
    assert all([one["name"] for one in each["strategies"]] == names for each in card["evaluations"])
    assert sum(card["features"]["importance"].values()) == pytest.approx(1, abs=1e-4)
    assert set(card["features"]["importance"]) == set(FEATURES)
    assert card["data"]["inputs"] == drifting().panel.digest()
    assert card["skill"]["found"] is True
    page = write_card(card)
    for words in (
        "Simulated prices",
        "not advice",
        "Limits",
        "What lost",
        card["hash"],
        verdict(card),
        "0.10% of each",
    ):
        assert words in page
    assert read_card(tmp_path) == card


@pytest.mark.parametrize("name", ["model.json", "card.json", "card.md", "fit"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "empty"])
def test_a_damaged_file_is_a_named_error(tmp_path: Path, name: str, damage: str):
    made = write_model(tmp_path, past()[1])
    [path, *_] = sorted((tmp_path / made.id).glob(f"{name}*"))
    content = path.read_bytes()
    half = len(content) // 2
    if damage == "gone":
        path.unlink()
    else:
        changed = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
        path.write_bytes({"cut": content[:half], "changed": changed, "empty": b""}[damage])
    with pytest.raises(ModelDamaged, match="usufruct rating train"):
        read_model(tmp_path)


@pytest.mark.parametrize("name", ["", "..", "../elsewhere", "0123456789abcdef"])
def test_a_pointer_to_no_model_is_a_named_error(tmp_path: Path, name: str):
    write_model(tmp_path, past()[1])
    (tmp_path / "current").write_text(name)
    with pytest.raises((ModelDamaged, NoModel), match="usufruct rating train"):
        read_model(tmp_path)


@pytest.mark.parametrize("text", ["", "tree\nversion=v4\n", "tree\nversion=v9\nnum_class=x\n\nTree=0\n"])
def test_what_is_no_model_of_lightgbm_is_a_named_error(text: str):
    with pytest.raises(ModelDamaged):
        read_booster(text, "fit-2024-01-01.txt")


@pytest.mark.parametrize("key", ["FEATURE_HASH", "FEATURE_SET", "FORMAT"])
def test_a_model_of_other_features_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str):
    with monkeypatch.context() as older:
        older.setattr(model_files, key, 0 if key == "FORMAT" else "older", raising=True)
        made = write_model(tmp_path, past()[1])
    with pytest.raises(ModelOutdated, match=key.lower()):
        read_model(tmp_path)
    assert read_card(tmp_path) == made.card, "its card can be read still"


def test_a_model_of_simulated_prices_is_refused_for_real_ones(tmp_path: Path):
    with pytest.raises(NoModel, match="usufruct rating train"):
        read_model(tmp_path)
    made = write_model(tmp_path, past()[1])
    made.check_prices(synthetic=True)
    with pytest.raises(ModelOfOtherPrices, match="simulated"):
        made.check_prices(synthetic=False)


def test_changed_features_need_a_new_name():
    """Means of `usufruct-features-1` on a fixed panel: where they change, change FEATURE_SET, then these."""
    assert features.FEATURE_SET == "usufruct-features-1"
    values = features_of(made_panel(420, 12, 3)).values
    found = {name: float(np.nanmean(values[name][-60:, 0])) for name in FEATURES}
    assert found == pytest.approx(PINNED, abs=0.001)


PINNED = {
    "trend_20": 70.264,
    "trend_50": 73.839,
    "trend_200": 35.574,
    "rsi": 59.033,
    "macd": 57.797,
    "channel": 85.273,
    "volume": 55.81,
    "sharpe": 37.72,
    "momentum": 75.886,
    "drawdown": 39.826,
    "size": 89.689,
    "liquidity": 27.962,
    "age": 26.747,
    "turnover_value": 10.008,
    "below_average": 74.315,
    "trader": 61.048,
    "trader_change": 4.833,
    "rule_signal": 0.8,
    "return_1": 57.935,
    "return_7": 62.102,
    "return_90": 36.824,
    "volatility": 51.38,
    "volatility_turn": 0.92,
    "volume_turn": 0.917,
    "breadth": 29.037,
    "market_volatility": 48.299,
    "market_above_average": 62.852,
}


def slow_purge(rows: list[int], test: list[int], span: int, embargo: int) -> list[int]:
    """Every day that a row knows of, as a set: what meets a test row's, or the embargo, is left out."""
    tested = set(range(test[0], test[-1] + span + 1))
    after = set(range(test[-1] + span + 1, test[-1] + span + 1 + embargo))
    return [row for row in rows if not set(range(row, row + span + 1)) & tested and row not in after]


@settings(deadline=None)
@given(
    days=st.integers(40, 400), horizon=st.integers(1, 20), folds=st.integers(2, 6), embargo=st.integers(0, 40),
    ordinal=st.integers(700_000, 700_040),
)  # fmt: skip
def test_folds_are_purged_as_sets_of_days_say(days: int, horizon: int, folds: int, embargo: int, ordinal: int):
    rows = decision_rows(ordinal, days, horizon)
    assert rows.tolist() == [row for row in range(days) if (ordinal + row) % horizon == 0]
    splits = purged_folds(rows, folds, horizon + 1, embargo)
    assert sorted(row for each in splits for row in each.test.tolist()) == rows.tolist()
    for each in splits:
        assert each.train.tolist() == slow_purge(rows.tolist(), each.test.tolist(), horizon + 1, embargo)


@settings(deadline=None)
@given(days=st.integers(120, 400), horizon=st.integers(1, 20), window=st.integers(0, 200), every=st.integers(1, 9))
def test_a_fit_learns_only_what_was_known_before_its_days(days: int, horizon: int, window: int, every: int):
    rows, span = decision_rows(738_000, days, horizon), horizon + 1
    starts = rows[rows >= 60][::every].tolist()
    splits = walk_forward(rows, starts, span, window)
    assert [row for each in splits for row in each.test.tolist()] == rows[rows >= starts[0]].tolist()
    for start, each in zip(starts, splits, strict=True):
        assert each.test[0] == start
        oldest = start - window if window else 0
        assert each.train.tolist() == [row for row in rows.tolist() if oldest <= row < start - span]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), horizon=st.integers(1, 9))
def test_forward_returns_are_what_a_loop_finds(seed: int, horizon: int):
    close = made_panel(40, 6, seed).close
    found = forward_returns(close, horizon)
    for row in range(len(close)):
        for column in range(close.shape[1]):
            end = row + 1 + horizon
            if end >= len(close) or np.isnan(close[row + 1, column]):
                assert np.isnan(found[row, column])
                continue
            sold = [price for price in close[row + 1 : end + 1, column] if not np.isnan(price)][-1]
            assert found[row, column] == np.log(sold / close[row + 1, column])


def test_labels_are_ranks_of_the_day_and_shuffling_only_deals_them_anew():
    returns = np.array([[0.3, -0.1, np.nan, 0.1, 9.0], [0.0, 0.0, 0.0, np.nan, 1.0]])
    known = np.array([[True] * 4 + [False]] * 2)
    labels = rank_labels(returns, known)
    np.testing.assert_allclose(labels[0], [1 / 3, -1 / 3, np.nan, 0, np.nan], atol=1e-12)
    np.testing.assert_allclose(labels[1], [0, 0, 0, np.nan, np.nan], atol=1e-12)
    dealt = shuffled_labels(labels, np.array([1, 2]), 5)
    np.testing.assert_array_equal(np.sort(dealt, axis=1), np.sort(labels, axis=1))
    np.testing.assert_array_equal(shuffled_labels(labels[:1], np.array([1]), 5)[0], dealt[0])


def slow_value(close: np.ndarray, rows: list[int], held: np.ndarray, plan: TrainingPlan) -> float:
    """Buy units of each asset by hand, and pay for what is bought and sold."""
    value, before = 1.0, dict.fromkeys(range(close.shape[1]), 0.0)
    for row, chosen in zip(rows, held, strict=True):
        entry, end = row + 1, row + plan.span_days
        if end >= len(close):
            break
        there = [n for n in np.flatnonzero(chosen).tolist() if close[entry, n] > 0]
        wanted = {n: (1 / len(there) if n in there else 0.0) for n in before}
        value *= 1 - plan.cost * sum(abs(wanted[n] - before[n]) for n in before)
        worth = {}
        for n in before:
            prices = [price for price in close[entry : end + 1, n] if price > 0]
            worth[n] = value * wanted[n] * prices[-1] / prices[0] if n in there else 0.0
        cash = value - sum(value * each for each in wanted.values())
        value = cash + sum(worth.values())
        before = {n: each / value for n, each in worth.items()}
    return value


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), horizon=st.integers(1, 9))
def test_a_holdings_value_is_what_units_bought_by_hand_are_worth(seed: int, horizon: int):
    close = made_panel(60, 6, seed).close
    plan = replace(SMALL, horizon_days=horizon, cost=0.01)
    rows = decision_rows(738_000, len(close), horizon)
    held = np.random.default_rng(seed).random((len(rows), 6)) < 0.5
    found = hold_equally(close, rows, held, plan)
    assert found.levels[-1] == pytest.approx(slow_value(close, rows.tolist(), held, plan), rel=1e-9)
    assert np.prod(found.periods + 1) == pytest.approx(found.levels[-1], rel=1e-9)
    assert found.if_gone_at_zero <= found.levels[-1] * (1 + 1e-12)
    assert len(found.levels) == 1 + horizon * len(found.periods)


def test_an_asset_whose_prices_end_is_sold_at_its_last_price_or_worthless():
    close = np.full((20, 2), 1.0)
    close[12:, 1] = np.nan
    plan = replace(SMALL, cost=0.0)
    found = hold_equally(close, np.array([2, 9]), np.ones((2, 2), dtype=bool), plan)
    assert (found.levels[-1], found.if_gone_at_zero) == (1.0, 0.5)


def test_skill_is_one_for_perfect_scores_and_minus_one_for_their_reverse():
    returns = np.random.default_rng(1).normal(0, 0.1, (30, 20))
    best, worst = measure_skill(returns, returns), measure_skill(-returns, returns)
    assert (best.rank_correlation, best.hits, best.days) == (pytest.approx(1), 1.0, 30)
    assert (worst.rank_correlation, worst.hits) == (pytest.approx(-1), 0.0)
    assert best.spread > 0 > worst.spread
    none = measure_skill(np.full((3, 20), np.nan), returns[:3])
    assert (none.days, np.isnan(none.rank_correlation), np.isnan(none.hits)) == (0, True, True)


def test_signals_are_the_outer_fifths():
    assert signals_of(np.array([[5.0, 20.0, 21.0, 79.0, 80.0, np.nan]])).tolist() == [[-1, -1, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: TrainingPlan(horizon_days=0), "horizon_days"),
        (lambda: TrainingPlan(folds=1), "folds"),
        (lambda: TrainingPlan(cost=0.5), "cost"),
        (lambda: TrainingPlan(window_days=100), "window_days"),
        (lambda: TrainingPlan(seed=-1), "seed"),
    ],
)
def test_a_parameter_out_of_bounds_is_named(make: Callable[[], TrainingPlan], field: str):
    with pytest.raises(Invalid, match=field):
        make()


def test_too_few_prices_are_named():
    with pytest.raises(Invalid, match="too few") as refused:
        train(made_panel(150, 4), SMALL)
    assert refused.value.code == "too_few_prices"


def test_a_rolling_window_forgets():
    panel, trained = past()
    rolling = train(panel, replace(SMALL, window_days=130))
    assert rolling.fits[-1].samples < trained.fits[-1].samples
    assert rolling.fits[-1].trees.text != trained.fits[-1].trees.text
