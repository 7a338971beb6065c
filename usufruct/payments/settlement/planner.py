"""Makes transactions out of claims, and finds out beforehand which of them the chain would take.

A batch is tried as a whole. When the till refuses it because of one of its rows, it is halved until the row is found
and the rest is tried again; when the till refuses whatever this key sends, that is nobody's row, and nothing is blamed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain import Call, Revert, as_hash32, keccak
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.batch_settlement import (
    BatchSettlement,
    ClaimExceedsBalance,
    ClaimExceedsCeiling,
    ECDSAInvalidSignature,
    ECDSAInvalidSignatureLength,
    ECDSAInvalidSignatureS,
    InvalidSignature,
    NotAuthorizedToClaim,
    Voucher,
    VoucherClaim,
)
from usufruct.chain.contracts.till import NotAPayee, PayeeKind, Split, SplitMismatch, Till
from usufruct.core import Address, AssetId, Hash32, Unavailable, UsufructError
from usufruct.payments.ledger import Claim
from usufruct.payments.pricing import plan_of
from usufruct.payments.settlement.anchoring import digests_of, root_of
from usufruct.payments.settlement.errors import BatchRefused
from usufruct.payments.settlement.model import Batch, BatchKind, Member, Payee, SettlementContext, on_chain

_BLAME_A_ROW = (
    InvalidSignature,
    ECDSAInvalidSignature,
    ECDSAInvalidSignatureLength,
    ECDSAInvalidSignatureS,
    ClaimExceedsCeiling,
    ClaimExceedsBalance,
    NotAuthorizedToClaim,
    NotAPayee,
    SplitMismatch,
)


@dataclass(frozen=True, slots=True)
class RefusedClaim:
    """A claim that cannot be sent now, and why; `unpayable` are the assets of it that the till would not pay."""

    claim: Claim
    reason: UsufructError
    unpayable: frozenset[AssetId] = frozenset()


@dataclass(frozen=True, slots=True)
class Simulated:
    """Claims that the chain would take, by batch, and those it would not."""

    batches: list[list[Claim]]
    refused: list[RefusedClaim]


def batch_id(claims: Sequence[Claim]) -> Hash32:
    """Return the id of the batch of exactly these claims: what its keys in the outbox are made of."""
    return as_hash32(keccak(b"".join(bytes.fromhex(claim.id[2:]) for claim in claims)))


def members_of(claims: Sequence[Claim]) -> tuple[Member, ...]:
    """Return claims as members of a batch."""
    return tuple(Member(claim.id, claim.account, claim.split_from, claim.cumulative) for claim in claims)


class Batcher:
    """Writes the till's transactions, as the holder of a claim key."""

    def __init__(self, side: SettlementContext, payees: Payee, remainder_to: Address, claim_key: Address) -> None:
        self._side = side
        self._payees = payees
        self._remainder_to = remainder_to
        self._claim_key = claim_key
        self._till = Till(side.terms.till, side.client)
        self._settlement = BatchSettlement(side.escrow.contract, side.client)

    async def unsplit(self, token: Address) -> int:
        """Return what was claimed for the till and not split yet, in atomic units."""
        return (await self._till.unsplit(token)).claimed

    async def split_base(self, token: Address) -> int:
        """Return what the till has ever split of what was claimed: it names a split, for there is one after each."""
        return (await self._till.total_split(token)).claimed

    async def calls(self, batch: Batch, claims: Sequence[Claim]) -> list[Call]:
        """Return a batch's transactions in the order of its keys; the same claims give the same calls."""
        if batch.kind in (BatchKind.CLAIM, BatchKind.BURN):
            first = [await self._first_call(batch.kind, batch.token, claims)]
        elif batch.kind is BatchKind.SPLIT:
            first = [self._till.split(batch.token, await self._splits(claims), self._remainder_to)]
        else:
            first = []
        if batch.root is None or batch.kind is BatchKind.CLAIM:
            return first
        return [*first, self._till.anchor_receipts(bytes.fromhex(batch.root[2:]), batch.count)]

    async def sort(
        self, kind: BatchKind, token: Address, claims: Sequence[Claim], most_gas: int, most_rows: int
    ) -> Simulated:
        """Divide claims into batches that the chain would take now and claims that it refuses.

        Raises:
            BatchRefused: when it refuses everything, for a reason that is no row's.
            RpcUnavailable: when the node does not answer.
        """
        result = Simulated([], [])
        for start in range(0, len(claims), most_rows):
            found = await self._sort(kind, token, claims[start : start + most_rows], most_gas)
            if found.refused and len(found.batches) > 1:
                sound = [claim for batch in found.batches for claim in batch]
                again = await self._sort(kind, token, sound, most_gas)
                found = Simulated(again.batches, found.refused + again.refused)
            result.batches.extend(found.batches)
            result.refused.extend(found.refused)
        return result

    async def payable(self, claims: Sequence[Claim]) -> Simulated:
        """Divide claims into those all of whose assets the till would pay, and the others."""
        found = Simulated([[]], [])
        reasons: dict[AssetId, UsufructError | None] = {}
        for claim in claims:
            for asset in {split.asset for split in claim.splits} - reasons.keys():
                reasons[asset] = await self._refusal(asset)
            refused = {split.asset: reason for split in claim.splits if (reason := reasons[split.asset])}
            if refused:
                found.refused.append(RefusedClaim(claim, next(iter(refused.values())), frozenset(refused)))
            else:
                found.batches[0].append(claim)
        return found

    async def _refusal(self, asset: AssetId) -> UsufructError | None:
        """Return why the till would not pay an asset: nobody knows its payee, or the till does not list it."""
        try:
            payee = await self._payees.pay_to(asset)
        except Unavailable:
            raise
        except UsufructError as reason:
            return reason
        return NotAPayee(payee) if await self._till.payees(payee) is PayeeKind.NONE else None

    async def _sort(self, kind: BatchKind, token: Address, claims: Sequence[Claim], most_gas: int) -> Simulated:
        if not claims:
            return Simulated([], [])
        try:
            gas = await self._side.client.estimate(await self._first_call(kind, token, claims), self._claim_key)
        except Revert as refusal:
            if kind is BatchKind.CLAIM and not self._blames_a_row(refusal):
                raise BatchRefused(
                    f"till {self._till.address} refuses batches of claim key {self._claim_key}: {refusal.message}",
                    till=self._till.address,
                    claim_key=self._claim_key,
                    reason=type(refusal).__name__,
                ) from refusal
            if len(claims) == 1:
                return Simulated([], [RefusedClaim(claims[0], refusal)])
        else:
            if gas <= most_gas or len(claims) == 1:
                return Simulated([list(claims)], [])
        half = len(claims) // 2
        left = await self._sort(kind, token, claims[:half], most_gas)
        right = await self._sort(kind, token, claims[half:], most_gas)
        return Simulated(left.batches + right.batches, left.refused + right.refused)

    def _blames_a_row(self, refusal: Revert) -> bool:
        if isinstance(refusal, NotAPayee) and refusal.pay_to == self._remainder_to:
            return False
        return isinstance(refusal, _BLAME_A_ROW)

    async def _first_call(self, kind: BatchKind, token: Address, claims: Sequence[Claim]) -> Call:
        return self._burn_call(claims) if kind is BatchKind.BURN else await self._claim_call(token, claims)

    def _burn_call(self, claims: Sequence[Claim]) -> Call:
        """Burn credits of one plan; as in a claim, each row is a total."""
        assert self._side.passes is not None
        contract = AccessPass(self._side.passes.contract, self._side.client)
        holders = [claim.config.payer for claim in claims]
        totals = [claim.cumulative for claim in claims]
        return contract.burn_up_to(plan_of(claims[0].config), holders, totals)

    async def _claim_call(self, token: Address, claims: Sequence[Claim]) -> Call:
        digests = await digests_of(self._side, members_of(claims))
        root = root_of(digests)
        return self._till.claim_and_split(
            claim_call=self._settlement.claim([_row(claim) for claim in claims]).data,
            token=token,
            splits=await self._splits(claims),
            remainder_to=self._remainder_to,
            receipts_root=bytes.fromhex(root[2:]) if root else bytes(32),
            receipt_count=len(digests),
        )

    async def _splits(self, claims: Sequence[Claim]) -> list[Split]:
        """Add up what each payee gets, over all claims and all the assets it is the payee of."""
        parts: Counter[Address] = Counter()
        for claim in claims:
            for split in claim.splits:
                parts[await self._payees.pay_to(split.asset)] += split.amount
        return [Split(payee, amount) for payee, amount in sorted(parts.items())]


def _row(claim: Claim) -> VoucherClaim:
    voucher = Voucher(on_chain(claim.config), claim.voucher.max_claimable)
    return VoucherClaim(voucher, claim.voucher.signature, claim.cumulative)
