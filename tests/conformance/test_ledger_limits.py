"""The limits of a caller, in all and a day, are never passed: not by calls at the same moment, nor across midnight.

Runs on SQLite and on PostgreSQL.
"""

import asyncio
import time
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from usufruct.config import LedgerConfig
from usufruct.core import DAY_SECONDS
from usufruct.payments.ledger import DayLimitReached, LimitReached, Opened
from usufruct.payments.ledger.calls import Terms, meter_call, open_call, release_call
from usufruct.payments.ledger.records import Account
from usufruct.payments.ledger.service import Ledger, new_id, open_ledger
from usufruct.payments.ledger.working_set import WorkingSet
from usufruct.store import Database, Seal

SEAL = Seal(b"a secret of these tests", "stored answers")


async def pass_days(database: Database, days: int) -> None:
    """Let days pass: the database's clock cannot be moved on, so what it wrote down moves back."""
    async with database.transaction() as unit:
        await unit.rows(text("UPDATE accounts SET day = day - :days"), {"days": days})


@pytest.mark.parametrize(("limits", "refused"), [({"limit": 100}, LimitReached), ({"day_limit": 100}, DayLimitReached)])
async def test_calls_at_the_same_moment_pass_no_limit(
    limits: dict[str, int], refused: type[Exception], database: Database, world: ModuleType
):
    """Two replicas get forty calls at once, each of which would fit alone; unused money is there again at once."""
    replicas = [open_ledger(database, LedgerConfig(), seal=SEAL) for _ in range(2)]
    await replicas[0].observe(world.reading(10_000))
    asked = [replace(world.reservation(new_id(), 7 + number % 5), **limits) for number in range(40)]
    answers: list[Any] = await asyncio.gather(
        *(world.open_call(replicas[number % 2], request) for number, request in enumerate(asked)),
        return_exceptions=True,
    )
    opened = [each for each in answers if isinstance(each, Opened)]
    assert {type(each) for each in answers} == {Opened, refused}
    account = await replicas[0].account(world.channel())
    assert 100 - 11 < account.reserved <= 100, "all that fits, and nothing more"
    for each in opened[::2]:
        await replicas[0].release(each.lease, "unused")
    left = 100 - (await replicas[0].account(world.channel())).reserved
    again = replace(world.reservation(new_id(), left), **limits)
    assert isinstance(await world.open_call(replicas[1], again), Opened)
    with pytest.raises(refused) as caught:
        await world.open_call(replicas[0], replace(world.reservation(new_id(), 1), **limits))
    assert (caught.value.details["left"], caught.value.details["limit"]) == (0, 100)
    for replica in replicas:
        assert await replica.audit() == []
        await replica.close()


async def test_a_daily_limit_renews_at_midnight_and_counts_what_still_runs(
    ledger: Ledger, database: Database, world: ModuleType
):
    def asked(ceiling: int) -> Any:
        return world.open_call(ledger, replace(world.reservation(new_id(), ceiling), day_limit=100))

    await ledger.observe(world.reading(10_000))
    spent, runs = await asked(60), await asked(40)
    await ledger.meter(spent.lease, world.bill(60))
    with pytest.raises(DayLimitReached) as caught:
        await asked(1)
    midnight = (int(time.time()) // DAY_SECONDS + 1) * DAY_SECONDS
    assert caught.value.details == {"limit": 100, "needed": 101, "left": 0, "renews_at": midnight}
    assert "0 of it is left" in caught.value.message

    await pass_days(database, 1)
    await ledger.meter(runs.lease, world.bill(25))  # ran across midnight: it counts today
    account = await ledger.account(world.channel())
    assert (account.charged, account.charged_on(int(time.time()) // DAY_SECONDS)) == (85, 25)
    with pytest.raises(DayLimitReached) as caught:
        await asked(76)
    assert caught.value.details["left"] == 75
    await asked(75)


def pure_account(world: ModuleType) -> Account:
    return Account(world.reading(10**9), 0, 0, 0, 0, None, 0)


@given(
    limit=st.integers(1, 100),
    steps=st.lists(
        st.tuples(st.sampled_from(["open", "meter", "release"]), st.integers(0, 40), st.integers(0, 50_000)),
        max_size=60,
    ),
)
def test_no_day_is_charged_more_than_its_limit_whatever_comes_when(
    limit: int, steps: list[tuple[str, int, int]], world: ModuleType
):
    """The days are added up one by one, as on paper; a clock that goes back a little does not renew a limit twice."""
    terms, now = Terms("replica", 30, 3600), 20_000 * DAY_SECONDS
    work = WorkingSet(now)
    work.accounts[world.channel()] = pure_account(world)
    charged: dict[int, int] = {}
    running: list[Any] = []
    for number, (step, amount, seconds) in enumerate(steps):
        now = work.now = now + seconds - (100 if seconds < 50 else 0)
        day = work.accounts[world.channel()].day
        today = max(day, now // DAY_SECONDS)
        if step == "open":
            request = replace(world.reservation(str(number), amount), day_limit=limit)
            fits = charged.get(today, 0) + sum(call.ceiling for call in running) + amount <= limit
            if not fits:
                with pytest.raises(DayLimitReached):
                    open_call(work, request, terms)
                continue
            call, _ = open_call(work, request, terms)  # type: ignore[misc]  # nothing is replayed
            running.append(call)
        elif running:
            call = running.pop(amount % len(running))
            if step == "release":
                release_call(work, call.lease, "unused")
                continue
            charge = call.ceiling * (amount % 11) // 10
            meter_call(work, call.lease, world.bill(charge), None, None, terms)
            charged[today] = charged.get(today, 0) + charge
    assert all(amount <= limit for amount in charged.values())
    assert sum(charged.values()) == work.accounts[world.channel()].charged
