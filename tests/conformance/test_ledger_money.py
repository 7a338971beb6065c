"""What every ledger does with claims, deposits, refunds and chain readings. Runs on SQLite and on PostgreSQL."""

import asyncio
from dataclasses import replace
from types import ModuleType

import pytest

from usufruct.config import LedgerConfig
from usufruct.core import UINT128_MAX, Hash32, PaymentRequired
from usufruct.payments.ledger.errors import (
    BalanceTooLow,
    ClaimPending,
    DepositUnderWay,
    DuplicateDeposit,
    NothingToClaim,
    RefundTooHigh,
    VoucherPublished,
    WrongState,
)
from usufruct.payments.ledger.records import AccountReading, Claim, Earned, Opened, Split, Totals
from usufruct.payments.ledger.service import Ledger, new_id, open_ledger
from usufruct.store import Database, Seal

SEAL = Seal(b"a secret of these tests", "stored answers")


async def spend(ledger: Ledger, world: ModuleType, *charges: tuple[int, int], name: object = 0) -> None:
    """Make one call for each (asset's number, charge)."""
    for asset, charge in charges:
        request = world.reservation(new_id(), charge + 5, name, asset=world.ASSETS[asset])
        answer = await world.open_call(ledger, request)
        await ledger.meter(answer.lease, world.bill(charge))


async def claim_all(ledger: Ledger, channel: Hash32) -> Claim:
    claim = await ledger.plan_claim(new_id(), channel)
    await ledger.send_claim(claim, "tx")
    return await ledger.confirm_claim(claim)


async def test_a_claims_splits_add_up_to_it_exactly(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100), (1, 33), (0, 1), (2, 0), (1, 7))
    (channel,) = await ledger.claimable()
    claim = await ledger.plan_claim(new_id(), channel.reading.id)
    assert (claim.split_from, claim.cumulative, claim.state) == (0, 141, "planned")
    assert claim.voucher == channel.voucher
    assert claim.voucher.max_claimable >= claim.cumulative
    first, largest, _ = world.ASSETS
    assert claim.splits == (Split(first, 101), Split(largest, 40))
    assert await ledger.claimable() == []
    await ledger.send_claim(claim, "tx-1")
    (pending,) = await ledger.pending_claims()
    assert (pending.id, pending.outbox_id, pending.splits) == (claim.id, "tx-1", claim.splits)
    done = await ledger.confirm_claim(claim)
    assert (done.state, done.splits) == ("confirmed", claim.splits)
    after = await ledger.account(claim.account)
    assert (after.reading.total_claimed, after.total_split, after.charged) == (141, 141, 141)
    assert await ledger.totals() == [Totals(world.TOKEN, 0, 141, 0)]


async def test_earnings_are_by_asset_and_by_what_was_paid_on(ledger: Ledger, world: ModuleType):
    first, largest, _ = world.ASSETS
    await ledger.observe(world.reading(10_000))
    assert (await ledger.earnings(world.TOKEN), await ledger.oldest_unclaimed()) == ([], None)
    assert await ledger.last_call_at() == 0
    await spend(ledger, world, (0, 100), (1, 33))
    assert await ledger.earnings(world.TOKEN) == [Earned(first, 100, 0), Earned(largest, 33, 0)]
    assert await ledger.oldest_unclaimed() > 0
    await claim_all(ledger, world.channel())
    assert await ledger.oldest_unclaimed() is None
    await spend(ledger, world, (1, 7))
    assert await ledger.earnings(world.TOKEN) == [Earned(first, 0, 100), Earned(largest, 7, 33)]
    await ledger.correct(world.reading(10_000, block=2, claimed=100))
    assert await ledger.earnings(world.TOKEN) == [Earned(first, 0, 100), Earned(largest, 40, 0)]
    await ledger.observe(world.reading(10_000, block=3, claimed=150))  # 10 of calls that were lost
    restored = await ledger.earnings(world.TOKEN)
    assert sorted(restored, key=lambda each: each.paid) == [
        Earned(None, 0, 10),
        Earned(largest, 0, 40),
        Earned(first, 0, 100),
    ]
    assert sum(each.total for each in restored) == (await ledger.account(world.channel())).charged
    assert await ledger.earnings(world.identity().owner) == []


async def test_the_next_claim_starts_where_the_last_one_ended(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100))
    await claim_all(ledger, world.channel())
    with pytest.raises(NothingToClaim):
        await ledger.plan_claim(new_id(), world.channel())
    await spend(ledger, world, (1, 30))
    claim = await claim_all(ledger, world.channel())
    assert (claim.split_from, claim.cumulative, claim.splits) == (100, 130, (Split(world.ASSETS[1], 30),))


