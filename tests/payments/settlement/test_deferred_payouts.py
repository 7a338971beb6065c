"""What a token refused to pay is paid later, by a job that spends no gas on a try that would fail."""

import asyncio

import pytest
from sqlalchemy import delete, select

from tests.support.waiting import PATIENCE
from usufruct.chain import Sender
from usufruct.core.jobs import Job, run_job
from usufruct.payments.settlement.deferred_payouts import DeferredPayoutPolicy, DeferredPayouts
from usufruct.payments.settlement.store import all_owed, batches, batches_to_report, leases, members, note_owed

pytestmark = pytest.mark.anvil


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> int:
        return int(self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


def owed_of(town, time, sender: Sender | None = None, **policy) -> DeferredPayouts:
    chosen = DeferredPayoutPolicy(**{"first_seconds": 100, "last_seconds": 300, "wait_seconds": 60.0} | policy)
    return DeferredPayouts(town.context, sender or town.claim_sender, time, policy=chosen)


async def defer(town, settlement_world) -> None:
    """Claim 300 for the first shares and 41 for the second, which the dollar refuses to pay."""
    await settlement_world.blacklist(town, town.place.shares[1])
    await town.deposit(5_000)
    await town.call(1, 300)
    await town.call(2, 41, asset=1)
    await town.claimer.run()
    assert await town.till.total_owed(town.place.dollar) == 41


async def gas_money(town) -> int:
    return await town.client.balance(town.claim_sender.address)


async def test_a_payee_is_paid_once_the_token_lets_it(town, settlement_world, time):
    await defer(town, settlement_world)
    owed, money = owed_of(town, time), await gas_money(town)
    assert await owed.run() == 0
    assert await gas_money(town) == money, "a try that would fail is not sent"

    await settlement_world.pardon(town)
    assert await owed.run() == 0, "its turn has not come"
    time.seconds += 100
    assert await owed.run() == 1
    balances = await town.balances()
    assert (balances["first shares"], balances["second shares"], balances["till"]) == (300, 41, 0)
    assert await town.till.total_owed(town.place.dollar) == 0
    assert await town.shares[1].pending(settlement_world.FIRST.address, town.place.dollar) == 27, "70 % less the fee"
    assert town.context.counters.owed_paid == 1

    money = await gas_money(town)
    time.seconds += 1_000
    assert await owed.run() == 0
    assert await gas_money(town) == money


async def test_it_is_tried_later_each_time_and_no_later_than_the_last(town, settlement_world, time, monkeypatch):
    await defer(town, settlement_world)
    owed, tries, send = owed_of(town, time), [], town.claim_sender.send

    async def counted(*call, **more):
        tries.append(time.seconds)
        return await send(*call, **more)

    monkeypatch.setattr(town.claim_sender, "send", counted)
    for time.seconds in (0, 90, 100, 290, 300, 590, 600, 890, 900, 1_190):
        await owed.run()
    assert tries == [0, 100, 300, 600, 900]


async def test_one_process_pays_and_a_payment_under_way_is_not_sent_again(town, settlement_world, time):
    await defer(town, settlement_world)
    await settlement_world.pardon(town)
    first, second = owed_of(town, time, wait_seconds=0.1), owed_of(town, time)
    await town.devnet.set_automine(on=False)
    nonce = await town.client.nonce(town.claim_sender.address)
    assert await first.run() == 0
    assert await second.run() == 0, "another process holds the lease"
    await first.lease.release()
    polled = asyncio.Event()
    wait = town.claim_sender.wait

    async def noticed(*call):
        polled.set()
        return await wait(*call)

    town.claim_sender.wait = noticed
    waiting = asyncio.create_task(second.run())
    await polled.wait()
    await town.devnet.mine()
    await town.devnet.set_automine(on=True)
    assert await waiting == 1
    assert await town.client.nonce(town.claim_sender.address) == nonce + 1
    assert (await town.balances())["second shares"] == 41


async def test_who_is_owed_is_known_without_a_look_at_batches_and_forgotten_when_paid(town, settlement_world, time):
    await defer(town, settlement_world)
    await settlement_world.pardon(town)
    async with town.database.transaction() as unit:
        for table in (members, batches_to_report, batches):
            await unit.change(delete(table))
    owed = owed_of(town, time)
    assert await owed.run() == 1
    async with town.database.snapshot() as unit:
        assert await all_owed(unit) == {}


async def test_a_payee_whom_a_later_batch_could_not_pay_either_is_not_forgotten(town, settlement_world, time):
    await defer(town, settlement_world)
    await settlement_world.pardon(town)
    second, dollar, send = town.place.shares[1], town.place.dollar, town.claim_sender.send

    async def send_and_note(*call, **more):
        async with town.database.transaction() as unit:
            await note_owed(unit, second, dollar, 1 << 40)
        return await send(*call, **more)

    town.claim_sender.send = send_and_note
    assert await owed_of(town, time).run() == 1
    async with town.database.snapshot() as unit:
        assert await all_owed(unit) == {(second, dollar): 1 << 40}


async def test_a_payment_costs_no_more_than_its_gas_limit(town, settlement_world, time):
    await defer(town, settlement_world)
    await settlement_world.pardon(town)
    stingy = owed_of(town, time, most_gas=30_000)
    money = await gas_money(town)
    assert await stingy.run() == 0
    assert await gas_money(town) == money


async def test_what_is_above_a_daily_cap_is_paid_on_the_following_days(town, settlement_world, time):
    dollar, shares = town.place.dollar, town.place.shares[0]
    await town.act(settlement_world.OWNER.address, town.till.set_daily_cap(settlement_world.ZERO, dollar, 100))
    await town.deposit(5_000)
    await town.call(1, 250)
    await town.call(2, 41, asset=1)
    await town.claimer.run()
    balances = await town.balances()
    assert (balances["first shares"], balances["second shares"]) == (100, 41), "a cap holds up no other payee"
    channel = await town.ledger.account(town.channel())
    assert channel.total_split == channel.charged == 291, "all of it is claimed and attributed"
    assert (town.context.counters.capped, await town.till.owed(shares, dollar)) == (1, 150)

    owed, money = owed_of(town, time, first_seconds=1), await gas_money(town)
    assert await owed.run() == 0
    assert await gas_money(town) == money, "today's cap is known without a try"
    for left in (50, 0):
        head = await town.client.head()
        await town.devnet.pass_time(86_400 - head.timestamp % 86_400)
        time.seconds += 2
        assert await owed.run() == 1
        assert await town.till.owed(shares, dollar) == left
    assert (await town.balances())["first shares"] == 250


async def test_the_job_gives_its_lease_back(town, settlement_world, time):
    await defer(town, settlement_world)
    await settlement_world.pardon(town)
    owed = owed_of(town, time)
    job = asyncio.create_task(run_job(Job("owed", owed.run, 0.05, owed.lease.release)))
    async with asyncio.timeout(PATIENCE):
        while await town.till.total_owed(town.place.dollar):
            await asyncio.sleep(0.05)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    async with town.database.snapshot() as unit:
        assert [row.name for row in await unit.rows(select(leases)) if row.name.startswith("owed")] == []
