"""What the relayer may spend holds however many ask at once."""

import asyncio
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from tests.support.refusal import refused
from usufruct.accounts.passkeys import RelayLimited
from usufruct.accounts.passkeys.relay_store import RelayBounds, Relayed, RelayState, RelayStore, creation_hash
from usufruct.core import Address, Hash32


async def test_no_two_pass_the_bound_of_a_day_together(database):
    store, bounds = RelayStore(database), RelayBounds(account_gas=1_000, total_gwei=300)
    planned = [Relayed(Hash32(f"0x{each:064x}"), Address(f"0x{each:040x}"), 1_000, 100) for each in range(1, 13)]
    results = await asyncio.gather(
        *(store.reserve(each, bounds, 1_000_000) for each in planned), return_exceptions=True
    )
    assert [each for each in results if isinstance(each, BaseException) and not isinstance(each, RelayLimited)] == []
    assert results.count(True) == 3
    assert await store.spent(1_000_000) == (300, 3)


async def test_accounts_without_money_are_created_from_a_part_of_the_days_coins(database):
    store, bounds = RelayStore(database), RelayBounds(account_gas=1_000, total_gwei=1_000, creations_percent=20)

    async def create(number: int, *, unfunded: bool) -> None:
        account = Address(f"0x{number:040x}")
        planned = Relayed(creation_hash(account), account, 1_000, 100)
        assert await store.reserve(planned, bounds, 1_000_000, creates_unfunded=unfunded)

    operation = Relayed(Hash32("0x" + "ab" * 32), Address("0x" + "ab" * 20), 1_000, 100)
    assert await store.reserve(operation, bounds, 1_000_000)
    await create(1, unfunded=True)
    await create(2, unfunded=False)
    with refused("creations_spent"):
        await create(3, unfunded=True)
    await create(4, unfunded=False)
    assert await store.spent(1_000_000) == (400, 4)


BOUNDS = RelayBounds(account_gas=500, total_gwei=1_200, account_failures=2, creations_percent=30)


class Walk:
    """Operations of some accounts as time goes on; each refusal is asked about again when it says that it ends."""

    def __init__(self, database, draw: Random) -> None:
        self.store, self.draw, self.now, self.number = RelayStore(database), draw, 1_000_000, 0
        self.lifted: Counter[str] = Counter()

    def planned(self) -> tuple[Relayed, bool]:
        self.number += 1
        account, creates = Address(f"0x{self.draw.randint(1, 3):040x}"), self.draw.random() < 0.4
        name = (
            creation_hash(Address(f"0x{self.number:040x}")) if creates else Hash32(f"0x{1 << 200 | self.number:064x}")
        )
        return Relayed(name, account, self.draw.randint(50, 200), self.draw.randint(50, 300)), creates

    async def refusal(self, planned: Relayed, now: int, *, creates: bool) -> RelayLimited | None:
        try:
            assert await self.store.reserve(planned, BOUNDS, now, creates_unfunded=creates)
        except RelayLimited as refusal:
            return refusal
        return None

    async def step(self) -> None:
        self.now += self.draw.choice([0, 1, 3_600, 20_000])
        planned, creates = self.planned()
        while refusal := await self.refusal(planned, self.now, creates=creates):
            wait = int(refusal.details["retry_after"])
            assert 0 < wait <= 86_400
            before = await self.refusal(planned, self.now + wait - 1, creates=creates)
            assert before is not None, "the limit ends no sooner than it says"
            assert before.code == refusal.code
            self.now += wait
            self.lifted[refusal.code] += 1
        if self.draw.random() < 0.7:
            await self.store.finish(replace(planned, state=RelayState.FAILED))


async def test_a_limit_ends_when_its_refusal_says_and_no_sooner(database):
    walk = Walk(database, Random(7))
    for _ in range(200):
        await walk.step()
    assert set(walk.lifted) == {
        "relay_limited",
        "relay_spent",
        "relay_failures",
        "creations_spent",
    }


async def test_what_alone_passes_a_bound_is_told_to_wait_a_day(database):
    planned = Relayed(Hash32("0x" + "ab" * 32), Address("0x" + "ab" * 20), BOUNDS.account_gas + 1, 1)
    with pytest.raises(RelayLimited) as refusal:
        await RelayStore(database).reserve(planned, BOUNDS, 1_000_000)
    assert refusal.value.details["retry_after"] == 86_400
