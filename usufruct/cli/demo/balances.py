"""Who holds what, computed from the token's Transfer logs alone, so that it can contradict our own counters."""

from collections import Counter
from collections.abc import Mapping

from usufruct.chain import Client
from usufruct.chain.contracts.erc20 import Erc20, Transfer
from usufruct.core import ZERO_ADDRESS, Address


async def balances_from_logs(client: Client, token: Address, last: int) -> Mapping[Address, int]:
    """Return every account's balance in atomic units after block `last`; money that is minted has no source."""
    assert Transfer.TOPIC is not None
    balances: Counter[Address] = Counter()
    for log in await client.logs(0, last, addresses=[token], topics=[Transfer.TOPIC]):
        moved = Transfer.decode(log)
        balances[moved.from_] -= moved.value
        balances[moved.to] += moved.value
    return balances


async def differences(client: Client, token: Address, balances: Mapping[Address, int], last: int) -> list[Address]:
    """Return the accounts for which the token itself says otherwise than its logs."""
    dollar = Erc20(token, client, block=last)
    return [who for who, amount in balances.items() if who != ZERO_ADDRESS and await dollar.balance_of(who) != amount]