async def test_a_call_that_was_charged_nothing_follows_the_one_before_it_in_the_books(
    ledger: Ledger, world: ModuleType
):
    await ledger.observe(world.reading(10_000))
    ids = sorted(new_id() for _ in range(3))
    opened = [await world.open_call(ledger, world.reservation(each, 10)) for each in ids]
    for index, charge in ((1, 7), (0, 0), (2, 0)):  # the free ones have a lower and a higher id
        await ledger.meter(opened[index].lease, world.bill(charge))
    assert await ledger.audit() == []
    assert (await ledger.spot_check(most=2)).faults == ()


async def test_no_page_of_an_accounts_calls_hides_a_charged_one_behind_free_ones(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    ids = sorted(new_id() for _ in range(6))
    opened = [await world.open_call(ledger, world.reservation(each, 10)) for each in ids]
    for index, charge in ((5, 7), (0, 0), (1, 0), (2, 0), (4, 3), (3, 0)):
        await ledger.meter(opened[index].lease, world.bill(charge))
    for limit in range(1, 7):
        charges, after = [], 0
        while page := await ledger.metered(world.channel(), after, limit):
            charges += [call.bill.charge for call in page if call.bill.charge]
            after = page[-1].cumulative
        assert charges == [7, 3], limit


async def test_calls_metered_while_a_claim_is_under_way_belong_to_the_next(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100))
    claim = await ledger.plan_claim(new_id(), world.channel())
    await spend(ledger, world, (0, 11))
    assert (await ledger.confirm_claim(claim)).splits == (Split(world.ASSETS[0], 100),)
    assert (await claim_all(ledger, world.channel())).splits == (Split(world.ASSETS[0], 11),)


async def test_one_claim_at_a_time_whoever_asks(ledger: Ledger, world: ModuleType, database: Database):
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100))
    other = open_ledger(database, LedgerConfig(), seal=SEAL)
    results = await asyncio.gather(
        *((ledger, other)[i % 2].plan_claim(new_id(), world.channel()) for i in range(8)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Claim", *["ClaimPending"] * 7]
    await other.close()


async def test_a_claim_step_taken_twice_is_taken_once(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100))
    name = new_id()
    claim = await ledger.plan_claim(name, world.channel())
    assert await ledger.plan_claim(name, world.channel()) == claim
    assert await ledger.send_claim(claim, "tx") == await ledger.send_claim(claim, "tx")
    assert await ledger.confirm_claim(claim) == await ledger.confirm_claim(claim)
    assert (await ledger.account(claim.account)).reading.total_claimed == 100


async def test_a_failed_claims_money_can_be_claimed_again(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100))
    claim = await ledger.plan_claim(new_id(), world.channel())
    with pytest.raises(ClaimPending):
        await ledger.plan_claim(new_id(), world.channel())
    await ledger.fail_claim(claim)
    for step in (ledger.confirm_claim(claim), ledger.send_claim(claim, "tx")):
        with pytest.raises(WrongState, match="failed"):
            await step
    assert (await claim_all(ledger, world.channel())).splits == (Split(world.ASSETS[0], 100),)


async def test_a_claim_whose_transaction_reverted_is_claimed_again(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100))
    claim = await ledger.plan_claim(new_id(), world.channel())
    await ledger.send_claim(claim, "tx")
    assert (await ledger.fail_claim(claim)).state == "failed"
    assert await ledger.pending_claims() == []
    assert (await claim_all(ledger, world.channel())).splits == (Split(world.ASSETS[0], 100),)


async def test_a_claim_takes_no_more_than_the_balance_left(ledger: Ledger, world: ModuleType):
    """The payer withdrew before we claimed: what is gone is gone, the rest is claimed."""
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100), (1, 100))
    await ledger.observe(world.reading(150, block=2))
    claim = await claim_all(ledger, world.channel())
    assert claim.splits == (Split(world.ASSETS[0], 100), Split(world.ASSETS[1], 50))
    assert claim.cumulative == 150


async def test_what_was_claimed_elsewhere_is_split_with_the_next_claim(ledger: Ledger, world: ModuleType):
    """Somebody claimed up to the middle of a call without splitting."""
    await ledger.observe(world.reading(10_000))
    await spend(ledger, world, (0, 100), (1, 60))
    await ledger.observe(world.reading(10_000, block=2, claimed=120))
    claim = await claim_all(ledger, world.channel())
    assert (claim.split_from, claim.cumulative) == (0, 160)
    assert claim.splits == (Split(world.ASSETS[0], 100), Split(world.ASSETS[1], 60))


async def test_claims_reach_the_end_of_the_range(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(UINT128_MAX))
    await spend(ledger, world, (0, UINT128_MAX - 105), (1, 100))
    claim = await claim_all(ledger, world.channel())
    assert claim.cumulative == UINT128_MAX - 5
    assert sum(split.amount for split in claim.splits) == UINT128_MAX - 5


