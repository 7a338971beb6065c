"""A database that stops answering at the worst moment: nothing stays reserved, nothing is billed twice."""

import asyncio
from types import SimpleNamespace

import httpx
import openai
import pytest
from openai import AsyncOpenAI
from sqlalchemy import text

from tests.support.failing_commit import FailingCommit
from tests.support.waiting import until
from usufruct.core import Hash32
from usufruct.gateway.upstream_cancellation import UpstreamCancellation
from usufruct.payments.ledger.records import Lease, Opened
from usufruct.store import DatabaseUnavailable

ZERO = Hash32("0x" + "00" * 32)
ASK = [{"role": "user", "content": "What is the question?"}]
PRICE = 4 + 12 * 3 + 5


@pytest.fixture
async def hasty(gateway_module, gateway_url):
    """A gateway that looks after its leases three times a second."""
    async with gateway_module.gateway_world(gateway_url, lease_seconds=1) as opened:
        yield opened


def fails_after(monkeypatch, ledger, verb, *, times, does_it):
    """Let a verb of the ledger fail some times, with its work done or not; return what it was asked for."""
    asked, real = [], getattr(ledger, verb)

    async def failing(*arguments):
        asked.append(arguments)
        done = await real(*arguments) if does_it or len(asked) > times else None
        if len(asked) <= times:
            raise DatabaseUnavailable("the database does not answer or stays locked; try again")
        return done

    monkeypatch.setattr(ledger, verb, failing)
    return asked


async def ask(world, key):
    async with AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120) as client:
        return await client.chat.completions.create(model="hamlet", messages=ASK)


@pytest.mark.parametrize("does_it", [True, False])
async def test_a_call_that_could_not_begin_is_free(hasty, upstream, monkeypatch, does_it):
    await hasty.asset("hamlet", upstream.url())
    key = await hasty.key()
    asked = fails_after(monkeypatch, hasty.ledger, "open", times=1, does_it=does_it)
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(hasty, key)
    assert (caught.value.status_code, caught.value.code) == (503, "database_unavailable")
    await hasty.quiet(key)
    assert upstream.requests == []
    assert (await ask(hasty, key)).usage.cost == 0.000045
    assert len(asked) == 2
    assert await hasty.charged(key) == PRICE


@pytest.mark.parametrize("does_it", [True, False])
async def test_a_charge_is_asked_for_again_and_counts_once(hasty, upstream, monkeypatch, does_it):
    await hasty.asset("hamlet", upstream.url())
    key = await hasty.key()
    asked = fails_after(monkeypatch, hasty.ledger, "meter", times=2, does_it=does_it)
    assert (await ask(hasty, key)).usage.cost == 0.000045
    assert len(asked) == 3
    assert await hasty.charged(key) == PRICE


async def test_a_charge_that_cannot_be_noted_is_not_made(hasty, upstream, monkeypatch):
    await hasty.asset("hamlet", upstream.url())
    key = await hasty.key()
    fails_after(monkeypatch, hasty.ledger, "meter", times=9, does_it=False)
    with monkeypatch.context() as away:
        tries = fails_after(away, hasty.ledger, "release", times=10**6, does_it=False)
        with pytest.raises(openai.InternalServerError):
            await ask(hasty, key)
        await until(lambda: len(tries) > 2)
        assert (await hasty.channel(key)).reserved > 0
    await hasty.quiet(key)
    assert await hasty.charged(key) == 0


@pytest.fixture
def faults(database_url):
    made = FailingCommit(database_url)
    yield made
    made.mend()


@pytest.fixture
async def fragile(gateway_module, database_url, faults):
    """A gateway on either database, whose next commit fails once `faults` is armed."""
    async with gateway_module.gateway_world(database_url, lease_seconds=1, faults=faults) as opened:
        yield opened


@pytest.mark.parametrize("stream", [True, False])
async def test_nothing_leaves_for_a_call_whose_commit_fails_and_its_upstream_is_stopped(
    fragile, upstream, faults, stream
):
    await fragile.asset("hamlet", upstream.url("slow_first_byte"))
    key = await fragile.key()
    faults.arm("open")
    async with AsyncOpenAI(api_key=key.text, base_url=fragile.url, max_retries=0, timeout=120) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="hamlet", messages=ASK, stream=stream)
    faults.mend()
    assert faults.failed == 1
    assert (caught.value.status_code, caught.value.code) == (503, "database_unavailable")
    await fragile.quiet(key)
    channel = await fragile.channel(key)
    assert (channel.charged, channel.reserved, channel.voucher) == (0, 0, None)


@pytest.mark.parametrize("stream", [True, False])
async def test_an_instant_upstream_waits_for_the_commit_that_fails(fragile, upstream, faults, stream):
    await fragile.asset("hamlet", upstream.url())
    key = await fragile.key()
    faults.arm("open")
    async with AsyncOpenAI(api_key=key.text, base_url=fragile.url, max_retries=0, timeout=120) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="hamlet", messages=ASK, stream=stream)
        faults.mend()
        assert caught.value.code == "database_unavailable"
        await fragile.quiet(key)
        assert await fragile.charged(key) == 0
        assert (await client.chat.completions.create(model="hamlet", messages=ASK)).usage.cost == 0.000045
    assert await fragile.charged(key) == PRICE


async def test_a_row_that_was_changed_gives_no_second_receipt(world, upstream, client_of):
    """The signature was made when the call was metered; nothing signs the changed row."""
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK)
    (bill,) = await world.bills(key)
    receipts = f"{world.url}/receipts/{bill.lease.call}"
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as client:
        kept = await client.get(receipts)
        assert kept.json()["receipt"]["signature"] == "0x" + bill.receipt_signature.hex()
        async with world.database.transaction() as unit:
            await unit.rows(text("DROP TRIGGER calls_final"))
            await unit.rows(text(f"UPDATE calls SET response_hash = x'{'ab' * 32}'"))
        refused = await client.get(receipts)
    assert (refused.status_code, refused.json()["error"]["code"]) == (500, "receipt_contradicted")
    assert "signature" not in refused.json()["error"]


async def test_a_commit_that_fails_as_the_block_ends_cancels_nothing_behind_it():
    commit = asyncio.get_running_loop().create_future()
    opened = Opened(Lease(ZERO, ZERO, 1), None, commit)
    exchange = SimpleNamespace(when_disconnected=lambda leave: lambda: None)

    async def ask() -> None:
        async with UpstreamCancellation(exchange, opened, longest=60, grace=lambda: 0.0):
            commit.set_exception(DatabaseUnavailable("gone"))
            await opened.durable()

    with pytest.raises(DatabaseUnavailable):
        await ask()
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0
