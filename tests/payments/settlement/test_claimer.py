"""What was charged is claimed and paid out exactly once, whatever the chain, the node or a row does."""

import asyncio
from functools import partial

import pytest

from tests.support.aging import age
from tests.support.merkle import next_anchor
from tests.support.waiting import PATIENCE
from usufruct.chain import RpcUnavailable
from usufruct.chain.contracts.batch_settlement import Voucher, VoucherClaim
from usufruct.chain.contracts.till import Anchored, PayeeKind
from usufruct.core.jobs import Job, run_job
from usufruct.payments.settlement.anchoring import prove_receipt
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.errors import BatchRefused, NotAnchored
from usufruct.payments.settlement.lease import Lease
from usufruct.payments.settlement.model import BatchKind, BatchState, ClaimPolicy
from usufruct.payments.settlement.store import quarantined
from usufruct_client import proves


async def test_calls_of_two_services_on_two_channels_are_paid_by_one_transaction(town):
    await town.deposit(5_000, "a")
    await town.deposit(5_000, "b", salt=2)
    await town.call(1, 300, "a")
    await town.call(2, 41, "a", asset=1)
    await town.call(3, 7, "b", asset=1)
    before = await town.client.block_number()

    ended = await town.claimer.run()

    assert [(batch.kind, batch.state, len(batch.members), batch.receipts) for batch in ended] == [
        (BatchKind.CLAIM, BatchState.CONFIRMED, 2, 3)
    ]
    assert await town.client.block_number() == before + 1
    balances = await town.balances()
    assert (balances["first shares"], balances["second shares"]) == (300, 48)
    assert (balances["settlement"], balances["till"]) == (10_000 - 348, 0)
    assert await town.claimer.run() == []
    assert (await town.ledger.totals())[0].claimable == 0


