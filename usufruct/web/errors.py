"""Errors as HTTP answers: the shape that OpenAI's client libraries read, and headers that say whether to try again.

An error's own status, code, message and details go out; what only HTTP knows (body too large, no such route) is here.
"""

from usufruct.core import Denied, Invalid, Unavailable, UsufructError

Header = tuple[bytes, bytes]

_TYPES = {
    401: "authentication_error",
    402: "payment_required_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    410: "not_found_error",
    429: "rate_limit_error",
    500: "server_error",
}
_OUTSIDE_FAILED = {502, 503, 504}
_LIMITED = 429
_LONGEST_PAUSE = 60
"""Seconds of `Retry-After` that OpenAI's client follows."""


class SlowBody(UsufructError, code="slow_body", status=408):
    """A request whose body did not come to its end in time."""


class BodyTooLarge(Invalid, code="body_too_large", status=413):
    """The request's body is longer than the limit."""


class MalformedBody(Invalid, code="malformed_json"):
    """The request's body is not a JSON object."""


class MethodNotAllowed(Invalid, code="method_not_allowed", status=405):
    """The path exists, but not with this method."""


class Unauthenticated(Denied, code="unauthenticated", status=401):
    """The request carries no credentials, or invalid ones."""


class ShuttingDown(Unavailable, code="shutting_down"):
    """The server stops before this request's answer is complete."""

    def __init__(self) -> None:
        super().__init__("the server is shutting down and did not complete this answer; ask again", retry_after=1)


class ClientGone(Exception):
    """The client disconnected before its request was complete."""


def error_body(error: UsufructError, call_id: str) -> dict[str, dict[str, object]]:
    """Return `{"error": {message, type, code, param, details, call_id}}`.

    `type` names the class of error, `code` the error itself, `param` the field of the request that is wrong, or None.
    Integers in `details` may be money and are sent as strings. An error with an `outward` text shows only that.
    """
    field = error.details.get("field")
    details = {k: str(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in error.details.items()}
    content: dict[str, object] = {
        "message": error.outward or error.message,
        "type": _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "unavailable_error"),
        "code": error.code,
        "param": field if isinstance(field, str) else None,
        "details": {} if error.outward else details,
        "call_id": call_id,
    }
    return {"error": content}


def error_headers(error: UsufructError) -> list[Header]:
    """Return the headers that tell a client library whether, and from when on, the same request can succeed.

    OpenAI's retries 409, 429 and every status from 500 on, unless `x-should-retry` is false. It waits as long as it is
    told, up to a minute; told to wait longer, it would ask again in a second or two, so it is told not to.
    """
    if error.status == 425:
        return [(b"x-should-retry", b"true"), (b"retry-after", b"1")]
    wait = _wait(error)
    if wait is None:
        helps = error.status in _OUTSIDE_FAILED
    else:
        helps = error.status in {_LIMITED, *_OUTSIDE_FAILED} and wait <= _LONGEST_PAUSE
    headers = [] if helps else [(b"x-should-retry", b"false")]
    return headers if wait is None else [*headers, (b"retry-after", b"%d" % wait)]


def _wait(error: UsufructError) -> int | None:
    """Return the seconds after which the same request may succeed; None when nobody knows."""
    said = str(error.details.get("retry_after"))
    return int(said) if said.isdigit() and said.isascii() else None
