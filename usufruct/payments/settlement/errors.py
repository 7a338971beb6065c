"""Why money did not move. In every case it is where it was before, or on its way and noted."""

from usufruct.core import Conflict, Denied, Faulty, NotFound, PaymentRequired, Unavailable


class ReadingUnsettled(Unavailable):
    """The chain changed under a reading, several times in a row; read again."""

    code = "reading_unsettled"


class BatchRefused(Denied):
    """The till refuses whatever this claimer sends, not one row of it; check its claim key, payees and token."""

    code = "batch_refused"


class NotAnchored(NotFound):
    """The receipt is not under any root on the chain: the call was charged nothing, or is not claimed yet."""

    code = "not_anchored"


class AnchorMismatch(Faulty):
    """The receipts of a batch do not give the root that was anchored for them."""

    code = "anchor_mismatch"


class DepositExpired(PaymentRequired):
    """The deposit authorization's time is over, or has not begun; sign one that holds for some minutes."""

    code = "deposit_expired"


class DepositWrongToken(PaymentRequired):
    """The deposit is in a token that is not taken here."""

    code = "deposit_wrong_token"


class DepositUnfunded(PaymentRequired):
    """The payer does not hold what the authorization promises."""

    code = "deposit_insufficient_funds"


class DepositUsed(PaymentRequired):
    """The authorization was used or cancelled on the chain, not by us; sign one with another salt."""

    code = "deposit_used"


class DepositRefused(PaymentRequired):
    """The token or the settlement refuses the deposit; most often the signature is not over exactly these values."""

    code = "deposit_refused"


class DepositPending(Unavailable):
    """The deposit is on its way; ask again with the same authorization, and it still counts once."""

    code = "deposit_pending"


class NothingToRefund(PaymentRequired):
    """The channel has no free money: it is spent, reserved by running calls, or being refunded."""

    code = "nothing_to_refund"


class RefundTooSoon(PaymentRequired):
    """We paid gas for this channel a short time ago; the payer can withdraw on the chain at any time."""

    code = "refund_too_soon"


class RefundTooSmall(PaymentRequired):
    """A part of the free money that is not worth the gas."""

    code = "refund_too_small"


class RefundPending(Unavailable):
    """The refund is on its way."""

    code = "refund_pending"


class RefundFailed(Conflict):
    """The refund's transaction was not mined, or refused; the money is free again."""

    code = "refund_failed"


class PassClosing(PaymentRequired):
    """The credits can be given back too soon for another call to be burned in time."""

    code = "pass_closing"
