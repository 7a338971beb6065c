"""Tax lots: what was bought when and for how much, and what was got for it, first in first out."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from usufruct.core.csv_cells import safe_cell
from usufruct.indices.sums import Vector

_DUST: Final = 1e-9
"""Changes by a smaller part than this are rounding."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of one asset bought on one day. `sold` is None while it is held; `proceeds` is then its value.

    Costs of trades are not in here; the position has their sum.
    """

    asset: str
    bought: date
    sold: date | None
    units: float
    cost: float
    proceeds: float

    @property
    def gain(self) -> float:
        """Proceeds less cost."""
        return self.proceeds - self.cost


def match_lots(asset: str, days: list[date], units: Vector, prices: Vector, price: float) -> Iterator[Lot]:
    """Return the lots of one asset from the units that are held after the trades of each day, at that day's price.

    `price` is what is still held is worth. All units that were ever bought lie on one line, in the order in which they
    were bought and also sold: a lot is a stretch of it between two ends of a purchase or a sale.
    """
    changes = np.diff(units, prepend=0.0)
    changes[np.abs(changes) <= _DUST * units] = 0.0
    buys, sales = np.flatnonzero(changes > 0), np.flatnonzero(changes < 0)
    bought, sold = np.cumsum(changes[buys]), np.cumsum(-changes[sales])
    if not len(buys):
        return
    ends = np.unique(np.minimum(np.concatenate((bought, sold)), bought[-1]))
    ends = ends[np.diff(ends, prepend=0.0) > _DUST * bought[-1]]
    sizes = np.diff(ends, prepend=0.0)
    middles = ends - sizes / 2
    purchases, closings = np.searchsorted(bought, middles), np.searchsorted(sold, middles)
    for size, purchase, closing in zip(sizes.tolist(), buys[purchases].tolist(), closings.tolist(), strict=True):
        sale = int(sales[closing]) if closing < len(sales) else None
        day, worth = (None, price) if sale is None else (days[sale], float(prices[sale]))
        yield Lot(asset, days[purchase], day, size, size * float(prices[purchase]), size * worth)


def tax_lots_csv(lots: Iterable[Lot], separator: str = ",") -> str:
    """Return lots as CSV in their order, with a last line of totals; with `;` numbers have a decimal comma."""
    out, every = io.StringIO(), list(lots)
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow(("asset", "bought", "sold", "units", "cost", "proceeds", "gain"))

    def written(*numbers: str) -> list[str]:
        return [each.replace(".", ",") for each in numbers] if separator == ";" else list(numbers)

    for lot in every:
        amounts = (f"{each:.6f}" for each in (lot.cost, lot.proceeds, lot.gain))
        writer.writerow((safe_cell(lot.asset), lot.bought, lot.sold or "", *written(repr(lot.units), *amounts)))
    sums = (f"{sum(getattr(lot, name) for lot in every):.6f}" for name in ("cost", "proceeds", "gain"))
    writer.writerow(("total", "", "", "", *written(*sums)))
    return out.getvalue()
