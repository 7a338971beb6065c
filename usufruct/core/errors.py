"""The error tree.

::

    UsufructError
    |-- Invalid          400  the request itself is wrong; sending it again changes nothing
    |-- PaymentRequired  402  the request is right, the money behind it is not
    |-- Denied           403  the caller may not do this
    |-- NotFound         404  no such thing
    |-- Conflict         409  the thing is in another state than the caller believes
    |-- Unavailable      503  something outside does not answer; the same request may succeed later
    `-- Faulty           500  a promise of our own code is broken; a bug, to be reported

Every class carries an HTTP status; every error carries a stable `code` (snake_case, part of the API), a message that
names the field, the value and the remedy, and `details` with the numbers. Packages subclass these six and set `code`.
"""

from collections.abc import Mapping
from typing import ClassVar

Detail = str | int | bool | None


class UsufructError(Exception):
    """Root of every error this package raises on purpose.

    `message` is one sentence for a person; `details` hold the same facts for a program (integers that are amounts of
    money are passed as strings in JSON). Secrets never go in either.

    `outward` is what callers over HTTP receive instead of message and details, where those name addresses or settings
    of the inside: they are for the operator's log. Empty: message and details go out.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    outward: ClassVar[str] = ""

    def __init__(self, message: str, **details: Detail) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Detail] = details


class Invalid(UsufructError):
    """The request itself is wrong."""

    status = 400
    code = "invalid"


class PaymentRequired(UsufructError):
    """The request is right, but no money stands behind it."""

    status = 402
    code = "payment_required"


class Denied(UsufructError):
    """The caller may not do this."""

    status = 403
    code = "denied"


class NotFound(UsufructError):
    """No such thing."""

    status = 404
    code = "not_found"


class Conflict(UsufructError):
    """The thing is in another state than the caller believes."""

    status = 409
    code = "conflict"


class Unavailable(UsufructError):
    """Something outside does not answer; the same request may succeed later."""

    status = 503
    code = "unavailable"


class Faulty(UsufructError):
    """A promise of our own code is broken."""

    status = 500
    code = "faulty"
