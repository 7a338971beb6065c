"""An account's last calls, which its payer's page lists. Runs on SQLite and on PostgreSQL."""

from collections import Counter
from types import ModuleType

import pytest

from tests.support.aging import age
from usufruct.core import DAY_SECONDS
from usufruct.payments.ledger import call_log
from usufruct.payments.ledger.rows import call_of
from usufruct.payments.ledger.service import Ledger
from usufruct.store import Database


async def test_the_last_calls_of_many_accounts_take_few_rows(
    ledger: Ledger, world: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    names = ["busy", "idle", *range(10)]
    for name in names:
        await ledger.observe(world.reading(100_000, name))
    spent = [f"busy {at}" for at in range(70)] + [f"{name}" for name in range(10)] + ["last"]
    for at, call in enumerate(spent):
        name = "busy" if call.startswith("busy") or call == "last" else names[at - 68]
        opened = await world.open_call(ledger, world.reservation(call, 100, name=name))
        await ledger.meter(opened.lease, world.bill(at % 3))
    channels = [world.channel(name) for name in names]
    read: list[object] = []
    monkeypatch.setattr(call_log, "call_of", lambda row: read.append(row) or call_of(row))
    latest = await ledger.latest_metered(channels, 60)
    assert len(read) <= 20 + 40 + 60 + 10
    whole = await ledger.latest_metered(channels, 1000)
    assert len(latest) == 60
    assert [call.lease.call for call in latest] == [call.lease.call for call in whole][:60]
    assert len(whole) == len({call.lease.call for call in whole})
    assert await ledger.latest_metered([], 10) == []
    assert await ledger.latest_metered([world.channel("idle")], 10) == []


async def test_pages_of_many_accounts_have_every_call_once(ledger: Ledger, world: ModuleType):
    for name in range(3):
        await ledger.observe(world.reading(100_000, name))
    for at in range(90):
        opened = await world.open_call(ledger, world.reservation(at, 100, name=at % 7 % 3))
        await ledger.meter(opened.lease, world.bill(at % 4 % 3))
    channels = [world.channel(name) for name in range(3)]
    whole = await ledger.latest_metered(channels, 1000)
    pages = [await ledger.latest_metered(channels, 40)]
    while len(pages[-1]) == 40:
        pages.append(await ledger.latest_metered(channels, 40, pages[-1][-1]))
    assert [len(page) for page in pages] == [40, 40, 10]
    assert [call for page in pages for call in page] == whole
    assert sum(call.bill.charge for call in whole) == sum([(await ledger.account(each)).charged for each in channels])


async def test_days_are_the_sums_of_their_calls(ledger: Ledger, world: ModuleType, database: Database):
    for name in range(3):
        await ledger.observe(world.reading(100_000, name))
    for number, charges in enumerate([(0, 0, 5, 0, 7), (3,), (0, 2, 2), (1, 0)]):
        for at, charge in enumerate(charges):
            request = world.reservation(f"{number} {at}", 100, name=at % (number + 1) % 2)
            await ledger.meter((await world.open_call(ledger, request)).lease, world.bill(charge))
        await age(database, DAY_SECONDS * (number + 1))
    channels = [world.channel(name) for name in range(3)]
    calls = await ledger.latest_metered(channels, 1000)
    sums: Counter[int] = Counter()
    for call in calls:
        sums[call.finished_at // DAY_SECONDS] += call.bill.charge
    days = sorted(sums)
    assert (len(calls), len(days) >= 4, sum(sums.values())) == (11, True, 20)
    assert await ledger.charged_by_day(channels, days[0] - 5) == sums
    assert await ledger.charged_by_day(channels, days[1]) == {day: sums[day] for day in days[1:]}
    assert await ledger.charged_by_day(channels, days[-1] + 1) == await ledger.charged_by_day([], 0) == {}


async def test_what_a_restored_ledger_took_over_counts_towards_no_day(
    ledger: Ledger, world: ModuleType, database: Database
):
    await ledger.observe(world.reading(1_000))
    await ledger.meter((await world.open_call(ledger, world.reservation("a", 100))).lease, world.bill(5))
    await age(database, 3 * DAY_SECONDS)
    await ledger.observe(world.reading(1_000, block=2, claimed=400))
    await ledger.meter((await world.open_call(ledger, world.reservation("b", 100))).lease, world.bill(7))
    assert sorted((await ledger.charged_by_day([world.channel()], 0)).values()) == [5, 7]
