"""Accounts that others let vote for them, found by the escrow's logs, and the votes that they have now."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import Address
from usufruct.governance.governor_logs import DELEGATE_ID, GovernorIndexer
from usufruct.governance.proposal_store import role_candidates
from usufruct.store import Database

MOST_DELEGATES = 200
"""That are asked for, in the order of their addresses where there are more."""


@dataclass(frozen=True, slots=True)
class Delegate:
    """An account that votes for others; `votes` are of the running week, its own lock's among them."""

    account: Address
    votes: int


async def read_delegates(escrow: VoteEscrow, indexer: GovernorIndexer, database: Database) -> Sequence[Delegate]:
    """Return the delegates that have votes, the one with most first; raises `RpcUnavailable`."""
    await indexer.poll()
    async with database.snapshot() as unit:
        accounts = (await role_candidates(unit, escrow.address, DELEGATE_ID))[:MOST_DELEGATES]
    votes = await asyncio.gather(*map(escrow.get_votes, accounts))
    found = [Delegate(account, count) for account, count in zip(accounts, votes, strict=True) if count]
    return sorted(found, key=lambda each: (-each.votes, each.account))