async def test_channels_being_withdrawn_from_are_claimed_first(ledger: Ledger, world: ModuleType):
    for name in range(4):
        await ledger.observe(world.reading(1000, name))
        await spend(ledger, world, (0, 10), name=name)
    await ledger.observe(world.reading(1000, 2, block=2, withdraw_at=1_800_000_500))
    await ledger.observe(world.reading(1000, 3, block=2, withdraw_at=1_800_000_100))
    assert [channel.reading.id for channel in await ledger.claimable()][:2] == [world.channel(3), world.channel(2)]
    assert len(await ledger.claimable(3)) == 3


# Chain readings


async def test_an_older_reading_changes_nothing(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000, block=10))
    assert (await ledger.observe(world.reading(5, block=9, withdraw_at=1))).reading == world.reading(1000, block=10)
    assert (await ledger.observe(world.reading(1000, block=10, withdraw_at=7))).reading.withdraw_at == 7


async def test_a_claimed_total_never_goes_back(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000, claimed=50))
    assert (await ledger.observe(world.reading(1000, block=2, claimed=40))).reading.total_claimed == 50


async def test_a_restored_ledger_reconciles_with_the_chain_and_asks_for_nothing_twice(
    ledger: Ledger, world: ModuleType
):
    """The backup knows 100 charged and 60 claimed; the chain has 130 claimed: 30 were charged after the backup."""
    await ledger.observe(world.reading(1000, block=1))
    await spend(ledger, world, (0, 60))
    await claim_all(ledger, world.channel())
    await spend(ledger, world, (1, 40))
    channel = await ledger.observe(world.reading(1000, block=2, claimed=130))
    assert (channel.charged, channel.total_split, channel.reading.total_claimed) == (130, 130, 130)
    assert await ledger.claimable() == []
    with pytest.raises(BalanceTooLow):
        await world.open_call(ledger, world.reservation("a", 871))
    await spend(ledger, world, (2, 5))
    assert (await claim_all(ledger, world.channel())).splits == (Split(world.ASSETS[2], 5),)


async def test_a_channel_first_seen_with_a_past_starts_from_it(ledger: Ledger, world: ModuleType):
    channel = await ledger.observe(world.reading(1000, claimed=400))
    assert (channel.charged, channel.free) == (400, 600)
    answer = await world.open_call(ledger, world.reservation("a", 100))
    assert answer.account.voucher == world.voucher(500)


# Deposits and refunds


async def test_a_deposit_authorization_counts_once(ledger: Ledger, world: ModuleType):
    nonce = world.named("nonce")
    await ledger.plan_deposit(world.channel(), nonce, 500, "tx-1", world.config().payer)
    with pytest.raises(DuplicateDeposit):
        await ledger.plan_deposit(world.channel(), nonce, 500, "tx-2", world.config().payer)
    await ledger.finish_deposit(world.channel(), nonce, confirmed=False)
    await ledger.plan_deposit(world.channel(), nonce, 500, "tx-3", world.config().payer)
    await ledger.finish_deposit(world.channel(), nonce, confirmed=True)
    with pytest.raises(DuplicateDeposit):
        await ledger.plan_deposit(world.channel(), nonce, 500, "tx-4", world.config().payer)
    with pytest.raises(WrongState):
        await ledger.finish_deposit(world.channel(), nonce, confirmed=False)
    await ledger.plan_deposit(world.channel(1), nonce, 500, "another channel", world.config().payer)


async def test_a_payer_has_one_deposit_under_way_and_so_many_in_a_day(ledger: Ledger, world: ModuleType):
    """The same money may stand behind all of them, and each costs gas."""
    payer, other = world.config().payer, world.TILL
    await ledger.plan_deposit(world.channel(0), world.named(0), 500, "tx-0", payer)
    with pytest.raises(DepositUnderWay):
        await ledger.plan_deposit(world.channel(1), world.named(1), 500, "tx-1", payer)
    await ledger.plan_deposit(world.channel("other"), world.named("other"), 500, "tx-other", other)
    assert (await ledger.pending_deposit_of(payer)).outbox_id == "tx-0"
    for number in range(20):
        await ledger.finish_deposit(world.channel(number), world.named(number), confirmed=bool(number % 2))
        assert await ledger.pending_deposit_of(payer) is None
        if number < 19:
            await ledger.plan_deposit(world.channel(number + 1), world.named(number + 1), 500, f"tx-{number}", payer)
    with pytest.raises(PaymentRequired, match="deposits in a day") as refused:
        await ledger.plan_deposit(world.channel(20), world.named(20), 500, "tx-20", payer)
    assert refused.value.details == {"payer": payer, "most": 20}
    with pytest.raises(PaymentRequired, match="deposits in a day"):
        await ledger.plan_deposit(world.channel(18), world.named(18), 500, "one that failed", payer)
    with pytest.raises(DuplicateDeposit):
        await ledger.plan_deposit(world.channel(19), world.named(19), 500, "one that is made", payer)


