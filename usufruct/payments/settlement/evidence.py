"""What was signed and anchored, held against what the database says now: a row that was changed is named."""

from collections.abc import Collection

from usufruct.core import Address, UsufructError
from usufruct.payments.ledger import Account, Call, receipt_of
from usufruct.payments.pricing import receipt_digest, recover_signer, verify_voucher
from usufruct.payments.settlement.anchoring import digests_of, root_of
from usufruct.payments.settlement.model import Batch, SettlementContext
from usufruct.payments.settlement.store import anchored_batch, newest_anchored


class Evidence:
    """Checks signatures for the ledger's audit; each check returns what is wrong, in words, or None."""

    def __init__(self, side: SettlementContext, receipts: Address, earlier: Collection[Address] = ()) -> None:
        """Check vouchers of `side`, and receipts against the operator's key `receipts` and its `earlier` ones."""
        self._side = side
        self._receipts = receipts
        self._earlier = earlier
        self.signed_earlier = 0
        """How many receipts were checked that an earlier key signed."""

    def voucher(self, channel: Account) -> str | None:
        """Check that the payer's authorizer signed the channel's best voucher; pass credits have a grant instead."""
        config = channel.reading.config
        if channel.voucher is None or self._side.holds_credits(config):
            return None
        try:
            verify_voucher(self._side.escrow, config, channel.voucher)
        except UsufructError:
            amount = channel.voucher.max_claimable
            return f"its best voucher, over {amount}, does not carry the signature of {config.payer_authorizer}"
        return None

    def receipt(self, call: Call, channel: Account) -> str | None:
        """Check that the operator signed what the row of a metered call says."""
        receipt = receipt_of(call, channel.reading.config.token)
        if receipt is None or call.receipt_signature is None:
            return f"call {call.lease.call} was charged and has no signed receipt"
        digest = receipt_digest(receipt, self._side.escrow.chain_id, self._side.terms.till)
        try:
            signer = recover_signer(digest, call.receipt_signature)
        except UsufructError:
            signer = None
        if signer in self._earlier:
            self.signed_earlier += 1
        elif signer != self._receipts:
            return f"call {call.lease.call} is not what its receipt says, or no receipt key of the operator signed that"
        return None


async def wrong_roots(side: SettlementContext) -> list[str]:
    """Return the confirmed batches whose anchored root the ledger's receipts do not give, in words.

    One batch is in memory at a time.
    """
    found: list[str] = []
    after = "0x"
    while True:
        async with side.database.snapshot() as unit:
            batch = await anchored_batch(unit, after)
        if batch is None:
            return found
        after = batch.id
        found += await _wrong_root(side, batch)


async def wrong_newest_roots(side: SettlementContext, most: int) -> list[str]:
    """Check the `most` newest batches that anchored receipts, as `wrong_roots` checks all."""
    async with side.database.snapshot() as unit:
        newest = await newest_anchored(unit, most)
    return [fault for batch in newest for fault in await _wrong_root(side, batch)]


async def _wrong_root(side: SettlementContext, batch: Batch) -> list[str]:
    digests = await digests_of(side, batch.members)
    if root_of(digests) == batch.root and len(digests) == batch.count:
        return []
    return [f"batch {batch.id}: its receipts do not give the root {batch.root} that was anchored"]
