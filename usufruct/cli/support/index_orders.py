"""What `usufruct index orders` prints: orders with what was not ordered and why, or the weights of a vault."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from usufruct.cli.support.command import Facts, Rows
from usufruct.cli.support.output import say
from usufruct.connectors.exchanges import read_symbols
from usufruct.core import Invalid
from usufruct.indices import Backtest
from usufruct.indices.orders import (
    OrderList,
    exchange_orders,
    last_closes,
    listings_by_ticker,
    listings_of_venue,
    target_cash,
    target_weights,
    vault_weights,
)


@dataclass(frozen=True, slots=True)
class ListedOrders:
    """A list of orders, as JSON or as a table for people."""

    found: OrderList
    quote: str

    def as_document(self) -> Facts:
        """Return all of it as JSON."""
        return {
            "orders": [each.as_document() | {"value": round(each.value, 2)} for each in self.found.orders],
            "stays_in_quote": [
                {"asset": each.asset or None, "value": round(each.value, 2), "why": each.why}
                for each in self.found.stays
            ],
            "left_out": [{"asset": each.asset, "why": each.why} for each in self.found.left_out],
        }

    def as_rows(self) -> Rows:
        """Return the orders as a table; the rest is said beside it."""
        for each in self.found.stays:
            say(f"{each.asset or 'cash'}: {each.value:,.2f} stays in {self.quote}; {each.why}.")
        for left in self.found.left_out:
            say(f"{left.asset} is left out: {left.why}.")
        rows = [each.as_document() | {"value": round(each.value, 2)} for each in self.found.orders]
        return Rows(rows, ("symbol", "side", "type", "amount", "asset", "value"), "no orders")


def list_orders(
    found: Backtest,
    held: Mapping[str, float],
    value: float,
    *,
    quote: str,
    smallest: float,
    table: Path | None,
    venue: str,
) -> ListedOrders:
    """Return the orders that bring holdings to the targets; symbols are of the table, or else tickers.

    Raises:
        Invalid: when only one of `table` and `venue` is given, an asset is unknown, or tickers are ambiguous.
    """
    if (table is None) == bool(venue):
        raise Invalid(
            "--table and --venue go together: the table has the symbols of several exchanges; pass both, or neither",
            code="no_table",
        )
    targets = target_weights(found)
    wanted = {*targets, *held}
    if table is None:
        listings = listings_by_ticker(found.data.panel.assets, wanted, quote)
    else:
        listings = listings_of_venue(read_symbols(table), venue, wanted, quote, found.last_day)
    orders = exchange_orders(
        targets, held, last_closes(found), listings, value, found.last_day, quote=quote, smallest=smallest
    )
    return ListedOrders(orders, quote)


def list_weights(found: Backtest) -> Rows:
    """Return the weights of a vault that holds the targets and the cash of the last decision."""
    targets = target_weights(found)
    weights = vault_weights(targets, target_cash(found))
    if missing := targets.keys() - {each.asset for each in weights}:
        say(f"Left out, under 1 bps: {', '.join(sorted(missing))}.")
    return Rows([each.as_document() for each in weights], ("kind", "asset", "weight_bps"), "no targets")
