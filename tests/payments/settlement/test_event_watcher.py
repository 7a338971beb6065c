"""The ledger follows the chain: what happens there arrives, and what a dropped block said is taken back."""

import asyncio

import pytest

from usufruct.chain import RpcUnavailable
from usufruct.core import PaymentRequired, Unavailable
from usufruct.core.jobs import Job, run_job
from usufruct.payments.settlement.model import ClaimPolicy, on_chain
from usufruct.payments.settlement.operator_terms import ChannelRefused


async def test_deposits_made_by_others_arrive(town):
    await town.deposit(5_000)
    await town.watcher.poll()
    await town.deposit_by_stranger(700)

    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_700


async def test_many_channels_are_read_in_one_block(town):
    configs = [town.config(name) for name in range(130)]
    await town.deposit(300, 7)
    channels = await town.observe(*configs)

    assert {channel.reading.block for channel in channels} == {await town.client.block_number()}
    assert [channel.reading.balance for channel in channels] == [300 if n == 7 else 0 for n in range(130)]


async def test_foreign_channels_are_no_concern(town, settlement_world):
    stranger = settlement_world.STRANGER.address
    config = town.config(receiver=stranger, receiver_authorizer=stranger)
    deposit = await town.authorization(700, config=config)
    call = town.settlement.deposit(
        settlement_world.on_chain(config), 700, settlement_world.COLLECTOR, deposit.collector_data()
    )
    await town.act(stranger, call)
    await town.watcher.poll()

    assert await town.ledger.account_list() == []
    with pytest.raises(ChannelRefused):
        await town.sync.open_channel(config)


async def test_an_announced_withdrawal_closes_the_channel_to_new_calls(town):
    await town.deposit(5_000)
    await town.call("served", 300)
    await town.withdraw(4_000)
    await town.watcher.poll()

    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await town.call("too late", 1)


def hide_newest(town, blocks: int) -> None:
    """Make the node's logs lag its head: what is in its newest blocks is not answered."""
    logs = town.client.logs

    async def lagging(first: int, last: int, **filters: object) -> list[object]:
        seen = await town.client.block_number() - blocks
        return [log for log in await logs(first, last, **filters) if log.block_number <= seen]

    town.client.logs = lagging if blocks else logs


async def test_a_withdrawal_that_the_nodes_logs_hid_is_seen_a_second_later(town):
    await town.deposit(5_000)
    await town.call("served", 300)
    await town.devnet.mine(5)
    await town.watcher.poll()
    shown = town.client.logs
    hide_newest(town, 3)
    await town.withdraw(4_000)
    await town.watcher.poll()
    await town.call("not known yet", 1)

    town.client.logs = shown
    town.clock.advance(1)
    await town.watcher.poll()
    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await town.call("too late", 1)
    assert await town.watcher.indexer.gaps() == 1


async def test_a_withdrawal_whose_logs_never_come_is_seen_by_reading_the_channel(make_town):
    town = make_town(sweep_seconds=0)
    await town.deposit(5_000)
    await town.call("served", 300)
    await town.watcher.poll()
    hide_newest(town, 10**6)
    await town.withdraw(4_000)
    with pytest.raises(Unavailable, match="logs are behind"):
        await town.watcher.poll()

    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await town.call("too late", 1)


async def test_a_lone_node_that_went_back_is_believed_at_once(make_town):
    town = make_town(alone=True)
    await town.deposit(5_000)
    before = await town.devnet.snapshot()
    await town.devnet.mine(3)
    await town.deposit_by_stranger(700)
    await town.devnet.mine(town.context.final_blocks)
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_700

    await town.devnet.revert(before)
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_000


async def test_a_withdrawal_is_seen_before_its_block_has_its_confirmations(make_town):
    town = make_town(confirmations=4)
    await town.devnet.set_automine(on=True)
    deposit = asyncio.create_task(town.deposits.submit(await town.authorization(5_000)))
    while not deposit.done():
        await town.devnet.mine()
        await asyncio.sleep(0.05)
    await deposit
    await town.withdraw(4_000)
    await town.watcher.poll()

    channel = await town.ledger.account(town.channel())
    assert channel.reading.block == await town.client.block_number() - 3
    assert channel.reading.withdraw_at > 0


async def test_a_deposit_in_a_dropped_block_is_taken_back(town):
    await town.deposit(5_000)
    await town.devnet.mine(3)
    await town.watcher.poll()
    await town.deposit_by_stranger(700)
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_700

    await town.devnet.reorganise(1)
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_000


