"""Units of work: durable or undone, errors in our words, settings that make commits durable."""

import asyncio
import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from tests.support.waiting import PATIENCE, until
from usufruct.store import (
    ConstraintViolated,
    Database,
    DatabaseUnavailable,
    SqliteDatabase,
    connect_sqlite,
    open_database,
)
from usufruct.store.errors import InvalidDatabaseUrl
from usufruct.store.postgres import CONNECTIONS

schema = MetaData()
box = Table("box", schema, Column("id", Integer, primary_key=True), Column("label", String, unique=True))
item = Table("item", schema, Column("id", Integer, primary_key=True), Column("box", ForeignKey("box.id")))


@pytest.fixture
async def boxes(database: Database) -> Database:
    await database.run(schema.create_all)
    return database


async def labels(database: Database) -> list[str]:
    async with database.snapshot() as unit:
        return [row.label for row in await unit.rows(select(box.c.label).order_by(box.c.id))]


async def test_a_unit_commits_as_a_whole(boxes: Database):
    async with boxes.transaction() as unit:
        await unit.change(insert(box), [{"id": 1, "label": "a"}, {"id": 2, "label": "b"}])
        assert await unit.change(update(box).where(box.c.id == 2).values(label="c")) == 1
        assert (await unit.row(select(box).where(box.c.id == 2))).label == "c"
    assert await labels(boxes) == ["a", "c"]


async def test_a_single_statement_sees_what_was_committed_and_nothing_else(boxes: Database):
    async with boxes.transaction() as unit:
        await unit.change(insert(box).values(id=1, label="a"))
        assert await boxes.rows(select(box)) == []
    async with boxes.transaction() as unit:
        await unit.change(insert(box).values(id=2, label="b"))
        assert [row.label for row in await boxes.rows(select(box.c.label))] == ["a"]
    query = select(box.c.label).where(box.c.id == bindparam("wanted"))
    assert [row.label for row in await boxes.rows(query, {"wanted": 2})] == ["b"]


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_readers_at_once_share_connections_that_stay_open(boxes: Database):
    async def backends() -> set[int]:
        found = await asyncio.gather(*(boxes.rows(select(func.pg_backend_pid())) for _ in range(4 * CONNECTIONS)))
        return {row[0] for [row] in found}

    first = await backends()
    assert len(first) <= CONNECTIONS
    assert await backends() == first


async def test_a_unit_that_raises_is_undone(boxes: Database):
    async def stop_halfway() -> None:
        async with boxes.transaction() as unit:
            await unit.change(insert(box).values(id=1, label="a"))
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await stop_halfway()
    assert await labels(boxes) == []


async def test_a_cancelled_unit_is_undone_and_the_next_one_goes_ahead(boxes: Database):
    entered = asyncio.Event()

    async def stuck() -> None:
        async with boxes.transaction() as unit:
            await unit.change(insert(box).values(id=1, label="a"))
            entered.set()
            await asyncio.sleep(3600)

    task = asyncio.create_task(stuck())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with boxes.transaction() as unit:
        await unit.change(insert(box).values(id=1, label="b"))
    assert await labels(boxes) == ["b"]


async def test_a_connection_error_of_the_caller_stays_what_it_is(boxes: Database):
    with pytest.raises(ConnectionResetError):
        async with boxes.transaction():
            raise ConnectionResetError("somebody else's socket")


@pytest.mark.parametrize(
    "bad", [insert(box).values(id=2, label="a"), insert(box).values(id=1, label="z"), insert(item).values(id=1, box=77)]
)
async def test_broken_constraints_are_named_and_values_are_not(boxes: Database, bad):
    async with boxes.transaction() as unit:
        await unit.change(insert(box).values(id=1, label="a"))
    with pytest.raises(ConstraintViolated) as caught:
        async with boxes.transaction() as unit:
            await unit.change(bad)
    assert "77" not in caught.value.message
    assert "'a'" not in caught.value.message


async def test_concurrent_units_lose_no_update(boxes: Database):
    async with boxes.transaction() as unit:
        await unit.change(insert(box).values(id=1, label="0"))

    async def add_one() -> None:
        async with boxes.transaction() as unit:
            held = int((await unit.row(select(box.c.label).where(box.c.id == 1).with_for_update())).label)
            await unit.change(update(box).where(box.c.id == 1).values(label=str(held + 1)))

    await asyncio.gather(*(add_one() for _ in range(20)))
    assert await labels(boxes) == ["20"]


async def test_a_snapshot_waits_for_no_writer_and_sees_one_moment(boxes: Database):
    async with boxes.transaction() as writer, boxes.snapshot() as reader:
        await writer.change(insert(box).values(id=1, label="a"))
        assert await reader.rows(select(box)) == []


