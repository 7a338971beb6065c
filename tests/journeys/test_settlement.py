"""From a payer's wallet to the owners', every unit accounted for by the chain's own logs."""

import asyncio
from collections import Counter

import pytest

from usufruct.chain import RpcUnavailable
from usufruct.chain.contracts.shares import Accrued, Collected
from usufruct.chain.contracts.test_dollar import Transfer
from usufruct.core import PaymentRequired
from usufruct.payments.settlement.anchoring import prove_receipt
from usufruct.payments.settlement.model import ClaimPolicy
from usufruct_client import proves


async def test_every_unit_a_payer_deposits_reaches_its_owner(town, settlement_world):
    world, dollar = settlement_world, town.place.dollar
    for index, name in enumerate("abc"):
        await town.deposit(40 * world.DOLLAR, name, salt=index + 1)
    charges = {0: 0, 1: 0}
    calls = []
    for number in range(60):
        asset, charge = number % 2, 123_457 + 997 * number
        calls.append(await town.call(number, charge, "abc"[number % 3], asset=asset))
        charges[asset] += charge
    broken = await town.reserve("broken off", 50_000, "a")
    await town.ledger.release(broken.lease, "upstream_failed")
    spent = sum(charges.values())
    assert (await town.ledger.totals())[0].claimable == spent

    ended = await town.claimer.run()
    assert [batch.receipts for batch in ended] == [60]
    for name in "abc":
        await town.refunds.refund(town.channel(name))
    await _collect_everything(town, world)

    held = await _by_logs(town)
    owners = {world.FIRST.address: 70, world.SECOND.address: 20, world.THIRD.address: 10}
    nets = {}
    for index, shares in enumerate(town.shares):
        accrued = [Accrued.decode(log) for log in await _logs(town, shares.address, Accrued.TOPIC)]
        assert sum(event.amount for event in accrued) == charges[index]
        fee = sum(event.fee for event in accrued)
        assert fee == charges[index] * world.FEE_BPS // 10_000
        nets[index] = charges[index] - fee
        collected = [Collected.decode(log) for log in await _logs(town, shares.address, Collected.TOPIC)]
        for event in collected:
            assert 0 <= nets[index] * owners[event.holder] / 100 - event.amount < 2
        assert held[shares.address] == nets[index] - sum(event.amount for event in collected) <= len(owners)
    assert held[world.FEE_SINK.address] == spent - sum(nets.values())
    assert held[world.PAYER.address] == 1000 * world.DOLLAR - spent
    assert (held[town.place.till], held[world.SETTLEMENT]) == (0, 0)
    assert sum(held.values()) == 1000 * world.DOLLAR
    for holder, amount in held.items():
        assert await town.dollar.balance_of(holder) == amount

    assert (await town.ledger.totals())[0].claimable == 0
    for call in calls:
        proof = await prove_receipt(town.context, call)
        assert proof.root == ended[0].root
        assert proves(proof, bytes.fromhex(proof.digest[2:]))
    assert dollar in town.context.terms.tokens


async def test_a_bad_day(make_town, settlement_world):
    """The node is away, a stranger claims, a payer leaves, the token refuses a payee, the chain takes a claim back."""
    world = settlement_world
    town = make_town(confirmations=3, policy=ClaimPolicy(threshold=1, wait_seconds=0.2))
    await world.blacklist(town, town.place.shares[1])
    for index, name in enumerate(["leaving", "stolen", "staying"]):
        deposit = asyncio.create_task(town.deposits.submit(await town.authorization(5_000, name, salt=index + 1)))
        await _mine_until(town, deposit)
    await town.call(1, 300, "leaving")
    await town.call(2, 40, "stolen", asset=1)
    await town.call(3, 7, "staying")
    await town.call(4, 2, "staying", asset=1)

    await town.withdraw(5_000, "leaving")
    await world.claim_elsewhere(town, "stolen", 40)
    await town.devnet.mine(3)
    await town.watcher.poll()
    with pytest.raises(PaymentRequired, match="began to withdraw"):
        await town.call(5, 1, "leaving")

    send_raw = town.client.send_raw

    async def away(_: bytes) -> str:
        raise RpcUnavailable("127.0.0.1 does not answer")

    town.client.send_raw = away
    assert await town.claimer.run() == []
    assert len(await town.ledger.pending_claims()) == 3
    town.client.send_raw = send_raw

    assert await town.claimer.run() == []
    assert (await town.balances())["first shares"] == 307
    await town.watcher.poll()
    await town.devnet.reorganise(1)
    await town.watcher.poll()
    assert (await town.balances())["first shares"] == 0
    ended = await _run_until(town, 2)
    assert {(batch.kind, len(batch.members), batch.state) for batch in ended} == {
        ("split", 1, "confirmed"),
        ("claim", 2, "confirmed"),
    }
    await town.watcher.poll()

    await town.devnet.pass_time(86_400)
    config = world.on_chain(town.config("leaving"))
    await town.act(world.PAYER.address, town.settlement.finalize_withdraw(config))
    await town.devnet.mine(3)
    await town.watcher.poll()

    balances = await town.balances()
    assert balances == {
        "payer": 1000 * world.DOLLAR - 10_000 - 300,
        "settlement": 10_000 - 40 - 9,
        "till": 42,
        "first shares": 307,
        "second shares": 0,
        "treasury": 0,
        "stranger": 0,
    }
    assert await town.till.owed(town.place.shares[1], town.place.dollar) == 42
    assert {name: (await town.ledger.account(town.channel(name))).total_split for name in ("leaving", "stolen")} == {
        "leaving": 300,
        "stolen": 40,
    }
    held = await _by_logs(town)
    assert sum(held.values()) == 1000 * world.DOLLAR


async def _run_until(town, count: int) -> list:
    """Run the claimer while blocks are mined, until so many batches have ended."""
    ended: list = []
    for _ in range(20):
        ended += await town.claimer.run()
        if len(ended) >= count:
            return ended
        await town.devnet.mine()
    raise AssertionError(f"only {len(ended)} batches ended")


async def _mine_until(town, task: asyncio.Task) -> None:
    while not task.done():
        await town.devnet.mine()
        await asyncio.sleep(0.05)
    await task


async def _collect_everything(town, world) -> None:
    for shares in town.shares:
        for owner in (world.FIRST, world.SECOND, world.THIRD):
            await town.act(owner.address, shares.collect(town.place.dollar))
        await town.act(world.STRANGER.address, shares.release(town.place.dollar))


async def _logs(town, address: str, topic: str) -> list:
    return await town.client.logs(0, await town.client.block_number(), addresses=[address], topics=[topic])


async def _by_logs(town) -> Counter:
    """Who holds how many test dollars, added up from the token's Transfer events alone."""
    held: Counter = Counter()
    for log in await _logs(town, town.place.dollar, Transfer.TOPIC):
        event = Transfer.decode(log)
        held[event.to] += event.value
        if int(event.from_, 16):
            held[event.from_] -= event.value
    return held
