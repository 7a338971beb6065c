"""The levels of an installation: what each brings, and which one an account has."""

import asyncio
from dataclasses import dataclass

from usufruct.chain import ChainAccess, Header
from usufruct.chain.contracts.levels import Level, Levels, LevelsSet
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Creation
from usufruct.core import Address
from usufruct.staking.level_model import LEVELS, LevelTerms, read_levels


@dataclass(frozen=True, slots=True)
class AccountLevel:
    """An account's level, 0 to 10, by its `score` at the start of the running week, and what the level brings.

    `next_threshold`: the score that the next level needs, atomic units; None on the highest level.
    """

    level: int
    score: int
    discount_bps: int
    quota_bps: int
    next_threshold: int | None


class StakingLevels:
    """Reads levels from the chain. Questions raise `RpcUnavailable`."""

    def __init__(self, chain: ChainAccess) -> None:
        """Work on the levels of the installation.

        Raises:
            NotDeployed: when it has none.
        """
        self._client = chain.client
        self._levels = Levels(chain.deployments.address(Levels), chain.client)
        self._escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)

    @property
    def address(self) -> Address:
        """The contract."""
        return self._levels.address

    async def all(self) -> list[LevelTerms]:
        """Return the levels 1 to 10 as of the newest block."""
        return await self.terms(await self._client.block_number())

    async def head(self) -> Header:
        """Return the newest block's header."""
        return await self._client.head()

    async def changed(self, first: int, last: int) -> bool:
        """Tell whether the owner set levels in the blocks `first` to `last`."""
        return bool(await self._client.logs(first, last, addresses=[self.address], topics=(LevelsSet.TOPIC,)))

    async def score(self, account: Address, block: int) -> int:
        """Return an account's score in a block."""
        return await self._escrow.at_block(block).score_of(account)

    async def terms(self, block: int) -> list[LevelTerms]:
        """Return the levels 1 to 10 in a block."""
        levels = self._levels.at_block(block)
        found = await asyncio.gather(*(levels.level_terms(number) for number in range(1, LEVELS + 1)))
        return [LevelTerms(each.threshold, each.discount_bps, each.quota_bps) for each in found]

    async def of(self, account: Address) -> AccountLevel:
        """Return an account's level as of the newest block."""
        block = await self._client.block_number()
        levels, escrow = self._levels.at_block(block), self._escrow.at_block(block)
        benefits, thresholds, score = await asyncio.gather(
            levels.benefits_of(account), levels.thresholds(), escrow.score_of(account)
        )
        above = thresholds[benefits.level] if benefits.level < LEVELS else None
        return AccountLevel(benefits.level, score, benefits.discount_bps, benefits.quota_bps, above)


def levels_creation(text: str, owner: Address, escrow: Address) -> Creation:
    """Return the creation of the levels that a configuration names, by scores in `escrow`.

    Raises:
        InvalidSetting: see `read_levels`.
    """
    rows = [Level(each.threshold, each.discount_bps, each.quota_bps) for each in read_levels(text)]
    return Levels.deploy(owner, escrow, rows)
