"""Applied is not durable: a commit that really fails takes back every verb of its transaction, and each one says so."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from secrets import token_hex
from types import ModuleType

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.support.failing_commit import FailingCommit
from tests.support.severed_server import severed_server
from tests.support.waiting import until
from usufruct.config import LedgerConfig
from usufruct.payments.ledger.errors import BalanceTooLow, CallUnknown
from usufruct.payments.ledger.records import Opened
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.store import Database, DatabaseUnavailable, Seal, open_database

SEAL = Seal(b"a secret of these tests", "stored answers")


@pytest.fixture
def faults(database_url: str) -> Iterator[FailingCommit]:
    made = FailingCommit(database_url)
    yield made
    made.mend()


@pytest.fixture
async def fragile(database: Database, faults: FailingCommit, world: ModuleType) -> AsyncIterator[Ledger]:
    """A ledger whose commits fail when `faults` is armed, with a channel of 1,000."""
    opened = open_ledger(database, LedgerConfig(), seal=SEAL, faults=faults)
    await opened.observe(world.reading(1_000))
    yield opened
    faults.mend()
    assert await opened.audit() == []
    await opened.close()


async def test_a_call_is_admitted_before_it_is_on_disk(fragile: Ledger, world: ModuleType):
    answer = await fragile.open(world.reservation("a", 100, promise=100))
    assert isinstance(answer, Opened)
    assert not answer.commit.done()
    await answer.durable()
    assert (await fragile.call(world.named("a"))).lease == answer.lease


async def test_a_commit_that_fails_takes_the_admitted_call_back(
    fragile: Ledger, world: ModuleType, faults: FailingCommit
):
    faults.arm("open")
    answer = await fragile.open(world.reservation("a", 100, promise=100))
    with pytest.raises(DatabaseUnavailable):
        await answer.durable()
    faults.mend()
    assert faults.failed == 1
    assert await fragile.call(world.named("a")) is None
    channel = await fragile.account(world.channel())
    assert (channel.reserved, channel.voucher) == (0, None)
    again = await world.open_call(fragile, world.reservation("a", 100, promise=100))
    assert (await fragile.meter(again.lease, world.bill(7))).cumulative == 7


async def test_a_step_on_a_call_that_was_taken_back_fails_as_well(
    fragile: Ledger, world: ModuleType, faults: FailingCommit
):
    faults.arm("open")
    answer = await fragile.open(world.reservation("a", 100, promise=100))
    metering = asyncio.ensure_future(fragile.meter(answer.lease, world.bill(7)))
    with pytest.raises(DatabaseUnavailable):
        await answer.durable()
    faults.mend()
    with pytest.raises(CallUnknown):
        await metering
    assert (await fragile.account(world.channel())).charged == 0


async def test_a_refusal_that_saw_what_was_taken_back_is_never_told(
    fragile: Ledger, world: ModuleType, faults: FailingCommit
):
    """The second call fits only as long as the first is not there, and the first never was."""
    faults.arm("open")
    first, second = await asyncio.gather(
        fragile.open(world.reservation("a", 900, promise=900)),
        fragile.open(world.reservation("b", 900, promise=1_000)),
        return_exceptions=True,
    )
    with pytest.raises(DatabaseUnavailable):
        await first.durable()
    faults.mend()
    assert isinstance(second, DatabaseUnavailable)
    assert not isinstance(second, BalanceTooLow)
    assert isinstance(await world.open_call(fragile, world.reservation("b", 900, promise=1_000)), Opened)


async def test_a_charge_that_was_not_committed_is_made_by_the_next_try(
    fragile: Ledger, world: ModuleType, faults: FailingCommit
):
    lease = (await world.open_call(fragile, world.reservation("a", 100, promise=100))).lease
    faults.arm("meter")
    with pytest.raises(DatabaseUnavailable):
        await fragile.meter(lease, world.bill(40))
    faults.mend()
    assert (await fragile.meter(lease, world.bill(40))).cumulative == 40
    assert (await fragile.meter(lease, world.bill(40))).cumulative == 40
    assert (await fragile.account(world.channel())).charged == 40


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_server_that_takes_no_writes_for_a_while_is_unavailable_and_then_connected_to_anew(
    database: Database, database_url: str, world: ModuleType
):
    async def alter(change: str) -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
        await connection.execute(f'ALTER DATABASE "{make_url(database_url).database}" {change}')
        await connection.close()

    ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
    await alter("SET default_transaction_read_only = on")
    try:
        with pytest.raises(DatabaseUnavailable):
            await ledger.observe(world.reading(1_000))
    finally:
        await alter("RESET default_transaction_read_only")
    assert (await ledger.observe(world.reading(1_000))).usable == 1_000
    await ledger.close()


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_database_that_is_gone_is_tried_twice_more_and_not_once_for_each_call(
    database_url: str, world: ModuleType
):
    """Else a group of calls waits for as many time-outs in a row, and whatever comes later behind them."""
    async with severed_server(database_url) as server:
        database = open_database(server.url)
        ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
        await ledger.observe(world.reading(1_000))
        asked = [world.reservation(f"one of many {number}", 1, promise=1_000) for number in range(20)]
        server.sever()
        answers = await asyncio.gather(*map(ledger.open, asked), return_exceptions=True)
        assert {type(answer) for answer in answers} == {DatabaseUnavailable}
        assert server.refused <= 3
        await ledger.close()
        await database.close()


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_connection_that_cannot_be_prepared_is_closed(
    database_url: str, world: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    async def refuse(*_: object, **__: object) -> None:
        raise asyncpg.InterfaceError("no such codec")

    async def closed() -> bool:
        return not await server.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name)

    name, server = token_hex(8), await asyncpg.connect(database_url)
    named = make_url(database_url).update_query_dict({"application_name": name})
    database = open_database(named.render_as_string(hide_password=False))
    ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "set_type_codec", refuse)
        with pytest.raises(DatabaseUnavailable) as _kept:  # with its traceback, and what that refers to
            await ledger.observe(world.reading(1_000))
    await until(closed)
    assert (await ledger.observe(world.reading(1_000))).usable == 1_000
    await ledger.close()
    await database.close()
    await server.close()


async def test_a_call_is_two_commits_and_calls_at_once_share_them(fragile: Ledger, world: ModuleType):
    before = fragile.commits
    lease = (await world.open_call(fragile, world.reservation("a", 100, promise=100))).lease
    await fragile.meter(lease, world.bill(40))
    assert fragile.commits == before + 2
    before = fragile.commits
    names = [f"one of many {number}" for number in range(20)]
    await asyncio.gather(*(world.open_call(fragile, world.reservation(name, 1, promise=1_000)) for name in names))
    assert before < fragile.commits < before + len(names)
