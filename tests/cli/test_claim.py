"""`claim run`: one round of the claimer, told in the chain's own words."""

import asyncio
import signal
import sys
from functools import partial

import pytest
from sqlalchemy import select

from usufruct.chain.contracts.till import Till
from usufruct.core import checksum
from usufruct.core.jobs import Job, run_job
from usufruct.gateway import Operator
from usufruct.payments.settlement import Claimer, ClaimRequests
from usufruct.payments.settlement.claim_requests import claim_requests

pytestmark = pytest.mark.anvil


def test_a_round_shows_what_the_chain_did(commands, cli_world, librarian_url):
    payee = cli_world.SOMEBODY.address
    sold = commands.json(
        "sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--name", "claimed", "--pay-to", payee
    )

    async def call(installation):
        key = await cli_world.paying_key(installation)
        await cli_world.charge(installation, key, int(sold["asset"], 16), 4_321)

    commands.inside(call)
    assert "nothing is due" in commands.json("claim", "run")["note"]

    claimed = commands.json("claim", "run", "--everything")
    assert claimed["note"] == ""
    [batch] = claimed["batches"]
    assert (batch["kind"], batch["state"], batch["channels"], batch["receipts"]) == ("claim", "confirmed", 1, 1)
    assert (batch["amount"], batch["paid"], batch["owed"]) == ("4321", {checksum(payee): "4321"}, {})
    assert batch["gas"] > 50_000

    async def anchor(installation):
        receipt = await installation.client.receipt(batch["transaction"])
        return receipt.gas_used, await Till(installation.get(Operator).till, installation.client).anchor()

    gas, anchored = commands.inside(anchor)
    assert gas == batch["gas"]
    assert int(batch["receipts_root"], 16)
    assert int.from_bytes(anchored)
    assert commands.json("claim", "run", "--everything")["batches"] == []


def test_a_worker_that_claims_is_asked_to_claim_everything(commands, cli_world, librarian_url):
    payee = cli_world.OWNER_OF_SHARES.address
    sold = commands.json(
        "sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--name", "asked", "--pay-to", payee
    )

    async def while_a_worker_claims(installation):
        key = await cli_world.paying_key(installation)
        await cli_world.charge(installation, key, int(sold["asset"], 16), 1_234)
        claimer = installation.get(Claimer)
        assert await claimer.lease.hold()
        serve = partial(installation.get(ClaimRequests).serve, claimer)
        worker = asyncio.create_task(run_job(Job("claim", serve, 0.05, claimer.lease.release)))
        try:
            return (
                await asyncio.to_thread(commands.json, "claim", "run"),
                await asyncio.to_thread(commands.json, "claim", "run", "--everything"),
            )
        finally:
            worker.cancel()
            await asyncio.wait([worker])

    due, everything = commands.inside(while_a_worker_claims)
    assert "nothing is due" in due["note"]
    [batch] = everything["batches"]
    assert (batch["amount"], batch["paid"], batch["state"]) == ("1234", {checksum(payee): "1234"}, "confirmed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_no_request_behind(commands, cli_world, number):
    async def waiting(installation):
        async with installation.database.snapshot() as unit:
            return len(await unit.rows(select(claim_requests)))

    async def while_another_claims(installation):
        assert await installation.get(Claimer).lease.hold()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "usufruct.cli", "claim", "run", "--everything"),
            env=cli_world.process_environment(commands.own),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            while not await waiting(installation):
                await asyncio.sleep(0.02)
            process.send_signal(number)
            _, said = await process.communicate()
            return process.returncode, said, await waiting(installation)
        finally:
            if process.returncode is None:
                process.kill()
            await installation.get(Claimer).lease.release()

    assert commands.inside(waiting) == 0
    code, said, left = commands.inside(while_another_claims)
    assert left == 0, said
    assert code == 128 + number, said
    assert b"Traceback" not in said


def test_a_worker_that_does_not_answer_is_named(commands):
    async def while_another_claims(installation):
        assert await installation.get(Claimer).lease.hold()
        refused = await asyncio.to_thread(commands.refused, "claim", "run", "--everything", "--wait", "1")
        await installation.get(ClaimRequests).serve(installation.get(Claimer))
        await installation.get(Claimer).lease.release()
        return refused

    refused = commands.inside(while_another_claims)
    assert refused.code == "claimed_elsewhere"
    assert "usufruct doctor" in refused.message
    assert "nothing is due" in commands.json("claim", "run")["note"]
