"""The gauges of money: fresh while reading them is cheap, kept for a while where it is not."""

import asyncio

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.payments.ledger.metrics import MoneyMetrics
from usufruct.payments.ledger.records import Totals

TOKEN = "0x" + "11" * 20


class Slow:
    """A ledger whose sums take `seconds` of its own clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.clock, self.read = seconds, FakeClock(), 0

    commits = 7

    async def totals(self) -> list[Totals]:
        await asyncio.sleep(0)
        self.clock.advance(self.seconds)
        self.read += 1
        return [Totals(TOKEN, 0, self.read, 0)]


def charged(metrics) -> list[float]:
    return [sample.value for metric in metrics for sample in metric.samples if sample.name == "usufruct_money_charged"]


@pytest.mark.parametrize(("seconds", "reads"), [(0.01, [1, 2, 3]), (2.0, [1, 1, 1])])
async def test_sums_that_take_long_are_kept_for_a_multiple_of_that(seconds, reads):
    ledger = Slow(seconds)
    money = MoneyMetrics(ledger, ledger.clock)
    assert [charged(await money.metrics()) for _ in range(3)] == [[each] for each in reads]
    ledger.clock.advance(19 * seconds)
    before = ledger.read
    await money.metrics()
    assert ledger.read == before + (seconds < 0.25)
    ledger.clock.advance(2 * seconds)
    await money.metrics()
    assert ledger.read == before + 1 + (seconds < 0.25)


async def test_scrapes_at_once_read_once_where_it_takes_long():
    ledger = Slow(1.0)
    money = MoneyMetrics(ledger, ledger.clock)
    await asyncio.gather(*(money.metrics() for _ in range(5)))
    assert ledger.read == 1
