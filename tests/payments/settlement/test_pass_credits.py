"""Pass credits: activated ones pay for calls, are burned once, and reach the owners; a grant is worth what it says."""

import asyncio
import signal
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.support.bills import lines_of
from tests.support.fake_clock import FakeClock
from tests.support.refusal import refused
from tests.support.waiting import until
from usufruct.chain import Client, RpcUnavailable
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.http import HttpWire, Reply
from usufruct.chain.keys import KeySigner
from usufruct.core import UINT128_MAX, Address, ChainId, Clock
from usufruct.payments.ledger.errors import BalanceTooLow, LimitReached
from usufruct.payments.ledger.records import Bill, Reservation
from usufruct.payments.pricing.grants import (
    SILENCE,
    PassGrant,
    PassTerms,
    sign_grant,
)
from usufruct.payments.pricing.vouchers import Voucher
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.anchoring import prove_receipt
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct.payments.settlement.model import BatchKind, ClaimPolicy
from usufruct.payments.settlement.pass_accounts import MOST_OPENING, PassAccounts, PassHeartbeat
from usufruct.payments.settlement.pass_credits import PassCredits
from usufruct.payments.settlement.store import all_quarantined, leases
from usufruct_client import proves

HOLDER = KeySigner(bytes(31) + b"\x07")
TERMS = PassTerms(ChainId(31337), Address("0x" + "aa" * 20), Address("0x" + "bb" * 20), Address("0x" + "cc" * 20))
NEVER = 1 << 40


@dataclass
class Passes:
    """A town whose first service sells passes: 10 dollars of use for 9."""

    town: Any
    world: Any
    terms: PassTerms
    contract: AccessPass
    plan: int
    accounts: PassAccounts
    keeper: PassHeartbeat
    holder: Any

    @property
    def credits(self) -> PassCredits:
        return self.town.sync.credits

    async def activate(self, dollars: int) -> None:
        """Buy packages and activate all of their credits, as the payer."""
        town, payer = self.town, self.holder.address
        packages = dollars // 10
        await town.act(payer, town.dollar.approve(self.contract.address, packages * 9 * self.world.DOLLAR))
        await town.act(payer, self.contract.buy(self.plan, packages, payer))
        await town.act(payer, self.contract.activate(self.plan, dollars * self.world.DOLLAR, self.terms.meter))

    async def burn(self, amount: int) -> None:
        """Burn credits by the meter's key, past all of our parts."""
        await self.town.devnet.pass_time(1)  # or a node's estimate leaves out what a later timestamp costs
        await self.town.act(self.terms.meter, self.contract.burn(self.holder.address, self.plan, amount))

    def grant(self, limit: int = UINT128_MAX) -> PassGrant:
        return sign_grant(self.terms, self.plan, limit, NEVER, self.holder)

    async def reserve(self, name: object, ceiling: int, grant: PassGrant | None = None) -> Any:
        grant = grant or self.grant()
        account = await self.accounts.ready(grant, ceiling)
        opened = await self.town.ledger.open(
            Reservation(
                call=self.world.named(name),
                account=account,
                asset=self.town.place.assets[0],
                ceiling=ceiling,
                price_card_version=1,
                request_hash=self.world.named(f"request of {name}"),
                sign=lambda needed: Voucher(account, needed, grant.signature),
                limit=grant.limit,
            )
        )
        await opened.durable()
        return opened

    async def call(self, name: object, charge: int, grant: PassGrant | None = None) -> Any:
        """Serve one call for `charge` credits."""
        held = await self.reserve(name, charge, grant)
        bill = Bill(charge, lines_of(charge), False, self.world.named("model"), self.world.named(f"answer of {name}"))
        return await self.town.ledger.meter(held.lease, bill)

    async def account(self) -> Any:
        return await self.town.ledger.account(self.accounts.account_of(self.grant()))

    async def look(self) -> Any:
        """Read the account from the chain now."""
        (account,) = await self.town.sync.observe([await self.account()])
        return account

    async def balance(self) -> int:
        """What calls may use in all, as the chain has it now."""
        return (await self.credits.peek(self.terms.credits(self.plan, self.holder.address))).balance

    async def left(self) -> int:
        return await self.contract.activated(self.plan, self.holder.address, self.terms.meter)


