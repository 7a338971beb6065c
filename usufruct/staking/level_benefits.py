"""What the levels of payers bring, kept in memory as the chain has it: calls do not wait for a node.

A score is the same for a whole week of the chain, so an account is read once a week. The levels themselves are read
when a week starts and when the owner sets them; each new block is asked for that.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from usufruct.chain import Header, Revert, UnreadableAnswer
from usufruct.core import Address, Clock, UsufructError
from usufruct.payments.pricing import Benefits
from usufruct.staking.level_model import NO_LEVEL, LevelTerms, level_of
from usufruct.staking.lock_model import week_of

_log = logging.getLogger(__name__)

_NO_BENEFITS = Benefits()


class LevelsReader(Protocol):
    """The chain, as `StakingLevels` reads it; every question may raise `RpcUnavailable`."""

    async def head(self) -> Header:
        """Return the newest block's header."""

    async def changed(self, first: int, last: int) -> bool:
        """Tell whether the owner set levels in the blocks `first` to `last`."""

    async def score(self, account: Address, block: int) -> int:
        """Return an account's score in a block."""

    async def terms(self, block: int) -> list[LevelTerms]:
        """Return the levels 1 to 10 in a block."""


@dataclass(frozen=True, slots=True)
class LevelPolicy:
    """How long the chain's word is waited for, and how long it counts.

    `wait_seconds`: that a call waits at most for the score of a payer who is not known. No call waits while the node
    has been silent for `silent_seconds`, or so long after a read failed or took too long. `oldest_seconds`: what was
    read longer ago brings nothing. `refresh_seconds`: after which levels and scores in use are read again, without a
    wait, in case a reorganization changed them. `overlap` blocks are looked at again for levels that were set; after
    more than `most_blocks` new ones the levels are read without that. `most_accounts` are kept, the last used ones, and
    `most_reads` of scores begin in a second. Accounts that are only named have bounds of their own, `most_named` and
    `most_named_reads`: a request without money can name any account, and must not take a payer's place.
    """

    wait_seconds: float = 0.25
    silent_seconds: float = 5.0
    oldest_seconds: float = 3_600.0
    refresh_seconds: float = 60.0
    overlap: int = 16
    most_blocks: int = 1_000
    most_accounts: int = 10_000
    most_reads: int = 50
    most_named: int = 1_000
    most_named_reads: int = 10


@dataclass(frozen=True, slots=True)
class _KnownScore:
    score: int
    week: int
    read_at: float


class _Scores:
    """The scores of accounts that were used last, `most` of them; `most_reads` begin in a second."""

    def __init__(self, chain: LevelsReader, clock: Clock, policy: LevelPolicy, most: int, most_reads: int) -> None:
        self._known: dict[Address, _KnownScore] = {}  # the one used last is at the end
        self._most = most
        self._chain = chain
        self._clock = clock
        self._policy = policy
        self._most_reads = most_reads
        self._failed_at = float("-inf")
        self._reads: dict[Address, asyncio.Task[None]] = {}
        self._begun = (0, 0)  # a second, and how many reads began in it

    def __contains__(self, payer: Address) -> bool:
        return payer in self._known

    def find(self, payer: Address) -> _KnownScore | None:
        """Return what is known of an account's score, which counts as a use of it."""
        known = self._known.pop(payer, None)
        if known is not None:
            self._known[payer] = known
        return known

    async def wait(self, payer: Address, head: Header) -> None:
        """Wait a short time for an account's score, if a read of it can begin."""
        read = self.start(payer, head)
        if read is None:
            return
        try:
            async with asyncio.timeout(self._policy.wait_seconds):
                await asyncio.shield(read)
        except TimeoutError:
            self._failed_at = self._clock.monotonic()

    def start(self, payer: Address, head: Header) -> "asyncio.Task[None] | None":
        """Begin to read an account's score; None when too many reads began in this second, or one failed just now."""
        if self._clock.monotonic() - self._failed_at < self._policy.silent_seconds:
            return None
        if payer not in self._reads:
            second = int(self._clock.monotonic())
            begun = self._begun[1] if self._begun[0] == second else 0
            if begun >= self._most_reads:
                return None
            self._begun = (second, begun + 1)
            self._reads[payer] = asyncio.create_task(self._read(payer, head))
        return self._reads[payer]

    async def close(self) -> None:
        """Cancel what is being read."""
        for read in list(self._reads.values()):
            read.cancel()
        await asyncio.gather(*self._reads.values(), return_exceptions=True)

    async def _read(self, payer: Address, head: Header) -> None:
        try:
            score = await self._chain.score(payer, head.number)
        except (Revert, UnreadableAnswer, UsufructError) as error:
            self._failed_at = self._clock.monotonic()
            _log.warning("the level of %s was not read: %s", payer, error)
        else:
            if payer not in self._known and len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[payer] = _KnownScore(score, week_of(head.timestamp), self._clock.monotonic())
        finally:
            del self._reads[payer]


