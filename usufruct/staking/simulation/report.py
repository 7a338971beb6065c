"""Run a simulation, and sum it up: a row a week, the scores at its end, and a check that no unit was lost."""

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate

import orjson

from usufruct.core import Faulty
from usufruct.staking.lock_model import MOST_WEEKS
from usufruct.staking.simulation.assumptions import DECIMALS, REVENUE_DECIMALS, Assumptions
from usufruct.staking.simulation.economy import Economy

Progress = Callable[[int], None]
"""Called after each week with the number of weeks that are over."""

_EDGES = [10**exponent for exponent in range(1, 11)]  # scores, in whole tokens


@dataclass(frozen=True, slots=True)
class WeekRow:
    """One week. Tokens and money are whole tokens, for reading; the run itself counts atomic units."""

    week: int
    revenue: float
    stakers: int
    locked: float
    outstanding: float
    """Platform tokens that have left the airdrop's reserve and the treasury."""
    total_score: float
    revenue_per_1000_locked: float
    """What 1,000 locked tokens earned in this week, on average."""
    observer_share_percent: float
    """Part of the total score that a lock of a 10,000th of the supply has that renews itself from the first week on."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Staking Scores at the end, of those who have any, in whole tokens."""

    stakers: int
    median: float
    mean: float
    largest_1_percent_share: float
    gini: float
    histogram: Sequence[tuple[str, int]]
    """How many have a score under each power of ten."""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    assumptions: Assumptions
    weeks: Sequence[WeekRow]
    scores: Distribution
    revenue_received_units: int
    revenue_paid_units: int
    conserved: bool

    def as_document(self) -> dict[str, object]:
        """Return what `--json` prints; atomic units are strings."""
        return {
            "assumptions": self.assumptions.as_document(),
            "weeks": [asdict(row) for row in self.weeks],
            "scores": asdict(self.scores),
            "revenue_received_units": str(self.revenue_received_units),
            "revenue_paid_units": str(self.revenue_paid_units),
            "conserved": self.conserved,
        }

    def as_json(self) -> bytes:
        """Return the document as text."""
        return orjson.dumps(self.as_document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def simulate(assumptions: Assumptions, progress: Progress = lambda week: None) -> Report:
    """Run an economy for all its weeks.

    Raises:
        Faulty: when the escrow would owe more than it holds, or a token was lost; a bug.
    """
    economy = Economy(assumptions)
    rows = []
    for _ in range(assumptions.weeks):
        rows.append(_row(economy, economy.step()))
        progress(economy.week)
    check_books(economy)
    return Report(
        assumptions, rows, _distribution(economy), economy.revenue.received, economy.revenue.paid, conserved=True
    )


def check_books(economy: Economy) -> None:
    """Check that no platform token is lost, and that the escrow holds what it owes.

    It may hold more by what was rounded down: less than a unit for each week, and for each credit of a lock.

    Raises:
        Faulty: when the books do not balance; names the numbers.
    """
    escrow, supply = economy.escrow, economy.assumptions.supply * 10**DECIMALS
    if economy.tokens.total != supply:
        raise Faulty(f"{economy.tokens.total} units of {supply} are left", code="tokens_lost")
    due = [escrow.claimable(each) for each in economy.positions]
    principal = sum(each.principal for each in economy.positions)
    books = {
        "revenue": (economy.revenue.held, escrow.revenue.waiting + sum(revenue for revenue, _ in due)),
        "tokens": (economy.tokens.escrow, principal + escrow.waiting_penalties + sum(each for _, each in due)),
    }
    most_rounding = economy.week + 2 * (economy.visits + len(due))
    for name, (held, owed) in books.items():
        if not owed <= held <= owed + most_rounding:
            raise Faulty(f"the escrow holds {held} units of {name} and owes {owed}", code="books_differ")


def _row(economy: Economy, divided: int) -> WeekRow:
    """Sum up the week that was just lived through; scores are those at its end."""
    escrow, tokens = economy.escrow, economy.tokens
    revenue, locked = divided / 10**REVENUE_DECIMALS, tokens.escrow / 10**DECIMALS
    total = escrow.weights[escrow.week]
    observer = economy.observer.lock.weight_at(escrow.week)
    return WeekRow(
        week=economy.week,
        revenue=round(revenue, 2),
        stakers=sum(each.principal > 0 for each in economy.positions),
        locked=round(locked, 2),
        outstanding=round((tokens.total - tokens.reserve - tokens.treasury) / 10**DECIMALS, 2),
        total_score=round(total / MOST_WEEKS / 10**DECIMALS, 2),
        revenue_per_1000_locked=round(1_000 * revenue / locked, 6),
        observer_share_percent=round(100 * observer / total, 6),
    )


def _distribution(economy: Economy) -> Distribution:
    escrow = economy.escrow
    scores = sorted(score / 10**DECIMALS for each in economy.positions if (score := escrow.score_down(each)))
    total, count = sum(scores), len(scores)  # the observer has one
    bars = [0] * (len(_EDGES) + 1)
    for score in scores:
        bars[bisect(_EDGES, score)] += 1
    labels = [f"< 10^{at}" for at in range(1, len(_EDGES) + 1)] + [f">= 10^{len(_EDGES)}"]
    top = scores[-max(count // 100, 1) :]
    return Distribution(
        stakers=count,
        median=round(scores[count // 2], 2),
        mean=round(total / count, 2),
        largest_1_percent_share=round(sum(top) / total, 4),
        gini=round(_gini(scores), 4),
        histogram=[(label, bar) for label, bar in zip(labels, bars, strict=True) if bar],
    )


def _gini(ascending: Sequence[float]) -> float:
    """Return the Gini coefficient of sorted positive values: 0 if all are equal, near 1 if one has everything."""
    count, total = len(ascending), sum(ascending)
    return (count + 1 - 2 * sum(accumulate(ascending)) / total) / count
