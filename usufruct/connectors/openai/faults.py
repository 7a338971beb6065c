"""Tell which fault of an upstream a transport error or an HTTP status is."""

from collections.abc import Mapping

from usufruct.connectors.openai.content import parse, shorten
from usufruct.connectors.openai.errors import (
    UpstreamBusy,
    UpstreamCut,
    UpstreamDenied,
    UpstreamDown,
    UpstreamFailed,
    UpstreamFault,
    UpstreamMalformed,
    UpstreamRejected,
    UpstreamSlow,
)
from usufruct.connectors.openai.limits import Limits
from usufruct.http import ConnectFailed, ConnectTimeout, NotHttp, ReadTimeout, TransportError

TRANSPORT_ERRORS = (TransportError, TimeoutError)
"""Everything that is raised when a request or a read goes wrong."""

_REQUEST_IS_WRONG = {400, 404, 413, 415, 422}
_KEY_IS_WRONG = {401, 403}


def transport_fault(error: BaseException, url: str, limits: Limits, *, started: bool) -> UpstreamFault:
    """Return the fault that a transport `error` stands for; `started` says that a byte of the stream had come."""
    if isinstance(error, TimeoutError | ConnectTimeout | ReadTimeout):
        return _slow(error, url, limits, started=started)
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
    return UpstreamSlow(
        f"{url} passed the {phase} limit of {limit:g} s; try again, or raise the limit",
        url=url,
        phase=phase,
        limit=f"{limit:g}",
    )


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
