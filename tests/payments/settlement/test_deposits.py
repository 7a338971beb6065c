"""A deposit is sent once, and refused with the reason when it cannot be made."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.aging import age
from tests.support.waiting import until
from usufruct.chain import RpcUnavailable
from usufruct.chain.rpc_errors import NodeBusy, RpcRefused
from usufruct.core import ChainId, PaymentRequired
from usufruct.core.jobs import Job, run_job
from usufruct.payments.ledger.errors import WrongState
from usufruct.payments.ledger.service import new_id
from usufruct.payments.ledger.transfers import MOST_DEPOSITS
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.errors import (
    DepositExpired,
    DepositPending,
    DepositRefused,
    DepositUnfunded,
    DepositUsed,
)
from usufruct.payments.settlement.operator_terms import ChannelRefused


async def test_a_deposit_opens_the_channel_with_its_money(town):
    channel = await town.deposits.submit(await town.authorization(5_000))

    assert channel.reading.balance == 5_000
    assert channel.free == 5_000
    assert (await town.balances())["settlement"] == 5_000


async def test_handed_in_twice_at_once_and_again_it_counts_once(town):
    deposit = await town.authorization(5_000)
    await asyncio.gather(town.deposits.submit(deposit), town.deposits.submit(deposit))
    again = await town.deposits.submit(deposit)

    assert again.reading.balance == 5_000
    assert (await town.balances())["payer"] == 1000 * 10**6 - 5_000


@pytest.mark.parametrize(
    "failure",
    [
        NodeBusy("node.example takes no more requests now"),
        RpcRefused("eth_estimateGas", -32000, "insufficient funds for gas * price + value"),
        RpcUnavailable("node.example does not answer"),
    ],
)
async def test_a_node_that_keeps_us_from_sending_costs_the_payer_nothing_and_holds_nothing_up(town, failure):
    """The payer may sign anew at once, as often as it takes: no two minutes, no limit of tries."""
    estimate = town.client.estimate

    async def failing(*_: object) -> int:
        raise failure

    for salt in range(MOST_DEPOSITS + 2):
        town.client.estimate = failing
        with pytest.raises(type(failure)) as caught:
            await town.deposits.submit(await town.authorization(5_000, salt=salt))
        assert caught.value.status == 503
        assert await town.ledger.pending_deposits() == []
    town.client.estimate = estimate
    channel = await town.deposits.submit(await town.authorization(5_000, salt=99))
    assert channel.reading.balance == 5_000


async def test_a_second_deposit_with_another_salt_adds_up(town):
    await town.deposit(5_000)
    await town.deposit(700, salt=2)
    assert (await town.ledger.account(town.channel())).reading.balance == 5_700


async def test_an_expired_authorization_is_refused(town):
    with pytest.raises(DepositExpired) as refused:
        await town.deposits.submit(await town.authorization(5_000, valid_before=1_000))
    assert refused.value.details["valid_before"] == 1_000


async def test_another_chain_is_refused(town):
    with pytest.raises(DepositRefused):
        await town.deposits.submit(await town.authorization(5_000, chain_id=ChainId(8453)))


async def test_another_token_is_refused(town):
    config = town.config(token="0x" + "99" * 20)
    with pytest.raises(PaymentRequired, match="deposit one of"):
        await town.deposits.submit(await town.authorization(5_000, config=config))


async def test_more_than_the_payer_holds_is_refused_with_the_numbers(town):
    with pytest.raises(DepositUnfunded) as refused:
        await town.deposits.submit(await town.authorization(1001 * 10**6))
    assert refused.value.details == {"held": 1000 * 10**6, "amount": 1001 * 10**6}


async def test_an_authorization_used_by_somebody_else_is_refused(town, settlement_world):
    deposit = await town.authorization(5_000)
    call = town.settlement.deposit(
        settlement_world.on_chain(deposit.config), 5_000, settlement_world.COLLECTOR, deposit.collector_data()
    )
    await town.act(settlement_world.STRANGER.address, call)

    with pytest.raises(DepositUsed):
        await town.deposits.submit(deposit)
    assert (await town.sync.open_channel(deposit.config)).reading.balance == 5_000


async def test_a_signature_over_another_amount_is_refused_and_can_be_handed_in_corrected(town):
    with pytest.raises(DepositRefused):
        await town.deposits.submit(await town.authorization(5_000, signed_amount=4_999))
    assert (await town.deposits.submit(await town.authorization(5_000))).reading.balance == 5_000


async def test_a_deposit_that_is_not_mined_in_time_is_pending_and_then_counts_once(make_town):
    town = make_town(wait_seconds=0.1)
    deposit = await town.authorization(5_000)
    await town.devnet.set_automine(on=False)
    with pytest.raises(DepositPending):
        await town.deposits.submit(deposit)
    with pytest.raises(DepositPending):
        await town.deposits.submit(deposit)
    await town.devnet.mine()
    town.wait_for_the_chain()
    assert (await town.deposits.submit(deposit)).reading.balance == 5_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("withdraw_delay", 86_399),
        ("payer_authorizer", "0x" + "00" * 20),
        ("receiver", "0x" + "12" * 20),
        ("receiver_authorizer", "0x" + "12" * 20),
    ],
)
async def test_a_channel_against_the_terms_is_refused_before_anything_is_sent(town, field, value):
    with pytest.raises(ChannelRefused):
        await town.deposits.submit(await town.authorization(5_000, config=town.config(**{field: value})))
    assert (await town.balances())["settlement"] == 0


async def test_a_deposit_nobody_asks_about_again_is_finished_all_the_same(make_town):
    """The first deposit of a channel too: its money is seen, and given back, although the payer never returns."""
    town = make_town(wait_seconds=0.1)
    await town.devnet.set_automine(on=False)
    with pytest.raises(DepositPending):
        await town.deposits.submit(await town.authorization(5_000))
    await town.devnet.mine()

    async def no_deposit_is_pending() -> bool:
        return await town.ledger.pending_deposits() == []

    loop = asyncio.create_task(run_job(Job("deposit", town.deposits.run, 0.01)))
    await until(no_deposit_is_pending)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert (await town.ledger.account(town.channel())).reading.balance == 5_000


class Stage:
    """Two processes that hand in the same deposit, and where each waits for the other."""

    def __init__(self, town, settlement_world):
        self.sender = town.sender(settlement_world.RELAYER)
        self.other = Deposits(town.context, self.sender, town.sync, wait_seconds=60)
        self.planned, self.about_to_simulate, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        simulate, send = self.sender.simulate, town.relayer.send

        async def slow_simulate(call):
            self.about_to_simulate.set()
            await self.go_on.wait()
            return await simulate(call)

        async def slow_send(*arguments, **options):
            self.planned.set()
            await self.about_to_simulate.wait()
            sent = await send(*arguments, **options)
            await town.relayer.wait(arguments[1], 60)
            self.go_on.set()
            return sent

        self.sender.simulate, town.relayer.send = slow_simulate, slow_send

    async def second(self, deposit):
        await self.planned.wait()
        return await self.other.submit(deposit)


async def test_who_comes_second_is_not_told_to_sign_another(town, settlement_world):
    """The first one's transaction is mined while the second one looks whether the chain would take it."""
    deposit, stage = await town.authorization(5_000), Stage(town, settlement_world)
    first, second = await asyncio.gather(town.deposits.submit(deposit), stage.second(deposit))
    assert first.reading.balance == second.reading.balance == 5_000
    made = await town.deposits.made(deposit)
    assert made.amount == 5_000
    assert made.transaction
    assert await town.ledger.last_paid_for(town.channel()) > 0


