"""An index's targets as orders for an exchange, and as weights of a vault. Both come from the same holdings."""

from collections.abc import Mapping
from dataclasses import dataclass

from usufruct.core import Invalid
from usufruct.indices.engine import Backtest

VAULT_WHOLE = 10**18
"""What the weights of a vault sum to."""


@dataclass(frozen=True, slots=True)
class Order:
    """One market order with the names of ccxt's `create_order`; `amount` is in whole assets."""

    symbol: str
    type: str
    side: str
    amount: float
    asset: str
    value: float

    def as_document(self) -> dict[str, object]:
        """Return the order as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def target_weights(backtest: Backtest) -> dict[str, float]:
    """Return the targets of the last decision, traded or not yet: {asset id: weight}, without zeros."""
    weights = backtest.targets.weights[:, -1]
    return {each: float(weight) for each, weight in zip(backtest.ids(), weights, strict=True) if weight > 0}


def last_prices(backtest: Backtest) -> dict[str, float]:
    """Return the last known price of each asset that has one on the last day of the backtest."""
    panel = backtest.data.panel
    row = panel.row(backtest.last_day)
    return {each.id: float(panel.close[row, at]) for at, each in enumerate(panel.assets) if panel.close[row, at] > 0}


def exchange_orders(
    targets: Mapping[str, float],
    held: Mapping[str, float],
    prices: Mapping[str, float],
    symbols: Mapping[str, str],
    value: float,
    *,
    quote: str = "USDT",
    smallest: float = 10.0,
) -> list[Order]:
    """Return the orders that bring holdings (units by asset id) to target weights of a value: sells first, then buys.

    `value` is what is to be invested, in the quote currency; trades under `smallest` are left out.

    Raises:
        Invalid: when a target or a holding has no price.
    """
    orders = []
    for asset in sorted({*targets, *held}):
        if asset not in prices:
            raise Invalid(f"there is no price of {asset}; leave it out, or choose a day with a price", code="no_price")
        change = targets.get(asset, 0.0) * value - held.get(asset, 0.0) * prices[asset]
        if abs(change) >= smallest or (asset not in targets and change < 0):
            amount = held[asset] if asset not in targets else abs(change) / prices[asset]
            side = "buy" if change > 0 else "sell"
            orders.append(Order(f"{symbols[asset]}/{quote}", "market", side, amount, asset, abs(change)))
    return sorted(orders, key=lambda each: (each.side != "sell", -each.value, each.asset))


def vault_weights(targets: Mapping[str, float]) -> dict[str, int]:
    """Return weights as integers that sum to exactly 10^18 (or 0 without targets), by largest remainder."""
    whole = sum(targets.values())
    if whole <= 0:
        return {}
    exact = {asset: weight / whole * VAULT_WHOLE for asset, weight in targets.items()}
    found = {asset: int(each) for asset, each in exact.items()}
    missing = VAULT_WHOLE - sum(found.values())
    ranked = sorted(found, key=lambda asset: (found[asset] - exact[asset], asset))
    while missing:
        step = 1 if missing > 0 else -1
        for asset in ranked[: abs(missing)]:
            found[asset] += step
        missing = VAULT_WHOLE - sum(found.values())
    return dict(sorted(found.items()))
