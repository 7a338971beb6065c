"""`kill -9` at every point of every step: no accepted voucher is lost, nothing is charged twice, the books balance."""

import asyncio
import json
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from tests.support import ledger_crash
from usufruct.config import LedgerConfig
from usufruct.payments.ledger.records import CallState
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.store import Seal, open_database

SEAL = Seal(b"a secret of these tests", "stored answers")

PROMISES = {"open a": 300, "open b": 500, "open c": 900}
CHARGES = {"meter a": ("a", 120), "meter b": ("b", 80)}
VERBS = (
    *("observe", "open", "meter", "release"),
    *("plan_claim", "send_claim", "confirm_claim", "plan_refund", "finish_refund"),
)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def graveyard(request: pytest.FixtureRequest, lasting_databases: Any) -> tuple[str, list[dict[str, Any]]]:
    """A database after all the deaths, and how each process died."""
    url = lasting_databases.migrated(request.param)
    command = [sys.executable, "-m", ledger_crash.__name__, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return url, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def deaths(graveyard: tuple[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return graveyard[1]


@pytest.fixture
def database_url(graveyard: tuple[str, list[dict[str, Any]]], databases: Any) -> str:
    return databases.copied(graveyard[0])


@pytest.fixture
def load() -> ModuleType:
    return ledger_crash


async def check_what_was_promised(ledger: Ledger, world: ModuleType, run: dict[str, Any]) -> None:
    """What a step had returned before the process died is there."""
    done = run["done"]
    if "observe" not in done:
        return
    channel = await ledger.account(world.channel(run["name"]))
    promised = max((PROMISES[step] for step in done if step in PROMISES), default=0)
    assert (channel.voucher.max_claimable if channel.voucher else 0) >= promised, run
    for step in done:
        if step in CHARGES:
            call, charge = CHARGES[step]
            kept = await ledger.call(world.named(f"{run['name']}/{call}"))
            assert (kept.state, kept.bill.charge) == (CallState.METERED, charge), run
    calls = [await ledger.call(world.named(f"{run['name']}/{call}")) for call in "abc"]
    assert channel.charged == sum(call.bill.charge for call in calls if call and call.bill), run
    assert channel.reserved == sum(call.ceiling for call in calls if call and call.state is CallState.OPEN), run
    if "confirm claim" in done:
        assert channel.total_split == 200


async def test_killed_anywhere_and_asked_again_everything_counts_once(
    deaths: list[dict[str, Any]], database_url: str, world: ModuleType, load: ModuleType
):
    *killed, survivor = deaths
    assert all(run["killed"] and run["died"] for run in killed)
    assert (survivor["exit"], survivor["done"][-1]) == (0, "finish refund")
    places = {run["died"] for run in killed}
    assert {"commit.before", "commit.after"} <= places
    assert {f"{verb}.0" for verb in VERBS} <= places
    database = open_database(database_url)
    ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
    assert await ledger.audit() == []
    for run in deaths:
        await check_what_was_promised(ledger, world, run)
    expected = await ledger.account(world.channel(survivor["name"]))
    assert (expected.charged, expected.reserved, expected.total_split, expected.refunding) == (200, 0, 200, 0)
    for run in killed:
        await load.steps(ledger, run["name"], lambda title: None, again=True)
        channel = await ledger.account(world.channel(run["name"]))
        assert (channel.charged, channel.reserved, channel.total_split, channel.refunding) == (200, 0, 200, 0), run
        assert (channel.reading.balance, channel.voucher.max_claimable) == (500, 900), run
    assert await ledger.audit() == []
    await ledger.close()
    await database.close()


async def test_nobody_comes_back_and_the_leases_end_charging_nothing(
    deaths: list[dict[str, Any]], database_url: str, world: ModuleType
):
    database = open_database(database_url)
    ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
    async with database.transaction() as unit:
        await unit.rows(text("UPDATE calls SET lease_until = 0 WHERE state = 'open'"))
    expired = 0
    while released := await ledger.expire():
        expired += released
    assert expired > 10
    assert [total.reserved for total in await ledger.totals()] == [0]
    for run in deaths:
        await check_what_was_promised(ledger, world, run)
    assert await ledger.audit() == []
    await ledger.close()
    await database.close()


def test_fsync_is_asked_for(databases: Any):
    """SIGKILL spares the page cache; that commits reach the disk is a matter of settings, so those are checked."""

    async def settings(url: str) -> tuple[object, object]:
        database = open_database(url)
        ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
        connection = ledger._backend._connection
        found = (
            connection.execute("PRAGMA synchronous").fetchone()[0],
            connection.execute("PRAGMA journal_mode").fetchone()[0],
        )
        await ledger.close()
        await database.close()
        return found

    assert asyncio.run(settings(databases.migrated("sqlite"))) == (2, "wal")
