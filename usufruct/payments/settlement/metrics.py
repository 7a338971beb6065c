"""Metrics of what this process's settlement did. Amounts are in atomic units."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from usufruct.payments.settlement.model import Counters


async def settlement_metrics(counters: Counters) -> list[Metric]:
    """Return what this process settled since it began."""
    return [
        _ends("claims", "Claims.", counters.claimed, counters.failed),
        _ends("deposits", "Deposits sent for payers.", counters.deposited, counters.deposits_failed),
        _ends("refunds", "Refunds.", counters.refunded, counters.refunds_failed),
        _by(
            "claims_quarantined", "Claims that the chain refuses; look at `doctor`.", "code", counters.by_reason.items()
        ),
        _one("claims_reverted", "Transactions mined and refused although their simulation was not.", counters.reverted),
        _one("claimed_elsewhere", "Claimed by others' transactions, split by ours.", counters.elsewhere),
        _one("misdirected", "Claimed elsewhere and paid out before it was known to whom.", counters.misdirected),
        _one("burns_skipped", "Used pass credits that were refunded before they were burned.", counters.burns_skipped),
        _one("deferred", "Parts that a token refused to pay; the till owes them.", counters.deferred),
        _one("capped", "Parts above a payee's daily cap; the till owes them and pays them later.", counters.capped),
        _one("owed_paid", "Payees paid later what the till owed them.", counters.owed_paid),
        _one("readings_corrected", "Readings taken back because their block was.", counters.corrected),
    ]


def _ends(name: str, says: str, confirmed: int, failed: int) -> Metric:
    return _by(name, says, "end", (("confirmed", confirmed), ("failed", failed)))


def _by(name: str, says: str, label: str, values: Iterable[tuple[str, int]]) -> Metric:
    family = CounterMetricFamily(f"usufruct_{name}", says, labels=[label])
    for value, number in values:
        family.add_metric([value], number)
    return family


def _one(name: str, says: str, number: int) -> Metric:
    return CounterMetricFamily(f"usufruct_{name}", says, value=number)
