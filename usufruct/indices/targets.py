"""What an index wants to hold at each of its decisions."""

from dataclasses import dataclass, replace

import numpy as np

from usufruct.connectors.prices import STABLECOIN, Matrix
from usufruct.indices import weights
from usufruct.indices.caps import Capped, cap_shares
from usufruct.indices.errors import TooFewAssets
from usufruct.indices.market_data import MarketData
from usufruct.indices.regime import regime_states
from usufruct.indices.rulebook import Rulebook
from usufruct.indices.schedule import calendar_days, decision_rows
from usufruct.indices.screens import Screens, momentum, volatility, window_returns
from usufruct.indices.selection import select_members
from usufruct.indices.sums import NEVER, Indices, Mask, Vector, last_true, latched, total


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of each day of a range: the regime, stablecoins in their peg, and the days of decisions.

    `stable` are the columns of stablecoins; `in_peg` has one row for each, `bullish` one value a day.
    """

    first: int
    bullish: Mask
    stable: Indices
    in_peg: Mask
    decisions: Indices
    by_calendar: Mask
    """Of each decision: whether the calendar has it, or only a trigger."""
    switched: Mask
    """Of each decision: whether the regime differs from the decision before."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Target weights: one row for each asset that is ever held (`columns`), one column for each decision."""

    columns: Indices
    weights: Matrix
    cash: Vector
    at_cap: Mask
    relaxed: Mask


def read_signals(rulebook: Rulebook, data: MarketData, screens: Screens, first: int, last: int) -> Signals:
    """Find the days of decisions from one row to another; each is known at its close."""
    days = last - first + 1
    stable = _stablecoins(rulebook, data)
    bullish, in_peg = np.ones(days, dtype=bool), np.ones((0, days), dtype=bool)
    triggers = np.zeros(days, dtype=bool)
    if rulebook.regime is not None:
        bullish = regime_states(rulebook.regime, _signal(rulebook, data, screens, last))[first:]
        in_peg = pegged(rulebook, data.price_history(stable, 0, last))[:, first:]
        if rulebook.calendar.on_regime_change:
            triggers[1:] |= bullish[1:] != bullish[:-1]
        triggers[1:] |= (in_peg[:, :-1] & ~in_peg[:, 1:]).any(axis=0) & ~bullish[1:]
    else:
        stable = stable[:0]
    due = calendar_days(rulebook.calendar, data.panel.day(first), days)
    decisions = decision_rows(due, triggers, first)
    states = bullish[decisions - first]
    switched = np.concatenate(([False], states[1:] != states[:-1]))
    return Signals(first, bullish, stable, in_peg, decisions, due[decisions - first], switched)


def pegged(rulebook: Rulebook, prices: Matrix) -> Mask:
    """Return for each stablecoin (row) and day whether it keeps its peg: lost at `depeg`, back at `repeg`."""
    rule = rulebook.stablecoins
    with np.errstate(invalid="ignore"):
        distance = np.abs(prices - 1)
        on, off = distance <= rule.repeg, ~(distance <= rule.depeg)
    return latched(on, off, start=False)


def find_targets(rulebook: Rulebook, data: MarketData, screens: Screens, signals: Signals) -> tuple[Signals, Targets]:
    """Return the target weights of each decision; decisions with too few eligible assets are left out.

    Raises:
        TooFewAssets: when at the first decision fewer than `minimum_count` assets are eligible.
        CapsInfeasible: when caps cannot be met, and the rulebook refuses that.
    """
    members, enough = select_members(screens, signals.decisions)
    if not enough[0]:
        raise _too_few(rulebook, data, screens, int(signals.decisions[0]))
    possible = enough | ~signals.bullish[signals.decisions - signals.first]
    if not possible.all():
        signals, members = _without(signals, possible), members[possible]
    rows = signals.decisions
    bullish = signals.bullish[rows - signals.first]
    columns = np.union1d(np.flatnonzero(members[bullish].any(axis=0)), signals.stable)
    chosen = np.ascontiguousarray(members[:, columns].T) & bullish
    caps = np.ascontiguousarray(data.market_caps(rows)[:, columns].T)
    limits = rulebook.weights
    shares = _shares(rulebook, data, columns, rows, chosen, caps)
    capped = cap_shares(shares, limits.each_at_most, limits.largest_at_most, refuse=limits.if_infeasible == "refuse")
    cash = np.zeros(len(rows))
    if not bullish.all():
        capped, cash = _with_stablecoins(rulebook, signals, columns, caps, capped)
    return signals, Targets(columns, capped.shares, cash, capped.at_cap, capped.relaxed)


