"""What can go wrong between us and an OpenAI-compatible server, and which fault a transport error or a status is."""

from collections.abc import Mapping

from usufruct.connectors.openai.content import parse, shorten
from usufruct.connectors.openai.upstream_limits import Limits
from usufruct.core import Invalid, Unavailable, UsufructError
from usufruct.http import AddressRefused, ConnectFailed, ConnectTimeout, NotHttp, ReadTimeout, TransportError

TRANSPORT_ERRORS = (TransportError, TimeoutError)
"""Everything that is raised when a request or a read goes wrong."""

_REQUEST_IS_WRONG = {400, 404, 413, 415, 422}
_KEY_IS_WRONG = {401, 403}


class UpstreamFault(UsufructError):
    """Root of every fault of an upstream; its second parent says whether trying again can help."""


class InvalidUpstream(UpstreamFault, Invalid, code="invalid_upstream"):
    """The address or key given for an upstream cannot be used."""


class UpstreamDown(UpstreamFault, Unavailable, code="upstream_down"):
    """No connection could be made."""


class UpstreamAddressRefused(UpstreamDown, code="upstream_address_refused"):
    """The server has no address that it may have."""


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


def transport_fault(error: BaseException, url: str, limits: Limits, *, started: bool) -> UpstreamFault:
    """Return the fault that a transport `error` stands for; `started` says that a byte of the stream had come."""
    if isinstance(error, TimeoutError | ConnectTimeout | ReadTimeout):
        return _slow(error, url, limits, started=started)
    if isinstance(error, AddressRefused):
        return UpstreamAddressRefused(
            f"{url} is not connected to: {error}, which it may not be at; private addresses are allowed by "
            "operator.private_upstreams, those of metadata services never",
            url=url,
        )
    if isinstance(error, ConnectFailed):
        return UpstreamDown(
            f"no connection to {url} ({error}); check that the server runs and that the address is right", url=url
        )
    if isinstance(error, NotHttp):
        return UpstreamMalformed(f"{url} does not answer in HTTP: {error}; check its address", url=url)
    return UpstreamCut(f"{url} closed the connection before its answer ended; try again", url=url)


def _slow(error: BaseException, url: str, limits: Limits, *, started: bool) -> UpstreamSlow:
    if isinstance(error, ConnectTimeout):
        phase, limit = "connect", limits.connect
    elif not isinstance(error, ReadTimeout):
        phase, limit = "total", limits.total
    else:
        phase, limit = ("idle", limits.idle) if started else ("first_byte", limits.first_byte)
    message = f"{url} passed the {phase} limit of {limit:g} s; try again, or raise the limit"
    return UpstreamSlow(message, url=url, phase=phase, limit=f"{limit:g}")


def status_fault(status: int, headers: Mapping[str, str], body: bytes, url: str, secret: str) -> UpstreamFault:
    """Return the fault that an HTTP `status` other than 200 stands for; `secret` is kept out of its message."""
    said = f"{url} answered {status}: {shorten(_error_of(body), secret) or 'nothing'}"
    if status in _REQUEST_IS_WRONG:
        return UpstreamRejected(f"{said}; change the request", upstream_status=status)
    if status in _KEY_IS_WRONG:
        return UpstreamDenied(f"{said}; the operator has to check the upstream's API key", upstream_status=status)
    if status == 429:
        wait = headers.get("retry-after")
        return UpstreamBusy(f"{said}; wait and try again", upstream_status=status, retry_after=shorten(wait) or None)
    if 300 <= status < 400:
        return UpstreamFailed(f"{url} redirects; set the address it redirects to", upstream_status=status)
    return UpstreamFailed(f"{said}; try again", upstream_status=status)


def _error_of(body: bytes) -> object:
    content = parse(body)
    if content is None:
        return body.decode("utf-8", "replace")
    return (content.get("error") or content or "") if isinstance(content, dict) else content
