"""Pages: templates of every package over one kit, answered with headers that let a browser load and run only ours."""

import gzip
import secrets
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment
from markupsafe import Markup
from segno import make_qr
from starlette.responses import Response

from usufruct.core import UsufructError
from usufruct.web.errors import error_body, error_headers
from usufruct.web.http_exchange import HttpExchange
from usufruct.web.request import Request, json_response
from usufruct.web.ui import charts
from usufruct.web.ui.language import Language, load_languages, preferred_language
from usufruct.web.ui.navigation import NavigationEntry, NavigationLink, navigation_entries
from usufruct.web.ui.page_cache import NONCE_BYTES, DrawnPage, PageCache
from usufruct.web.ui.page_templates import IMPORTED, page_environment
from usufruct.web.ui.refusals import EVERY_SITE, LANGUAGE_HEADER, RefusalText, RefusalTexts
from usufruct.web.ui.site import Site
from usufruct.web.ui.static_files import StaticFiles, accepts_gzip

_PACKED_FROM = 1_000
"""Bytes from which a page is compressed. It holds no secret that a guess in the same page could reveal (BREACH)."""

_LEVEL = 5
_CACHE_BYTES = 8 << 20
"""Of drawn pages, compressed: more than a thousand."""

_LANGUAGE_COOKIE = "language"
_YEAR = 365 * 86_400
_KIT = __package__ or ""

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'nonce-{nonce}'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types htmx",
    ]
)
_HEADERS = {
    "cache-control": "private, no-cache",
    "cross-origin-opener-policy": "same-origin-allow-popups",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",  # `no-referrer` would make a form's `Origin` null
    "vary": "accept-encoding, accept-language, cookie, hx-request",
    "x-content-type-options": "nosniff",
}
_NO_MORE: Mapping[str, str] = {}


