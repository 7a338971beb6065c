"""The ledger's verbs for those who settle: taking back, planning up to a point, who rests."""

import asyncio

import pytest
from sqlalchemy import text

from usufruct.core import UINT128_MAX
from usufruct.payments.ledger import AccountKind


async def _charged(ledger, world, *charges: int) -> None:
    await ledger.observe(world.reading(1_000, block=10))
    for number, charge in enumerate(charges):
        asset = world.ASSETS[number % 2]
        reserved = await world.open_call(ledger, world.reservation(number, charge, asset=asset))
        await ledger.meter(reserved.lease, world.bill(charge))


async def test_a_reading_of_an_older_block_counts_when_it_corrects(ledger, world):
    await _charged(ledger, world, 100)
    assert (await ledger.observe(world.reading(1, block=9))).reading.balance == 1_000
    corrected = await ledger.correct(world.reading(700, block=9))
    assert (corrected.reading.balance, corrected.reading.block) == (700, 9)


async def test_a_claim_the_chain_took_back_can_be_planned_again(ledger, world):
    await _charged(ledger, world, 100, 40, 7)
    claim = await ledger.plan_claim(world.named("claim"), world.channel(), 140)
    assert claim.cumulative == 140
    await ledger.confirm_claim(claim)
    assert (await ledger.account(world.channel())).total_split == 140

    corrected = await ledger.correct(world.reading(1_000, block=9, claimed=100))
    assert (corrected.reading.total_claimed, corrected.total_split, corrected.charged) == (100, 100, 147)
    again = await ledger.plan_claim(world.named("again"), world.channel())
    assert (again.split_from, again.cumulative) == (100, 147)
    assert {split.asset: split.amount for split in again.splits} == {world.ASSETS[1]: 40, world.ASSETS[0]: 7}


async def test_what_no_call_explains_is_not_taken_back(ledger, world):
    """A restored ledger took a claimed total over from the chain; there are no calls to claim it by again."""
    await _charged(ledger, world, 100)
    await ledger.observe(world.reading(1_000, block=11, claimed=300))
    corrected = await ledger.correct(world.reading(1_000, block=9, claimed=50))
    assert (corrected.charged, corrected.total_split) == (300, 300)


@pytest.mark.parametrize(
    ("column", "source", "words"),
    [
        ("charged", "cumulative", "its calls reach 147, the row says 0 is charged"),
        ("voucher_amount", "voucher_amount", "its best voucher covers 0, but a call came with one over"),
    ],
)
async def test_a_spot_check_names_a_changed_row_among_the_newest(ledger, world, database, column, source, words):
    await _charged(ledger, world, 100, 40, 7)
    whole, part = await ledger.spot_check(most=100), await ledger.spot_check(most=6)
    assert (whole.whole, whole.faults, part.whole, part.faults) == (True, (), False, ())
    await database.run(lambda c: c.execute(text(f"UPDATE accounts SET {column} = total_claimed")))
    try:
        (fault,) = (await ledger.spot_check(most=6)).faults
    finally:
        undo = text(f"UPDATE accounts SET {column} = (SELECT MAX({source}) FROM calls)")
        await database.run(lambda c: c.execute(undo))
    assert fault.startswith(f"{world.channel()}: {words}")


class Refusing:
    """Finds each receipt that it checks wrong."""

    def voucher(self, channel):
        return "voucher"

    def receipt(self, call, channel):
        return f"receipt over {call.bill.charge}"


async def test_a_spot_check_looks_at_no_more_than_it_is_told(ledger, world):
    await _charged(ledger, world, 1, 2, 3, 4, 5)
    found = (await ledger.spot_check(Refusing(), most=4)).faults
    receipts = [int(fault.split()[-1]) for fault in found if "receipt" in fault]
    assert 1 <= len(receipts) < 5
    assert receipts == list(range(6 - len(receipts), 6)), "the newest"
    assert found[-1] == f"{world.channel()}: voucher"


