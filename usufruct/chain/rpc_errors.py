"""What can go wrong between us and a node.

::

    RpcUnavailable        503  no answer that can be used; the same question may succeed later
    |-- NodeAway               no connection, or no answer in time
    |-- NodeBusy               a rate limit or an overload; asked again with back-off before this is raised
    `-- RpcUnreadable          an answer whose JSON is not what the method returns
    RpcRefused            503  the node answered with an error

None of them is the caller's fault, so all of them are 503. Messages name the node's host, never its URL.
"""

from usufruct.core import Unavailable


class RpcUnavailable(Unavailable):
    """The node does not answer, or answers what is not JSON-RPC; the same question may succeed later."""

    code = "rpc_unavailable"
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


class RpcRefused(Unavailable):
    """The node answered with an error.

    `number` and `reason` are the node's own; `data` is what it gave with them, a revert's data among others.
    """

    code = "rpc_refused"
    outward = "the chain's node refused what was asked of it; try again, and report it with the call id if it stays"

    def __init__(self, method: str, number: int, reason: str, data: object = None) -> None:
        super().__init__(f"the node refused {method}: {reason} ({number})", method=method, number=number)
        self.number = number
        self.reason = reason
        self.data = data
