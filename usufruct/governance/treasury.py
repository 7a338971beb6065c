"""What the treasury holds: the timelock's coin, and its balances of the tokens that the installation knows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain import Client, TokenFacts, token_facts
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.governance.known_contracts import KnownContracts
from usufruct.governance.words import COIN_DECIMALS

COIN = ""
"""In place of a symbol: a chain does not tell what its coin is called."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A balance in atomic units; `token` is the zero address and `symbol` empty for the chain's coin."""

    token: Address
    symbol: str
    decimals: int
    amount: int


@dataclass(frozen=True, slots=True)
class Treasury:
    """The timelock's balances at a block, its coin first; those of 0 too."""

    address: Address
    block: int
    holdings: Sequence[Holding]


async def read_treasury(client: Client, known: KnownContracts, registry: AssetRegistry) -> Treasury:
    """Return what the timelock holds: coin, payment token, platform token, and what services may be paid in.

    Raises:
        RpcUnavailable: when the node does not answer.
    """
    head = await client.head()
    tokens = {each.address: each for each in known.tokens}
    missing = [each for each in await registry.revenue_tokens() if each not in tokens]
    tokens |= {each.address: each for each in await asyncio.gather(*(token_facts(client, each) for each in missing))}
    place = known.treasury

    async def held(token: TokenFacts) -> Holding:
        amount = await Erc20(token.address, client).at_block(head.number).balance_of(place)
        return Holding(token.address, token.symbol, token.decimals, amount)

    coin = Holding(ZERO_ADDRESS, COIN, COIN_DECIMALS, await client.balance(place, head.number))
    return Treasury(place, head.number, [coin, *await asyncio.gather(*map(held, tokens.values()))])
