"""Caps on weights: what is over a cap goes to the others in proportion, until no weight is over."""

from dataclasses import dataclass

import numpy as np

from usufruct.connectors.prices import Matrix
from usufruct.indices.errors import CapsInfeasible
from usufruct.indices.sums import Mask, Vector, total

_NEARLY = 1e-12


@dataclass(frozen=True, slots=True)
class Capped:
    """Shares under their caps, which of them are at it, and for which columns the caps had to be relaxed."""

    shares: Matrix
    at_cap: Mask
    relaxed: Mask


def cap_shares(shares: Matrix, each: float, largest: float | None = None, *, refuse: bool = False) -> Capped:
    """Bring the shares of each column (they sum to 1) under their caps.

    `largest` is the cap of a column's largest share, `each` that of the others. Where the caps of all positive shares
    sum to less than 1 they cannot be met: they are raised to the smallest that can, or refused.

    Raises:
        CapsInfeasible: when caps cannot be met, and `refuse`.
    """
    positive = shares > 0
    count = np.add.reduce(positive, axis=0).astype(float)
    top = each if largest is None else largest
    relaxed = (count > 0) & (top + (count - 1) * each < 1 - _NEARLY)
    if refuse and relaxed.any():
        raise CapsInfeasible(
            f"{int(count[relaxed].min())} assets cannot be at most {each:g} each; raise weights.each_at_most, "
            'or set weights.if_infeasible = "relax"'
        )
    caps = _caps(shares, each, top, count, relaxed)
    return _spread(shares, caps, relaxed)


def _caps(shares: Matrix, each: float, top: float, count: Vector, relaxed: Mask) -> Matrix:
    """Return the cap of each share: relaxed columns get the least that sums to 1."""
    others, first = np.full(len(count), each), np.full(len(count), top)
    if relaxed.any():
        few = np.maximum(count, 1)
        even = 1 / few
        raised = np.where(few > 1, (1 - top) / np.maximum(few - 1, 1), 1.0)
        fits = raised <= top
        others = np.where(relaxed, np.where(fits, raised, even), others)
        first = np.where(relaxed, np.where(fits, top, even), first)
    caps = np.broadcast_to(others, shares.shape)
    if (first != others).any():
        caps = caps.copy()
        caps[np.argmax(shares, axis=0), np.arange(len(count))] = first
    return caps


def _spread(shares: Matrix, caps: Matrix, relaxed: Mask) -> Capped:
    """Set shares over their cap to it and scale the others, until none is over; other columns keep their bytes."""
    result, at_cap = shares, np.zeros(shares.shape, dtype=bool)
    pending = np.flatnonzero((shares > caps).any(axis=0))
    if len(pending):
        result = shares.copy()
    while len(pending):
        part, bounds = np.take(result, pending, axis=1), np.take(caps, pending, axis=1)
        before = np.take(shares, pending, axis=1)
        fixed = np.take(at_cap, pending, axis=1) | (part > bounds)
        at_cap[:, pending] = fixed
        room = 1 - total(np.where(fixed, bounds, 0.0))
        free = total(np.where(fixed, 0.0, before))
        scale = np.divide(room, free, out=np.zeros(len(pending)), where=free > 0)
        part = np.where(fixed, bounds, before * scale)
        result[:, pending] = part
        pending = pending[((part > bounds) & ~fixed).any(axis=0)]
    return Capped(result, at_cap, relaxed)
