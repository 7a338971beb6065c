"""The addresses of gateways."""

import httpx

from usufruct_client.errors import Invalid

_PORTS = {"http": 80, "https": 443}


def gateway_address(url: str) -> str:
    """Return a gateway's address without `/v1`.

    Raises:
        Invalid: when it is none.
    """
    try:
        parts = httpx.URL(url)
        usable = parts.scheme in _PORTS and bool(parts.host) and parts.port != 0
    except httpx.InvalidURL:
        usable = False
    if not usable or parts.query or parts.fragment or parts.userinfo:
        raise Invalid(f"{url[:200]!r} is not the address of a gateway; give https://HOST", field="gateway_url")
    return url.rstrip("/").removesuffix("/v1")


def origin_of(url: httpx.URL) -> str:
    """Return scheme, host and port of a URL."""
    return f"{url.scheme}://{url.host}:{url.port or _PORTS.get(url.scheme)}"


def host_of(url: str) -> str:
    """Return host and port of a URL, without the port that its scheme has anyway; "" for what is not an http(s) URL."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return ""
    if parts.scheme not in _PORTS:
        return ""
    return parts.host if parts.port in (None, _PORTS[parts.scheme]) else f"{parts.host}:{parts.port}"
