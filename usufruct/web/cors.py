"""Which web pages a browser lets read our answers (CORS)."""

from collections.abc import Awaitable, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

EXPOSED_HEADERS = ("x-request-id", "x-should-retry", "retry-after")
"""Headers of our own that a page may read, of any answer."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PREFLIGHT_SECONDS = 600


def allow_browsers(app: ASGIApp, origins: Sequence[str], exposed: Sequence[str]) -> ASGIApp:
    """Return `app` such that pages of `origins` may call it; "*" among them allows every page.

    Preflights are answered; a page can read the headers `exposed`, and those of every answer. Credentials are never
    allowed: a page sends what it holds itself, and no cookie.
    """
    if not origins:
        return app
    for_pages = CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=["*"],
        expose_headers=[*EXPOSED_HEADERS, *exposed],
        max_age=_PREFLIGHT_SECONDS,
    )
    if "*" not in origins:
        return for_pages  # which adds `Vary: Origin` to every answer

    def for_all(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        from_page = scope["type"] == "http" and b"origin" in dict(scope["headers"])
        return (for_pages if from_page else app)(scope, receive, send)

    return for_all
