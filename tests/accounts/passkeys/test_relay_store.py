"""What the relayer may spend holds however many ask at once."""

import asyncio

from tests.support.refusal import refused
from usufruct.accounts.passkeys import RelayLimited
from usufruct.accounts.passkeys.relay_store import RelayBounds, Relayed, RelayStore, creation_hash
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
