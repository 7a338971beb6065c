"""An account's last calls, which its payer's page lists. Runs on SQLite and on PostgreSQL."""

from types import ModuleType

import pytest

from usufruct.payments.ledger import call_log
from usufruct.payments.ledger.rows import call_of
from usufruct.payments.ledger.service import Ledger


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