async def test_claimable_channels_come_in_pages(ledger, world):
    for name in range(5):
        await ledger.observe(world.reading(1_000, name))
        reserved = await world.open_call(ledger, world.reservation(name, 10, name))
        await ledger.meter(reserved.lease, world.bill(10))
    for name, leaves in ((1, 900), (4, 900), (3, 800)):
        await ledger.observe(world.reading(1_000, name, block=2, withdraw_at=1_800_000_000 + leaves))
    tied, staying = (sorted(world.channel(name) for name in names) for names in ((1, 4), (0, 2)))
    order = [world.channel(3), *tied, *staying]
    for limit in range(1, 7):
        pages, last = [], None
        while page := await ledger.claimable(limit, last):
            last = page[-1]
            pages.append([channel.reading.id for channel in page])
        assert [each for page in pages for each in page] == order
        assert all(len(page) == limit for page in pages[:-1])


async def test_a_channel_that_is_claimed_meanwhile_moves_no_page(ledger, world):
    """By offset, what was claimed between two pages would hide as many others."""
    for name in range(4):
        await ledger.observe(world.reading(1_000, name))
        reserved = await world.open_call(ledger, world.reservation(name, 10, name))
        await ledger.meter(reserved.lease, world.bill(10))
    order = [channel.reading.id for channel in await ledger.claimable()]
    first = await ledger.claimable(2)
    await ledger.plan_claim(world.named("claim"), first[0].reading.id)
    assert [channel.reading.id for channel in await ledger.claimable(2, first[-1])] == order[2:]


async def test_totals_are_sums_beyond_64_bits(ledger, world):
    for name in range(3):
        await ledger.observe(world.reading(UINT128_MAX, name))
        reserved = await world.open_call(ledger, world.reservation(name, UINT128_MAX, name))
        if name:
            await ledger.meter(reserved.lease, world.bill(UINT128_MAX))
    claim = await ledger.plan_claim(world.named("claim"), world.channel(1))
    await ledger.confirm_claim(claim)
    (total,) = await ledger.totals()
    assert (total.reserved, total.charged, total.claimable) == (UINT128_MAX, 2 * UINT128_MAX, UINT128_MAX)


async def test_only_channels_that_rest_and_hold_something_free_rest(ledger, world):
    for name in ("unused", "used", "busy", "empty"):
        await ledger.observe(world.reading(0 if name == "empty" else 1_000, name))
    reserved = await world.open_call(ledger, world.reservation("done", 10, "used"))
    await ledger.meter(reserved.lease, world.bill(10))
    await world.open_call(ledger, world.reservation("open", 10, "busy"))
    used_at = (await ledger.account(world.channel("used"))).last_call_at

    async def rest(before: int) -> set[str]:
        return {channel.reading.id for channel in await ledger.resting(AccountKind.ESCROW_CHANNEL, before)}

    assert await rest(used_at) == {world.channel("unused"), world.channel("used")}
    assert await rest(used_at - 1) == {world.channel("unused")}


async def test_transfers_under_way_are_listed_until_they_end(ledger, world):
    await ledger.observe(world.reading(1_000))
    channel = world.channel()
    await ledger.plan_deposit(channel, world.named("nonce"), 50, "deposit/1", world.config().payer)
    await ledger.plan_refund(channel, 0, 70, "refund/1")
    deposits, refunds = await asyncio.gather(ledger.pending_deposits(), ledger.pending_refunds())
    assert [(each.nonce, each.amount, each.outbox_id) for each in deposits] == [(world.named("nonce"), 50, "deposit/1")]
    assert [(each.nonce, each.amount, each.outbox_id) for each in refunds] == [(0, 70, "refund/1")]
    assert await ledger.pending_refunds(channel) == refunds
    assert await ledger.pending_refunds(world.channel("another")) == []

    await ledger.finish_deposit(channel, world.named("nonce"), confirmed=True)
    await ledger.finish_refund(channel, 0, None)
    assert await ledger.pending_deposits() == await ledger.pending_refunds() == []
    assert await ledger.deposited(channel, world.named("nonce"))
    assert not await ledger.deposited(channel, world.named("another"))
