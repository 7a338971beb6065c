"""What visitors see of airdrops, and the claims that the relayer sends for them, within bounds.

The contract pays the account in the leaf, whoever sends the claim: a claim needs no signature. A claim is simulated,
then counted in the database with the most that it can cost, then sent; after, what it did cost is counted.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from usufruct.chain import Call, ChainAccess, FeePolicy, Outbox, Revert, Sender, Sent, State, market_offer
from usufruct.chain.contracts.airdrop import Airdrop, AlreadyClaimed, ClaimsEnded
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.shared import ERC20InsufficientBalance
from usufruct.core import Address, Clock, Conflict, Hash32, Unavailable, divide_up
from usufruct.staking.airdrop_claim_store import AirdropClaimStore, ClaimBounds, ClaimState, RelayedClaim
from usufruct.staking.airdrop_file import AirdropEntry
from usufruct.staking.airdrop_terms import AirdropTerms, OtherAirdrop, read_terms
from usufruct.staking.served_airdrops import ServedAirdrop, ServedAirdrops
from usufruct.store import Stamp

DAY = 86_400
GWEI = 10**9
_UNKNOWN = "unknown"
"""The network of callers whose network is not known: they count as one visitor."""


class NotClaimable(Conflict, code="airdrop_claim_refused"):
    """The contract would not pay an entry now; nothing was sent."""


class AirdropPlanned(NotClaimable, code="airdrop_planned"):
    """The airdrop has no contract yet."""


class AirdropEnded(NotClaimable, code="airdrop_ended"):
    """Claims have ended."""


class AirdropUnfunded(NotClaimable, code="airdrop_unfunded"):
    """The contract holds less than the entry."""


class AirdropRunning(NotClaimable, code="airdrop_running"):
    """Claims have not ended: what is left stays for its accounts."""


class AirdropPaid(NotClaimable, code="airdrop_paid"):
    """The entry was paid before: to its account, as anyone may do, or into a lock."""


class RelayerEmpty(Unavailable, code="airdrop_relayer_empty"):
    """The relayer cannot pay for the gas of a claim now."""


class EntryState(StrEnum):
    """How an entry stands."""

    PLANNED = "planned"
    OPEN = "open"
    PENDING = "pending"
    CLAIMED = "claimed"
    ENDED = "ended"
    UNFUNDED = "unfunded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EntryStatus:
    """An entry and how it stands. `transaction`: the relayer's, if it sent one; `reason`: why the chain refuses."""

    airdrop: ServedAirdrop
    terms: AirdropTerms | None
    entry: AirdropEntry
    state: EntryState
    transaction: Hash32 | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AirdropStatus:
    """An airdrop and how it stands: planned, open or ended. `left`: what its contract holds, in atomic units.

    `may_sweep`: the relayer sends what is left to the treasury when it is asked, once.
    """

    airdrop: ServedAirdrop
    terms: AirdropTerms | None
    state: EntryState
    left: int
    may_sweep: bool = False


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """The most gas of one claim, and how long its caller waits for its end."""

    most_gas: int = 300_000
    wait_seconds: float = 3.0


