"""The members at each decision: the best by rank, with buffers that keep small changes of rank from being trades."""

import numpy as np

from usufruct.indices.rulebook import Rulebook
from usufruct.indices.screens import Screened, Screens, best
from usufruct.indices.sums import Indices, Mask

_CHUNK = 128


def select_members(screens: Screens, rows: Indices) -> tuple[Mask, Mask]:
    """Return the members at each decision (row), and at which decisions there are at least `minimum_count`.

    With fewer, the members of the decision before stay.
    """
    rulebook = screens.rulebook
    members = np.zeros((len(rows), len(screens.data.ids)), dtype=bool)
    previous = np.zeros(members.shape[1], dtype=bool)
    enough = np.ones(len(rows), dtype=bool)
    for start in range(0, len(rows), _CHUNK):
        screened = screens.at(rows[start : start + _CHUNK])
        part = members[start : start + _CHUNK]
        if has_buffers(rulebook):
            for at in range(len(part)):
                chosen = with_buffers(rulebook, screened, at, previous)
                enough[start + at] = chosen.sum() >= rulebook.selection.minimum_count
                part[at] = previous = chosen if enough[start + at] else previous
        else:
            part[:] = best(screened.ranked_scores(), rulebook.selection.count)
            for at in np.flatnonzero(part.sum(axis=1) < rulebook.selection.minimum_count).tolist():
                part[at] = part[at - 1] if at else previous
                enough[start + at] = False
            previous = part[-1]
    return members, enough


def has_buffers(rulebook: Rulebook) -> bool:
    """Return whether the members at one decision depend on those before."""
    rule, universe = rulebook.selection, rulebook.universe
    stays = universe.stay_market_cap is not None or universe.stay_daily_volume is not None
    return stays or rule.enter_rank < 1 or rule.leave_rank > 1


def with_buffers(rulebook: Rulebook, screened: Screened, at: int, previous: Mask) -> Mask:
    """Return the members at one decision, given those before.

    Members stay while their rank is at most `leave_rank x count`; others enter at rank `enter_rank x count`. Then the
    best by rank fill up, or the worst by rank leave, until there are `count`.
    """
    rule = rulebook.selection
    scores = screened.ranked_scores()[at]
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > -np.inf]
    rank = np.full(len(scores), len(scores) + 1)
    rank[order] = np.arange(1, len(order) + 1)
    may_enter = screened.may_enter[at]
    chosen: Mask = previous & screened.may_stay[at] & (rank <= rule.leave_rank * rule.count)
    chosen |= may_enter & (rank <= rule.enter_rank * rule.count)
    ranked = order[chosen[order]]
    chosen[ranked[rule.count :]] = False
    room = rule.count - int(chosen.sum())
    if room > 0:
        chosen[order[may_enter[order] & ~chosen[order]][:room]] = True
    return chosen