async def test_a_claimed_voucher_is_public_and_the_lowest_that_covers_is_claimed(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(10_000))
    first = (await world.open_call(ledger, world.reservation("a", 1_000, promise=1_000))).lease
    await ledger.meter(first, world.bill(10))
    second = (await world.open_call(ledger, world.reservation("b", 1_000, promise=5_000))).lease
    await ledger.release(second, "upstream_down")
    claim = await claim_all(ledger, world.channel())
    assert (claim.cumulative, claim.voucher.max_claimable) == (10, 1_000)  # not 5,000, which nobody else has seen
    assert await ledger.published(world.channel(), 1_000)
    assert not await ledger.published(world.channel(), 5_000)
    with pytest.raises(VoucherPublished):
        await world.open_call(ledger, world.reservation("c", 100, promise=1_000))
    key = world.reservation("c", 100, key="k").idempotency
    with pytest.raises(VoucherPublished):
        await ledger.find_replay(world.channel(), key, 1_000)
    assert await ledger.find_replay(world.channel(), key, 1_001) is None
    assert (await world.open_call(ledger, world.reservation("c", 100, promise=1_001))).account.reserved == 100


async def test_a_stranger_who_names_a_payer_has_no_part_in_their_keys(ledger: Ledger, world: ModuleType):
    """Anybody can open a channel that names somebody else as payer; an idempotency key is its signer's too."""
    await ledger.observe(world.reading(1_000))
    mine = (await world.open_call(ledger, world.reservation("mine", 100, promise=100, key="job-1"))).lease
    await ledger.meter(mine, world.bill(60), b"for me alone")
    stranger = replace(world.identity("theirs"), signer=world.TILL)
    await ledger.observe(AccountReading(stranger, 1, 1_000, 0))
    request = replace(world.reservation("theirs", 100, key="job-1"), account=stranger.id)
    request = replace(request, sign=lambda amount: world.voucher(amount))
    assert isinstance(await world.open_call(ledger, request), Opened)


async def test_a_deposit_seen_on_chain_widens_the_budget(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(100))
    with pytest.raises(BalanceTooLow):
        await world.open_call(ledger, world.reservation("a", 500))
    await ledger.observe(world.reading(600, block=2))
    assert (await world.open_call(ledger, world.reservation("a", 500))).account.free == 100


async def test_money_being_refunded_cannot_be_reserved(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    await spend(ledger, world, (0, 100))
    channel = await ledger.plan_refund(world.channel(), 0, 800, "tx")
    assert (channel.refunding, channel.free) == (800, 100)
    with pytest.raises(BalanceTooLow):
        await world.open_call(ledger, world.reservation("a", 101))
    channel = await ledger.finish_refund(world.channel(), 0, world.reading(200, block=2))
    assert (channel.refunding, channel.reading.balance, channel.free) == (0, 200, 100)


async def test_a_failed_refund_gives_the_money_back_to_calls(ledger: Ledger, world: ModuleType):
    await ledger.observe(world.reading(1000))
    await ledger.plan_refund(world.channel(), 0, 800, "tx")
    assert (await ledger.finish_refund(world.channel(), 0, None)).free == 1000
    with pytest.raises(WrongState):
        await ledger.finish_refund(world.channel(), 0, None)
    assert (await ledger.plan_refund(world.channel(), 0, 300, "tx-2")).free == 700


@pytest.mark.parametrize("amount", [0, 901, 1000])
async def test_reserved_money_is_not_refunded(ledger: Ledger, world: ModuleType, amount: int):
    await ledger.observe(world.reading(1000))
    await world.open_call(ledger, world.reservation("a", 100))
    with pytest.raises(RefundTooHigh):
        await ledger.plan_refund(world.channel(), 0, amount, "tx")
    await ledger.plan_refund(world.channel(), 0, 400, "tx")
    with pytest.raises(RefundTooHigh):
        await ledger.plan_refund(world.channel(), 0, 400, "the same nonce")


async def test_channels_are_listed_page_by_page(ledger: Ledger, world: ModuleType):
    for name in range(5):
        await ledger.observe(world.reading(name, name))
    first = await ledger.account_list(limit=3)
    rest = await ledger.account_list(after=first[-1].reading.id, limit=3)
    assert {channel.reading.balance for channel in [*first, *rest]} == set(range(5))
    assert len(rest) == 2