class AirdropClaims:
    """The served airdrops on their chain."""

    def __init__(
        self, served: ServedAirdrops, chain: ChainAccess, sender: Callable[[], Sender], bounds: ClaimBounds,
        stamp: Stamp, clock: Clock, policy: ClaimPolicy | None = None,
    ) -> None:  # fmt: skip
        """Send with `sender`, within `bounds`; `stamp` marks networks."""
        self.served = served
        self._chain = chain
        self._client = chain.client
        self._store = AirdropClaimStore(chain.database)
        self._outbox = Outbox(chain.database, chain.chain_id)
        self._sender = sender
        self._bounds = bounds
        self._stamp = stamp
        self._clock = clock
        self._policy = policy or ClaimPolicy()
        self._terms: dict[Address, AirdropTerms] = {}

    async def overview(self, airdrop: ServedAirdrop) -> AirdropStatus:
        """Return how an airdrop stands; raises as `status`."""
        terms = await self._terms_of(airdrop)
        if airdrop.place is None or terms is None:
            return AirdropStatus(airdrop, None, EntryState.PLANNED, 0)
        left = await PlatformToken(terms.token, self._client).balance_of(airdrop.place)
        if (await self._client.head()).timestamp < terms.deadline:
            return AirdropStatus(airdrop, terms, EntryState.OPEN, left)
        may_sweep = bool(left) and await self._outbox.find(_sweep_key(airdrop.place)) is None
        return AirdropStatus(airdrop, terms, EntryState.ENDED, left, may_sweep)

    async def sweep(self, airdrop: ServedAirdrop) -> AirdropStatus:
        """Have the relayer send what is left to the treasury, and wait a while; return how the airdrop stands.

        It is sent once: tokens that come later are for another wallet to send, so that no visitor can spend the
        relayer's coin.

        Raises:
            AirdropRunning: before the deadline.
            RelayerEmpty, RpcUnavailable and the like: as `claim`.
        """
        found = await self.overview(airdrop)
        place = airdrop.place
        if found.state is not EntryState.ENDED or place is None:
            raise AirdropRunning("claims have not ended; the rest can go to the treasury after that")
        if not found.may_sweep:
            return found
        offer = await market_offer(self._client, FeePolicy())
        await self._check_funded(self._policy.most_gas * offer.max_fee)
        key = _sweep_key(place)
        with suppress(Revert):  # another wallet was first
            await self._sender().send(Airdrop(place).sweep(), key, most_gas=self._policy.most_gas)
            await self._sender().wait(key, self._policy.wait_seconds)
        return await self.overview(airdrop)

    async def status(self, airdrop: ServedAirdrop, account: Address) -> EntryStatus:
        """Return how an account's entry stands, by the chain and by what the relayer sent.

        Raises:
            NoSuchEntry: when the airdrop pays it nothing.
            NotAnAirdrop, OtherAirdrop, NotDeployed: when the configured contract is not this airdrop's.
            RpcUnavailable: when the node does not answer.
        """
        entry, terms = airdrop.file.entry_of(account), await self._terms_of(airdrop)
        if airdrop.place is None or terms is None:
            return EntryStatus(airdrop, None, entry, EntryState.PLANNED)
        claim = await self._store.find(airdrop.place, entry.index)
        if claim and claim.state is ClaimState.PENDING:
            await self._settle(claim, 0.0)
            claim = await self._store.find(airdrop.place, entry.index)
        state, reason = await self._ask(airdrop.place, entry)
        sent = await self._outbox.find(claim.key) if claim and claim.state is not ClaimState.FAILED else None
        if state is EntryState.OPEN and sent:
            state = EntryState.PENDING
        return EntryStatus(airdrop, terms, entry, state, await self._hash_of(sent), reason)

    async def claim(self, airdrop: ServedAirdrop, account: Address, network: str | None) -> EntryStatus:
        """Claim an account's entry for a visitor at `network`, once, and wait a while; return how it stands.

        A claim that was sent is only waited for, and one that was paid returned.

        Raises:
            NotClaimable: when the contract would not pay it; its code says why.
            ClaimLimited, RelayerEmpty: when it could pass a bound, failed today, or cannot be paid for.
            NoSuchEntry, OtherAirdrop, RpcUnavailable and the like: as `status`.
        """
        found = await self.status(airdrop, account)
        if airdrop.place and found.state in (EntryState.OPEN, EntryState.PENDING):
            await self._send(await self._reserve(airdrop.place, found.entry, network), found.entry)
            found = await self.status(airdrop, account)
        if found.state not in (EntryState.PENDING, EntryState.CLAIMED):
            raise entry_refusal(found)
        return found

    async def settle(self) -> None:
        """Note how claims ended whose visitors have left."""
        for claim in await self._store.pending():
            await self._settle(claim, 0.0)

    async def _terms_of(self, airdrop: ServedAirdrop) -> AirdropTerms | None:
        place = airdrop.place
        if place and place not in self._terms:
            found, token = await read_terms(self._client, place), self._chain.deployments.address(PlatformToken)
            if (found.root, found.token) != (airdrop.file.root, token):
                raise OtherAirdrop(
                    f"the airdrop at {place} pays {found.token} by root 0x{found.root.hex()}; correct "
                    f"`platform_token.airdrops`, which names it for root {airdrop.root} of {token}",
                    address=place,
                )
            self._terms[place] = found
        return self._terms[place] if place else None

    async def _ask(self, place: Address, entry: AirdropEntry) -> tuple[EntryState, str]:
        """Have the node run a claim, and read from its refusal how the entry stands."""
        try:
            await self._client.call(self._call(place, entry))
        except AlreadyClaimed:
            return EntryState.CLAIMED, ""
        except ClaimsEnded:
            paid = await Airdrop(place, self._client).is_claimed(entry.index)
            return EntryState.CLAIMED if paid else EntryState.ENDED, ""
        except ERC20InsufficientBalance:
            return EntryState.UNFUNDED, ""
        except Revert as refusal:
            return EntryState.REFUSED, refusal.message
        return EntryState.OPEN, ""

    async def _reserve(self, place: Address, entry: AirdropEntry, network: str | None) -> RelayedClaim:
        known = await self._store.find(place, entry.index)
        if known and known.state is not ClaimState.FAILED:
            return known
        offer, now = await market_offer(self._client, FeePolicy()), self._clock.now()
        day = now // DAY
        mark = self._stamp.mark(f"claims on {day} from {network or _UNKNOWN}".encode())
        most = self._policy.most_gas * offer.max_fee
        await self._check_funded(most)
        gwei = divide_up(most, GWEI)
        return await self._store.reserve(RelayedClaim(place, entry.index, day, mark, gwei), self._bounds, now)

    async def _check_funded(self, most: int) -> None:
        if await self._client.balance(self._sender().address) < most:
            raise RelayerEmpty("the relayer's key holds too little coin for gas; send the claim yourself, or try later")

    async def _send(self, claim: RelayedClaim, entry: AirdropEntry) -> None:
        """Send what is counted, unless it was sent, and wait; what the chain would refuse is not counted."""
        try:
            await self._sender().send(self._call(claim.airdrop, entry), claim.key, most_gas=self._policy.most_gas)
        except Revert:
            await self._store.cancel(claim)
        except Conflict:
            await self._store.cancel(claim)
            raise
        else:
            await self._settle(claim, self._policy.wait_seconds)

    async def _settle(self, claim: RelayedClaim, seconds: float) -> None:
        """Wait until a claim's transaction is final, and note its end; what was not sent stays as it is."""
        if await self._outbox.find(claim.key) is None:
            return
        sent = await self._sender().wait(claim.key, seconds)
        if sent.state is State.PENDING:
            return
        if sent.state is State.DISPLACED:
            await self._store.finish(replace(claim, state=ClaimState.FAILED))
            return
        receipt = await self._client.receipt(sent.hash) if sent.hash else None
        if receipt is None:
            return
        state = ClaimState.PAID if sent.state is State.CONFIRMED else ClaimState.FAILED
        gwei = divide_up(receipt.gas_used * receipt.gas_price, GWEI)
        await self._store.finish(replace(claim, state=state, gwei=gwei, transaction=sent.hash))

    async def _hash_of(self, sent: Sent | None) -> Hash32 | None:
        """Return a transaction's hash: of its newest attempt, while it is not final."""
        if sent is None or sent.state is State.DISPLACED:
            return None
        return sent.hash or (await self._outbox.attempts(sent.key))[-1].hash

    def _call(self, place: Address, entry: AirdropEntry) -> Call:
        return Airdrop(place).claim(entry.index, entry.account, entry.amount, entry.proof)


def _sweep_key(place: Address) -> str:
    return f"airdrop/sweep/{place}"


def entry_refusal(found: EntryStatus) -> NotClaimable:
    """Return why an entry cannot be claimed now."""
    match found.state:
        case EntryState.PLANNED:
            return AirdropPlanned("the airdrop's contract is not deployed yet; try again later")
        case EntryState.ENDED:
            return AirdropEnded("claims have ended; what was not claimed goes to the treasury")
        case EntryState.CLAIMED:
            return AirdropPaid(
                "the entry was paid before: its tokens are in the account, as anyone may claim for it, or in its lock; "
                "lock them at /stake, or by `usufruct stake lock`"
            )
        case EntryState.UNFUNDED:
            return AirdropUnfunded(
                "the airdrop's contract holds too few tokens for this entry; try again when its operator has funded it"
            )
    return NotClaimable(f"the chain would refuse the claim: {found.reason or found.state}")
