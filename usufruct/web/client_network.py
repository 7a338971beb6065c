"""Whose request it is, as far as its address tells: what limits for callers without an account count by."""

from ipaddress import IPv6Address, ip_address, ip_network

from usufruct.web.http_exchange import HttpExchange

_IPV6_PREFIX = 64
"""What one household or machine is given, and can choose its addresses from."""


def client_network(exchange: HttpExchange) -> str | None:
    """Return a caller's IPv4 address, or the /64 of its IPv6 address, as text.

    It is what the connection comes from; behind a proxy on this machine (or one in uvicorn's FORWARDED_ALLOW_IPS), what
    that names in X-Forwarded-For. None where that is not known: a caller on this machine, or a proxy on it that names
    no one.
    """
    named, _ = exchange.scope.get("client") or ("", 0)
    try:
        address = ip_address(named)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)