async def test_shares_have_accrued_what_they_were_paid(town, settlement_world):
    await town.deposit(5_000)
    await town.call(1, 4_000)
    await town.claimer.run()
    revenue = await town.shares[0].revenue(town.place.dollar)
    assert (revenue.gross, revenue.fee_credited) == (4_000, 4_000 * settlement_world.FEE_BPS // 10_000)


async def test_every_claimed_receipt_is_proved_against_the_anchor_on_chain(town):
    await town.deposit(5_000, "a")
    await town.deposit(5_000, "b", salt=2)
    calls = [await town.call(n, 10 + n, "a" if n % 3 else "b", asset=n % 2) for n in range(7)]
    free = await town.call("free", 0, "a")
    await town.claimer.run()
    later = await town.call("later", 5, "a")

    anchored = await _anchored(town)
    assert [event.receipt_count for event in anchored] == [7]
    for call in calls:
        proof = await prove_receipt(town.context, call)
        digest = bytes.fromhex(proof.digest[2:])
        assert proof.root == "0x" + anchored[0].receipts_root.hex()
        assert proves(proof, digest)
        assert not proves(proof, digest[::-1])
    with pytest.raises(NotAnchored, match="charged nothing"):
        await prove_receipt(town.context, free)
    with pytest.raises(NotAnchored, match="claims it by 20") as waiting:
        await prove_receipt(town.context, later)
    metered = (await town.ledger.call(later)).finished_at
    assert waiting.value.details["due"] == metered + 86_400 // 4

    await town.claimer.run()
    anchored = await _anchored(town)
    assert (await prove_receipt(town.context, later)).count == 1
    assert await town.till.anchor() == next_anchor(anchored[0].anchor, anchored[1].receipts_root, 1)


async def test_a_young_and_small_debt_waits(make_town):
    town = make_town(policy=ClaimPolicy(threshold=1_000, wait_seconds=60))
    await town.deposit(5_000)
    await town.call(1, 999)
    assert await town.claimer.run() == []
    await town.call(2, 1)
    assert len(await town.claimer.run()) == 1


async def test_an_old_debt_does_not_wait(make_town):
    town = make_town(policy=ClaimPolicy(threshold=1_000, delay_parts=86_400, wait_seconds=60))
    await town.deposit(5_000)
    await town.call(1, 1)
    await age(town.database, 2)
    assert len(await town.claimer.run()) == 1


async def test_a_withdrawing_payer_is_claimed_from_at_once_and_then_gets_the_rest(make_town, settlement_world):
    town = make_town(policy=ClaimPolicy(threshold=1_000, wait_seconds=60))
    await town.deposit(5_000)
    await town.call(1, 300)
    config = settlement_world.on_chain(town.config())
    payer = settlement_world.PAYER.address
    await town.withdraw(5_000)
    await town.watcher.poll()
    assert len(await town.claimer.run()) == 1

    await town.devnet.pass_time(86_400)
    await town.act(payer, town.settlement.finalize_withdraw(config))
    await town.watcher.poll()
    channel = await town.ledger.account(town.channel())
    assert (channel.reading.balance, channel.reading.total_claimed, channel.free) == (300, 300, 0)
    assert (await town.balances())["payer"] == 1000 * 10**6 - 300


async def test_a_payee_the_till_does_not_list_is_quarantined_and_the_others_are_paid(town, settlement_world):
    names = "abcde"
    for index, name in enumerate(names):
        await town.deposit(1_000, name, salt=index + 1)
        await town.call(name, 10, name, asset=1 if name == "c" else 0)
    listing = town.till.set_payee(town.place.shares[1], PayeeKind.NONE)
    await town.act(settlement_world.OWNER.address, listing)

    ended = await town.claimer.run()

    assert [len(batch.members) for batch in ended] == [4]
    assert (await town.balances())["first shares"] == 40
    assert town.context.counters.quarantined == {"NotAPayee": 1}
    assert await town.claimer.run() == []

    listing = town.till.set_payee(town.place.shares[1], PayeeKind.SHARES)
    await town.act(settlement_world.OWNER.address, listing)
    await _forget_waiting(town)
    await town.claimer.run()
    assert (await town.balances())["second shares"] == 10


@pytest.mark.parametrize("missing", ["listing", "payee"])
async def test_a_channel_is_claimed_up_to_the_first_call_that_cannot_be_paid(town, settlement_world, missing):
    owner, payees = settlement_world.OWNER.address, dict(town.register.payees)
    await town.deposit(5_000)
    for call, (charge, asset) in enumerate([(300, 0), (0, 1), (20, 0), (41, 1), (7, 0)]):
        await town.call(call, charge, asset=asset)
    if missing == "listing":
        await town.act(owner, town.till.set_payee(town.place.shares[1], PayeeKind.NONE))
    else:
        del town.register.payees[town.place.assets[1]]

    ended = await town.claimer.run()
    assert [(batch.state, batch.receipts) for batch in ended] == [(BatchState.CONFIRMED, 2)]
    assert (await town.balances())["first shares"] == 320
    assert not town.context.counters.quarantined
    assert await town.claimer.run() == []
    assert town.context.counters.quarantined.total() == 1

    await town.act(owner, town.till.set_payee(town.place.shares[1], PayeeKind.SHARES))
    town.register.payees = payees
    await _forget_waiting(town)
    assert len(await town.claimer.run()) == 1
    balances = await town.balances()
    assert (balances["first shares"], balances["second shares"], balances["till"]) == (327, 41, 0)


async def test_an_asset_without_a_payee_is_quarantined_and_the_others_are_paid(town):
    await town.deposit(1_000, "a")
    await town.deposit(1_000, "b", salt=2)
    await town.call(1, 10, "a")
    await town.call(2, 10, "b", asset=1)
    del town.register.payees[town.place.assets[1]]
    await town.claimer.run()
    assert (await town.balances())["first shares"] == 10
    assert town.context.counters.quarantined == {"not_found": 1}


async def test_a_row_whose_money_is_gone_is_quarantined_and_the_others_are_paid(town, settlement_world):
    """The node shows a balance that the chain does not have any more when the batch is tried."""
    await town.deposit(1_000, "a")
    await town.deposit(1_000, "b", salt=2)
    await town.call(1, 10, "a")
    await town.call(2, 900, "b")
    observe = town.sync.observe

    async def then_refund(configs):
        found = await observe(configs)
        refund = town.till.refund(settlement_world.on_chain(town.config("b")), 500)
        await town.act(settlement_world.CLAIM_KEY.address, refund)
        return found

    town.sync.observe = then_refund
    await town.claimer.run()
    assert (await town.balances())["first shares"] == 10
    assert town.context.counters.quarantined == {"ClaimExceedsBalance": 1}


async def test_a_key_that_is_no_claim_key_blames_no_row(town, settlement_world):
    await town.deposit(1_000)
    await town.call(1, 10)
    claimer = town.new_claimer(sender=town.sender(settlement_world.STRANGER))
    with pytest.raises(BatchRefused) as refused:
        await claimer.run()
    assert refused.value.details["reason"] == "NotAClaimKey"
    assert not town.context.counters.quarantined
    assert await town.ledger.pending_claims() == []
    await claimer.lease.release()
    assert len(await town.claimer.run()) == 1


async def test_batches_are_limited_by_rows_and_by_gas(make_town):
    town = make_town(policy=ClaimPolicy(threshold=1, most_rows=3, wait_seconds=60))
    for index in range(5):
        await town.deposit(1_000, index, salt=index + 1)
        await town.call(index, 10, index)
    assert [len(batch.members) for batch in await town.claimer.run()] == [3, 2]
    assert (await town.balances())["first shares"] == 50

    for index in range(5):
        await town.call(f"again {index}", 10, index)
    town.policy = ClaimPolicy(threshold=1, most_gas=200_000, wait_seconds=60)
    claimer = town.new_claimer()
    await town.claimer.lease.release()
    assert max(len(batch.members) for batch in await claimer.run()) < 5
    assert (await town.balances())["first shares"] == 100


async def test_a_transaction_that_is_not_mined_is_pending_and_never_made_again(make_town):
    town = make_town(policy=ClaimPolicy(threshold=1, wait_seconds=0.1))
    await town.deposit(5_000)
    await town.call(1, 300)
    await town.devnet.set_automine(on=False)
    assert await town.claimer.run() == []
    await town.call(2, 7)
    assert await town.claimer.run() == []
    assert len(await town.ledger.pending_claims()) == 1

    await town.devnet.mine()
    await town.devnet.set_automine(on=True)
    await town.claimer.lease.release()
    town.policy = ClaimPolicy(threshold=1, wait_seconds=60)
    ended = await town.new_claimer().run()
    assert [batch.receipts for batch in ended] == [1, 1]
    assert (await town.balances())["first shares"] == 307


async def test_one_claimer_at_a_time(town):
    await town.deposit(5_000)
    await town.call(1, 300)
    await town.claimer.run()
    await town.call(2, 300)
    other = town.new_claimer()
    assert await other.run() == []
    await town.claimer.lease.release()
    assert len(await other.run()) == 1


async def test_two_claimers_that_both_believe_to_be_alone_claim_once(town):
    await town.deposit(5_000)
    await town.call(1, 300)
    claimers = [town.new_claimer(lease=Lease(town.database, name, 300)) for name in ("one", "two")]
    await asyncio.gather(*(claimer.run() for claimer in claimers), return_exceptions=True)
    await town.claimer.run()
    assert (await town.balances())["first shares"] == 300
    assert (await town.ledger.account(town.channel())).total_split == 300


async def test_a_node_that_is_away_loses_nothing(town):
    await town.deposit(5_000)
    await town.call(1, 300)
    estimate = town.client.estimate

    async def away(*_: object) -> int:
        raise RpcUnavailable("127.0.0.1 does not answer")

    town.client.estimate = away
    with pytest.raises(RpcUnavailable):
        await town.claimer.run()
    town.client.estimate = estimate
    await town.claimer.run()
    assert (await town.balances())["first shares"] == 300


async def test_the_loop_claims_and_gives_its_lease_back(town):
    await town.deposit(5_000)
    await town.call(1, 300)
    serve = partial(ClaimRequests(town.database).serve, town.claimer)
    loop = asyncio.create_task(run_job(Job("claim", serve, 0.01, town.claimer.lease.release)))
    async with asyncio.timeout(PATIENCE):
        while (await town.ledger.account(town.channel())).total_split != 300:
            await asyncio.sleep(0.05)
    assert (await town.balances())["first shares"] == 300
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await town.call(2, 7)
    assert len(await town.new_claimer().run()) == 1


async def test_what_somebody_else_claimed_is_split_first_and_once(town, settlement_world):
    await town.deposit(5_000)
    first = await town.call(1, 300)
    second = await town.call(2, 41, asset=1)
    await settlement_world.claim_elsewhere(town, 0, 320)
    await town.call(3, 7)
    await town.watcher.poll()
    assert (await town.till.unsplit(town.place.dollar)).claimed == 320

    ended = await town.claimer.run()

    assert [batch.kind for batch in ended] == [BatchKind.SPLIT, BatchKind.CLAIM]
    balances = await town.balances()
    assert (balances["first shares"], balances["second shares"], balances["treasury"]) == (307, 41, 0)
    assert town.context.counters.elsewhere == 320
    anchored = await _anchored(town)
    assert [event.receipt_count for event in anchored] == [1, 2]
    for call, event in ((first, anchored[0]), (second, anchored[1])):
        proof = await prove_receipt(town.context, call)
        assert proof.root == "0x" + event.receipts_root.hex()
        assert proves(proof, bytes.fromhex(proof.digest[2:]))


async def test_a_strangers_own_channel_on_our_till_goes_to_the_treasury(town, settlement_world):
    await town.deposit(5_000)
    await town.call(1, 300)
    stranger = settlement_world.STRANGER
    await town.act(stranger.address, town.dollar.mint(stranger.address, 55))
    config = town.config("theirs", payer=stranger.address, payer_authorizer=stranger.address)
    config = settlement_world.ChannelConfig(
        stranger.address, stranger.address, town.place.till, stranger.address, town.place.dollar, 86_400, config.salt
    )
    deposit = await town.authorization(55, config=config, signer=stranger)
    on_chain = settlement_world.on_chain(config)
    call = town.settlement.deposit(on_chain, 55, settlement_world.COLLECTOR, deposit.collector_data())
    await town.act(stranger.address, call)
    digest = await town.settlement.get_voucher_digest(await town.settlement.get_channel_id(on_chain), 55)
    row = VoucherClaim(Voucher(on_chain, 55), stranger.sign(digest), 55)
    await town.act(stranger.address, town.settlement.claim([row]))

    await town.claimer.run()
    balances = await town.balances()
    assert (balances["first shares"], balances["treasury"], balances["till"]) == (300, 55, 0)


async def test_what_the_till_has_paid_out_already_is_noted_and_not_paid_again(town, settlement_world):
    await town.deposit(5_000)
    await town.call(1, 300)
    await settlement_world.claim_elsewhere(town, 0, 300)
    sweep = town.till.split(town.place.dollar, [], settlement_world.TREASURY.address)
    await town.act(settlement_world.CLAIM_KEY.address, sweep)
    await town.watcher.poll()

    ended = await town.claimer.run()
    assert [batch.kind for batch in ended] == [BatchKind.NOTED]
    assert town.context.counters.misdirected == 300
    balances = await town.balances()
    assert (balances["first shares"], balances["treasury"]) == (0, 300)
    assert (await town.ledger.account(town.channel())).total_split == 300


async def test_a_claim_in_a_dropped_block_is_sent_again_and_counts_once(make_town):
    town = make_town(confirmations=3, policy=ClaimPolicy(threshold=1, wait_seconds=0.2))
    deposit = asyncio.create_task(town.deposits.submit(await town.authorization(5_000)))
    while not deposit.done():
        await town.devnet.mine()
        await asyncio.sleep(0.05)
    await town.call(1, 300)
    await town.claimer.run()
    await town.watcher.poll()
    assert (await town.balances())["first shares"] == 300

    await town.devnet.reorganise(1)
    assert (await town.balances())["first shares"] == 0
    await town.watcher.poll()
    assert await town.claimer.run() == []
    assert (await town.balances())["first shares"] == 300
    await town.devnet.mine(3)
    assert [batch.state for batch in await town.claimer.run()] == [BatchState.CONFIRMED]
    await town.watcher.poll()
    assert (await town.ledger.account(town.channel())).total_split == 300


async def test_a_claim_the_chain_took_back_after_it_was_final_is_made_again(town, settlement_world):
    """A reorganisation deeper than the sender's confirmations; another key has to claim, ours has used its nonce."""
    await town.deposit(5_000)
    call = await town.call(1, 300)
    await town.devnet.mine(2)
    await town.claimer.run()
    await town.watcher.poll()
    await prove_receipt(town.context, call)

    await town.devnet.reorganise(1)
    await town.watcher.poll()
    channel = await town.ledger.account(town.channel())
    assert (channel.reading.total_claimed, channel.total_split, channel.charged) == (0, 0, 300)
    assert await town.ledger.audit() == []
    with pytest.raises(NotAnchored):
        await prove_receipt(town.context, call)

    another = settlement_world.RELAYER
    await town.act(settlement_world.OWNER.address, town.till.set_claim_key(another.address, True))
    await town.claimer.lease.release()
    ended = await town.new_claimer(sender=town.relayer).run()
    assert [batch.state for batch in ended] == [BatchState.CONFIRMED]
    assert (await town.balances())["first shares"] == 300
    assert (await prove_receipt(town.context, call)).transaction == ended[0].hash


async def test_a_payee_that_the_token_refuses_holds_nobody_up(town, settlement_world):
    await settlement_world.blacklist(town, town.place.shares[1])
    await town.deposit(5_000)
    await town.call(1, 300)
    await town.call(2, 41, asset=1)
    await town.claimer.run()

    balances = await town.balances()
    assert (balances["first shares"], balances["second shares"], balances["till"]) == (300, 0, 41)
    assert await town.till.owed(town.place.shares[1], town.place.dollar) == 41
    assert town.context.counters.deferred == 1


async def _forget_waiting(town) -> None:
    """Let the time pass after which what was set aside is tried again."""
    async with town.database.transaction() as unit:
        await unit.change(quarantined.update().values(retry_at=0))


async def _anchored(town) -> list[Anchored]:
    logs = await town.client.logs(
        0, await town.client.block_number(), addresses=[town.place.till], topics=[Anchored.TOPIC]
    )
    return [Anchored.decode(log) for log in logs]