@pytest.fixture
async def make_passes(make_town, settlement_world):
    """A maker of towns that sell passes; plans end after `expires` seconds if that is given."""

    async def make(expires: int = 0, **options: Any) -> Passes:
        town, world = make_town(**options), settlement_world
        registry = AssetRegistry(town.place.registry, town.client)
        contract = AccessPass(town.place.passes, town.client)
        asset, meter = town.place.assets[0], world.CLAIM_KEY.address
        await town.act(world.FIRST.address, registry.set_meter(asset, meter))
        expiry = (await town.client.head()).timestamp + expires if expires else 0
        sale = (asset, town.place.dollar, expiry, 9 * world.DOLLAR, 10 * world.DOLLAR)
        await town.act(world.FIRST.address, contract.create_plan(*sale))
        terms = town.context.passes
        return Passes(
            town,
            world,
            terms,
            contract,
            await contract.plan_id_of(*sale),
            PassAccounts(town.ledger, town.sync.credits, town.sync, Clock()),
            PassHeartbeat(town.client, town.sync.credits, town.claim_sender),
            world.PAYER,
        )

    return make


@pytest.mark.anvil
async def test_credits_pay_for_calls_and_their_price_reaches_the_owners_to_the_unit(make_passes):
    passes = await make_passes()
    town, dollar = passes.town, passes.world.DOLLAR
    await passes.activate(20)
    shares = town.place.shares[0]
    before = await town.dollar.balance_of(shares)
    calls = [await passes.call(f"call {n}", 1_000_000 + n) for n in range(3)]
    used = 3_000_003
    (batch,) = await passes.town.claimer.run(everything=True)
    assert batch.kind is BatchKind.BURN
    assert await passes.left() == 20 * dollar - used
    assert (await passes.account()).total_split == used
    plan = await passes.contract.plan(passes.plan)
    paid = await town.dollar.balance_of(shares) - before
    assert paid == used * 9 // 10, "the purchase price of what was burned, rounded down"
    assert paid + plan.escrow == 18 * dollar
    proof = await prove_receipt(town.context, calls[1].lease.call)
    assert proves(proof, bytes.fromhex(proof.digest[2:]))
    assert proof.count == 3
    assert await passes.town.claimer.run(everything=True) == [], "once"
    await passes.call("one more", 5)
    assert len(await passes.town.claimer.run(everything=True)) == 1
    assert await passes.left() == 20 * dollar - used - 5


@pytest.mark.anvil
async def test_who_activated_nothing_is_refused_and_leaves_no_row(make_passes):
    passes = await make_passes()
    with pytest.raises(BalanceTooLow, match="activate some"):
        await passes.reserve("call", 1)
    assert await passes.town.ledger.account_list() == []


