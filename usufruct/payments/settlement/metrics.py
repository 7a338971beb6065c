"""What this process's settlement did since it began: plain numbers, made into metrics when they are scraped.

Amounts are in atomic units.
"""

from collections import Counter
from dataclasses import dataclass, field, fields

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily


def _count(metric: str, says: str, end: str = "") -> int:
    """Declare a counter by its metric's name and help; several that count its ends share one metric."""
    number: int = field(default=0, metadata={"metric": f"usufruct_{metric}", "says": says, "end": end})
    return number


@dataclass(slots=True)
class Counters:
    """The counters of one process; `quarantined` counts claims that the chain refuses, by the code of the refusal."""

    claimed: int = _count("claims", "Claims.", "confirmed")
    failed: int = _count("claims", "Claims.", "failed")
    deposited: int = _count("deposits", "Deposits sent for payers.", "confirmed")
    deposits_failed: int = _count("deposits", "Deposits sent for payers.", "failed")
    refunded: int = _count("refunds", "Refunds.", "confirmed")
    refunds_failed: int = _count("refunds", "Refunds.", "failed")
    reverted: int = _count("claims_reverted", "Transactions mined and refused although their simulation was not.")
    elsewhere: int = _count("claimed_elsewhere", "Claimed by others' transactions, split by ours.")
    misdirected: int = _count("misdirected", "Claimed elsewhere and paid out before it was known to whom.")
    burns_skipped: int = _count("burns_skipped", "Used pass credits that were refunded before they were burned.")
    deferred: int = _count("deferred", "Parts that a token refused to pay; the till owes them.")
    capped: int = _count("capped", "Parts above a payee's daily cap; the till owes them and pays them later.")
    owed_paid: int = _count("owed_paid", "Payees paid later what the till owed them.")
    corrected: int = _count("readings_corrected", "Readings taken back because their block was.")
    quarantined: Counter[str] = field(default_factory=Counter)

    async def metrics(self) -> list[Metric]:
        """Return what was counted."""
        refused = CounterMetricFamily(
            "usufruct_claims_quarantined", "Claims that the chain refuses; look at `doctor`.", labels=["code"]
        )
        for code, number in self.quarantined.items():
            refused.add_metric([code], number)
        found: dict[str, CounterMetricFamily] = {}
        for each in fields(self):
            if each.metadata:
                name, says, end = each.metadata["metric"], each.metadata["says"], each.metadata["end"]
                family = found.setdefault(name, CounterMetricFamily(name, says, labels=["end"] if end else []))
                family.add_metric([end] if end else [], getattr(self, each.name))
        return [*found.values(), refused]