async def test_any_number_of_snapshots_may_be_open_or_wanted_at_once(boxes: Database):
    """Readers that held every thread while they waited for each other's connections once hung the gateway for good."""

    async def look() -> int:
        async with boxes.snapshot() as unit:
            await asyncio.sleep(0.001)
            return len(await unit.rows(select(box)))

    async with asyncio.timeout(60):
        assert await asyncio.gather(*(look() for _ in range(60))) == [0] * 60


@pytest.mark.parametrize("times", [1, 2])  # a server that shuts down cancels what goes on once more
async def test_a_unit_cancelled_while_the_ledger_holds_the_gate_leaves_no_lock_behind(tmp_path, times):
    """It once kept the gate that it was given after it had gone."""
    database = SqliteDatabase(tmp_path / "gate.db")
    await database.run(schema.create_all)
    database.write_gate.acquire()  # as the ledger's writer thread does
    waiting = asyncio.create_task(_write_one(database))
    await asyncio.sleep(0.05)
    for _ in range(times):
        waiting.cancel()
        await asyncio.sleep(0.05)
    database.write_gate.release()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(60):
        await _write_one(database)
    assert await labels(database) == ["one"]
    await database.close()


async def _write_one(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.change(insert(box), {"label": "one"})


async def test_a_snapshot_cannot_write(boxes: Database):
    with pytest.raises(Exception, match=r"readonly|read-only"):
        async with boxes.snapshot() as unit:
            await unit.change(delete(box))


async def test_the_clock_is_the_databases(boxes: Database):
    assert abs(await boxes.now() - await boxes.now()) <= 1
    assert await boxes.now() > 1_700_000_000


async def test_commits_are_durable(boxes: Database):
    async with boxes.transaction() as unit:
        if boxes.dialect == "postgresql":
            assert (await unit.row(text("SHOW synchronous_commit")))[0] == "on"
            return
        assert (await unit.row(text("PRAGMA synchronous")))[0] == 2
        assert (await unit.row(text("PRAGMA journal_mode")))[0] == "wal"
        assert (await unit.row(text("PRAGMA foreign_keys")))[0] == 1


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_urls_that_cannot_work_are_refused_with_the_remedy(url: str):
    with pytest.raises(InvalidDatabaseUrl, match=r"database\.url"):
        open_database(url)


async def test_a_file_locked_by_another_process_is_unavailable_not_faulty(tmp_path):
    path = tmp_path / "x.db"
    other = connect_sqlite(path)
    other.execute("BEGIN IMMEDIATE")
    database = SqliteDatabase(path, busy_seconds=0.05)
    with pytest.raises(DatabaseUnavailable, match="locked"):
        async with database.transaction():
            pass
    other.rollback()
    other.close()
    async with database.transaction() as unit:
        assert (await unit.row(text("SELECT 1")))[0] == 1
    await database.close()


async def test_an_absent_server_is_unavailable():
    database = open_database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable, match="reached"):
        async with database.transaction():
            pass
    await database.close()


@pytest.mark.parametrize("kind", ["transaction", "snapshot"])
async def test_a_unit_cancelled_while_it_takes_its_connection_leaves_it_to_the_next(tmp_path, monkeypatch, kind):
    """A connection that nobody holds and nobody gave back would stop every writer after it, for ever."""
    database = SqliteDatabase(tmp_path / "cancel.db")
    engine = database._writer if kind == "transaction" else database._readers
    connect, connecting, go_on = engine.connect, threading.Event(), threading.Event()

    def slow_connect():
        connecting.set()
        assert go_on.wait(PATIENCE)
        return connect()

    monkeypatch.setattr(engine, "connect", slow_connect)

    async def unit() -> None:
        async with getattr(database, kind)() as opened:
            await opened.rows(text("SELECT 1"))

    kept = []  # a logger may keep an error, and the error what its frames held
    for _ in range(6):  # more than the pool has
        connecting.clear()
        go_on.clear()
        task = asyncio.create_task(unit())
        await until(connecting.is_set)
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        kept.append(caught)
    async with asyncio.timeout(60):
        await unit()
    await database.close()


FRESH = """
import sys
from pathlib import Path
from usufruct.store.sqlite import connect_sqlite
for line in sys.stdin:
    connect_sqlite(Path(line.strip())).close()
    print("made", flush=True)
"""


def test_processes_make_one_file_at_the_same_moment(tmp_path):
    """They import once, and then are told to make one file after the other."""
    command = [sys.executable, "-c", FRESH]
    with ExitStack() as stack:
        makers = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(3)
        ]
        for number in range(10):
            for maker in makers:
                maker.stdin.write(f"{tmp_path / str(number)}.db\n")
                maker.stdin.flush()
            assert [maker.stdout.readline() for maker in makers] == ["made\n"] * 3
        for maker in makers:
            maker.stdin.close()
