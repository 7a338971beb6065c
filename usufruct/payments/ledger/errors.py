"""Why the ledger refuses. Each refusal carries the numbers it was decided on, and nothing was charged."""

from usufruct.core import Conflict, Hash32, NotFound, PaymentRequired, Unavailable, UsufructError


class AccountUnknown(NotFound, code="channel_not_found"):
    """No such account here: it was never opened, or its deposit has not been seen on the chain yet."""

    def __init__(self, account: Hash32) -> None:
        super().__init__(f"account {account} is not known here; deposit into it first, then try again", account=account)


class BalanceTooLow(PaymentRequired, code="insufficient_balance"):
    """What is charged, reserved and asked for now is more than the account holds."""


class LimitReached(PaymentRequired, code="limit_reached"):
    """The limit that this caller was given leaves too little: charged, reserved and asked for now pass it."""


class DayLimitReached(LimitReached, code="day_limit_reached"):
    """The limit of this caller's day (UTC) leaves too little: charged in it, reserved and asked for now pass it."""


class VoucherTooLow(PaymentRequired, code="cumulative_amount_mismatch"):
    """The voucher does not cover what is charged, reserved and asked for now; sign the amount `needed`."""


class VoucherPublished(PaymentRequired, code="voucher_published"):
    """The voucher went to the chain with a claim: its sender need not be the payer."""

    def __init__(self, account: Hash32, amount: int) -> None:
        super().__init__(
            f"a voucher over {amount} was claimed and is public now; sign another amount, as a fresh quote asks",
            account=account,
            offered=amount,
        )


class KeyMismatch(UsufructError, code="idempotency_key_reused", status=422):
    """An idempotency key came back with another body."""


class StillRunning(UsufructError, code="still_running", status=425):
    """The call under this idempotency key has not ended yet; ask again later."""


class CallUnknown(NotFound, code="call_not_found"):
    """No such call."""


class CallLost(Conflict, code="call_lost"):
    """The call was taken from this replica: its lease ended, or it is final. Nothing was billed by this attempt."""


class NothingToClaim(Conflict, code="nothing_to_claim"):
    """Everything charged on the account is claimed and split, or its voucher does not cover it."""


class ClaimPending(Conflict, code="claim_pending"):
    """The account's last claim has not ended; a time-out means pending, never claim again."""


class WrongState(Conflict, code="wrong_state"):
    """A claim, deposit or refund is not in the state this step starts from."""


class DepositUnderWay(Unavailable, code="deposit_pending"):
    """Another deposit of the same payer has not ended; they are made one after another."""


class OtherDeposit(Conflict, code="other_deposit"):
    """The payer made another deposit, or has one under way, since they looked; nothing was sent."""


class DuplicateDeposit(Conflict, code="duplicate_deposit"):
    """The deposit authorization was handed in before."""


class RefundTooHigh(PaymentRequired, code="refund_too_high"):
    """A refund of more than the account's free money, or under a nonce that is taken."""
