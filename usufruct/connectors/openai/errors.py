"""What can go wrong between us and an OpenAI-compatible server."""

from usufruct.core import Invalid, Unavailable, UsufructError


class UpstreamFault(UsufructError):
    """Root of every fault of an upstream; its second parent says whether trying again can help."""


class InvalidUpstream(UpstreamFault, Invalid, code="invalid_upstream"):
    """The address or key given for an upstream cannot be used."""


class UpstreamDown(UpstreamFault, Unavailable, code="upstream_down"):
    """No connection could be made."""


class UpstreamSlow(UpstreamFault, Unavailable, code="upstream_slow", status=504):
    """A time limit passed; `details["phase"]` is connect, first_byte, idle or total."""


class UpstreamCut(UpstreamFault, Unavailable, code="upstream_cut", status=502):
    """The connection ended before the answer did."""


class UpstreamMalformed(UpstreamFault, Unavailable, code="upstream_malformed", status=502):
    """The answer is not in the OpenAI format."""


class UpstreamEmpty(UpstreamFault, Unavailable, code="upstream_empty", status=502):
    """The answer is in the OpenAI format and holds no output: no choices, or none with text or a finish reason."""


class UpstreamOversized(UpstreamFault, Unavailable, code="upstream_oversized", status=502):
    """One event or one whole answer is larger than the limit."""


class UpstreamRejected(UpstreamFault, Invalid, code="upstream_rejected"):
    """The upstream says that the request is wrong."""


class UpstreamDenied(UpstreamFault, Unavailable, code="upstream_denied", status=502):
    """The upstream does not accept the operator's key."""


class UpstreamBusy(UpstreamFault, Unavailable, code="upstream_busy"):
    """The upstream asks us to wait; `details["retry_after"]` is its own word, or None."""


class UpstreamFailed(UpstreamFault, Unavailable, code="upstream_failed", status=502):
    """The upstream reports an internal failure."""
