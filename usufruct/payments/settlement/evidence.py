"""Compare signatures and anchored roots with the database as it is now, and name each row that was changed."""

from collections.abc import Collection
from dataclasses import dataclass

from usufruct.chain.keys import recover_signer
from usufruct.core import Address, UsufructError
from usufruct.payments.ledger import Account, AccountReading, Call
from usufruct.payments.pricing import receipt_digest
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.anchoring import digests_of, root_of
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.store import anchored_ids, find_batches


@dataclass(slots=True)
class Evidence:
    """Checks signatures for the ledger's audit; each check returns what is wrong, in words, or None.

    The operator's key `receipts` and its `earlier` ones sign receipts; `signed_earlier` counts those of the latter.
    """

    context: SettlementContext
    sync: AccountSync
    receipts: Address
    earlier: Collection[Address] = ()
    signed_earlier: int = 0

    def voucher(self, account: Account) -> str | None:
        """Check what authorized the account's charges."""
        return self.sync.source_of(account.kind).check_authority(account)

    def receipt(self, call: Call, account: Account) -> str | None:
        """Check that the operator signed the receipt that the row of a metered call gives."""
        receipt = call.receipt(account.token)
        if receipt is None or call.receipt_signature is None:
            return f"call {call.lease.call} was charged and has no signed receipt"
        digest = receipt_digest(receipt, self.context.escrow.chain_id, self.context.terms.till)
        try:
            signer = recover_signer(digest, call.receipt_signature)
        except UsufructError:
            signer = None
        if signer in self.earlier:
            self.signed_earlier += 1
        elif signer != self.receipts:
            return f"call {call.lease.call} differs from its receipt, or no receipt key of the operator signed it"
        return None


def wrong_claimed(account: Account, now: AccountReading) -> str | None:
    """Check that the chain has claimed what the ledger says; return what is wrong, in words, or None."""
    claimed = account.reading.total_claimed
    if now.total_claimed >= claimed:
        return None
    return f"{account.id}: claimed is {claimed}, {now.total_claimed} on the chain"


async def wrong_roots(context: SettlementContext, most: int | None = None) -> list[str]:
    """Return the batches whose anchored root the ledger's receipts do not give, in words: of all, or the `most` newest.

    One batch is in memory at a time.
    """
    found: list[str] = []
    async with context.database.snapshot() as unit:
        anchored = await anchored_ids(unit, most)
    for id_ in anchored:
        async with context.database.snapshot() as unit:
            [batch] = await find_batches(unit, [id_])
        digests = await digests_of(context, batch.members)
        if root_of(digests) != batch.root or len(digests) != batch.receipts:
            found.append(f"batch {id_}: its receipts do not give the root {batch.root} that was anchored")
    return found
