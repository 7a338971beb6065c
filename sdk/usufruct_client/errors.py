"""The errors: each has a stable `code`, a message that names the value and the remedy, and `details` with numbers."""

from collections.abc import Mapping
from typing import ClassVar

Detail = str | int | bool | None


class ClientError(Exception):
    """Root of every error this package raises on purpose."""

    code: ClassVar[str] = "client_error"

    def __init__(self, message: str, **details: Detail) -> None:
        """Say what is wrong in one sentence, and the same facts for a program."""
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Detail] = details


class Invalid(ClientError):
    """What the caller of this library handed in is wrong."""

    code = "invalid"


class Refused(ClientError):
    """We do not sign this: nothing was promised and nothing was sent."""

    code = "refused"


class OverLimit(Refused):
    """One call may cost more than one call is allowed to."""

    code = "over_limit"


class OverBudget(Refused):
    """It does not fit in what may be spent in all."""

    code = "over_budget"


class NotAllowed(Refused):
    """Another network, token or operator than those that are allowed."""

    code = "not_allowed"


class TermsChanged(Refused):
    """Another network or operator than this gateway had before."""

    code = "terms_changed"


class GatewayRefused(ClientError):
    """The gateway refused: `status` is HTTP's, `reason` its own code, `numbers` what it gives as details."""

    code = "gateway_refused"

    def __init__(self, status: int, reason: str, message: str, numbers: object = None) -> None:
        """Repeat what the gateway says."""
        super().__init__(f"{reason}: {message}", status=status, reason=reason)
        self.status = status
        self.reason = reason
        self.numbers: Mapping[str, object] = numbers if isinstance(numbers, dict) else {}


class GatewayUnavailable(ClientError):
    """The gateway does not answer."""

    code = "gateway_unavailable"


class BadAnswer(ClientError):
    """The gateway sent what is not in the protocol; names the member."""

    code = "bad_answer"


class Mistrusted(ClientError):
    """The gateway asks for more than was ever signed, or shows a signature that is not ours."""

    code = "mistrusted"


class DepositPending(ClientError):
    """A deposit is on its way for longer than we wait; ask again, nothing is paid twice."""

    code = "deposit_pending"


class RefundRefused(ClientError):
    """The gateway did not give money back."""

    code = "refund_refused"


class StoreFault(ClientError):
    """The file where channels are kept cannot be used now."""

    code = "store_fault"
