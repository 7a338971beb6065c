"""Refunds and income are told from where they are final, although a process is killed; levels until they are over."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.support import ledger_samples as samples
from tests.support.notification_crash import TOKEN, events_in, notifications_in
from tests.support.webhook_receiver import webhook_receiver
from usufruct.accounts import BearerKey, KeyLimits, Keys
from usufruct.accounts.notifications import Contact, EventKind
from usufruct.accounts.notifications.outbox import deliveries
from usufruct.assets import Listing, Listings, PricePeriod, plain_listing_id
from usufruct.core import Address, Clock
from usufruct.core.price_cards import PriceCard
from usufruct.market.account_levels import AccountLevels, fails, levels_of_key
from usufruct.market.review_owners import ServiceOwners
from usufruct.payments.settlement import store
from usufruct.payments.settlement.model import Batch, BatchKind, BatchState, Member

PAYER = samples.config().payer
SELLER = Address("0x" + "5e" * 20)
CHAT = Listing(
    name="chat",
    operation="chat",
    pay_to=SELLER,
    id=plain_listing_id("chat", SELLER),
    prices=(PricePeriod(PriceCard(1, 1, 1, 4_096, 1), 0),),
)
ALL = frozenset(each.value for each in (EventKind.REFUND, EventKind.INCOME, EventKind.LOW_BALANCE, EventKind.LIMIT_LOW))


async def told(notifications, person: Address, url: str = "http://127.0.0.1:1/") -> None:
    await notifications.choose(person, ALL, 300, "en", "http://127.0.0.1")
    await notifications.set_webhook(person, url)


async def refund(ledger, nonce: int = 1, amount: int = 500) -> None:
    """Refund a channel to its end."""
    before = await ledger.account(samples.channel())
    await ledger.plan_refund(samples.channel(), nonce, amount, f"refund/{nonce}")
    left = before.reading.balance - amount
    block = before.reading.block + 1
    await ledger.finish_refund(samples.channel(), nonce, samples.reading(left, block=block))


async def pay_out(ledger, database, charge: int = 120) -> None:
    """Charge a call of `chat`, claim it, and end its batch as settlement does."""
    call = samples.reservation("call", 300, promise=300, asset=CHAT.id)
    await samples.open_call(ledger, call)
    await ledger.meter((await ledger.call(call.call)).lease, samples.bill(charge))
    claim = await ledger.plan_claim(samples.named("claim"), samples.channel())
    members = (Member(claim.id, claim.account, claim.split_from, claim.cumulative),)
    batch = Batch(samples.named("batch"), BatchKind.CLAIM, samples.TOKEN, None, None, 0, BatchState.PLANNED, members)
    async with database.transaction() as unit:
        await store.add_batch(unit, batch)
    await ledger.send_claim(claim, "tx")
    await ledger.confirm_claim(claim)
    for _ in range(2):  # a claimer that lost its lease may end it too
        async with database.transaction() as unit:
            await store.end_batch(unit, batch.id, BatchState.CONFIRMED, samples.named("transaction"), 7)


async def events_of(notifications, person: Address) -> list[tuple[str, dict]]:
    return [(each.event.kind.value, json.loads(each.event.data)) for each in await notifications.latest(person)]


async def test_a_refund_is_told_to_its_payer_once(ledger, database):
    notifications, events = notifications_in(database), events_in(database, ledger)
    await told(notifications, PAYER)
    await ledger.observe(samples.reading(1000))
    await refund(ledger)
    await ledger.plan_refund(samples.channel(), 2, 100, "refund/2")
    await ledger.finish_refund(samples.channel(), 2, None)  # failed: nothing to tell
    for _ in range(2):
        await events.report()
    [(kind, data)] = await events_of(notifications, PAYER)
    assert (kind, data["channel"], data["transaction"]) == ("refund.sent", samples.channel(), None)
    assert data["refunded"] == {"amount": "500", "token": samples.TOKEN, "symbol": "USDC", "decimals": 6}
    assert await ledger.refunds_to_report() == []


async def test_income_is_told_to_the_payee_once_with_its_transaction(ledger, database):
    notifications, events = notifications_in(database), events_in(database, ledger)
    await Listings(database, Clock()).add(CHAT)
    for person in (SELLER, PAYER):
        await told(notifications, person)
    await ledger.observe(samples.reading(1000))
    await pay_out(ledger, database)
    for _ in range(2):
        await events.report()
    [(kind, data)] = await events_of(notifications, SELLER)
    assert (kind, data["service"], data["income"]["amount"]) == ("income.arrived", "chat", "120")
    assert data["transaction"] == samples.named("transaction")
    assert await events_of(notifications, PAYER) == [], "the payer earned nothing"


async def test_who_did_not_ask_is_not_told_afterwards(ledger, database):
    notifications, events = notifications_in(database), events_in(database, ledger)
    await ledger.observe(samples.reading(1000))
    await refund(ledger)
    await events.report()
    await told(notifications, PAYER)
    await events.report()
    assert await events_of(notifications, PAYER) == []


def killed_at(url: str, point: str) -> bool:
    """Run the program that reports and sends, in a process; tell whether it was killed at the point."""
    command = [sys.executable, "-m", "tests.support.notification_crash", url, point]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) in ((-9, ""), (0, "alive\n")), ended.stderr
    return ended.returncode == -9


@pytest.mark.parametrize("point", ["refund.reported", "income.reported", "webhook.posted"])
async def test_a_killed_process_loses_nothing_and_its_successor_tells_no_event_twice(
    ledger, database, database_url, point
):
    notifications = notifications_in(database)
    await Listings(database, Clock()).add(CHAT)
    await ledger.observe(samples.reading(1000))
    await pay_out(ledger, database)
    await refund(ledger, amount=100)
    async with webhook_receiver() as receiver:
        for person in (SELLER, PAYER):
            await told(notifications, person, receiver.url())
        assert await asyncio.to_thread(killed_at, database_url, point)
        await _let_leases_lapse(database)
        assert not await asyncio.to_thread(killed_at, database_url, "")
        kinds = {each.headers["webhook-id"]: json.loads(each.body)["type"] for each in receiver.posted}
    assert sorted(kinds.values()) == ["income.arrived", "refund.sent"], "one id each, however often it was posted"
    assert len(receiver.posted) >= 2
    for person in (SELLER, PAYER):
        assert [each.state for each in await notifications.latest(person)] == ["sent"]


async def _let_leases_lapse(database) -> None:
    """Make every delivery due, as if the lease of the process that was killed were over."""

    async with database.transaction() as unit:
        await unit.change(deliveries.update().values(next_at=0))


# Levels


KEY = BearerKey(
    id="key_1",
    payer=PAYER,
    channel=samples.channel(),
    session=samples.SESSION.address,
    spending_limit=1000,
    expires_at=4_000_000_000,
    label="laptop",
    assets=frozenset(),
    created_at=1,
    revoked_at=None,
    day_limit=None,
)


@pytest.fixture
async def levels(ledger, database):
    """What reports levels, on a key of `PAYER`; `failures` are the calls of services in the last hours."""

    class Failures:
        calls: dict = {}

        async def last_hours(self):
            return self.calls

    listings = Listings(database, Clock())
    await listings.add(CHAT)
    keys = Keys(database, None, Clock(), None, None)
    await keys.store.add(KEY, b"hash", b"sealed", 1, KeyLimits(), funded=True)
    notifications, failures = notifications_in(database), Failures()
    owners = ServiceOwners(listings, None, None)
    made = AccountLevels(notifications, keys, ledger, failures, listings, owners, database, TOKEN)
    made.failures, made.told = failures, notifications
    return made


async def test_levels_of_other_packages_are_left_alone(ledger, levels):
    await told(levels.told, PAYER)
    level = (PAYER, EventKind.MARKET.value, "alert_1")
    assert await levels.told.report_level(await levels.told.contact(PAYER), EventKind.MARKET, "alert_1", {})
    await levels.report()
    assert await levels.told.levels_of([PAYER], EventKind) == {level}


async def test_a_low_deposit_is_told_once_and_again_after_it_was_filled(ledger, levels):
    await told(levels.told, PAYER)
    await ledger.observe(samples.reading(0))
    await levels.report()
    assert await events_of(levels.told, PAYER) == [], "a key that waits for its first deposit is not low"
    await ledger.observe(samples.reading(300, block=2))
    await levels.report()
    assert await events_of(levels.told, PAYER) == []
    call = samples.reservation("call", 200, promise=200)
    await samples.open_call(ledger, call)
    await levels.report()
    assert await events_of(levels.told, PAYER) == [], "what a running call has set aside is not spent"
    await ledger.meter((await ledger.call(call.call)).lease, samples.bill(50))
    for _ in range(2):
        await levels.report()
    [(kind, data)] = await events_of(levels.told, PAYER)
    assert (kind, data["label"], data["left"]["amount"], data["threshold"]["amount"]) == (
        "balance.low",
        "laptop",
        "250",
        "300",
    )
    await ledger.observe(samples.reading(1_000, block=3))
    await levels.report()
    assert len(await events_of(levels.told, PAYER)) == 1
    await ledger.observe(samples.reading(100, block=4))
    await levels.report()
    assert len(await events_of(levels.told, PAYER)) == 2


async def test_a_revoked_key_is_not_looked_at(ledger, levels):
    await told(levels.told, PAYER)
    await ledger.observe(samples.reading(10))
    await levels._keys.revoke(PAYER, "key_1")
    await levels.report()
    assert await events_of(levels.told, PAYER) == []


async def test_a_failing_service_is_told_to_its_owner_until_it_works(levels):
    await levels.told.choose(SELLER, frozenset({"service.failing"}), 0, "en", "http://127.0.0.1")
    await levels.told.set_webhook(SELLER, "http://127.0.0.1:1/")
    for calls, messages in (((4, 4), 0), ((4, 6), 1), ((4, 9), 1), ((20, 9), 1), ((20, 30), 2)):
        levels.failures.calls = {CHAT.id: calls}
        await levels.report()
        assert len(await events_of(levels.told, SELLER)) == messages, calls
    failing = [data for _, data in await events_of(levels.told, SELLER)]
    assert max(failing, key=lambda data: int(data["calls"])) == {
        "service": "chat",
        "asset": f"0x{CHAT.id:032x}",
        "calls": 50,
        "failed": 30,
    }


@pytest.mark.parametrize(("answered", "failed", "fallen"), [(0, 4, False), (0, 5, True), (5, 5, False), (5, 6, True)])
def test_a_service_fails_when_most_and_not_few_calls_do(answered, failed, fallen):
    assert fails(answered, failed) is fallen


async def test_limits_in_all_and_of_the_day_are_low_under_a_tenth(ledger):
    await ledger.observe(samples.reading(2_000))
    call = samples.reservation("call", 950, promise=950)
    await samples.open_call(ledger, call)
    await ledger.meter((await ledger.call(call.call)).lease, samples.bill(901))
    account = await ledger.account(samples.channel())
    contact, today = Contact(PAYER, low_balance=1), account.day
    reached = [*levels_of_key(contact, replace(KEY, day_limit=1_000), account, today, TOKEN)]
    assert [(each.subject, each.data["period"], each.data["left"]["amount"]) for each in reached] == [
        ("key_1/total", "total", "99"),
        (f"key_1/day/{today}", "day", "99"),
    ]
    assert [*levels_of_key(contact, replace(KEY, spending_limit=1_001, day_limit=None), account, today, TOKEN)] == []
    tomorrow = [*levels_of_key(contact, replace(KEY, day_limit=1_000), account, today + 1, TOKEN)]
    assert [each.subject for each in tomorrow] == ["key_1/total"]
