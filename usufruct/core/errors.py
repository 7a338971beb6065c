"""The error tree.

::

    UsufructError
    |-- Invalid          400  the request itself is wrong; sending it again changes nothing
    |-- PaymentRequired  402  the request is right, the money behind it is not
    |-- Denied           403  the caller may not do this
    |-- NotFound         404  no such thing
    |-- Conflict         409  the thing is in another state than the caller believes
    |-- RateLimited      429  the caller did this as often as they may; says in how many seconds they may again
    |-- Unavailable      503  something outside does not answer; the same request may succeed later
    `-- Faulty           500  a promise of our own code is broken; a bug, to be reported

Every class carries an HTTP status; every error carries a stable `code` (snake_case, part of the API), a message that
names the field, the value and the remedy, and `details` with the numbers. What callers tell apart is a subclass,
`class UnknownPlan(NotFound, code="unknown_plan")`; what only people read is raised with its code,
`raise Conflict("...", code="too_early")`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

Detail = str | int | bool | None


class UsufructError(Exception):
    """Root of every error this package raises on purpose.

    `message` is one sentence for a person; `details` hold the same facts for a program (integers that are amounts of
    money are passed as strings in JSON). Secrets never go in either.

    `outward` is what callers over HTTP receive instead of message and details, where those name addresses or settings
    of the inside: they are for the operator's log. Empty: message and details go out.
    """

    status: ClassVar[int] = 500
    code: str = "error"
    outward: ClassVar[str] = ""

    def __init_subclass__(cls, *, code: str = "", status: int = 0, **others: Any) -> None:
        """Set what is given; the rest is the parents'."""
        super().__init_subclass__(**others)
        if code:
            cls.code = code
        if status:
            cls.status = status

    def __init__(self, message: str, *, code: Detail = "", **details: Detail) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = str(code)
        self.details: Mapping[str, Detail] = details


class Invalid(UsufructError, code="invalid", status=400):
    """The request itself is wrong."""


class PaymentRequired(UsufructError, code="payment_required", status=402):
    """The request is right, but no money stands behind it."""


class Denied(UsufructError, code="denied", status=403):
    """The caller may not do this."""


class NotFound(UsufructError, code="not_found", status=404):
    """No such thing."""


class Conflict(UsufructError, code="conflict", status=409):
    """The thing is in another state than the caller believes."""


class RateLimited(UsufructError, code="rate_limited", status=429):
    """The caller did this as often as they may; `retry_after`: the whole seconds until they may again, at least 1."""

    def __init__(self, message: str, *, retry_after: int, code: Detail = "", **details: Detail) -> None:
        super().__init__(message, code=code, **details, retry_after=max(1, retry_after))


class Unavailable(UsufructError, code="unavailable", status=503):
    """Something outside does not answer; the same request may succeed later."""


class Faulty(UsufructError, code="faulty", status=500):
    """A promise of our own code is broken."""