class Pages:
    """Renders the templates of packages: `gateway/services.html` is in `usufruct/gateway/templates/`.

    A template extends `ui/base.html` and draws with the macros of `ui/kit.html`. It may use `link(path)`,
    `static(name)`, `refusal_text(code, about)`, `language`, `site`, `nonce` and what its handler passes.
    """

    def __init__(self, site: Site, *, gallery: bool = False) -> None:
        """Render for a site; `gallery` links the page of every component, for developers."""
        self.site = site
        self.static = StaticFiles(site)
        self._gallery = gallery
        self._packages: dict[str, Sequence[NavigationLink]] = {_KIT: ()}
        self._refusals = RefusalTexts(EVERY_SITE)
        self._sections: dict[str, list[NavigationLink]] = {}
        self._cache = PageCache(_CACHE_BYTES)

    def add_package(
        self, package: str, navigation: Sequence[NavigationLink] = (), refusals: Sequence[RefusalText] = ()
    ) -> None:
        """Add a package's `templates/` and `locales/`, before the first page is answered; `refusals` say its errors."""
        self._packages[package] = navigation
        self._refusals.add(refusals)

    def add_section(self, page: str, link: NavigationLink) -> None:
        """Have a page of another package load a section from a path, in which `{id}` is the id of what it shows."""
        self._sections.setdefault(page, []).append(link)

    @cached_property
    def languages(self) -> dict[str, Language]:
        """The languages that pages are offered in, by code."""
        return load_languages(self._packages)

    def answer(
        self, request: Request, template: str, *, fragment: str = "", status: int = 200, **values: Any
    ) -> Response:
        """Answer with a page; a request of htmx gets only the block `fragment` of it, if one is named."""
        language, nonce = self.language_of(request), _new_nonce()
        values["call_id"] = request.exchange.call_id
        content = self._draw(request, language, nonce, template, _asked(request, fragment), values).encode()
        packed = len(content) >= _PACKED_FROM and accepts_gzip(request)
        if packed:
            content = gzip.compress(content, _LEVEL, mtime=0)
        return self._response(request, language, content, nonce, packed=packed, status=status)

    async def kept(
        self,
        request: Request,
        template: str,
        shown: Hashable,
        draw: Callable[[], Awaitable[Mapping[str, Any]]],
        *,
        of: Hashable = None,
        fragment: str = "",
    ) -> Response:
        """Answer with a page that is drawn once for as long as `shown`, the state of what it shows, stays equal.

        It must show nothing but what `draw` returns, read after `shown` was. `of` says which of the pages at the path
        it is: what is asked for and, if it is for one reader, who that is.
        """
        language, block = self.language_of(request), _asked(request, fragment)

        async def drawn() -> DrawnPage:
            nonce = _new_nonce()
            return DrawnPage(self._draw(request, language, nonce, template, block, await draw()), nonce)

        key = (template, block, language.code, request.exchange.url, of)
        page = await self._cache.get(key, shown, drawn)
        tag = {"etag": f"W/{page.tag}"}  # weak: the nonces differ
        if page.tag in request.exchange.header(b"if-none-match"):
            return self._with_choice(request, language, Response(status_code=304, headers=_HEADERS | tag))
        nonce, packed = _new_nonce(), accepts_gzip(request)
        content = page.gzipped(nonce) if packed else page.plain(nonce)
        return self._response(request, language, content, nonce, packed=packed, more=tag)

    def _draw(
        self, request: Request, language: Language, nonce: str, template: str, block: str, values: Mapping[str, Any]
    ) -> str:
        """Draw a page, or only a block of it if one is named."""
        context = {**self._context(request.exchange, language, nonce), **values}
        page = self._environments[language.code].get_template(template)
        return "".join(page.blocks[block](page.new_context(context))) if block else page.render(context)

    def _response(
        self,
        request: Request,
        language: Language,
        content: bytes,
        nonce: str,
        *,
        packed: bool,
        status: int = 200,
        more: Mapping[str, str] = _NO_MORE,
    ) -> Response:
        headers = {
            **_HEADERS,
            **more,
            "content-security-policy": _POLICY.format(nonce=nonce),
            "content-language": language.code,
        }
        if packed:
            headers["content-encoding"] = "gzip"
        return self._with_choice(request, language, Response(content, status, headers, "text/html"))

    def _with_choice(self, request: Request, language: Language, response: Response) -> Response:
        """Have the browser keep the language that its reader chose just now."""
        if request.query_params.get(_LANGUAGE_COOKIE, "") == language.code:
            response.set_cookie(_LANGUAGE_COOKIE, language.code, _YEAR, samesite="lax", httponly=True)
        return response

    def redirect(self, request: Request, path: str) -> Response:
        """Send a browser on to a page of ours after it changed something: loading that again changes nothing."""
        return Response(status_code=303, headers={"location": _base(request.exchange) + path})

    def error_page(self, exchange: HttpExchange, error: UsufructError) -> Response | None:
        """Return an error as a page when a browser navigates or htmx asks; None for programs.

        The scripts of a page name its language, and get the JSON of programs with a message for its reader.
        """
        request = Request(exchange)
        if language := self.languages.get(request.headers.get(LANGUAGE_HEADER, "")):
            return self._error_document(exchange, error, language)
        fragment = "toast" if "hx-request" in request.headers else ""
        if not fragment and not request.headers.get("accept", "").startswith("text/html"):
            return None
        message = self._refusal(error, self.language_of(request))
        response = self.answer(
            request, "ui/error.html", fragment=fragment, status=error.status, error=error, message=message
        )
        response.headers.update(_headers_of(error))
        if fragment:
            response.headers["hx-retarget"] = "#toasts"
            response.headers["hx-reswap"] = "beforeend"
        return response

    def _error_document(self, exchange: HttpExchange, error: UsufructError, language: Language) -> Response:
        content = error_body(error, exchange.call_id)
        content["error"] = {**content["error"], "message": self._refusal(error, language)}
        return json_response(content, error.status, _headers_of(error))

    def _refusal(self, error: UsufructError, language: Language) -> str:
        """Return what an error says to a reader: by its code if there is a text for it, else its own message."""
        details = error.details
        text = self._refusal_text(language, error.code, details.get("field") or details.get("reason"))
        return text or error.outward or error.message

    def _refusal_text(self, language: Language, code: str, about: object = "") -> str:
        text = self._refusals.find(code, about)
        return language.messages.gettext(text) if text else ""

    def language_of(self, request: Request) -> Language:
        """Return the language that a reader chose, or that their browser asks for."""
        chosen = request.query_params.get(_LANGUAGE_COOKIE, "")
        kept = request.cookies.get(_LANGUAGE_COOKIE, "")
        accepted = request.exchange.header(b"accept-language")
        known = next((code for code in (chosen, kept) if code in self.languages), "")
        return self.languages[known or preferred_language(accepted, self.languages, self.site.language)]

    def _context(self, exchange: HttpExchange, language: Language, nonce: str) -> dict[str, Any]:
        base = _base(exchange)
        return {
            "gallery": self._gallery,
            IMPORTED: {},
            "language": language,
            "languages": self.languages.values(),
            "link": lambda path: base + path,
            "navigation": self._navigation,
            "nonce": nonce,
            "path": exchange.path,
            "refusal_text": partial(self._refusal_text, language),
            "sections_of": lambda page: self._sections.get(page, ()),
            "site": self.site,
            "static": lambda name: base + self.static.path(name),
        }

    @cached_property
    def _navigation(self) -> list[NavigationEntry]:
        return navigation_entries(chain.from_iterable(self._packages.values()))

    @cached_property
    def _environments(self) -> dict[str, Environment]:
        """Compiled templates, for each language its own: messages are looked up as they are drawn."""
        environments = {}
        for code, language in self.languages.items():
            environments[code] = page_environment(language, self._packages, reload=self._gallery)
            environments[code].globals |= {"charts": charts, "qr_code": qr_code, "zip": zip}
        return environments


def _headers_of(error: UsufructError) -> dict[str, str]:
    return {name.decode(): text.decode() for name, text in error_headers(error)}


def _new_nonce() -> str:
    return secrets.token_urlsafe(NONCE_BYTES)


def _asked(request: Request, fragment: str) -> str:
    """Return the block that is asked for; empty: the whole page."""
    return fragment if b"hx-request" in request.exchange.headers else ""


def _base(exchange: HttpExchange) -> str:
    """Return the path that the installation is at; never of the path that was asked for: it is the asker's text."""
    return urlsplit(exchange.root).path


def qr_code(text: str) -> Markup:
    """Return a QR code of a text as SVG."""
    return Markup(make_qr(text).svg_inline(border=2, omitsize=True, svgclass="qr-code", lineclass=None))
