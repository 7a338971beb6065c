"""The errors: each has a stable `code`, a message that names the value and the remedy, and `details` with numbers."""

from collections.abc import Mapping
from typing import ClassVar

Detail = str | int | bool | None


class ClientError(Exception):
    """Root of every error this package raises on purpose."""

    code: ClassVar[str] = "client_error"

    def __init_subclass__(cls, *, code: str) -> None:
        """Give the kind of error its code."""
        cls.code = code

    def __init__(self, message: str, **details: Detail) -> None:
        """Say what is wrong in one sentence, and the same facts for a program."""
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Detail] = details


class Invalid(ClientError, code="invalid"):
    """What the caller of this library handed in is wrong."""


class Refused(ClientError, code="refused"):
    """We do not sign this: nothing was promised and nothing was sent."""


class OverLimit(Refused, code="over_limit"):
    """One call may cost more than one call is allowed to."""


class OverBudget(Refused, code="over_budget"):
    """It does not fit in what may be spent in all."""


class NotAllowed(Refused, code="not_allowed"):
    """Another network, token or operator than those that are allowed."""


class OfferMismatch(Refused, code="offer_mismatch"):
    """A 402's signed offer contradicts the 402, has ended, or is not by a key that may sign it; names the field."""


class TermsChanged(Refused, code="terms_changed"):
    """Another network or operator than this gateway had before."""


class GatewayRefused(ClientError, code="gateway_refused"):
    """The gateway refused: `status` is HTTP's, `reason` its own code, `numbers` what it gives as details."""

    def __init__(self, status: int, reason: str, message: str, numbers: object = None) -> None:
        """Repeat what the gateway says."""
        super().__init__(f"{reason}: {message}", status=status, reason=reason)
        self.status = status
        self.reason = reason
        self.numbers: Mapping[str, object] = numbers if isinstance(numbers, dict) else {}


class GatewayUnavailable(ClientError, code="gateway_unavailable"):
    """The gateway does not answer."""


class BadAnswer(ClientError, code="bad_answer"):
    """The gateway sent what is not in the protocol; names the member."""


class Mistrusted(ClientError, code="mistrusted"):
    """The gateway asks for more than was ever signed, or shows a signature that is not ours."""


class DepositPending(ClientError, code="deposit_pending"):
    """A deposit is on its way for longer than we wait; ask again, nothing is paid twice."""


class TradePending(ClientError, code="trade_pending"):
    """The outcome of an offer or a purchase is not known after all tries; look it up before you sign another."""


class RefundRefused(ClientError, code="refund_refused"):
    """The gateway did not give money back."""


class StoreFault(ClientError, code="store_fault"):
    """The file where channels are kept cannot be used now."""


class DataChanged(ClientError, code="data_changed"):
    """The data changed at each reading of its pages."""


class MissingLibrary(ClientError, code="missing_library"):
    """A library that this package does not need is needed for what was asked, and is not installed."""