async def test_one_that_was_given_up_and_made_all_the_same_is_confirmed(town, settlement_world):
    deposit, channel = await town.authorization(5_000), town.channel()
    nonce, send = deposit.nonce(channel), town.relayer.send

    async def given_up_meanwhile(*arguments, **options):
        sent = await send(*arguments, **options)
        await town.ledger.finish_deposit(channel, nonce, confirmed=False)
        return sent

    town.relayer.send = given_up_meanwhile
    await town.deposits.submit(deposit)
    assert (await town.deposits.made(deposit)).amount == 5_000
    with pytest.raises(WrongState):
        await town.ledger.finish_deposit(channel, nonce, confirmed=False)


async def test_a_tried_again_deposit_is_as_fresh_as_a_new_one(town, settlement_world):
    """A worker that looks between plan and outbox must not give it up for its first try's age."""
    deposit, channel = await town.authorization(5_000), town.channel()
    await town.ledger.plan_deposit(channel, deposit.nonce(channel), 4_000, "deposit/x", settlement_world.PAYER.address)
    await town.ledger.finish_deposit(channel, deposit.nonce(channel), confirmed=False)
    await age(town.database, 3_600)
    send, ended = town.relayer.send, []

    async def while_a_worker_looks(*arguments, **options):
        ended.append(await town.deposits.run())
        return await send(*arguments, **options)

    town.relayer.send = while_a_worker_looks
    await town.deposits.submit(deposit)
    assert ended == [0]
    assert (await town.deposits.made(deposit)).amount == 5_000


async def test_one_authorization_is_tried_as_often_as_others_are_made(town, settlement_world):
    channel, payer, nonce = town.channel(), settlement_world.PAYER.address, new_id()
    for number in range(MOST_DEPOSITS):
        await town.ledger.plan_deposit(channel, nonce, 5, f"deposit/{number}", payer)
        await town.ledger.finish_deposit(channel, nonce, confirmed=False)
    for again in (nonce, new_id()):
        with pytest.raises(PaymentRequired, match="deposits in a day"):
            await town.ledger.plan_deposit(channel, again, 5, "deposit/x", payer)
    await town.ledger.plan_deposit(channel, nonce, 5, "deposit/y", settlement_world.STRANGER.address)


async def test_one_that_was_made_may_be_handed_in_for_ever(town):
    head = await town.client.head()
    deposit = await town.authorization(5_000, valid_before=head.timestamp + 60)
    await town.deposits.submit(deposit)
    await town.devnet.pass_time(120)
    assert (await town.deposits.submit(deposit)).reading.balance == 5_000


async def test_killed_between_plan_and_outbox_it_is_sent_when_asked_again(make_town, settlement_world, monkeypatch):
    """Another deposit of the payer waits for it, two minutes at most; junk waits for nothing."""
    town = make_town(wait_seconds=0.1)
    dead, other = await town.authorization(5_000), await town.authorization(700, salt=2)

    async def dies(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(town.relayer, "send", dies)
        with pytest.raises(KeyboardInterrupt):
            await town.deposits.submit(dead)
    with pytest.raises(DepositPending):
        await town.deposits.submit(other)
    town.wait_for_the_chain(seconds=10**6)
    with pytest.raises(DepositRefused):
        await town.deposits.submit(replace(other, signature=b"\x01" * 65))
    with pytest.raises(DepositRefused):
        await town.deposits.submit(replace(dead, signature=b"\x01" * 65))
    assert (await town.deposits.submit(dead)).reading.balance == 5_000
    assert (await town.deposits.submit(other)).reading.balance == 5_700
