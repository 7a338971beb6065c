"""From target weights to what is held: bands, caps on turnover, frozen positions, and what trades cost.

Weights are shares of the value. `drifted` are those just before a trade, and sum with cash to 1. A trade costs a part
of the value: `kept` is the part that is left. It solves `kept + cost(|kept x after - drifted|) = 1`, by iteration.
"""

from dataclasses import dataclass
from math import ceil, log10

import numpy as np

from usufruct.connectors.prices import Matrix
from usufruct.indices.rulebook import Costs, Rulebook
from usufruct.indices.sums import Mask, Vector, total, vector_total

_LEAST_KEPT = 1e-6
_ITERATIONS_WITH_IMPACT = 40
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What impact and gas depend on: the value in the quote currency, volumes of a day, and daily volatilities."""

    value: float
    volume: Vector
    volatility: Vector


@dataclass(frozen=True, slots=True)
class Trade:
    """What is held after a trade, the part of the value that is left, and what was traded as a part of the value."""

    after: Vector
    cash: float
    kept: float
    traded: float


def needs_sequence(rulebook: Rulebook) -> bool:
    """Return whether a trade depends on what earlier trades left, apart from prices."""
    trading, costs = rulebook.trading, rulebook.costs
    return trading.minimum_trade > 0 or trading.turnover_at_most < 1 or costs.impact > 0 or costs.gas_per_trade > 0


def iterations(costs: Costs) -> int:
    """Return how many iterations reach the last bit: each leaves at most `rate` of the error of the one before."""
    if costs.impact or costs.gas_per_trade:
        return _ITERATIONS_WITH_IMPACT
    return ceil(-17 / log10(costs.rate)) + 1 if costs.rate else 1


def kept_after_trades(drifted: Matrix, targets: Matrix, costs: Costs) -> tuple[Vector, Vector]:
    """Return for many trades at once (columns) the part of the value that is left, and what was traded."""
    kept = np.ones(targets.shape[1])
    buffer = np.empty_like(targets)
    for _ in range(iterations(costs)):
        np.multiply(targets, kept, out=buffer)
        np.subtract(buffer, drifted, out=buffer)
        traded = total(np.abs(buffer, out=buffer))
        kept = 1 - costs.rate * traded
    return kept, traded


def trade(
    rulebook: Rulebook,
    drifted: Vector,
    target: Vector,
    cash: float,
    tradable: Mask,
    liquidity: Liquidity | None = None,
    *,
    limited: bool = True,
) -> Trade:
    """Trade from what is held towards a target, of which `cash` is in cash.

    What cannot be traded keeps its value. `limited`: the cap on turnover applies.
    """
    frozen = ~tradable & ((drifted > 0) | (target > 0))
    goal, goal_cash, resting = _goal(rulebook, drifted, target, cash, frozen)
    if limited and rulebook.trading.turnover_at_most < 1:
        goal, goal_cash = _slower(drifted, goal, goal_cash, rulebook.trading.turnover_at_most)
    return _pay(rulebook.costs, drifted, goal, goal_cash, resting, liquidity)


def _goal(rulebook: Rulebook, drifted: Vector, target: Vector, cash: float, frozen: Mask) -> tuple[Vector, float, Mask]:
    """Return the weights to reach, their cash, and what is not traded: frozen assets, and those within the band."""
    goal, goal_cash = (target, cash) if not frozen.any() else _around(drifted, target, cash, frozen)
    band = rulebook.trading.minimum_trade
    if band <= 0:
        return goal, goal_cash, frozen
    near = (np.abs(goal - drifted) < band) & (drifted > 0) & (goal > 0) & ~frozen
    if not near.any():
        return goal, goal_cash, frozen
    resting = near | frozen
    if not (~resting & ((goal > 0) | (drifted > 0))).any() and goal_cash == 0:
        return drifted, 1 - vector_total(drifted), resting
    adjusted, adjusted_cash = _around(drifted, goal, goal_cash, resting)
    moved = np.abs(adjusted - goal)[~resting]
    others = vector_total(np.where(resting, 0.0, goal)) + goal_cash
    if others <= 0 or (moved > band).any():
        return goal, goal_cash, frozen
    return adjusted, adjusted_cash, resting


def _around(drifted: Vector, target: Vector, cash: float, resting: Mask) -> tuple[Vector, float]:
    """Return the target where some assets keep their weight and the others share the rest in proportion."""
    held = vector_total(np.where(resting, drifted, 0.0))
    free = np.where(resting, 0.0, target)
    whole = vector_total(free) + cash
    if whole <= 0:
        return np.where(resting, drifted, 0.0), max(0.0, 1 - held)
    scale = max(0.0, 1 - held) / whole
    return np.where(resting, drifted, free * scale), cash * scale


def _slower(drifted: Vector, goal: Vector, cash: float, most: float) -> tuple[Vector, float]:
    """Go only a part of the way, so that half of what is traded is at most `most`."""
    turnover = vector_total(np.abs(goal - drifted)) / 2
    if turnover <= most:
        return goal, cash
    part = most / turnover
    held = 1 - vector_total(drifted)
    return drifted + part * (goal - drifted), held + part * (cash - held)


def _pay(costs: Costs, drifted: Vector, goal: Vector, cash: float, resting: Mask, liquidity: Liquidity | None) -> Trade:
    """Find what is left after costs: what rests keeps its value, so its weight grows as the whole gets less."""
    kept, after, after_cash, traded = 1.0, goal, cash, 0.0
    rests = bool(resting.any())
    held = vector_total(np.where(resting, drifted, 0.0)) if rests else 0.0
    free = np.where(resting, 0.0, goal) if rests else goal
    whole = vector_total(free) + cash if rests else 1.0
    for _ in range(iterations(costs)):
        if rests:
            scale = max(0.0, 1 - held / kept) / whole if whole > 0 else 0.0
            after, after_cash = np.where(resting, drifted / kept, free * scale), cash * scale
        sizes = np.abs(after * kept - drifted)
        if rests:
            sizes[resting] = 0.0
        traded = vector_total(sizes)
        kept = max(_LEAST_KEPT, 1 - costs.rate * traded - _impact_and_gas(costs, sizes, liquidity))
    return Trade(after, after_cash, kept, traded)


def _impact_and_gas(costs: Costs, sizes: Vector, liquidity: Liquidity | None) -> float:
    """Return the costs that depend on the value, as a part of it."""
    if liquidity is None or liquidity.value <= 0:
        return 0.0
    paid = costs.gas_per_trade * int((sizes > _NOTHING).sum()) / liquidity.value
    if costs.impact:
        ratio = np.divide(
            sizes * liquidity.value, liquidity.volume, out=np.ones(len(sizes)), where=liquidity.volume > 0
        )
        paid += costs.impact * vector_total(liquidity.volatility * np.sqrt(ratio) * sizes)
    return paid
