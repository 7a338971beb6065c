"""The VoteEscrow of an installation: what accounts have locked, and the calls by which they change it."""

import asyncio
from dataclasses import dataclass, replace

from usufruct.chain import Call, ChainAccess, Revert, TokenFacts, token_facts
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import Permit, VoteEscrow
from usufruct.chain.keys import KeySigner
from usufruct.core import Address
from usufruct.staking.lock_model import WEEK_SECONDS, Lock, week_of
from usufruct.staking.reinvestments import Reinvestments
from usufruct_client.eip712_messages import PERMIT, Domain
from usufruct_client.typed_data import MessageHasher

_PERMIT_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class EscrowTerms:
    """The escrow now. Amounts are atomic units: of `token`, and `waiting` of `revenue_token`.

    `week`: the running one, which ends at `week_ends`, Unix seconds; `total_weight`: of it, `next_weight`: of the next;
    `waiting`: revenue of the running week, with what was carried.
    """

    token: TokenFacts
    revenue_token: TokenFacts
    week: int
    week_ends: int
    total_weight: int
    next_weight: int
    score_floor: int
    exit_penalty_bps: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Stake:
    """What an account has in the escrow at time `now`; amounts are atomic units.

    `ends_at`: when it can be withdrawn, Unix seconds; while it renews itself: when, if renewal stopped now. `score` and
    `votes` are those of the running week, `next_weight` the weight of the coming one. `revenue` and `penalties` can be
    claimed now; `held` are tokens that are not locked. `exit_penalty` is what an early exit would keep.
    """

    holder: Address
    now: int
    lock: Lock
    ends_at: int
    score: int
    next_weight: int
    votes: int
    delegate: Address
    revenue: int
    penalties: int
    held: int
    exit_penalty: int

    @property
    def ended(self) -> bool:
        """Whether the tokens can be withdrawn."""
        return bool(self.lock.amount) and not self.lock.renewal and self.now >= self.ends_at


