"""Where an installation's pages are, as a command says it at its end; a QR code for a phone that can reach them."""

import socket
from urllib.parse import urlsplit

from usufruct.cli.support.progress import Progress

_ANY_INTERFACE = ("0.0.0.0", "::")
_SOMEWHERE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737): the way there starts at this machine's address in its network."""


_HOST = "for others set USUFRUCT_GATEWAY_HOST=0.0.0.0"


def show_page_links(
    progress: Progress, url: str, public_url: str = "", advice: str = _HOST, *, play_money: bool = False
) -> None:
    """Say the pages' addresses; at a terminal draw a QR code for a phone, if one can reach the gateway at `url`.

    Where none can, `advice` says how to start so that one can. `play_money`: others may use a demo account.
    """
    site = (public_url or url).removesuffix("/v1")
    phone = phone_url(site, network_address())
    shown = phone or site
    progress.say(f"pages    {shown}/ (services), {shown}/account, {shown}/r (receipts)")
    if phone:
        progress.draw(f"{phone}/")
        if play_money:
            progress.say("Everyone in this network can use the demo account and its play money.")
    else:
        progress.say(f"phone    only this machine reaches these; {advice}")


def phone_url(site: str, address: str) -> str:
    """Return the URL at which another device reaches a site, when `address` is this machine's; "" when none does."""
    parts = urlsplit(site)
    host = parts.hostname or ""
    if host in _ANY_INTERFACE:
        return f"{parts.scheme}://{address}:{parts.port}" if address else ""
    return "" if host == "localhost" or host.startswith("127.") or host == "::1" else site


def network_address() -> str:
    """Return this machine's address in its network; "" when it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:
            return ""
        found: str = probe.getsockname()[0]
    return found
