"""Receipts made from what the ledger keeps."""

from usufruct.core import Address
from usufruct.payments.ledger.records import Call
from usufruct.payments.pricing import Receipt


def receipt_of(call: Call, token: Address) -> Receipt | None:
    """Return the receipt of a metered call on an account of `token`; None when it was released or still runs.

    Everything in it is kept by the ledger: it can be made, and signed, again at any time.
    """
    if call.bill is None or call.cumulative is None or call.finished_at is None:
        return None
    return Receipt(
        call=call.lease.call,
        account=call.lease.account,
        token=token,
        asset=call.asset,
        price_card_version=call.price_card_version,
        model_digest=call.bill.model_digest,
        request_hash=call.request_hash,
        response_hash=call.bill.response_hash,
        lines=call.bill.lines,
        counted_by=call.bill.counted_by,
        ceiling=call.ceiling,
        amount=call.bill.charge,
        cumulative=call.cumulative,
        time=call.finished_at,
    )