class LevelBenefits:
    """The levels, and the scores of payers who called lately; fulfils `payments.pricing.PayerBenefits`."""

    def __init__(self, chain: LevelsReader, clock: Clock, policy: LevelPolicy | None = None) -> None:
        """Read from `chain`; `refresh` must run for each new block."""
        self._chain = chain
        self._clock = clock
        self._policy = policy = policy or LevelPolicy()
        self._head: Header | None = None
        self._terms: Sequence[LevelTerms] = ()
        self._terms_at = self._heard_at = float("-inf")
        self._payers = _Scores(chain, clock, policy, policy.most_accounts, policy.most_reads)
        self._named = _Scores(chain, clock, policy, policy.most_named, policy.most_named_reads)

    @property
    def discounts(self) -> Sequence[int]:
        """What the levels 1 to 10 take off prices, hundredths of a per cent; empty while they are not known."""
        return [] if self._is_old(self._heard_at) else [each.discount_bps for each in self._terms]

    async def of(self, payer: Address, *, funded: bool = True) -> Benefits:
        """Return what a payer's level brings: from memory, if it was read this week, or after a bounded wait.

        While the node does not answer it is the level that was known last; without one, or once that is too old, what
        level 0 brings. `funded`: the payer has money here; others share a small part of the node's time.
        """
        head = self._head
        if head is None:
            return _NO_BENEFITS
        scores = self._payers if funded or payer in self._payers else self._named
        known = scores.find(payer)
        if known is None or known.week != week_of(head.timestamp) or self._is_old(known.read_at):
            if self._age(self._heard_at) <= self._policy.silent_seconds:
                await scores.wait(payer, head)
            known = scores.find(payer)
        elif self._age(known.read_at) > self._policy.refresh_seconds:
            scores.start(payer, head)
        if known is None or self._is_old(known.read_at) or self._is_old(self._heard_at):
            return _NO_BENEFITS
        number = level_of(known.score, self._terms)
        terms = self._terms[number - 1] if number else NO_LEVEL
        return Benefits(number, terms.discount_bps, terms.quota_bps)

    async def refresh(self) -> None:
        """Take over the newest block, and the levels where they are set in it.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        head, known = await self._chain.head(), self._head
        if known is None or head.hash != known.hash:
            if known is None or self._terms_are_due() or await self._changed(known, head):
                self._terms = await self._chain.terms(head.number)
                self._terms_at = self._clock.monotonic()
            self._head = head
        self._heard_at = self._clock.monotonic()

    async def close(self) -> None:
        """Cancel what is being read."""
        for scores in (self._payers, self._named):
            await scores.close()

    async def _changed(self, known: Header, head: Header) -> bool:
        first = min(known.number, head.number) - self._policy.overlap
        if head.number - first > self._policy.most_blocks:
            return True
        return await self._chain.changed(max(0, first), head.number)

    def _terms_are_due(self) -> bool:
        return self._age(self._terms_at) > self._policy.refresh_seconds

    def _age(self, moment: float) -> float:
        return self._clock.monotonic() - moment

    def _is_old(self, moment: float) -> bool:
        return self._age(moment) > self._policy.oldest_seconds
