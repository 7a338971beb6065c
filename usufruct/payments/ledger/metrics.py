"""Money as numbers for monitoring: what the books say, and what this process did about it. All in atomic units."""

import asyncio
import math
from collections.abc import Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from usufruct.core import Clock
from usufruct.payments.ledger.records import Totals
from usufruct.payments.ledger.service import Ledger

_SHARE = 20
_LONG_SECONDS = 0.25


class MoneyMetrics:
    """The whole database's money by token, the same in every process.

    The sums read every account. In a ledger where that takes long, they are kept for `_SHARE` times as long, so that
    scrapes, however many, take a small and fixed part of a reader's time.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        """Read `ledger`; `clock` measures how long that takes."""
        self._ledger = ledger
        self._clock = clock
        self._reading = asyncio.Lock()
        self._totals: list[Totals] = []
        self._fresh_until = -math.inf

    async def metrics(self) -> list[Metric]:
        """Return the gauges, and how many transactions this process has made durable.

        Raises:
            DatabaseUnavailable: when it cannot be read.
        """
        async with self._reading:
            began = self._clock.monotonic()
            if began >= self._fresh_until:
                self._totals = await self._ledger.totals()
                ended = self._clock.monotonic()
                took = ended - began
                self._fresh_until = ended + (_SHARE * took if took >= _LONG_SECONDS else 0)
            commits = CounterMetricFamily(
                "usufruct_ledger_commits", "Ledger transactions that this process made durable.", self._ledger.commits
            )
            return [*_money(self._totals), commits]


def _money(totals: Sequence[Totals]) -> list[Metric]:
    reserved = GaugeMetricFamily("usufruct_money_reserved", "Ceilings of open calls.", labels=["token"])
    charged = GaugeMetricFamily("usufruct_money_charged", "Charged in all.", labels=["token"])
    claimable = GaugeMetricFamily("usufruct_money_claimable", "Charged and not claimed yet.", labels=["token"])
    for total in totals:
        reserved.add_metric([total.token], total.reserved)
        charged.add_metric([total.token], total.charged)
        claimable.add_metric([total.token], total.claimable)
    return [reserved, charged, claimable]
