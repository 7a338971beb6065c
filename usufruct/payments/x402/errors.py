"""Why a payment is not taken, and under which name x402's clients know it."""

from usufruct.core import Invalid, PaymentRequired, UsufructError

_PREFIX = "invalid_batch_settlement_evm_"

MISMATCH = _PREFIX + "cumulative_amount_mismatch"
"""What stock clients answer with one more try, by the numbers that come with it."""

_NAMES = {
    "cumulative_amount_mismatch": MISMATCH,
    "deposit_not_needed": MISMATCH,
    "cumulative_exceeds_balance": _PREFIX + "cumulative_exceeds_balance",
    "insufficient_balance": _PREFIX + "insufficient_balance",
    "wrong_signer": _PREFIX + "voucher_signature",
    "invalid_signature": _PREFIX + "voucher_signature",
    "invalid_voucher": _PREFIX + "channel_id_mismatch",
    "wrong_network": _PREFIX + "network_mismatch",
    "wrong_scheme": "invalid_batch_settlement_evm_scheme",
    "channel_not_found": _PREFIX + "channel_not_found",
    "deposit_below_minimum": _PREFIX + "deposit_below_min_deposit",
    "deposit_expired": _PREFIX + "payload_authorization_valid_before",
    "deposit_used": _PREFIX + "deposit_transaction_failed",
    "deposit_refused": _PREFIX + "deposit_transaction_failed",
    "deposit_insufficient_funds": _PREFIX + "deposit_transaction_failed",
    "nothing_to_refund": _PREFIX + "refund_no_balance",
    "refund_too_high": _PREFIX + "refund_amount_invalid",
    "refund_too_small": _PREFIX + "refund_amount_invalid",
}
_FIELD_NAMES = {
    "receiver": _PREFIX + "receiver_mismatch",
    "receiverAuthorizer": _PREFIX + "receiver_authorizer_mismatch",
    "token": _PREFIX + "token_mismatch",
    "withdrawDelay": _PREFIX + "withdraw_delay_mismatch",
}


class MalformedPayment(Invalid, code="malformed_payment"):
    """A `PAYMENT-SIGNATURE` that is not a payment; names the member."""


class DepositNotNeeded(PaymentRequired, code="deposit_not_needed"):
    """A deposit into a channel whose free money pays for the call already; pay by a voucher on what it holds."""


def x402_name(error: UsufructError, *, corrective: bool = False) -> str:
    """Return x402's name for a refusal, or our own code where x402 has none.

    `corrective`: the refusal goes out with the channel's numbers. Then whatever is wrong with the voucher's amount has
    the one name at which stock clients look at them.
    """
    if corrective:
        return MISMATCH
    if error.code == "channel_refused":
        return _FIELD_NAMES.get(str(error.details.get("field")), error.code)
    return _NAMES.get(error.code, error.code)
