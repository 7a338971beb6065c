"""A hidden Markov model of two states with normal returns: fitted to the past, filtered forward day by day.

The filter gives the probability of a state from what was known up to that day. Smoothed probabilities, which most
libraries return, use later days: a backtest on them looks ahead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, ldexp, sqrt
from typing import Final

_LN2: Final = 0.6931471805599453
_LEAST_VARIANCE: Final = 1e-10
_LOWEST_EXPONENT: Final = -700.0


@dataclass(frozen=True, slots=True)
class TwoStates:
    """Parameters, and the probability of the bullish state after the last return.

    `stay` are the probabilities that the bullish and the bearish state last another day.
    """

    mean: tuple[float, float]
    variance: tuple[float, float]
    stay: tuple[float, float]
    bullish: float = 0.5

    def update(self, value: float) -> "TwoStates":
        """Return the model after one more return: constant time and memory."""
        return replace(self, bullish=_step(self, self.bullish, value)[0])


def fit(returns: Sequence[float], rounds: int = 60, before: TwoStates | None = None) -> TwoStates:
    """Fit the parameters to returns by expectation maximization (Baum and Welch), and filter to the last return.

    Begins at `before`, or at the halves of the returns split by the size of their moves. The state of the higher mean
    is the bullish one; a fixed number of rounds gives the same bytes on every machine.
    """
    model = replace(before, bullish=0.5) if before else _guess(returns)
    for _ in range(rounds):
        model = _improve(model, returns)
    if model.mean[0] < model.mean[1]:
        model = TwoStates(model.mean[::-1], model.variance[::-1], model.stay[::-1])
    bullish = model.bullish
    for value in returns:
        bullish = _step(model, bullish, value)[0]
    return replace(model, bullish=bullish)


def filtered(model: TwoStates, returns: Sequence[float]) -> list[float]:
    """Return the probability of the bullish state after each return, from the model's own probability on."""
    bullish, found = model.bullish, []
    for value in returns:
        bullish = _step(model, bullish, value)[0]
        found.append(bullish)
    return found


def exponential(exponent: float) -> float:
    """Return e to a power of at most 0 by sums and products alone, so that every machine gets the same bytes.

    `e^x = 2^k e^r` with `|r| <= ln(2) / 2`, and 14 terms of the series. Under -700 it is 0.
    """
    if exponent < _LOWEST_EXPONENT:
        return 0.0
    power = floor(exponent / _LN2 + 0.5)
    rest = exponent - power * _LN2
    sum_, term = 1.0, 1.0
    for number in range(1, 15):
        term *= rest / number
        sum_ += term
    return ldexp(sum_, power)


def _densities(model: TwoStates, value: float) -> tuple[float, float]:
    """Return the densities of both states at a return, up to a factor that is the same for both."""
    (mean_a, mean_b), (variance_a, variance_b) = model.mean, model.variance
    exponent_a = -0.5 * (value - mean_a) * (value - mean_a) / variance_a
    exponent_b = -0.5 * (value - mean_b) * (value - mean_b) / variance_b
    top = exponent_a if exponent_a > exponent_b else exponent_b
    return exponential(exponent_a - top) / sqrt(variance_a), exponential(exponent_b - top) / sqrt(variance_b)


def _step(model: TwoStates, bullish: float, value: float) -> tuple[float, float, float]:
    """Return the probability of the bullish state after a return, and both densities."""
    ahead = bullish * model.stay[0] + (1 - bullish) * (1 - model.stay[1])
    density_a, density_b = _densities(model, value)
    joint_a, joint_b = ahead * density_a, (1 - ahead) * density_b
    return joint_a / (joint_a + joint_b), density_a, density_b


def _guess(returns: Sequence[float]) -> TwoStates:
    """Return a model to begin with: calm days are bullish, wild days bearish, and both last ten days."""
    count = len(returns)
    mean = sum(returns) / count
    sizes = sorted(abs(value - mean) for value in returns)
    middle = sizes[count // 2]
    calm = [value for value in returns if abs(value - mean) <= middle]
    wild = [value for value in returns if abs(value - mean) > middle] or calm
    (mean_a, variance_a), (mean_b, variance_b) = _moments(calm), _moments(wild)
    return TwoStates((mean_a, mean_b), (variance_a, variance_b), (0.9, 0.9))


def _moments(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    variance = sum((value - mean) * (value - mean) for value in values) / len(values)
    return mean, max(variance, _LEAST_VARIANCE)


def _improve(model: TwoStates, returns: Sequence[float]) -> TwoStates:
    """Do one round: the probabilities of states given all returns, then the parameters that fit them best."""
    stay_a, stay_b = model.stay
    forward, densities, bullish = [], [], 0.5
    for value in returns:
        bullish, density_a, density_b = _step(model, bullish, value)
        forward.append(bullish)
        densities.append((density_a, density_b))
    count = len(returns)
    weight_a = sum_a = square_a = weight_b = sum_b = square_b = 0.0
    stays_a = leaves_a = stays_b = leaves_b = 0.0
    back_a = back_b = 1.0
    for at in range(count - 1, -1, -1):
        value, probability = returns[at], forward[at]
        a, b = probability * back_a, (1 - probability) * back_b
        whole = a + b
        a, b = a / whole, b / whole
        weight_a, weight_b = weight_a + a, weight_b + b
        sum_a, sum_b = sum_a + a * value, sum_b + b * value
        square_a, square_b = square_a + a * value * value, square_b + b * value * value
        if at == 0:
            break
        ahead_a, ahead_b = densities[at][0] * back_a, densities[at][1] * back_b
        before = forward[at - 1]
        aa, ab = before * stay_a * ahead_a, before * (1 - stay_a) * ahead_b
        ba, bb = (1 - before) * (1 - stay_b) * ahead_a, (1 - before) * stay_b * ahead_b
        joint = aa + ab + ba + bb
        stays_a, leaves_a = stays_a + aa / joint, leaves_a + ab / joint
        stays_b, leaves_b = stays_b + bb / joint, leaves_b + ba / joint
        back_a, back_b = stay_a * ahead_a + (1 - stay_a) * ahead_b, (1 - stay_b) * ahead_a + stay_b * ahead_b
        scale = back_a + back_b
        back_a, back_b = back_a / scale, back_b / scale
    mean_a, mean_b = _ratio(sum_a, weight_a), _ratio(sum_b, weight_b)
    variance_a = max(_ratio(square_a, weight_a) - mean_a * mean_a, _LEAST_VARIANCE)
    variance_b = max(_ratio(square_b, weight_b) - mean_b * mean_b, _LEAST_VARIANCE)
    return TwoStates(
        (mean_a, mean_b),
        (variance_a, variance_b),
        (_bounded(stays_a, leaves_a), _bounded(stays_b, leaves_b)),
    )


def _ratio(value: float, weight: float) -> float:
    return value / weight if weight > 0 else 0.0


def _bounded(stays: float, leaves: float) -> float:
    """Return the probability to stay, kept from 0 and 1: a state that is never left is never left again."""
    both = stays + leaves
    return min(max(stays / both, 0.001), 0.999) if both > 0 else 0.5
