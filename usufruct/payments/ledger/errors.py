"""Why the ledger refuses. Each refusal carries the numbers it was decided on, and nothing was charged."""

from usufruct.core import Conflict, Hash32, NotFound, PaymentRequired, Unavailable, UsufructError


class AccountUnknown(NotFound):
    """No such account here: it was never opened, or its deposit has not been seen on the chain yet."""

    code = "channel_not_found"

    def __init__(self, account: Hash32) -> None:
        super().__init__(f"account {account} is not known here; deposit into it first, then try again", account=account)


class BalanceTooLow(PaymentRequired):
    """What is charged, reserved and asked for now is more than the account holds."""

    code = "insufficient_balance"


class LimitReached(PaymentRequired):
    """The limit that this caller was given leaves too little: charged, reserved and asked for now pass it."""

    code = "limit_reached"


class VoucherTooLow(PaymentRequired):
    """The voucher does not cover what is charged, reserved and asked for now; sign the amount `needed`."""

    code = "cumulative_amount_mismatch"


class VoucherPublished(PaymentRequired):
    """The voucher went to the chain with a claim: its sender need not be the payer."""

    code = "voucher_published"

    def __init__(self, account: Hash32, amount: int) -> None:
        super().__init__(
            f"a voucher over {amount} was claimed and is public now; sign another amount, as a fresh quote asks",
            account=account,
            offered=amount,
        )


class KeyMismatch(UsufructError):
    """An idempotency key came back with another body."""

    status = 422
    code = "idempotency_key_reused"


class StillRunning(UsufructError):
    """The call under this idempotency key has not ended yet; ask again later."""

    status = 425
    code = "still_running"


class CallUnknown(NotFound):
    """No such call."""

    code = "call_not_found"


class CallLost(Conflict):
    """The call was taken from this replica: its lease ended, or it is final. Nothing was billed by this attempt."""

    code = "call_lost"


class NothingToClaim(Conflict):
    """Everything charged on the account is claimed and split, or its voucher does not cover it."""

    code = "nothing_to_claim"


class ClaimPending(Conflict):
    """The account's last claim has not ended; a time-out means pending, never claim again."""

    code = "claim_pending"


class WrongState(Conflict):
    """A claim, deposit or refund is not in the state this step starts from."""

    code = "wrong_state"


class DepositUnderWay(Unavailable):
    """Another deposit of the same payer has not ended; they are made one after another."""

    code = "deposit_pending"


class DuplicateDeposit(Conflict):
    """The deposit authorization was handed in before."""

    code = "duplicate_deposit"


class RefundTooHigh(PaymentRequired):
    """A refund of more than the account's free money, or under a nonce that is taken."""

    code = "refund_too_high"
