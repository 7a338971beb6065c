"""What a caller learns of an upstream's fault: what to do next, and nothing of the inside.

The upstream's own words, its address and the model's name there are for the operator's log. Only where an upstream
refuses the request itself do its words go out, since the caller has to mend it: without addresses and paths.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from usufruct.connectors.openai import (
    UpstreamBusy,
    UpstreamCut,
    UpstreamDenied,
    UpstreamDown,
    UpstreamFault,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
)
from usufruct.gateway.model import Upstream

_SAID: Mapping[type[UpstreamFault], str] = {
    UpstreamDown: "is not available now",
    UpstreamSlow: "takes too long now",
    UpstreamBusy: "is busy now",
    UpstreamDenied: "is not available now: its operator has to mend it",
    UpstreamCut: "broke off its answer",
    UpstreamOversized: "answered with more than was asked for",
}
_OTHERWISE = "failed to answer"
_SHOWN = frozenset({"upstream_status", "retry_after", "phase", "limit"})
_ADDRESS = re.compile(
    r"""(?xi)
    \b[a-z][a-z0-9+.-]*://[^\s'"<>)\]]+                  # a URL
    | \[[0-9a-f:.%]*:[0-9a-f:.%]*\](?::\d+)?             # IPv6
    | \b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?               # IPv4
    | \b[a-z0-9_-]+(?:\.[a-z0-9_-]+)*:\d{2,5}\b          # host:port
    | \b[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.(?:internal|local|lan|intra|corp|home|localdomain|svc)\b
    | \blocalhost\b
    """
)
_PATH = re.compile(r"(?<![\w.])(?:~?(?:/[\w.@+~-]+){2,}/?|[A-Za-z]:\\[^\s'\"]+)")


def redact_fault(fault: UpstreamFault, name: str, server: Upstream, *, delivered: bool) -> UpstreamFault:
    """Return a fault of `server` as a caller of the service `name` may see it.

    `delivered` says that a part of the answer has gone out, which is charged.
    """
    details = {key: value for key, value in fault.details.items() if key in _SHOWN}
    if isinstance(fault, UpstreamRejected):
        return type(fault)(f"{name} does not take this request: {_harmless(fault, name, server)}", **details)
    said = next((text for kind, text in _SAID.items() if isinstance(fault, kind)), _OTHERWISE)
    money = "what arrived is charged" if delivered else "nothing was charged"
    return type(fault)(f"{name} {said}; {money}; try later", **details)


def _harmless(fault: UpstreamFault, name: str, server: Upstream) -> str:
    """Return an upstream's words without addresses and paths."""
    words = fault.message
    parts = urlsplit(server.url)
    for inside in (server.url.rstrip("/"), parts.netloc, parts.hostname or "", server.model):
        if len(inside) > 1:
            words = re.sub(rf"(?<![\w.-]){re.escape(inside)}(?![\w-])", name, words)
    return _PATH.sub("(path)", _ADDRESS.sub("(address)", words))
