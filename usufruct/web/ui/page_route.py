"""Routes of pages: a request that another site's page made a browser send changes nothing (cross-site request forgery).

Browsers say where a request comes from: `Sec-Fetch-Site`, and older ones at least `Origin`. A page can set neither. A
request without both is not a browser's, and carries no cookie that its sender does not hold itself.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from usufruct.core import Denied
from usufruct.web.http_exchange import HttpExchange
from usufruct.web.request import Request
from usufruct.web.router import Route

_OWN = ("same-origin", "none")
_SAFE = ("GET", "HEAD")
_PRIVATE = (b"cache-control", b"private, no-store")
"""Of answers that name nothing else. Shared caches keep files such as `.csv` for hours unless they are told."""


class CrossSite(Denied, code="cross_site_request"):
    """A page of another site sent this request."""


@dataclass(frozen=True, slots=True)
class PageRoute(Route):
    """A route of a page, or of an action on one: every method but GET must come from a page of this site."""

    async def answer(self, exchange: HttpExchange) -> None:
        """Answer one request; raises CrossSite."""
        exchange.attach([_PRIVATE])
        if exchange.method not in _SAFE:
            check_own_site(exchange)
        await exchange.respond(await self.handle(Request(exchange)))


def check_own_site(exchange: HttpExchange) -> None:
    """Refuse a request that a page of another site made a browser send.

    Raises:
        CrossSite: when the browser names another site.
    """
    if not _is_own(exchange):
        raise CrossSite("the request came from another site's page; try again on this site", field="origin")


def _is_own(exchange: HttpExchange) -> bool:
    if site := exchange.header(b"sec-fetch-site"):
        return site in _OWN
    origin = exchange.header(b"origin")
    return not origin or origin.partition("://")[2] == urlsplit(exchange.root).netloc
