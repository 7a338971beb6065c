"""How the token that is charged in described itself last: a gateway starts with that when no node answers."""

from dataclasses import asdict

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, insert, select

from usufruct.chain import ChainAccess, TokenFacts, token_address, token_of
from usufruct.core import Unavailable
from usufruct.store import AddressColumn, metadata

tokens = Table(
    "tokens",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("address", AddressColumn, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("symbol", String(200), nullable=False),
    Column("decimals", Integer, nullable=False),
    Column("version", String(200)),  # of its EIP-712 domain; NULL: it does not say
)


async def known_token_of(chain: ChainAccess) -> TokenFacts:
    """Return the token that is charged in: as the chain describes it, or as it did when it was asked last.

    Raises:
        InvalidSetting: as `token_of`.
        RpcUnavailable: when the node does not answer, and never described it.
    """
    address = token_address(chain.config, chain.deployments)
    described = (tokens.c.chain_id == chain.chain_id, tokens.c.address == address)
    async with chain.database.snapshot() as unit:
        row = await unit.row(select(tokens).where(*described))
    known = TokenFacts(row.address, row.name, row.symbol, row.decimals, row.version) if row else None
    try:
        facts = await token_of(chain.config, chain.client, chain.deployments)
    except Unavailable:
        if known is None:
            raise
        return known
    if facts != known:
        async with chain.database.transaction() as unit:
            await unit.change(delete(tokens).where(*described))
            await unit.change(insert(tokens).values(chain_id=chain.chain_id, **asdict(facts)))
    return facts
