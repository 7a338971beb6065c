"""Unused money goes back: on request, or when its payer is done; never what is charged or reserved."""

import asyncio

import pytest

from tests.support.aging import age
from tests.support.refusal import refused
from tests.support.waiting import until
from usufruct.core.jobs import Job, run_job
from usufruct.payments.ledger.errors import BalanceTooLow
from usufruct.payments.settlement.errors import NothingToRefund
from usufruct.payments.settlement.model import ClaimPolicy


async def test_free_money_goes_back_on_request_and_what_is_charged_stays(town):
    await town.deposit(5_000)
    await town.call(1, 300)
    refunded = await town.refunds.refund(town.channel())
    channel = refunded.channel

    assert (channel.reading.balance, channel.free, channel.refunding) == (300, 0, 0)
    assert (await town.balances())["payer"] == 1000 * 10**6 - 300
    await town.claimer.run()
    assert (await town.balances())["first shares"] == 300
    with pytest.raises(NothingToRefund):
        await town.refunds.refund(town.channel())


async def test_a_running_call_keeps_what_it_reserved(town):
    await town.deposit(5_000)
    await town.reserve(1, 1_200)
    refunded = await town.refunds.refund(town.channel())
    channel = refunded.channel
    assert (channel.reading.balance, channel.reserved) == (1_200, 1_200)


async def test_nobody_can_spend_what_is_being_refunded(make_town):
    town = make_town()
    await town.deposit(5_000)
    await town.devnet.set_automine(on=False)
    town.wait_for_the_chain(seconds=0.1)
    with refused("refund_pending"):
        await town.refunds.refund(town.channel())
    with pytest.raises(BalanceTooLow):
        await town.reserve(1, 1)

    await town.devnet.mine()
    town.wait_for_the_chain()
    assert await town.refunds.run() == 1
    assert (await town.balances())["settlement"] == 0


async def test_a_payer_who_leaves_is_refunded_without_asking(town):
    await town.deposit(50_000, "leaving")
    await town.deposit(50_000, "staying", salt=2)
    town.leavers.channels = [town.channel("leaving")]
    assert await town.refunds.run() == 1
    assert (await town.ledger.account(town.channel("leaving"))).reading.balance == 0
    assert (await town.ledger.account(town.channel("staying"))).reading.balance == 50_000


async def test_a_payer_who_leaves_may_finish(make_town):
    town = make_town(idle_seconds=3_600)
    await town.deposit(50_000)
    await town.call(1, 300)
    town.leavers.channels = [town.channel()]
    assert await town.refunds.run() == 0


async def test_forgotten_money_goes_back(make_town):
    town = make_town(forgotten_seconds=3_600)
    await town.deposit(50_000)
    assert await town.refunds.run() == 0
    await age(town.database, 3_600)
    assert await town.refunds.run() == 1
    assert (await town.balances())["settlement"] == 0


async def test_small_change_is_not_worth_the_gas_unless_asked_for(town):
    await town.deposit(9_999)
    town.leavers.channels = [town.channel()]
    assert await town.refunds.run() == 0
    await town.refunds.refund(town.channel())
    assert (await town.balances())["settlement"] == 0


async def test_a_refund_noted_and_never_sent_is_sent_by_the_next_run(town):
    await town.deposit(5_000)
    await town.ledger.plan_refund(town.channel(), 0, 5_000, "refund/interrupted")
    assert await town.refunds.run() == 1
    assert (await town.balances())["settlement"] == 0


async def test_a_refund_the_till_refuses_leaves_the_money_free(town, settlement_world):
    await town.deposit(50_000)
    town.leavers.channels = [town.channel()]
    removal = town.till.set_claim_key(settlement_world.CLAIM_KEY.address, False)
    await town.act(settlement_world.OWNER.address, removal)
    assert await town.refunds.run() == 0
    assert (await town.ledger.account(town.channel())).free == 50_000


async def test_claim_and_refund_of_one_channel_at_the_same_time(make_town):
    town = make_town(policy=ClaimPolicy(threshold=1, wait_seconds=60))
    await town.deposit(50_000)
    await town.call(1, 300)
    await asyncio.gather(town.claimer.run(), town.refunds.refund(town.channel()))
    balances = await town.balances()
    assert (balances["first shares"], balances["settlement"], balances["payer"]) == (300, 0, 1000 * 10**6 - 300)


async def test_the_loop_refunds(town):
    await town.deposit(50_000)
    town.leavers.channels = [town.channel()]
    loop = asyncio.create_task(run_job(Job("refund", town.refunds.run, 0.01)))

    async def refunded() -> bool:
        return (await town.balances())["settlement"] == 0

    await until(refunded)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


async def test_asked_again_a_refund_that_is_begun_is_finished(make_town):
    town = make_town(cooling_seconds=0)
    await town.deposit(5_000)
    await age(town.database, 1)
    await town.devnet.set_automine(on=False)
    town.wait_for_the_chain(seconds=0.1)
    for _ in range(2):
        with refused("refund_pending"):
            await town.refunds.request(town.channel())
    await town.devnet.mine()
    town.wait_for_the_chain()
    refunded = await town.refunds.request(town.channel())
    assert (refunded.amount, refunded.channel.reading.balance) == (5_000, 0)
    assert (await town.balances())["settlement"] == 0
