"""What the relayer may spend holds however many ask at once."""

import asyncio

from usufruct.accounts.passkeys import RelayLimited
from usufruct.accounts.passkeys.relay_store import RelayBounds, Relayed, RelayStore
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
