"""Where connections may go: which IP addresses a server that someone named is allowed to have.

A name is resolved once and its addresses are judged; the connection goes to one of those that passed. So a name that
resolves to another address a moment later (DNS rebinding) reaches nothing else.
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_METADATA = tuple(
    ip_network(each)
    for each in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "fd20:ce::/32", "100.100.100.200/32", "192.0.0.192/32")
)
"""Link-local addresses, and those at which clouds answer with a machine's credentials."""

_NAT64 = ip_network("64:ff9b::/96")


class Reach(StrEnum):
    """Which addresses a server may have.

    `ANY`: all. `PRIVATE`: all but those of metadata services. `PUBLIC`: those on the internet.
    """

    ANY = "any"
    PRIVATE = "private"
    PUBLIC = "public"

    def allows(self, address: str) -> bool:
        """Tell whether a connection to an IP address may be opened."""
        if self is Reach.ANY:
            return True
        found = _plain(address)
        if any(found in net for net in _METADATA):
            return False
        return self is Reach.PRIVATE or (found.is_global and not found.is_multicast)


def _plain(address: str) -> IPv4Address | IPv6Address:
    """Return the address that is reached in the end: that of IPv4 within one of IPv6."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        within = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if within:
            return within
        if found in _NAT64:
            return IPv4Address(int(found) & 0xFFFFFFFF)
    return found
