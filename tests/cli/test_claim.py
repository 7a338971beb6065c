"""`claim run`: one round of the claimer, told in the chain's own words."""

import asyncio

import pytest

from usufruct.chain.contracts.till import Till
from usufruct.core import checksum

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
        return receipt.gas_used, await Till(installation.operator.till, installation.client).anchor()

    gas, anchored = commands.inside(anchor)
    assert gas == batch["gas"]
    assert int(batch["receipts_root"], 16)
    assert int.from_bytes(anchored)
    assert commands.json("claim", "run", "--everything")["batches"] == []


def test_one_claims_at_a_time(commands):
    async def while_another_claims(installation):
        assert await installation.claimer.take()
        refused = await asyncio.to_thread(commands.refused, "claim", "run", "--everything")
        await installation.claimer.release()
        return refused

    refused = commands.inside(while_another_claims)
    assert refused.code == "claimed_elsewhere"
    assert "claims.threshold" in refused.message
    assert "nothing is due" in commands.json("claim", "run")["note"]
