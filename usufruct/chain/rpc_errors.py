"""What can go wrong between us and a node.

::

    RpcUnavailable        503  no answer that can be used; the same question may succeed later
    |-- NodeAway               no connection, or no answer in time
    |-- NodeBusy               a rate limit or an overload; asked again with back-off before this is raised
    `-- RpcUnreadable          an answer whose JSON is not what the method returns
    RpcRefused            503  the node answered with an error

None of them is the caller's fault, so all of them are 503. Messages name the node's host, never its URL.
"""

from collections.abc import Callable, Mapping
from typing import Any

from usufruct.core import Unavailable

_BUSY_NUMBERS = {429, 503, -32005, -32007, -32016, -32029, -32090, -32097}
_BUSY_WORDS = (
    "rate limit",
    "rate-limit",
    "request rate",
    "request limit",
    "requests per second",
    "/second",
    "too many requests",
    "compute units",
    "throughput",
    "throttl",
    "quota",
    "daily request",
    "temporarily",
    "overloaded",
    "server busy",
    "service unavailable",
    "header not found",
    "unknown block",
    "block not found",
)
"""What providers say when the same question may be answered a moment later; the last three by a node that is behind."""

_RANGE_WORDS = ("more than", "range", "results", "response size")
"""What they say to a question about logs that they will never answer; some by the number of a rate limit."""


class RpcUnavailable(Unavailable, code="rpc_unavailable"):
    """The node does not answer, or answers what is not JSON-RPC; the same question may succeed later."""

    outward = "the chain cannot be reached from here now; try again in a minute"


class NodeAway(RpcUnavailable):
    """The node could not be reached, or did not answer in time."""


class NodeBusy(RpcUnavailable):
    """The node limits our rate, or is overloaded; `retry_after` is its own advice in seconds, if it gave any."""

    def __init__(self, message: str, retry_after: float | None = None, **details: str | int | bool | None) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class RpcUnreadable(RpcUnavailable):
    """The node's answer is JSON, but not what the method returns."""


class RpcRefused(Unavailable, code="rpc_refused"):
    """The node answered with an error.

    `number` and `reason` are the node's own; `data` is what it gave with them, a revert's data among others.
    """

    outward = "the chain's node refused what was asked of it; try again, and report it with the call id if it stays"

    def __init__(self, method: str, number: int, reason: str, data: object = None) -> None:
        super().__init__(f"the node refused {method}: {reason} ({number})", method=method, number=number)
        self.number = number
        self.reason = reason
        self.data = data


def read_refusal(method: str, error: object, redacted: Callable[[str], str]) -> RpcRefused:
    """Read an error object, whatever it holds; `redacted` leaves secrets out of its message."""
    if not isinstance(error, dict):
        return RpcRefused(method, 0, redacted(str(error)))
    number = error.get("code")
    if isinstance(number, str) and number.lstrip("-").isascii() and number.lstrip("-").isdigit() and len(number) < 12:
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool):
        number = 0
    return RpcRefused(method, number, redacted(str(error.get("message") or "")), error.get("data"))


def is_busy(method: str, error: RpcRefused) -> bool:
    """Tell whether the same question may be answered a moment later."""
    reason = error.reason.lower()
    if error.number == 3 or "revert" in reason:  # a contract's own words
        return False
    if method == "eth_getLogs" and any(words in reason for words in _RANGE_WORDS):
        return False
    return error.number in _BUSY_NUMBERS or any(words in reason for words in _BUSY_WORDS)


def refuses_batch(answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer says that it came in a batch that was too large."""
    error = answer.get("error")
    return isinstance(error, dict) and "batch" in str(error.get("message")).lower()
