"""What can go wrong between us and an OpenAI-compatible server."""

from usufruct.core import Invalid, Unavailable, UsufructError


class UpstreamFault(UsufructError):
    """Root of every fault of an upstream; its second parent says whether trying again can help."""


class InvalidUpstream(UpstreamFault, Invalid):
    """The address or key given for an upstream cannot be used."""

    code = "invalid_upstream"


class UpstreamDown(UpstreamFault, Unavailable):
    """No connection could be made."""

    code = "upstream_down"


class UpstreamSlow(UpstreamFault, Unavailable):
    """A time limit passed; `details["phase"]` is connect, first_byte, idle or total."""

    status = 504
    code = "upstream_slow"


class UpstreamCut(UpstreamFault, Unavailable):
    """The connection ended before the answer did."""

    status = 502
    code = "upstream_cut"


class UpstreamMalformed(UpstreamFault, Unavailable):
    """The answer is not in the OpenAI format."""

    status = 502
    code = "upstream_malformed"


class UpstreamEmpty(UpstreamFault, Unavailable):
    """The answer is in the OpenAI format and holds no output: no choices, or none with text or a finish reason."""

    status = 502
    code = "upstream_empty"


class UpstreamOversized(UpstreamFault, Unavailable):
    """One event or one whole answer is larger than the limit."""

    status = 502
    code = "upstream_oversized"


class UpstreamRejected(UpstreamFault, Invalid):
    """The upstream says that the request is wrong."""

    code = "upstream_rejected"


class UpstreamDenied(UpstreamFault, Unavailable):
    """The upstream does not accept the operator's key."""

    status = 502
    code = "upstream_denied"


class UpstreamBusy(UpstreamFault, Unavailable):
    """The upstream asks us to wait; `details["retry_after"]` is its own word, or None."""

    code = "upstream_busy"


class UpstreamFailed(UpstreamFault, Unavailable):
    """The upstream reports an internal failure."""

    status = 502
    code = "upstream_failed"
