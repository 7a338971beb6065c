"""How the token that is charged in described itself last: a gateway starts with that when no node answers."""

from dataclasses import asdict

from usufruct.chain import ChainAccess, TokenFacts, token_address, token_of
from usufruct.core import Address, ChainId, Unavailable
from usufruct.payments.settlement.store import find_token, put_token
from usufruct.store import Database


async def save_token_facts(database: Database, chain_id: ChainId, facts: TokenFacts) -> None:
    """Keep how a token describes itself, for a start without a node."""
    if await load_token_facts(database, chain_id, facts.address) != facts:
        async with database.transaction() as unit:
            await put_token(unit, {"chain_id": chain_id, **asdict(facts)})


async def load_token_facts(database: Database, chain_id: ChainId, token: Address) -> TokenFacts | None:
    """Return how a token described itself last; None when it never did."""
    async with database.snapshot() as unit:
        row = await find_token(unit, chain_id, token)
    return TokenFacts(row.address, row.name, row.symbol, row.decimals, row.version) if row else None


async def known_token_of(chain: ChainAccess) -> TokenFacts:
    """Return the token that is charged in: as the chain describes it, or as it did when it was asked last.

    Raises:
        InvalidSetting: as `token_of`.
        RpcUnavailable: when the node does not answer, and never described it.
    """
    try:
        facts = await token_of(chain.config, chain.client, chain.deployments)
    except Unavailable:
        known = await load_token_facts(chain.database, chain.chain_id, token_address(chain.config, chain.deployments))
        if known is None:
            raise
        return known
    await save_token_facts(chain.database, chain.chain_id, facts)
    return facts
