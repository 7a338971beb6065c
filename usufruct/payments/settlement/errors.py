"""Why money did not move. In every case it is where it was before, or on its way and noted."""

from usufruct.core import Denied, NotFound, PaymentRequired, Unavailable


class ReadingUnsettled(Unavailable, code="reading_unsettled"):
    """The chain changed under a reading, several times in a row; read again."""


class BatchRefused(Denied, code="batch_refused"):
    """The till refuses whatever this claimer sends, not one row of it; check its claim key, payees and token."""


class NotAnchored(NotFound, code="not_anchored"):
    """The receipt is not under any root on the chain: the call was charged nothing, or is not claimed yet."""


class DepositExpired(PaymentRequired, code="deposit_expired"):
    """The deposit authorization's time is over, or has not begun; sign one that holds for some minutes."""


class DepositUnfunded(PaymentRequired, code="deposit_insufficient_funds"):
    """The payer does not hold what the authorization promises."""


class DepositUsed(PaymentRequired, code="deposit_used"):
    """The authorization was used or cancelled on the chain, not by us; sign one with another salt."""


class DepositRefused(PaymentRequired, code="deposit_refused"):
    """The token or the settlement refuses the deposit; most often the signature is not over exactly these values."""


class DepositPending(Unavailable, code="deposit_pending"):
    """The deposit is on its way; ask again with the same authorization, and it still counts once."""


class NothingToRefund(PaymentRequired, code="nothing_to_refund"):
    """The channel has no free money: it is spent, reserved by running calls, or being refunded."""
