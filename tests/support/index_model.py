"""A slow, obvious index engine in decimals: one day after the other, one asset after the other, from the rules' text.

It shares no code with `usufruct.indices` but the rulebook's values.
"""

from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from math import isfinite
from statistics import median

from usufruct.connectors.prices import Panel
from usufruct.indices import Rulebook

Weights = dict[str, Decimal]
ONE, ZERO = Decimal(1), Decimal(0)
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@dataclass
class Holding:
    """Units and cash for one unit of value at the last trade."""

    units: Weights = field(default_factory=dict)
    cash: Decimal = ONE


@dataclass
class Outcome:
    nav: list[Decimal]
    level: list[Decimal]
    trades: list[tuple[int, Weights, Decimal, Decimal]]
    """Row, weights after, the part that was kept, what was traded."""


class IndexModel:
    def __init__(self, rulebook: Rulebook, panel: Panel) -> None:
        self.rules, self.panel = rulebook, panel
        self.ids = sorted(each.id for each in panel.assets)
        self.words = {each.id: each.categories for each in panel.assets}

    def run(self, first: int, last: int) -> Outcome:
        with localcontext() as context:
            context.prec = 34
            return self._run(first, last)

    def _run(self, first: int, last: int) -> Outcome:
        rules = self.rules
        states = self.states(last)
        pegs = self.pegs(last)
        net_then, gross_then = Decimal(rules.base), Decimal(rules.base)
        holding, members, pending = Holding(), [], {}
        out = Outcome([], [], [])
        previous_state: bool | None = None
        for row in range(first, last + 1):
            grown = self.value(holding, row)
            net, gross = net_then * grown, gross_then * grown
            if row in pending:
                target, cash, limited, decided = pending.pop(row)
                worth = net / Decimal(rules.base) * Decimal(rules.costs.capital)
                holding, kept, weights, traded = self.trade(holding, row, target, cash, limited, decided, worth)
                net *= kept
                net_then, gross_then = net, gross
                out.trades.append((row, weights, kept, traded))
            out.nav.append(net)
            out.level.append(gross)
            calendar = row == first or self.due(row)
            if calendar or self.triggered(row, states, pegs):
                found = self.members(row, members)
                enough = len(found) >= rules.selection.minimum_count
                members = found if enough else members
                state = states[row]
                if state:
                    target, cash = self.weights(row, members), ZERO
                else:
                    target, cash = self.basket(row, pegs[row])
                switched = previous_state is not None and state != previous_state
                limited = previous_state is not None and calendar and not switched
                if enough or not state:
                    pending[row + rules.calendar.delay_days] = (target, cash, limited, row)
                previous_state = state
        return out

    # what is known

    def number(self, matrix: str, row: int, asset: str) -> Decimal | None:
        value = float(getattr(self.panel, matrix)[row, self.panel.column[asset]])
        return Decimal(value) if isfinite(value) and value > 0 else None

    def price(self, row: int, asset: str) -> Decimal | None:
        return self.number("close", row, asset)

    def cap(self, row: int, asset: str) -> Decimal | None:
        found = self.number("market_cap", row, asset)
        factors = [f for f in self.rules.float_factors if f.asset == asset and f.known_from <= self.panel.day(row)]
        if found is not None and factors:
            found *= Decimal(max(factors, key=lambda f: f.known_from).factor)
        return found

    def valued(self, row: int, asset: str) -> tuple[Decimal, bool]:
        """The price a position is valued at, and whether the asset is gone."""
        for age in range(row + 1):
            if (found := self.price(row - age, asset)) is not None:
                gone = age > self.rules.delisting.after_days
                return (ZERO if gone and self.rules.delisting.value == "zero" else found), gone
        return ZERO, False

    def value(self, holding: Holding, row: int) -> Decimal:
        return holding.cash + sum((units * self.valued(row, a)[0] for a, units in holding.units.items()), ZERO)

    # when

    def due(self, row: int) -> bool:
        day, rule = self.panel.day(row), self.rules.calendar
        if rule.every == "week":
            return WEEKDAYS[day.weekday()] == rule.weekday
        return {
            "day": True,
            "month": day.day == 1,
            "quarter": day.day == 1 and day.month in (1, 4, 7, 10),
            "never": False,
        }[rule.every]

    def triggered(self, row: int, states: list[bool], pegs: list[set[str]]) -> bool:
        if self.rules.regime is None:
            return False
        changed = self.rules.calendar.on_regime_change and states[row] != states[row - 1]
        return changed or (not states[row] and bool(pegs[row - 1] - pegs[row]))

    def states(self, last: int) -> list[bool]:
        rule = self.rules.regime
        if rule is None:
            return [True] * (last + 1)
        levels = self.signal(last)
        state, since, found = rule.start == "bullish", -rule.minimum_hold_days, []
        for row in range(last + 1):
            if row + 1 >= rule.window_days:
                mean = sum(levels[row + 1 - rule.window_days : row + 1]) / rule.window_days
                up = levels[row] > mean * (1 + Decimal(rule.band))
                down = levels[row] < mean * (1 - Decimal(rule.band))
                if (down if state else up) and row - since >= rule.minimum_hold_days:
                    state, since = not state, row
            found.append(state)
        return found

    def signal(self, last: int) -> list[Decimal]:
        levels = [ONE]
        for row in range(1, last + 1):
            gain, whole = ZERO, ZERO
            for asset in self.ids:
                before, now = self.price(row - 1, asset), self.price(row, asset)
                cap = self.number("market_cap", row - 1, asset)
                later = self.number("market_cap", row, asset)
                if self.fits(asset) and None not in (before, now, cap):
                    if later is not None and now / before > 10 * later / cap:
                        continue
                    gain, whole = gain + cap * (now / before - 1), whole + cap
            levels.append(levels[-1] * (1 + (gain / whole if whole else ZERO)))
        return levels

    def pegs(self, last: int) -> list[set[str]]:
        kept: set[str] = set()
        found = []
        for row in range(last + 1):
            for asset in self.ids:
                if "stablecoin" in self.words[asset]:
                    price = self.price(row, asset)
                    if price is None or abs(price - 1) > Decimal(self.rules.stablecoins.depeg):
                        kept.discard(asset)
                    elif abs(price - 1) <= Decimal(self.rules.stablecoins.repeg):
                        kept.add(asset)
            found.append(set(kept))
        return found

    # what

    def fits(self, asset: str) -> bool:
        rule, words = self.rules.universe, self.words[asset]
        if asset in rule.exclude_assets or words & set(rule.exclude):
            return False
        return not rule.include or bool(words & set(rule.include))

    def passes(self, row: int, asset: str, staying: bool) -> bool:
        rule = self.rules.universe
        cap = self.cap(row, asset)
        if not self.fits(asset) or self.price(row, asset) is None or cap is None:
            return False
        first = next(r for r in range(row + 1) if self.price(r, asset) is not None)
        if first > 0 and row - first < rule.minimum_age_days:
            return False
        least = rule.minimum_market_cap
        if staying and rule.stay_market_cap is not None:
            least = rule.stay_market_cap
        if cap < Decimal(least):
            return False
        least = rule.minimum_daily_volume
        if staying and rule.stay_daily_volume is not None:
            least = rule.stay_daily_volume
        days = range(max(0, row - rule.volume_window_days + 1), row + 1)
        return median(self.number("volume", day, asset) or ZERO for day in days) >= Decimal(least)

    def has_history(self, row: int, asset: str) -> bool:
        if self.score(row, asset) is None:
            return False
        weighed = self.rules.weights.rule in ("inverse-volatility", "low-volatility")
        return not weighed or self.deviation(row, asset, self.rules.weights.lookback_days) is not None

    def score(self, row: int, asset: str) -> Decimal | None:
        rule = self.rules.selection
        if rule.by == "market-cap":
            return self.cap(row, asset)
        if rule.by == "momentum":
            return self.past(row, asset, rule.lookback_days)
        deviation = self.deviation(row, asset, rule.lookback_days)
        return None if deviation is None else -deviation

    def past(self, row: int, asset: str, days: int) -> Decimal | None:
        end = row - self.rules.selection.skip_days
        if end - days < 0:
            return None
        now, then = self.price(end, asset), self.price(end - days, asset)
        return None if now is None or then is None else now / then - 1

    def deviation(self, row: int, asset: str, days: int) -> Decimal | None:
        returns = []
        for day in range(max(0, row - days) + 1, row + 1):
            before, now = self.price(day - 1, asset), self.price(day, asset)
            if before is not None and now is not None:
                returns.append(now / before - 1)
        if len(returns) < max(2, days * 0.5):
            return None
        mean = sum(returns) / len(returns)
        variance = sum((each - mean) ** 2 for each in returns) / (len(returns) - 1)
        return variance.sqrt() if variance else None

    def members(self, row: int, before: list[str]) -> list[str]:
        rule = self.rules.selection
        enter = {asset for asset in self.ids if self.passes(row, asset, staying=False)}
        stay = {asset for asset in self.ids if self.passes(row, asset, staying=True)}
        if rule.parent_count:
            largest = sorted(enter | stay, key=lambda asset: (-self.cap(row, asset), asset))[: rule.parent_count]
            enter, stay = enter & set(largest), stay & set(largest)
        enter, stay = ({a for a in each if self.has_history(row, a)} for each in (enter, stay))
        ranked = sorted(enter | stay, key=lambda asset: (-self.score(row, asset), asset))
        rank = {asset: place for place, asset in enumerate(ranked, 1)}
        chosen = [a for a in ranked if a in before and a in stay and rank[a] <= rule.leave_rank * rule.count]
        chosen += [a for a in ranked if a in enter and a not in chosen and rank[a] <= rule.enter_rank * rule.count]
        chosen = sorted(chosen, key=rank.__getitem__)[: rule.count]
        for asset in ranked:
            if len(chosen) < rule.count and asset in enter and asset not in chosen:
                chosen.append(asset)
        return chosen

    # how much

    def weights(self, row: int, members: list[str]) -> Weights:
        rule = self.rules.weights
        days = rule.lookback_days
        raw: Weights = {}
        for asset in sorted(members):
            cap = self.cap(row, asset) or ZERO
            past = self.past(row, asset, days) or ZERO
            spread = self.deviation(row, asset, days) or ZERO
            raw[asset] = {
                "market-cap": cap,
                "sqrt-cap": cap.sqrt(),
                "equal": ONE,
                "momentum": max(past, ZERO),
                "inverse-volatility": 1 / spread if spread else ZERO,
                "low-volatility": 1 / spread**2 if spread else ZERO,
            }[rule.rule]
        if rule.rule == "momentum" and not sum(raw.values()):
            raw = dict.fromkeys(raw, ONE)
        return self.capped(
            self.whole(raw), Decimal(rule.each_at_most), Decimal(rule.largest_at_most or rule.each_at_most)
        )

    @staticmethod
    def whole(raw: Weights) -> Weights:
        total = sum(raw.values())
        return {asset: each / total for asset, each in raw.items() if each} if total else {}

    @staticmethod
    def capped(shares: Weights, each: Decimal, largest: Decimal) -> Weights:
        if not shares:
            return shares
        top = min(shares, key=lambda asset: (-shares[asset], asset))
        count = len(shares)
        if largest + (count - 1) * each < 1 - Decimal("1e-12"):
            each = (1 - largest) / (count - 1) if count > 1 else ONE
            if each > largest:
                each = largest = ONE / count
        caps = {asset: largest if asset == top else each for asset in shares}
        result, fixed = dict(shares), set()
        while over := {a for a in result if a not in fixed and result[a] > caps[a] + Decimal("1e-15")}:
            fixed |= over
            room = 1 - sum(caps[a] for a in fixed)
            free = sum((shares[a] for a in shares if a not in fixed), ZERO)
            result = {a: caps[a] if a in fixed else shares[a] * room / free for a in shares}
        return result

    def basket(self, row: int, pegs: set[str]) -> tuple[Weights, Decimal]:
        rule = self.rules.stablecoins
        coins = {a: self.cap(row, a) for a in pegs if self.cap(row, a) and a not in self.rules.universe.exclude_assets}
        if len(coins) < rule.minimum_count:
            found = dict.fromkeys(coins, Decimal(rule.each_at_most))
            return found, 1 - sum(found.values(), ZERO)
        return self.capped(self.whole(coins), Decimal(rule.each_at_most), Decimal(rule.each_at_most)), ZERO

    # trades

    def trade(
        self, holding: Holding, row: int, target: Weights, cash: Decimal, limited: bool, decided: int, worth: Decimal
    ):
        value = self.value(holding, row)
        drifted = {a: units * self.valued(row, a)[0] / value if value else ZERO for a, units in holding.units.items()}
        assets = sorted(set(drifted) | set(target))
        old = {a: drifted.get(a, ZERO) for a in assets}
        goal = {a: target.get(a, ZERO) for a in assets}
        rests = set()
        for asset in assets:
            gone = self.valued(row, asset)[1]
            tradable = self.price(row, asset) is not None or (gone and not goal[asset])
            if not tradable and (old[asset] or goal[asset]):
                rests.add(asset)
        if rests:
            goal, cash = self.around(old, goal, cash, rests)
        goal, cash, rests = self.banded(old, goal, cash, rests)
        most = Decimal(self.rules.trading.turnover_at_most)
        turnover = sum(abs(goal[a] - old[a]) for a in assets) / 2
        if limited and most < 1 and turnover > most:
            held = 1 - sum(old.values())
            part = most / turnover
            goal, cash = {a: old[a] + part * (goal[a] - old[a]) for a in assets}, held + part * (cash - held)
        kept, after, after_cash, traded = ONE, goal, cash, ZERO
        for _ in range(60):
            if rests:
                after, after_cash = self.around({a: old[a] / kept for a in assets}, goal, cash, rests)
            sizes = {a: ZERO if a in rests else abs(after[a] * kept - old[a]) for a in assets}
            traded = sum(sizes.values())
            kept = 1 - self.cost(sizes, traded, decided, worth)
        prices = {a: self.valued(row, a)[0] for a in assets}
        units = {a: after[a] / prices[a] for a in assets if after[a] and prices[a]}
        return Holding(units, after_cash), kept, {a: w for a, w in after.items() if w}, traded

    def cost(self, sizes: Weights, traded: Decimal, decided: int, worth: Decimal) -> Decimal:
        costs = self.rules.costs
        paid = traded * (Decimal(costs.fee_bps) + Decimal(costs.half_spread_bps)) / 10_000
        if not worth:
            return paid
        paid += Decimal(costs.gas_per_trade) * sum(1 for each in sizes.values() if each > Decimal("1e-12")) / worth
        if costs.impact:
            for asset, size in sizes.items():
                spread = self.deviation(decided, asset, 30) or ZERO
                volume = self.number("volume", decided, asset)
                ratio = size * worth / volume if volume else ONE
                paid += Decimal(costs.impact) * spread * ratio.sqrt() * size
        return paid

    def banded(self, old: Weights, goal: Weights, cash: Decimal, rests: set[str]) -> tuple[Weights, Decimal, set[str]]:
        band = Decimal(self.rules.trading.minimum_trade)
        near = {a for a in old if abs(goal[a] - old[a]) < band and old[a] and goal[a] and a not in rests}
        if not near:
            return goal, cash, rests
        still = near | rests
        if not cash and not any(a not in still and (goal[a] or old[a]) for a in old):
            return dict(old), 1 - sum(old.values()), still
        adjusted, adjusted_cash = self.around(old, goal, cash, still)
        others = sum((goal[a] for a in goal if a not in still), ZERO) + cash
        if not others or any(abs(adjusted[a] - goal[a]) > band for a in goal if a not in still):
            return goal, cash, rests
        return adjusted, adjusted_cash, still

    @staticmethod
    def around(old: Weights, goal: Weights, cash: Decimal, rests: set[str]) -> tuple[Weights, Decimal]:
        room = max(ZERO, 1 - sum((old[a] for a in rests), ZERO))
        whole = sum((goal[a] for a in goal if a not in rests), ZERO) + cash
        if not whole:
            return {a: old[a] if a in rests else ZERO for a in goal}, room
        return {a: old[a] if a in rests else goal[a] * room / whole for a in goal}, cash * room / whole
