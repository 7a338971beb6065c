"""Which receipts a batch anchors, and the proof that one of them is under its root.

A batch anchors, member by member, the receipts whose cumulative position lies in (start, end] of the member's account:
exactly the calls that its claims newly cover in full. Charged calls tile an account, so this is the same set at any
later time. A call that was charged nothing moves no money and is under no root.
"""

from collections.abc import Sequence

from usufruct.core import Address, Faulty, Hash32, hash32_from_bytes, moment
from usufruct.payments.ledger import CallUnknown, Ledger
from usufruct.payments.pricing import Receipt, receipt_digest
from usufruct.payments.settlement.errors import NotAnchored
from usufruct.payments.settlement.merkle import merkle_proof, merkle_root
from usufruct.payments.settlement.model import ClaimPolicy, Member, SettlementContext
from usufruct.payments.settlement.operator_terms import LEAST_WITHDRAW_DELAY
from usufruct.payments.settlement.store import batch_of
from usufruct_client.receipt import ReceiptProof

_PAGE = 500


async def receipts_of(ledger: Ledger, member: Member, token: Address) -> list[Receipt]:
    """Return the receipts that a member of a batch anchors, in the order of the account's spending."""
    found: list[Receipt] = []
    after = member.start
    while calls := await ledger.metered(member.account_id, after, _PAGE):
        for call in calls:
            receipt = call.receipt(token)
            if receipt is None or receipt.amount == 0:
                continue
            if receipt.cumulative > member.end:
                return found
            found.append(receipt)
        after = calls[-1].cumulative or 0
    return found


async def digests_of(context: SettlementContext, members: Sequence[Member]) -> list[bytes]:
    """Return the digests under a batch's root, in order."""
    accounts = await context.ledger.find_accounts([member.account_id for member in members])
    receipts = [
        receipt
        for member in members
        for receipt in await receipts_of(context.ledger, member, accounts[member.account_id].token)
    ]
    return [receipt_digest(receipt, context.escrow.chain_id, context.terms.till) for receipt in receipts]


def root_of(digests: Sequence[bytes]) -> Hash32 | None:
    """Return the root over digests; None for none."""
    return hash32_from_bytes(merkle_root(digests)) if digests else None


async def prove_receipt(context: SettlementContext, call: Hash32) -> ReceiptProof:
    """Show that a call's receipt is under an anchored root, without the receipt: only the call's parties may see it.

    Raises:
        CallUnknown: for an unknown call.
        NotAnchored: when it was charged nothing or is not claimed yet.
        Faulty: when the ledger's receipts are not those that were anchored.
    """
    found = await context.ledger.call(call)
    if found is None:
        raise CallUnknown(f"call {call} is unknown", call=call)
    receipt = found.receipt((await context.ledger.account(found.lease.account)).token)
    if receipt is None or receipt.amount == 0:
        raise NotAnchored(f"call {call} was charged nothing, or still runs: it is under no root", call=call)
    async with context.database.snapshot() as unit:
        batch = await batch_of(unit, receipt.account, receipt.cumulative)
    if batch is None or batch.root is None or batch.hash is None or batch.block is None:
        due = receipt.time + LEAST_WITHDRAW_DELAY // ClaimPolicy().delay_parts
        raise NotAnchored(
            f"call {call} is not claimed yet; a worker claims it by {moment(due)}, later from a channel with a longer "
            "withdraw delay: ask then",
            call=call,
            due=due,
        )
    digests = await digests_of(context, batch.members)
    if root_of(digests) != batch.root:
        message = f"the receipts of batch {batch.id} do not give its root {batch.root}"
        raise Faulty(message, code="anchor_mismatch", batch=batch.id)
    digest = receipt_digest(receipt, context.escrow.chain_id, context.terms.till)
    proof = [hash32_from_bytes(sibling) for sibling in merkle_proof(digests, digests.index(digest))]
    return ReceiptProof(call, hash32_from_bytes(digest), proof, batch.root, batch.receipts, batch.hash, batch.block)