class Stakes:
    """Reads locks, and makes the calls that change them; nothing is sent. Questions raise `RpcUnavailable`."""

    def __init__(self, chain: ChainAccess) -> None:
        """Work on the escrow of the installation.

        Raises:
            NotDeployed: when it has none.
        """
        self.client = chain.client
        self.escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)
        self.token = PlatformToken(chain.deployments.address(PlatformToken), chain.client)
        self.reinvestments = Reinvestments(chain)
        self.chain_id = chain.chain_id
        self._facts: tuple[TokenFacts, TokenFacts] | None = None

    async def terms(self) -> EscrowTerms:
        """Return the escrow now."""
        token, revenue_token = await self.tokens()
        block = await self.client.block_number()
        escrow = self.escrow.at_block(block)
        week, floor, penalty, books = await asyncio.gather(
            escrow.week(), escrow.score_floor(), escrow.exit_penalty_bps(), escrow.revenue()
        )
        weight, next_weight = await asyncio.gather(escrow.total_weight_at(week), escrow.total_weight_at(week + 1))
        return EscrowTerms(
            token,
            revenue_token,
            week,
            (week + 1) * WEEK_SECONDS,
            weight,
            next_weight,
            floor,
            penalty,
            books.waiting,
        )

    async def tokens(self) -> tuple[TokenFacts, TokenFacts]:
        """Return the platform token and the revenue token."""
        if self._facts is None:
            token = await token_facts(self.client, self.token.address)
            self._facts = token, await token_facts(self.client, await self.escrow.revenue_token())
        return self._facts

    @property
    def known_tokens(self) -> tuple[TokenFacts, TokenFacts] | None:
        """Both tokens as they were read before; None where the node never answered."""
        return self._facts

    async def of(self, holder: Address) -> Stake:
        """Return what an account has in the escrow, as of the newest block."""
        head = await self.client.head()
        escrow, token = self.escrow.at_block(head.number), self.token.at_block(head.number)
        view, score, weight, penalty = await asyncio.gather(
            escrow.lock_of(holder),
            escrow.score_of(holder),
            escrow.weight_at(holder, week_of(head.timestamp) + 1),
            escrow.exit_penalty_of(holder),
        )
        votes, delegate, held, due = await asyncio.gather(
            escrow.get_votes(holder),
            escrow.delegates(holder),
            token.balance_of(holder),
            self._due(holder, head.number),
        )
        renewing = view.renewal_weeks != 0
        lock = Lock(view.amount, 0 if renewing else week_of(view.ends_at), view.renewal_weeks)
        return Stake(holder, head.timestamp, lock, view.ends_at, score, weight, votes, delegate, *due, held, penalty)

    async def lock(self, holder: Address, amount: int, weeks: int) -> list[Call]:
        """Return the calls that lock tokens: an approval where one is needed, and the lock."""
        return [*await self._approval(holder, amount), self.escrow.lock(amount, weeks)]

    async def increase(self, holder: Address, amount: int) -> list[Call]:
        """Return the calls that add tokens to a lock: an approval where one is needed, and the increase."""
        return [*await self._approval(holder, amount), self.escrow.increase(amount)]

    async def lock_by_permit(self, signer: KeySigner, amount: int, weeks: int) -> Call:
        """Return the one call that locks tokens of a key's account."""
        return self.escrow.lock_with_permit(amount, weeks, await self._permit(signer, amount))

    async def increase_by_permit(self, signer: KeySigner, amount: int) -> Call:
        """Return the one call that adds tokens of a key's account to its lock."""
        return self.escrow.increase_with_permit(amount, await self._permit(signer, amount))

    def extend(self, weeks: int) -> Call:
        """Return the call that makes a lock end so many weeks after the start of the next week."""
        return self.escrow.extend(weeks)

    def renew(self, *, on: bool) -> Call:
        """Return the call that starts or stops a lock's renewal."""
        return self.escrow.start_renewal() if on else self.escrow.stop_renewal()

    def withdraw(self, to: Address) -> Call:
        """Return the call that pays the tokens of a lock that has ended."""
        return self.escrow.withdraw(to)

    def exit(self, max_penalty: int, to: Address) -> Call:
        """Return the call that ends a lock now, for a penalty of at most `max_penalty`."""
        return self.escrow.exit_early(max_penalty, to)

    def claim(self, stake: Stake, to: Address) -> list[Call]:
        """Return the calls that pay revenue and penalties that an account can claim; none where nothing is due."""
        revenue = [self.escrow.claim(to)] if stake.revenue else []
        return [*revenue, self.escrow.claim_penalties(to)] if stake.penalties else revenue

    def delegate(self, to: Address) -> Call:
        """Return the call that lets another account vote from the next week on; the zero address takes it back."""
        return self.escrow.delegate(to)

    async def _due(self, holder: Address, block: int) -> tuple[int, int]:
        """Return revenue and penalties that can be claimed, those of weeks that a claim rolls included.

        Claims are simulated; where the revenue token refuses to pay the holder, only rolled weeks are counted.
        """
        rolled = await self.escrow.at_block(block).claimable(holder)
        claims = (self.escrow.claim(holder), rolled.revenue), (self.escrow.claim_penalties(holder), rolled.penalties)
        due = []
        for call, known in claims:
            try:
                due.append(int.from_bytes(await self.client.call(call, block=block, sender=holder), "big"))
            except Revert:
                due.append(known)
        revenue, penalties = due
        return revenue, penalties

    async def _approval(self, holder: Address, amount: int) -> list[Call]:
        if await self.token.allowance(holder, self.escrow.address) >= amount:
            return []
        return [self.token.approve(self.escrow.address, amount)]

    async def _permit(self, signer: KeySigner, amount: int) -> Permit:
        domain = await self.token.eip712_domain()
        nonce, head = await self.token.nonces(signer.address), await self.client.head()
        deadline = head.timestamp + _PERMIT_SECONDS
        hasher = MessageHasher(replace(PERMIT, domain=Domain(domain.name, domain.version)))
        message = signer.address, self.escrow.address, amount, nonce, deadline
        signature = signer.sign(hasher.digest(self.chain_id, self.token.address, *message))
        return Permit(deadline, signature[64], signature[:32], signature[32:64])
