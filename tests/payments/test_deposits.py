"""A deposit is sent once, and refused with the reason when it cannot be made."""

import asyncio

import pytest

from usufruct.core import ChainId
from usufruct.payments import (
    ChannelRefused,
    DepositExpired,
    DepositPending,
    DepositRefused,
    DepositUnfunded,
    DepositUsed,
    DepositWrongChain,
    DepositWrongToken,
    deposit_due,
)


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


async def test_a_second_deposit_with_another_salt_adds_up(town):
    await town.deposit(5_000)
    await town.deposit(700, salt=2)
    assert (await town.ledger.channel(town.channel())).reading.balance == 5_700


async def test_an_expired_authorization_is_refused(town):
    with pytest.raises(DepositExpired) as refused:
        await town.deposits.submit(await town.authorization(5_000, valid_before=1_000))
    assert refused.value.details["valid_before"] == 1_000


async def test_another_chain_is_refused(town):
    with pytest.raises(DepositWrongChain) as refused:
        await town.deposits.submit(await town.authorization(5_000, chain_id=ChainId(8453)))
    assert refused.value.details == {"chain_id": 8453, "expected": 31337}


async def test_another_token_is_refused(town):
    config = town.config(token="0x" + "99" * 20)
    with pytest.raises(DepositWrongToken):
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
    assert (await town.observer.open(deposit.config)).reading.balance == 5_000


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
    town = make_town(wait_seconds=0.1)
    await town.observer.open(town.config())
    await town.devnet.set_automine(on=False)
    with pytest.raises(DepositPending):
        await town.deposits.submit(await town.authorization(5_000))
    await town.devnet.mine()

    loop = asyncio.create_task(deposit_due(town.deposits, poll_seconds=0.01))
    await asyncio.sleep(1.0)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert await town.ledger.pending_deposits() == []
    await town.watcher.poll()
    assert (await town.ledger.channel(town.channel())).reading.balance == 5_000
