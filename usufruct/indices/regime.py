"""Whether the market is bullish on a day, from what was known at that day's close."""

from collections.abc import Sequence

import numpy as np

from usufruct.indices.markov import TwoStates, filtered, fit
from usufruct.indices.rulebook import Regime
from usufruct.indices.sums import Mask, Vector

_FIRST_ROUNDS, _LATER_ROUNDS = 60, 10


def regime_states(rule: Regime, levels: Vector) -> Mask:
    """Return for each day of a price series whether the market counts as bullish at its close.

    A day's state depends on no later day: more levels change no earlier state.
    """
    if rule.kind == "moving-average":
        up, down = _average_signals(rule, levels)
    else:
        up, down = _markov_signals(rule, levels)
    return hold(up, down, start=rule.start == "bullish", days=rule.minimum_hold_days)


def hold(up: Sequence[bool] | Mask, down: Sequence[bool] | Mask, *, start: bool, days: int) -> Mask:
    """Return a switch's states: it changes on a signal, and not before it was held for some days."""
    state, since = start, -days
    states = np.empty(len(up), dtype=bool)
    for row, (rises, falls) in enumerate(zip(np.asarray(up).tolist(), np.asarray(down).tolist(), strict=True)):
        if (falls if state else rises) and row - since >= days:
            state, since = not state, row
        states[row] = state
    return states


def _average_signals(rule: Regime, levels: Vector) -> tuple[Mask, Mask]:
    """Compare each level with the mean of the last `window_days` levels, its own included."""
    window = rule.window_days
    up, down = np.zeros(len(levels), dtype=bool), np.zeros(len(levels), dtype=bool)
    if len(levels) >= window:
        sums = np.cumsum(levels)
        means = (sums[window - 1 :] - np.concatenate(([0.0], sums[: len(levels) - window]))) / window
        recent = levels[window - 1 :]
        up[window - 1 :] = recent > means * (1 + rule.band)
        down[window - 1 :] = recent < means * (1 - rule.band)
    return up, down


def _markov_signals(rule: Regime, levels: Vector) -> tuple[Mask, Mask]:
    """Compare the filtered probability with the threshold; the model is fitted again every `refit_days`."""
    returns = [0.0, *(levels[1:] / levels[:-1] - 1).tolist()]
    probability = np.full(len(levels), 0.5)
    model: TwoStates | None = None
    for row in range(rule.train_days, len(levels), rule.refit_days):
        known = returns[max(1, row - rule.train_days + 1) : row + 1]
        model = fit(known, _LATER_ROUNDS if model else _FIRST_ROUNDS, model)
        ahead = returns[row + 1 : row + rule.refit_days]
        probability[row] = model.bullish
        probability[row + 1 : row + 1 + len(ahead)] = filtered(model, ahead)
    return probability >= rule.threshold, probability <= 1 - rule.threshold