async def test_a_reading_of_a_dropped_block_is_taken_back_though_its_event_was_never_seen(town):
    await town.deposit(5_000)
    await town.devnet.mine(3)
    await town.watcher.poll()
    await town.deposit_by_stranger(700)
    await town.observe(town.config())
    assert (await town.ledger.account(town.channel())).reading.balance == 5_700

    await town.devnet.reorganise(1)
    await town.devnet.mine(2)
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_000
    assert await town.sync.verify() == 0


async def test_a_shorter_chain_is_believed_once_it_has_grown(town):
    await town.deposit(5_000)
    before = await town.devnet.snapshot()
    await town.devnet.mine(3)
    await town.deposit_by_stranger(700)
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_700

    await town.devnet.revert(before)
    await town.watcher.poll()
    await town.devnet.mine(6)
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.balance == 5_000


async def test_final_readings_are_not_looked_at_again(town):
    await town.deposit(5_000)
    await town.watcher.poll()
    await town.devnet.mine(town.context.final_blocks)
    await town.watcher.poll()
    asked = []
    town.client.headers = lambda blocks: asked.append(blocks)
    assert await town.sync.verify() == 0
    assert asked == []


async def test_a_restored_ledger_learns_what_was_claimed_meanwhile(town):
    await town.deposit(5_000)
    await town.call("before", 300)
    await town.claimer.run()
    await town.devnet.mine()
    channel = (await town.observe(town.config()))[0]
    assert (channel.reading.total_claimed, channel.total_split) == (300, 300)


async def test_the_loop_outlives_a_node_that_is_away(town, anvil, caplog):
    async def away() -> int:
        raise RpcUnavailable("127.0.0.1 does not answer")

    polls = []
    poll = town.watcher.poll

    async def sometimes() -> int:
        polls.append(1)
        return await (away() if len(polls) < 3 else poll())

    town.watcher.poll = sometimes
    await town.deposit(5_000)
    loop = asyncio.create_task(run_job(Job("watch", town.watcher.poll, 0.01)))
    while len(polls) < 5:
        await asyncio.sleep(0.01)
        assert not loop.done()
    loop.cancel()
    assert "does not answer" in caplog.text


async def test_a_session_keys_announcement_stops_no_call_and_what_was_charged_is_claimed_at_once(make_town):
    """Whoever has a session key can announce withdrawals, to the payer. Nobody asked for one, so calls go on."""
    town = make_town(policy=ClaimPolicy(threshold=10**9, wait_seconds=60.0))
    await town.deposit(5_000)
    rich = (await town.balances())["payer"]
    rich = (await town.balances())["payer"]
    await town.call("before", 300)
    config = on_chain(town.config())
    announcement = town.settlement.initiate_withdraw(config, 5_000)
    await town.withdraw_by_session_key(announcement)
    await town.watcher.poll()

    reading = (await town.ledger.account(town.channel())).reading
    assert (reading.leaving, reading.serve_until - reading.withdraw_at) == (5_000, 64_800)
    await town.call("meanwhile", 700)
    assert len(await town.claimer.run()) == 1, "not the threshold: the money may leave"
    assert (await town.settlement.channels(bytes.fromhex(town.channel()[2:]))).total_claimed == 1_000

    await town.devnet.pass_time(86_400)
    await town.withdraw_by_session_key(town.settlement.finalize_withdraw(config))
    await town.watcher.poll()
    channel = await town.ledger.account(town.channel())
    assert (channel.charged, channel.usable, channel.reading.withdraw_at) == (1_000, 1_000, 0)
    assert (await town.balances())["payer"] == rich + 4_000


async def test_an_announcement_renewed_by_the_session_key_again_and_again_takes_one_unit_each_time(town):
    await town.deposit(5_000)
    config = on_chain(town.config())
    announcement, end = town.settlement.initiate_withdraw(config, 1), town.settlement.finalize_withdraw(config)
    await town.withdraw_by_session_key(announcement)
    for turn in range(3):
        await town.watcher.poll()
        await town.call(f"day {turn}", 100)
        await town.devnet.pass_time(86_400)
        await town.withdraw_by_session_key(end, announcement)
    await town.watcher.poll()
    channel = await town.ledger.account(town.channel())
    assert (channel.reading.balance, channel.charged, channel.reading.leaving) == (4_997, 300, 1)


async def test_the_payers_own_announcement_stops_calls_whoever_announced_before(town, settlement_world):
    await town.deposit(5_000)
    config = on_chain(town.config())
    await town.withdraw_by_session_key(town.settlement.initiate_withdraw(config, 1))
    await town.devnet.pass_time(86_400)
    out = [town.settlement.finalize_withdraw(config), town.settlement.initiate_withdraw(config, 4_999)]
    await town.act(settlement_world.PAYER.address, town.settlement.multicall([call.data for call in out]))
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).reading.serve_until == 0
    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await town.call("too late", 1)