def _without(signals: Signals, possible: Mask) -> Signals:
    """Return the signals with the decisions that are possible."""
    return replace(
        signals,
        decisions=signals.decisions[possible],
        by_calendar=signals.by_calendar[possible],
        switched=signals.switched[possible],
    )


def _shares(
    rulebook: Rulebook, data: MarketData, columns: Indices, rows: Indices, chosen: Mask, caps: Matrix
) -> Matrix:
    """Return the members' shares before caps, by the rulebook's rule."""
    rule, days = rulebook.weights.rule, rulebook.weights.lookback_days
    caps = np.where(np.isnan(caps), 0.0, caps)
    if rule == "market-cap":
        return weights.by_market_cap(caps, chosen)
    if rule == "sqrt-cap":
        return weights.by_square_root(caps, chosen)
    if rule == "equal":
        return weights.equal(chosen)
    if rule == "momentum":
        past = momentum(data, rows, columns, rulebook.selection.model_copy(update={"lookback_days": days})).T
        return weights.by_momentum(np.ascontiguousarray(np.where(np.isnan(past), 0.0, past)), chosen)
    if rule == "risk-parity":
        return _risk_parity(data, columns, rows, chosen, days)
    spread = np.ascontiguousarray(volatility(data, rows, columns, days).T)
    return weights.by_inverse_volatility(np.nan_to_num(spread), chosen, 2 if rule == "low-volatility" else 1)


def _risk_parity(data: MarketData, columns: Indices, rows: Indices, chosen: Mask, days: int) -> Matrix:
    shares = np.zeros(chosen.shape)
    for at, row in enumerate(rows):
        members = np.flatnonzero(chosen[:, at])
        if len(members):
            returns = window_returns(data, int(row), columns[members], days)
            shares[members, at] = weights.by_risk_parity(weights.covariance(returns))
    return shares


def _with_stablecoins(
    rulebook: Rulebook, signals: Signals, columns: Indices, caps: Matrix, bull: Capped
) -> tuple[Capped, Vector]:
    """Put the stablecoin basket in the columns of bearish decisions; with too few coins in their peg, some cash."""
    rule, days = rulebook.stablecoins, signals.decisions - signals.first
    bearish = ~signals.bullish[days]
    place = np.searchsorted(columns, signals.stable)
    usable = signals.in_peg[:, days] & np.isfinite(caps[place]) & bearish
    count = usable.sum(axis=0)
    basket = cap_shares(weights.by_market_cap(caps[place], usable), rule.each_at_most)
    few = (count < rule.minimum_count) & bearish
    shares = np.where(few, usable * rule.each_at_most, basket.shares)
    whole, at_cap = bull.shares.copy(), bull.at_cap.copy()
    whole[place] = np.where(bearish, shares, whole[place])
    at_cap[place] = np.where(bearish, basket.at_cap | (few & usable), at_cap[place])
    cash = np.where(few, 1 - total(np.ascontiguousarray(shares)), 0.0)
    return Capped(whole, at_cap, np.where(bearish, few, bull.relaxed)), np.maximum(cash, 0.0)


def _stablecoins(rulebook: Rulebook, data: MarketData) -> Indices:
    left_out = set(rulebook.universe.exclude_assets)
    each = zip(data.ids, data.categories(), strict=True)
    return np.array([at for at, (id_, words) in enumerate(each) if STABLECOIN in words and id_ not in left_out], int)


def _signal(rulebook: Rulebook, data: MarketData, screens: Screens, last: int) -> Vector:
    """Return the price series that the regime is read from, from the panel's first row on."""
    assert rulebook.regime is not None
    if rulebook.regime.signal == "market":
        return data.market_index(~screens.wrong_category, 0, last)
    prices = data.price_history(np.array([data.column(rulebook.regime.signal)]), 0, last)[0]
    returns = np.zeros(len(prices))
    rows = last_true(np.isfinite(prices))
    last_known = np.where(rows == NEVER, 0.0, prices[np.maximum(rows, 0)])
    np.divide(last_known[1:], last_known[:-1], out=returns[1:], where=last_known[:-1] > 0)
    returns[1:][last_known[:-1] > 0] -= 1
    return np.asarray(np.cumprod(1 + returns))


def _too_few(rulebook: Rulebook, data: MarketData, screens: Screens, row: int) -> TooFewAssets:
    eligible = int(screens.at(np.array([row])).may_enter.sum())
    return TooFewAssets(
        f"{eligible} assets are eligible for {rulebook.name} on {data.panel.day(row)}, of at least "
        f"{rulebook.selection.minimum_count}; begin later, or loosen the screens of [universe]",
        eligible=eligible,
        needed=rulebook.selection.minimum_count,
    )
