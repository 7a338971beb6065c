"""A claimer killed with SIGKILL at any point neither loses a claim nor makes it twice."""

import signal

import pytest

from usufruct.payments.settlement.store import leases

POINTS = ["claim.planned", "batch.noted", "broadcast.before", "broadcast.after", "batch.sent", "batch.confirmed"]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["claim", "split"])
@pytest.mark.parametrize("point", POINTS)
async def test_killed_there_the_next_one_finishes_it_once(
    point, elsewhere, town, anvil, database_url, crash, settlement_world
):
    await town.deposit(5_000, "a")
    await town.deposit(5_000, "b", salt=2)
    await town.call(1, 300, "a")
    await town.call(2, 41, "b", asset=1)
    if elsewhere:
        await settlement_world.claim_elsewhere(town, "a", 300)
        await town.watcher.poll()

    assert await crash(point, database_url, anvil.url) == -signal.SIGKILL

    await _let_the_lease_lapse(town)
    await town.claimer.run()

    balances = await town.balances()
    assert (balances["first shares"], balances["second shares"], balances["till"]) == (300, 41, 0)
    assert balances["settlement"] == 10_000 - 341
    assert await town.ledger.pending_claims() == []
    assert {(await town.ledger.account(town.channel(name))).total_split for name in "ab"} == {300, 41}
    assert await town.claimer.run() == []


async def _let_the_lease_lapse(town) -> None:
    async with town.database.transaction() as unit:
        await unit.change(leases.update().values(until=0))
