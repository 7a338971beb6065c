"""What every ledger does with calls: reserve, serve, meter, release, expire. Runs on SQLite and on PostgreSQL."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from usufruct.config import LedgerConfig
from usufruct.core import UINT128_MAX, UINT256_MAX, Faulty, PaymentRequired, id_to_bytes
from usufruct.payments.ledger.errors import (
    AccountUnknown,
    BalanceTooLow,
    CallLost,
    CallUnknown,
    KeyMismatch,
    LimitReached,
    StillRunning,
    VoucherTooLow,
)
from usufruct.payments.ledger.records import CallState, Lease, Opened, Replay
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.store import ConstraintViolated, Database, DatabaseUnavailable, Seal, Unsealable, open_database
from usufruct.store.errors import AmountOutOfRange

SEAL = Seal(b"a secret of these tests", "stored answers")


async def let_lease_end(database: Database, call: str) -> None:
    """Move a lease's end into the past: the database's clock cannot be moved on."""
    async with database.transaction() as unit:
        assert (
            await unit.change(text("UPDATE calls SET lease_until = 0 WHERE id = :id"), {"id": id_to_bytes(call)}) == 1
        )


async def reserved(ledger: Ledger, world: ModuleType, call: object, ceiling: int, **options: object) -> Opened:
    answer = await world.open_call(ledger, world.reservation(call, ceiling, **options))
    assert isinstance(answer, Opened)
    return answer


async def test_a_call_reserves_its_ceiling_and_is_charged_its_price(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    first = await reserved(ledger, world, "a", 300, promise=300)
    assert (first.account.reserved, first.account.charged, first.account.free) == (300, 0, 700)
    assert first.account.voucher == world.voucher(300)
    assert (await ledger.call(first.lease.call)).state is CallState.OPEN
    call = await ledger.meter(first.lease, world.bill(120))
    assert (call.state, call.bill, call.cumulative) == (CallState.METERED, world.bill(120), 120)
    assert call == await ledger.call(first.lease.call)
    channel = await ledger.account(first.lease.account)
    assert (channel.reserved, channel.charged, channel.free) == (0, 120, 880)


async def test_amounts_reach_the_end_of_their_range(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(UINT256_MAX))
    lease = (await reserved(ledger, world, "a", UINT128_MAX, promise=UINT128_MAX)).lease
    call = await ledger.meter(lease, world.bill(UINT128_MAX))
    assert call.cumulative == UINT128_MAX
    channel = await ledger.account(lease.account)
    assert (channel.reading.balance, channel.charged) == (UINT256_MAX, UINT128_MAX)
    assert channel.free == UINT256_MAX - UINT128_MAX


async def test_what_no_column_can_hold_is_refused_and_changes_nothing(ledger: Ledger, world: ModuleType):
    with pytest.raises(AmountOutOfRange):
        await ledger.observe(world.reading(UINT256_MAX + 1))
    with pytest.raises(AccountUnknown):
        await ledger.account(world.channel())


async def test_calls_run_side_by_side_on_one_channel(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    one = await reserved(ledger, world, "a", 300, promise=300)
    two = await reserved(ledger, world, "b", 300, promise=600)
    assert two.account.reserved == 600
    assert (await ledger.meter(two.lease, world.bill(100))).cumulative == 100
    assert (await ledger.meter(one.lease, world.bill(50))).cumulative == 150


@pytest.mark.parametrize("promise", [450, 451, 1000])
async def test_any_voucher_that_covers_is_accepted_not_only_an_equal_one(
    ledger: Ledger, world: ModuleType, promise: int
):
    await ledger.observe(world.reading(1000))
    first = await reserved(ledger, world, "a", 100, promise=100)
    await ledger.meter(first.lease, world.bill(50))
    await reserved(ledger, world, "b", 200, promise=250)
    assert (await reserved(ledger, world, "c", 200, promise=promise)).account.voucher == world.voucher(promise)


async def test_the_best_voucher_is_kept_when_a_lower_one_covers(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    await reserved(ledger, world, "a", 10, promise=900)
    assert (await reserved(ledger, world, "b", 10, promise=20)).account.voucher == world.voucher(900)


async def test_a_voucher_that_does_not_cover_is_refused_with_the_numbers(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000, claimed=0))
    first = await reserved(ledger, world, "a", 100, promise=100)
    await ledger.meter(first.lease, world.bill(40))
    await reserved(ledger, world, "b", 200, promise=240)
    with pytest.raises(VoucherTooLow) as caught:
        await world.open_call(ledger, world.reservation("c", 60, promise=299))
    assert caught.value.status == 402
    assert caught.value.code == "cumulative_amount_mismatch"
    assert caught.value.details == {
        "offered": 299,
        "needed": 300,
        "charged": 40,
        "reserved": 200,
        "ceiling": 60,
        "balance": 1000,
        "total_claimed": 0,
        "signed_max_claimable": 240,
        "signature": "0x" + world.voucher(240).signature.hex(),
    }
    assert await ledger.call(world.named("c")) is None


async def test_a_voucher_over_the_balance_is_refused(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    with pytest.raises(PaymentRequired, match="but the account holds") as caught:
        await world.open_call(ledger, world.reservation("a", 60, promise=1001))
    assert (caught.value.details["offered"], caught.value.details["balance"]) == (1001, 1000)


@pytest.mark.parametrize("promise", [None, 60, 1000])
async def test_more_than_the_balance_is_refused(ledger: Ledger, world: ModuleType, promise: int | None):
    await ledger.observe(world.reading(1000))
    await reserved(ledger, world, "a", 950, promise=950)
    with pytest.raises(BalanceTooLow, match="10 more must be paid in") as caught:
        await world.open_call(ledger, world.reservation("b", 60, promise=promise))
    assert (caught.value.details["needed"], caught.value.details["balance"]) == (1010, 1000)


async def test_a_bearer_keys_session_signs_exactly_what_is_needed(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    assert (await reserved(ledger, world, "a", 100)).account.voucher == world.voucher(100)
    assert (await reserved(ledger, world, "b", 250)).account.voucher == world.voucher(350)


async def test_a_bearer_keys_session_does_not_sign_what_is_covered(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    first = await reserved(ledger, world, "a", 300)
    await ledger.release(first.lease, "upstream_failed")
    assert (await reserved(ledger, world, "b", 200)).account.voucher == world.voucher(300)


async def test_an_unknown_channel_is_refused(ledger: Ledger, world: ModuleType):
    with pytest.raises(AccountUnknown, match="deposit"):
        await world.open_call(ledger, world.reservation("a", 1, promise=1))


async def test_a_channel_being_withdrawn_from_takes_no_new_call_but_bills_the_open_ones(
    ledger: Ledger, world: ModuleType
):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=100)).lease
    await ledger.observe(world.reading(1000, block=2, withdraw_at=1_800_000_000))
    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await world.open_call(ledger, world.reservation("b", 1, promise=1000))
    assert (await ledger.meter(lease, world.bill(70))).cumulative == 70
    await ledger.observe(world.reading(1000, block=3))
    await reserved(ledger, world, "c", 1, promise=1000)


async def test_what_a_session_key_announced_stops_no_call_that_can_be_claimed_in_time(
    ledger: Ledger, world: ModuleType
):
    """Before `serve_until` all of the balance can be claimed; after it, what was announced may be gone."""
    now = int(time.time())  # the ledger's clock is the database's
    reading = world.reading(1000, block=2, withdraw_at=now - 60, leaving=400)
    await ledger.observe(replace(reading, serve_until=now + 3_600))
    first = await reserved(ledger, world, "a", 900)
    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await world.open_call(ledger, world.reservation("b", 1, promise=1000))

    await ledger.observe(replace(reading, block=3, serve_until=now - 3_600))
    with pytest.raises(BalanceTooLow) as refusal:
        await world.open_call(ledger, world.reservation("c", 1))
    assert refusal.value.details["balance"] == 600
    await ledger.release(first.lease, "upstream_failed")
    await reserved(ledger, world, "d", 600)


async def test_what_the_payer_announced_stops_a_session_keys_calls(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000, block=2, withdraw_at=1_800_000_000, leaving=1))
    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await world.open_call(ledger, world.reservation("a", 1))


async def test_a_charge_over_the_ceiling_is_refused_and_bills_nothing(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=1000)).lease
    for charge in (101, -1):
        with pytest.raises(Faulty, match="passes the ceiling"):
            await ledger.meter(lease, world.bill(charge))
    assert (await ledger.account(lease.account)).charged == 0
    assert (await ledger.meter(lease, world.bill(100))).cumulative == 100


async def test_a_step_asked_for_twice_is_taken_once(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    request = world.reservation("a", 100, promise=100)
    first = await world.open_call(ledger, request)
    assert await world.open_call(ledger, request) == first
    assert await ledger.meter(first.lease, world.bill(30)) == await ledger.meter(first.lease, world.bill(30))
    assert (await ledger.account(first.lease.account)).charged == 30
    second = (await reserved(ledger, world, "b", 100, promise=130)).lease
    assert await ledger.release(second, "x") == await ledger.release(second, "x")
    assert (await ledger.account(first.lease.account)).reserved == 0


async def test_final_is_final(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    metered = (await reserved(ledger, world, "a", 100, promise=100)).lease
    await ledger.meter(metered, world.bill(30))
    released = (await reserved(ledger, world, "b", 100, promise=200)).lease
    await ledger.release(released, "upstream_failed")
    for step in (
        lambda: ledger.meter(metered, world.bill(31)),
        lambda: ledger.release(metered, "x"),
        lambda: ledger.meter(released, world.bill(1)),
        lambda: world.open_call(ledger, world.reservation("a", 100, promise=1000)),
        lambda: world.open_call(ledger, world.reservation("b", 100, promise=1000)),
    ):
        with pytest.raises(CallLost):
            await step()
    assert (await ledger.account(metered.account)).charged == 30


async def test_a_call_id_cannot_be_used_for_another_ceiling(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    await reserved(ledger, world, "a", 100, promise=1000)
    with pytest.raises(CallLost):
        await world.open_call(ledger, world.reservation("a", 50, promise=1000))


async def test_a_lease_of_another_epoch_bills_nothing(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=1000)).lease
    forged = Lease(lease.call, lease.account, lease.epoch + 1)
    for step in (
        lambda: ledger.meter(forged, world.bill(1)),
        lambda: ledger.release(forged, "x"),
    ):
        with pytest.raises(CallLost):
            await step()
    with pytest.raises(CallUnknown):
        await ledger.meter(Lease(world.named("nobody"), lease.account, 1), world.bill(1))


async def test_a_callers_limit_counts_what_others_were_charged_and_hold(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    await reserved(ledger, world, "a", 90)
    limited = replace(world.reservation("b", 20), limit=100)
    with pytest.raises(LimitReached) as caught:
        await world.open_call(ledger, limited)
    assert caught.value.details == {"limit": 100, "needed": 110, "left": 10}
    assert isinstance(await world.open_call(ledger, replace(limited, limit=110)), Opened)


async def test_a_call_without_sign_of_life_is_released_and_its_late_replica_bills_nothing(
    ledger: Ledger, world: ModuleType, database: Database
):
    await ledger.observe(world.reading(1000))
    dead, alive = [(await reserved(ledger, world, call, 100, promise=1000)).lease for call in "ab"]
    assert await ledger.expire() == 0
    await let_lease_end(database, dead.call)
    assert await ledger.expire() == 1
    assert await ledger.expire() == 0
    call = await ledger.call(dead.call)
    assert (call.state, call.reason, call.bill) == (CallState.RELEASED, "lease_ended", None)
    for step in (
        lambda: ledger.meter(dead, world.bill(1)),
        lambda: ledger.release(dead, "x"),
    ):
        with pytest.raises(CallLost):
            await step()
    channel = await ledger.account(dead.account)
    assert (channel.charged, channel.reserved) == (0, 100)
    await ledger.meter(alive, world.bill(9))


async def test_a_renewed_lease_lives_on_and_tells_what_was_lost(ledger: Ledger, world: ModuleType, database: Database):
    other = open_ledger(database, LedgerConfig(), seal=SEAL)
    await ledger.observe(world.reading(1000))
    mine, lost = [(await reserved(ledger, world, call, 10, promise=1000)).lease for call in "ab"]
    theirs = (await reserved(other, world, "c", 10, promise=1000)).lease
    for call in (mine, lost, theirs):
        await let_lease_end(database, call.call)
    await ledger.release(lost, "x")
    assert await ledger.renew() == {mine.call}
    assert await ledger.expire() == 1
    assert (await ledger.call(mine.call)).state is CallState.OPEN
    assert (await ledger.call(theirs.call)).state is CallState.RELEASED
    assert await other.renew() == frozenset()
    await other.close()


async def test_a_lease_renewed_after_it_was_found_lapsed_is_left_alone(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 10, promise=1000)).lease
    assert await ledger._expire(lease) is False
    assert (await ledger.meter(lease, world.bill(3))).cumulative == 3


async def test_a_thousand_calls_at_once_do_not_overspend_one_budget(
    ledger: Ledger, world: ModuleType, database: Database
):
    """Two replicas, 1,000 calls of 10 on a balance of 3,000: 300 get in, whatever the order."""
    other = open_ledger(database, LedgerConfig(), seal=SEAL)
    await ledger.observe(world.reading(3000))
    results = await asyncio.gather(
        *(world.open_call((ledger, other)[i % 2], world.reservation(i, 10)) for i in range(1000)),
        return_exceptions=True,
    )
    admitted = [result for result in results if isinstance(result, Opened)]
    assert len(admitted) == 300
    assert all(isinstance(result, BalanceTooLow) for result in results if not isinstance(result, Opened))
    bills = await asyncio.gather(*(ledger.meter(each.lease, world.bill(10)) for each in admitted))
    assert sorted(bill.cumulative for bill in bills) == list(range(10, 3001, 10))
    channel = await other.account(world.channel())
    assert (channel.charged, channel.reserved, channel.free) == (3000, 0, 0)
    assert channel.voucher.max_claimable == 3000
    await other.close()


async def test_what_is_queued_is_committed_together(ledger: Ledger, world: ModuleType, database: Database):
    commits: list[str] = []
    grouping = open_ledger(database, LedgerConfig(), seal=SEAL, faults=lambda name: commits.append(name))
    await ledger.observe(world.reading(100_000))
    await asyncio.gather(*(world.open_call(grouping, world.reservation(i, 10)) for i in range(300)))
    assert (await ledger.account(world.channel())).reserved == 3000
    assert commits.count("open.0") == 300
    assert 1 <= commits.count("commit.after") <= 30
    await grouping.close()


async def test_one_bad_call_leaves_its_neighbours_in_the_same_commit_alone(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=1000)).lease
    results = await asyncio.gather(
        world.open_call(ledger, world.reservation("b", 10, promise=1000)),
        world.open_call(ledger, world.reservation("c", 10, "nowhere", promise=10)),
        ledger.meter(lease, world.bill(101)),
        world.open_call(ledger, world.reservation("d" * 3, 10, promise=1000)),
        ledger.meter(lease, world.bill(7)),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == [
        "Opened",
        "AccountUnknown",
        "Faulty",
        "Opened",
        "Call",
    ]
    assert (await ledger.account(lease.account)).charged == 7


async def test_a_broken_verb_hurts_nobody_else_and_a_closed_ledger_says_so(
    ledger: Ledger, world: ModuleType, database: Database
):
    await ledger.observe(world.reading(1000))
    broken = replace(world.reservation("x", 10, promise=1000), price_card_version=object())
    wrong, right = await asyncio.gather(
        world.open_call(ledger, broken),
        world.open_call(ledger, world.reservation("a", 10, promise=1000)),
        return_exceptions=True,
    )
    assert isinstance(wrong, Exception)
    assert isinstance(right, Opened)
    other = open_ledger(database, LedgerConfig(), seal=SEAL)
    await other.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await other.renew()


@pytest.mark.postgres
async def test_a_server_that_drops_us_is_connected_to_again_and_nothing_counts_twice(databases: Any, world: ModuleType):
    database = open_database(await asyncio.to_thread(databases.migrated, "postgresql"))
    ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
    await ledger.observe(world.reading(1000))
    request = world.reservation("a", 100, promise=1000)
    lease = (await world.open_call(ledger, request)).lease
    async with database.snapshot() as unit:
        await unit.rows(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    with suppress(DatabaseUnavailable):  # or the drop was seen before, and a new connection made
        await ledger.meter(lease, world.bill(40))
    assert (await ledger.meter(lease, world.bill(40))).cumulative == 40
    assert await ledger.audit() == []
    await ledger.close()
    await database.close()


async def test_a_cancelled_caller_leaves_a_call_that_its_lease_ends(
    ledger: Ledger, world: ModuleType, database: Database
):
    await ledger.observe(world.reading(1000))
    task = asyncio.create_task(world.open_call(ledger, world.reservation("a", 100, promise=1000)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await reserved(ledger, world, "b", 10, promise=1000)
    if await ledger.call(world.named("a")) is not None:
        await let_lease_end(database, world.named("a"))
        assert await ledger.expire() == 1
    assert (await ledger.account(world.channel())).reserved == 10


# Idempotency keys


async def test_a_call_that_is_opened_and_let_go_at_once_gives_its_key_back(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    request = world.reservation("a", 100, promise=100, key="k")
    _, released = await asyncio.gather(
        ledger.open(request), ledger.release(Lease(request.call, request.account, 1), "unknown")
    )
    assert released.state is CallState.RELEASED
    assert isinstance(await world.open_call(ledger, world.reservation("b", 100, promise=100, key="k")), Opened)


async def test_one_key_on_two_channels_through_two_replicas_is_taken_once(
    ledger: Ledger, database: Database, world: ModuleType
):
    for name in (0, 1):
        await ledger.observe(world.reading(1000, name))
    other = open_ledger(database, LedgerConfig(), seal=SEAL)
    found = []
    for key in map(str, range(8)):
        found += await asyncio.gather(
            world.open_call(ledger, world.reservation(f"a{key}", 10, 0, key=key)),
            world.open_call(other, world.reservation(f"b{key}", 10, 1, key=key)),
            return_exceptions=True,
        )
    await other.close()
    assert sorted(type(each).__name__ for each in found) == ["Opened"] * 8 + ["StillRunning"] * 8


async def test_the_same_request_gets_the_stored_answer_and_no_second_bill(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=100, key="k")).lease
    with pytest.raises(StillRunning) as running:
        await world.open_call(ledger, world.reservation("b", 100, promise=1000, key="k"))
    assert running.value.status == 425
    with pytest.raises(KeyMismatch) as mismatch:
        await world.open_call(ledger, world.reservation("b", 100, promise=1000, key="k", body="another"))
    assert mismatch.value.status == 422
    await ledger.meter(lease, world.bill(30), b"the answer")
    assert await world.open_call(ledger, world.reservation("c", 100, key="k")) == Replay(lease.call, b"the answer")
    with pytest.raises(KeyMismatch):
        await world.open_call(ledger, world.reservation("c", 100, promise=1000, key="k", body="another"))
    channel = await ledger.account(lease.account)
    assert (channel.charged, channel.reserved) == (30, 0)


async def test_a_replay_needs_neither_money_nor_voucher(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(100))
    lease = (await reserved(ledger, world, "a", 100, promise=100, key="k")).lease
    await ledger.meter(lease, world.bill(100), b"x")
    await ledger.observe(world.reading(100, block=2, withdraw_at=1_800_000_000))
    assert isinstance(await world.open_call(ledger, world.reservation("b", 100, promise=1, key="k")), Replay)


async def test_a_released_call_gives_its_key_back(ledger: Ledger, world: ModuleType, database: Database):
    await ledger.observe(world.reading(1000))
    first = (await reserved(ledger, world, "a", 100, promise=100, key="k")).lease
    await ledger.release(first, "upstream_failed")
    second = (await reserved(ledger, world, "b", 100, promise=100, key="k")).lease
    await let_lease_end(database, second.call)
    await ledger.expire()
    third = (await reserved(ledger, world, "c", 100, promise=100, key="k", body="changed")).lease
    await ledger.meter(third, world.bill(1), b"")
    assert await world.open_call(ledger, world.reservation("d", 100, key="k", body="changed")) == Replay(
        third.call, b""
    )


async def test_a_call_with_a_key_is_not_metered_without_its_answer(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=100, key="k")).lease
    with pytest.raises(Faulty, match="with the answer to keep"):
        await ledger.meter(lease, world.bill(1))
    await ledger.meter(lease, world.bill(1), b"answer")


async def test_keys_belong_to_a_payer_and_end_with_their_time(ledger: Ledger, world: ModuleType, database: Database):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=100, key="k")).lease
    await ledger.meter(lease, world.bill(1), b"answer")
    assert await ledger.forget_answers() == 0
    async with database.transaction() as unit:
        await unit.change(text("UPDATE answers SET expires_at = 0"))
    await reserved(ledger, world, "b", 100, promise=200, key="k", body="another")
    assert await ledger.forget_answers() == 0
    await ledger.release(Lease(world.named("b"), lease.account, 1), "x")


async def test_a_replay_is_found_by_account_and_key_and_opens_nothing(
    ledger: Ledger, world: ModuleType, database: Database
):
    request = world.reservation("a", 100, promise=100, key="k")
    key, other = request.idempotency, world.reservation("b", 1, key="k", body="another").idempotency
    assert await ledger.find_replay(request.account, key) is None  # an account that was never seen
    await ledger.observe(world.reading(1000))
    await ledger.observe(world.reading(1000, 1))
    assert await ledger.find_replay(request.account, key, 100) is None
    lease = (await reserved(ledger, world, "a", 100, promise=100, key="k")).lease
    with pytest.raises(StillRunning):
        await ledger.find_replay(request.account, key)
    await ledger.meter(lease, world.bill(1), b"the answer")
    assert await ledger.find_replay(request.account, key) == Replay(lease.call, b"the answer")
    with pytest.raises(KeyMismatch):
        await ledger.find_replay(request.account, other)
    assert (await ledger.account(request.account)).reserved == 0
    async with database.transaction() as unit:
        await unit.change(text("UPDATE answers SET expires_at = 0"))
    assert await ledger.find_replay(request.account, key) is None


async def test_answers_are_encrypted_and_need_the_same_secret(ledger: Ledger, world: ModuleType, database: Database):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=100, key="k")).lease
    await ledger.meter(lease, world.bill(1), b"the plain answer")
    async with database.snapshot() as unit:
        assert b"plain" not in bytes((await unit.row(text("SELECT sealed FROM answers")))[0])
    stranger = open_ledger(database, LedgerConfig(), seal=Seal(b"another secret, as long", "stored answers"))
    with pytest.raises(Unsealable, match="secret"):
        await stranger.open(world.reservation("b", 100, key="k"))
    await stranger.close()


# What the schema itself refuses


@pytest.mark.parametrize(
    "sabotage",
    [
        "UPDATE entries SET amount = amount",
        "DELETE FROM entries",
        "UPDATE calls SET state = 'open', charge = NULL, cumulative = NULL",
        "UPDATE calls SET charge = NULL",
        "UPDATE calls SET cumulative = ceiling",
        "UPDATE accounts SET total_claimed = balance",
        "INSERT INTO entries (account_id, debit, credit, amount, at) "
        "SELECT id, 'paid', 'paid', charged, 0 FROM accounts",
    ],
)
async def test_the_schema_refuses_what_must_never_happen(
    ledger: Ledger, world: ModuleType, database: Database, sabotage: str
):
    await ledger.observe(world.reading(1000))
    await ledger.meter((await reserved(ledger, world, "a", 100, promise=100)).lease, world.bill(60))
    with pytest.raises(ConstraintViolated):
        async with database.transaction() as unit:
            await unit.rows(text(sabotage))


async def test_charged_calls_are_read_in_the_order_of_spending(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    lease = (await reserved(ledger, world, "a", 100, promise=100)).lease
    await ledger.meter(lease, world.bill(60))
    assert await ledger.metered(lease.account) == [await ledger.call(lease.call)]
    assert await ledger.metered(lease.account, after=60) == []
