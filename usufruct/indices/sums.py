"""Sums over assets that give the same bytes everywhere.

Additions are done one after the other, in the order of assets, with IEEE 754 doubles. So a sum does not depend on the
processor or on how many assets of value 0 there are beside it: a later listing changes no earlier level.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices import Matrix

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

NEVER: Final = -1
"""A row that there is not."""


def total(values: Matrix) -> Vector:
    """Return the sum of each column, with rows (assets) added one after the other.

    numpy adds whole rows to a running sum when the matrix is contiguous and has more than one column; otherwise it
    would add in pairs, which is another order.
    """
    if not len(values):
        return np.zeros(values.shape[1])
    if values.shape[1] > 1 and values.flags.c_contiguous:
        return np.asarray(np.add.reduce(values, axis=0))
    return np.asarray(np.add.accumulate(values, axis=0)[-1])


def vector_total(values: Vector) -> float:
    """Return the sum of a vector, with its values added one after the other."""
    return float(np.add.accumulate(values)[-1]) if len(values) else 0.0


def last_true(mask: Mask) -> Indices:
    """Return for each place of each row the column of the last True up to it, `NEVER` before the first."""
    found = np.where(mask, np.arange(mask.shape[-1]), NEVER)
    return np.asarray(np.maximum.accumulate(found, axis=-1))


def latched(on: Mask, off: Mask, *, start: bool) -> Mask:
    """Return a switch's state: `on` turns it on, `off` turns it off (and wins), otherwise it stays as it was."""
    last = last_true(on | off)
    state = ~np.take_along_axis(off, np.maximum(last, 0), axis=-1)
    return np.asarray(np.where(last == NEVER, start, state))