class SlowWire(HttpWire):
    """Holds requests to a node while `open` is not set, and counts those that it holds at a time."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.open = asyncio.Event()
        self.posted = self.held = 0

    async def post(self, body: bytes, timeout_seconds: float) -> Reply:
        self.posted += 1
        self.held += 1
        await self.open.wait()
        self.held -= 1
        return await super().post(body, timeout_seconds)


@pytest.mark.anvil
async def test_grants_without_credits_ask_the_node_a_few_at_a_time_and_find_them_at_once(make_passes, anvil):
    passes = await make_passes()
    wire = SlowWire(anvil.url)
    async with Client(anvil.url, wire=wire) as client:
        source = PassCredits(replace(passes.town.context, client=client))
        passes.accounts = PassAccounts(passes.town.ledger, source, passes.town.sync, FakeClock())
        calls = [asyncio.create_task(passes.reserve(f"call {number}", 1)) for number in range(12)]
        await until(lambda: wire.held)
        await asyncio.sleep(0.05)
        assert wire.held <= MOST_OPENING
        wire.open.set()
        for call in calls:
            with pytest.raises(BalanceTooLow, match="activate some"):
                await call
        await passes.activate(10)
        await passes.call("first", 1)
        before = wire.posted
        await passes.call("second", 1)
        assert wire.posted == before


@pytest.mark.anvil
async def test_credits_activated_later_are_found_when_they_are_needed(make_passes):
    passes = await make_passes()
    await passes.activate(10)
    await passes.call("first", 6_000_000)
    await passes.activate(10)
    passes.accounts = PassAccounts(passes.town.ledger, passes.credits, passes.town.sync, FakeClock())
    await passes.call("second", 6_000_000)
    with pytest.raises(BalanceTooLow):
        await passes.reserve("third", 8_000_001)


@pytest.mark.anvil
async def test_calls_go_on_while_the_chain_is_away_but_not_for_ever(make_passes, anvil):
    passes = await make_passes()
    await passes.activate(10)
    clock = FakeClock()
    passes.accounts = PassAccounts(passes.town.ledger, passes.credits, passes.town.sync, clock)
    await passes.call("first", 100)
    await anvil.stop()
    clock.advance(3_600)
    await passes.call("second", 100)
    clock.advance(86_400)
    with pytest.raises(RpcUnavailable):
        await passes.reserve("third", 100)


@pytest.mark.anvil
async def test_a_limit_counts_what_other_grants_were_charged_and_what_runs(make_passes):
    passes = await make_passes()
    await passes.activate(10)
    small = passes.grant(limit=1_000)
    await passes.call("by a large one", 600)
    await passes.reserve("runs", 300, small)
    with pytest.raises(LimitReached):
        await passes.reserve("too much", 101, small)
    await passes.reserve("the rest", 100, small)


@pytest.mark.anvil
async def test_burns_that_our_records_do_not_have_are_not_made_again(make_passes):
    """As after a restore: the meter burned, and the database knows only of the charge."""
    passes = await make_passes()
    await passes.activate(10)
    await passes.call("call", 4_000_000)
    await passes.burn(4_000_000)
    for _ in range(2):
        await passes.town.claimer.run(everything=True)
    assert await passes.left() == 6_000_000
    account = await passes.account()
    assert account.total_split == account.charged == account.reading.total_claimed == 4_000_000


@pytest.mark.anvil
async def test_a_burn_that_the_chain_takes_back_is_known_as_not_made(make_passes):
    passes = await make_passes()
    town = passes.town
    await passes.activate(10)
    await passes.call("call", 10)
    snapshot = await town.client.ask("evm_snapshot")
    await passes.burn(10)
    await passes.look()
    assert (await passes.account()).reading.total_claimed == 10
    await town.client.ask("evm_revert", snapshot)
    for _ in range(2):
        await town.act(passes.world.STRANGER.address, town.dollar.approve(passes.terms.meter, 1))
    await passes.town.watcher.poll()
    account = await passes.account()
    assert (account.reading.total_claimed, account.reading.balance) == (0, 10 * passes.world.DOLLAR)
    await passes.town.claimer.run(everything=True)
    assert await passes.left() == 10 * passes.world.DOLLAR - 10


@pytest.mark.anvil
async def test_before_a_retirement_it_takes_no_call_and_what_it_owes_is_burned_at_once(make_passes):
    passes = await make_passes(policy=ClaimPolicy())
    town, world = passes.town, passes.world
    await passes.activate(10)
    registry = AssetRegistry(town.place.registry, town.client)
    await town.act(world.FIRST.address, registry.retire(town.place.assets[0]))
    await passes.call("call", 500)
    assert await town.claimer.run() == [], "too little, and too young"
    await town.devnet.pass_time(6 * 86_400 + 1)
    await passes.look()
    with refused("pass_closing"):
        await passes.reserve("too late", 1)
    await town.claimer.run()
    assert await passes.left() == 10 * world.DOLLAR - 500


@pytest.mark.anvil
async def test_a_pass_is_good_to_its_last_second_and_what_it_then_owes_is_asked_for_no_more(make_passes):
    passes = await make_passes(expires=32 * 86_400)
    town = passes.town
    await passes.activate(10)
    await passes.call("call", 500)
    await town.devnet.pass_time(16 * 86_400)
    await town.act(passes.terms.meter, passes.contract.anchor(town.place.assets[0]))
    await town.devnet.pass_time(16 * 86_400)
    for _ in range(3):
        assert await town.claimer.run(everything=True) == []
    async with town.database.snapshot() as unit:
        assert await all_quarantined(unit) == {}
    assert town.context.counters.failed == 0
    with pytest.raises(BalanceTooLow):
        await passes.reserve("too late", 1)
    await town.act(passes.world.STRANGER.address, passes.contract.sweep_expired(passes.plan))
    assert await town.dollar.balance_of(town.place.shares[0]) == 9 * passes.world.DOLLAR, (
        "it is the owners' all the same"
    )


@pytest.mark.anvil
async def test_credits_that_rest_are_kept_by_a_sign_of_life_and_refundable_without_one(make_passes):
    passes = await make_passes()
    town, holder = passes.town, passes.world.PAYER.address
    await passes.activate(10)
    await passes.call("all of it", 10 * passes.world.DOLLAR)
    assert await passes.keeper.run() == 0
    await town.devnet.pass_time(SILENCE // 2)
    asset, meter = town.place.assets[0], passes.terms.meter
    silent_since = await passes.contract.last_sign(asset, meter)

    async def signed() -> bool:
        return await passes.contract.last_sign(asset, meter) > silent_since

    assert await passes.keeper.run() == 1, "used or not, they could be given back"
    await until(signed)
    assert await passes.keeper.run() == 0
    await town.devnet.pass_time(SILENCE - 3600)
    await passes.look()
    with refused("pass_closing"):
        await passes.reserve("too late", 0)
    await town.devnet.pass_time(7200)
    await town.act(holder, passes.contract.refund_activated(passes.plan, passes.terms.meter, 9_999_800, holder))
    await town.claimer.run(everything=True)
    assert await passes.left() == 0, "what is left of the charge"
    assert (await passes.account()).total_split == 200


@pytest.mark.anvil
async def test_void_credits_are_kept_by_no_sign(make_passes):
    passes = await make_passes(expires=32 * 86_400)
    await passes.activate(10)
    await passes.call("call", 500)
    await passes.town.devnet.pass_time(32 * 86_400)
    assert await passes.keeper.run() == 0


@pytest.mark.anvil
async def test_what_is_owed_to_an_earlier_meter_is_not_burned_from_credits_for_another(make_passes):
    passes = await make_passes()
    town, world = passes.town, passes.world
    await passes.activate(10)
    await passes.call("by the old one", 1_000)
    registry = AssetRegistry(town.place.registry, town.client)
    await town.act(world.FIRST.address, registry.set_meter(town.place.assets[0], world.THIRD.address))
    old, passes.terms = passes.terms, replace(passes.terms, meter=world.THIRD.address)
    await passes.activate(10)
    other = town.new_claimer(sender=town.sender(world.THIRD))
    assert await other.run(everything=True) == []
    await other.lease.release()
    assert await passes.left() == 10 * world.DOLLAR
    await town.claimer.run(everything=True)
    assert await passes.left() == 10 * world.DOLLAR
    assert await passes.contract.activated(passes.plan, world.PAYER.address, old.meter) == 10 * world.DOLLAR - 1_000


@pytest.mark.anvil
async def test_accounts_of_an_earlier_contract_stop_no_heartbeat_no_claim_and_no_watch(make_passes):
    passes = await make_passes()
    town = passes.town
    await passes.activate(10)
    await passes.call("by the old one", 1_000)
    await passes.call("not burned", 1_000)
    terms = replace(passes.terms, contract=Address("0x" + "ee" * 20))
    context = replace(town.context, passes=terms, sweep_seconds=0)
    sync = AccountSync(context)
    assert await sync.credits.held() == await sync.credits.unburnable() == []
    assert await PassHeartbeat(town.client, sync.credits, town.claim_sender).run() == 0
    await town.deposit(5_000)
    await town.call("of a channel", 300)
    [claimed] = await Claimer(context, town.claim_sender, town.register, passes.world.TREASURY.address, sync).run(
        everything=True
    )
    assert claimed.kind is BatchKind.CLAIM
    assert await EventWatcher(context, sync, town.clock).poll() == 1


@pytest.mark.anvil
async def test_a_burn_that_was_noted_and_made_already_is_not_made_again(make_passes):
    """As after the restore of a copy that was taken between note and transaction."""

    class Died(Exception):
        pass

    def die_at(point: str) -> None:
        if point == "batch.noted":
            raise Died

    passes = await make_passes(faults=die_at)
    await passes.activate(10)
    await passes.call("call", 4_000_000)
    with pytest.raises(Died):
        await passes.town.claimer.run(everything=True)
    await passes.town.claimer.lease.release()
    holders, totals = [passes.world.PAYER.address], [4_000_000]
    await passes.town.devnet.pass_time(1)
    await passes.town.act(passes.terms.meter, passes.contract.burn_up_to(passes.plan, holders, totals))
    for _ in range(2):
        await passes.town.new_claimer().run(everything=True)
    assert await passes.left() == 6_000_000
    account = await passes.account()
    assert account.total_split == account.charged == account.reading.total_claimed == 4_000_000


@pytest.mark.anvil
@pytest.mark.parametrize("crash", [None, "batch.shrunk"])
async def test_a_refund_ahead_of_a_burn_leaves_that_account_out_and_the_books_exact(make_passes, crash):
    """A retirement is in effect, the batch is simulated, and then one of two holders takes the credits back."""

    class Died(Exception):
        pass

    points = ["batch.noted", crash]

    def die_at(point: str) -> None:
        if point in points:
            points.remove(point)
            raise Died

    passes = await make_passes(faults=die_at)
    town, world = passes.town, passes.world
    other = replace(passes, holder=world.STRANGER)
    await town.act(world.STRANGER.address, town.dollar.mint(world.STRANGER.address, 9 * world.DOLLAR))
    for each in (passes, other):
        await each.activate(10)
        await each.call(f"by {each.holder.address}", 4_000_000)
    await town.act(world.FIRST.address, AssetRegistry(town.place.registry, town.client).retire(town.place.assets[0]))
    await town.devnet.pass_time(7 * 86_400)
    with pytest.raises(Died):
        await town.claimer.run(everything=True)
    await town.claimer.lease.release()
    holder = other.holder.address
    await town.act(holder, other.contract.refund_activated(passes.plan, passes.terms.meter, 6_000_001, holder))

    if crash:
        dying = town.new_claimer(faults=die_at)
        with pytest.raises(Died):
            await dying.run(everything=True)
        await dying.lease.release()
    claimer = town.new_claimer()
    (batch,) = [each for each in await claimer.run(everything=True) if len(each.members) == 1 and each.receipts == 1][
        :1
    ]
    assert await passes.left() == 6_000_000
    burned = await passes.account()
    assert burned.total_split == burned.charged == 4_000_000
    proof = await prove_receipt(town.context, world.named(f"by {world.PAYER.address}"))
    assert proves(proof, bytes.fromhex(proof.digest[2:]))
    assert (proof.count, proof.root) == (1, batch.root), "the other's receipt is not under this root"

    await claimer.run(everything=True)
    lost = await other.account()
    assert await other.left() == 0, "what was left is burned, when the chain is asked again"
    assert (lost.charged, lost.total_split, lost.reading.balance) == (4_000_000, 3_999_999, 3_999_999)


@pytest.mark.anvil
async def test_activations_count_once_they_are_confirmed_and_refunds_at_once(make_passes):
    passes = await make_passes(confirmations=3)
    town, holder, dollar = passes.town, passes.world.PAYER.address, passes.world.DOLLAR
    await passes.activate(10)
    await town.devnet.mine(3)
    assert await passes.balance() == 10 * dollar
    await passes.burn(4 * dollar)
    await passes.activate(10)
    assert await passes.balance() == 10 * dollar, "the burn hides nothing"
    await town.devnet.mine(3)
    assert await passes.balance() == 20 * dollar
    await town.devnet.pass_time(SILENCE)
    await town.act(holder, passes.contract.refund_activated(passes.plan, passes.terms.meter, dollar, holder))
    assert await passes.balance() == 19 * dollar


@pytest.mark.anvil
async def test_unused_credits_are_no_escrow_that_could_be_refunded(make_passes):
    passes = await make_passes(forgotten_seconds=0)
    await passes.activate(10)
    await passes.call("call", 500)
    assert await passes.town.refunds.run() == 0
    assert (await passes.account()).refunding == 0


@pytest.mark.anvil
@pytest.mark.parametrize(
    "point",
    ["claim.planned", "batch.noted", "broadcast.before", "broadcast.after", "batch.sent", "batch.confirmed"],
)
async def test_a_claimer_killed_there_burns_once(point, make_passes, anvil, database_url, crash):
    passes = await make_passes()
    await passes.activate(10)
    await passes.call("call", 4_000_000)
    assert await crash(point, database_url, anvil.url) == -signal.SIGKILL
    async with passes.town.database.transaction() as unit:
        await unit.change(leases.update().values(until=0))
    await passes.town.claimer.run()
    await passes.look()
    assert await passes.left() == 6_000_000
    account = await passes.account()
    assert account.total_split == account.charged == account.reading.total_claimed == 4_000_000
    assert await passes.town.claimer.run() == []
