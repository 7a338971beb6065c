"""Why a payment is not taken, and under which name x402's clients know it."""

from usufruct.core import Invalid, PaymentRequired, UsufructError
from usufruct_client.x402 import ERROR_PREFIX

MISMATCH = ERROR_PREFIX + "cumulative_amount_mismatch"
"""What stock clients answer with one more try, by the numbers that come with it."""

_NAMES = {
    "deposit_not_needed": "cumulative_amount_mismatch",
    "cumulative_amount_mismatch": "cumulative_amount_mismatch",
    "cumulative_exceeds_balance": "cumulative_exceeds_balance",
    "insufficient_balance": "insufficient_balance",
    "wrong_signer": "voucher_signature",
    "invalid_signature": "voucher_signature",
    "invalid_voucher": "channel_id_mismatch",
    "wrong_network": "network_mismatch",
    "wrong_scheme": "scheme",
    "channel_not_found": "channel_not_found",
    "deposit_below_minimum": "deposit_below_min_deposit",
    "deposit_expired": "payload_authorization_valid_before",
    "deposit_used": "deposit_transaction_failed",
    "deposit_refused": "deposit_transaction_failed",
    "deposit_insufficient_funds": "deposit_transaction_failed",
    "nothing_to_refund": "refund_no_balance",
    "refund_too_high": "refund_amount_invalid",
    "refund_too_small": "refund_amount_invalid",
    # fields of a channel that is refused
    "receiver": "receiver_mismatch",
    "receiverAuthorizer": "receiver_authorizer_mismatch",
    "token": "token_mismatch",
    "withdrawDelay": "withdraw_delay_mismatch",
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
    name = _NAMES.get(str(error.details.get("field")) if error.code == "channel_refused" else error.code)
    return ERROR_PREFIX + name if name else error.code
