"""The till's payments: claims divided among the payees of their assets."""

from collections import Counter
from collections.abc import Sequence

from usufruct.chain import Call
from usufruct.chain.contracts.till import NotAPayee, PayeeKind, Split, Till
from usufruct.core import Address, AssetId, Unavailable, UsufructError
from usufruct.payments.ledger import Claim
from usufruct.payments.settlement.anchoring import digests_of, root_of
from usufruct.payments.settlement.model import Batch, Payee, RefusedClaim, SettlementContext, members_of


class Payouts:
    """Writes the till's part of every batch."""

    def __init__(self, context: SettlementContext, payees: Payee, remainder_to: Address) -> None:
        """Pay the `payees` of assets; what belongs to no asset goes to `remainder_to`."""
        self._context = context
        self._payees = payees
        self.remainder_to = remainder_to
        self.till = Till(context.terms.till, context.client)

    async def unpayable(self, claims: Sequence[Claim]) -> list[RefusedClaim]:
        """Return the claims with an asset whose payee is unknown, or not listed by the till."""
        found: list[RefusedClaim] = []
        reasons: dict[AssetId, UsufructError | None] = {}
        for claim in claims:
            for asset in {split.asset for split in claim.splits} - reasons.keys():
                reasons[asset] = await self._refusal(asset)
            refused = {split.asset: reason for split in claim.splits if (reason := reasons[split.asset])}
            if refused:
                found.append(RefusedClaim(claim, next(iter(refused.values())), frozenset(refused)))
        return found

    async def claim(self, token: Address, claims: Sequence[Claim], claim_call: bytes) -> Call:
        """Return the transaction that claims, splits among the payees and anchors the receipts."""
        digests = await digests_of(self._context, members_of(claims))
        root = root_of(digests)
        return self.till.claim_and_split(
            claim_call=claim_call,
            token=token,
            splits=await self._splits(claims),
            remainder_to=self.remainder_to,
            receipts_root=bytes.fromhex(root[2:]) if root else bytes(32),
            receipt_count=len(digests),
        )

    async def split(self, token: Address, claims: Sequence[Claim]) -> Call:
        """Return the transaction that splits what was claimed elsewhere."""
        return self.till.split(token, await self._splits(claims), self.remainder_to)

    def anchor(self, batch: Batch) -> Call | None:
        """Return the transaction that anchors a batch's receipts; None when it has none."""
        if batch.root is None:
            return None
        return self.till.anchor_receipts(bytes.fromhex(batch.root[2:]), batch.receipts)

    async def _refusal(self, asset: AssetId) -> UsufructError | None:
        """Return why the till would not pay an asset."""
        try:
            payee = await self._payees.pay_to(asset)
        except Unavailable:
            raise
        except UsufructError as reason:
            return reason
        return NotAPayee(payee) if await self.till.payees(payee) is PayeeKind.NONE else None

    async def _splits(self, claims: Sequence[Claim]) -> list[Split]:
        """Add up what each payee gets, over all claims and all the assets it is the payee of."""
        parts: Counter[Address] = Counter()
        for claim in claims:
            for split in claim.splits:
                parts[await self._payees.pay_to(split.asset)] += split.amount
        return [Split(payee, amount) for payee, amount in sorted(parts.items())]
