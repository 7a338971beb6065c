"""The pages' static files: read once, compressed once, served under the hash of them all: caches keep them.

Our scripts are served without the lines that are comments, which are for those who read the repository.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.responses import Response

from usufruct.core import NotFound
from usufruct.web.request import Request
from usufruct.web.router import Route
from usufruct.web.ui.site import Site

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_COMMENT_LINE = re.compile(rb"^ *//.*\n", re.MULTILINE)
_HEADER_LENGTH = 200
"""Characters of an `accept-encoding` header that are read; browsers send fewer."""

_IMMUTABLE = "public, max-age=31536000, immutable"
_HEADERS = {
    "content-security-policy": "default-src 'none'; sandbox",  # a logo is the operator's file, an SVG can hold a script
    "cross-origin-resource-policy": "same-origin",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    packed: bytes
    media_type: str


class StaticFiles:
    """Every file below `static/` of the kit, the site's theme, and its logo."""

    def __init__(self, site: Site) -> None:
        found = {name: (_served(name, file), _media_type(name)) for name, file in _walk(files(__package__) / "static")}
        found["theme.css"] = site.stylesheet.encode(), _TYPES[".css"]
        if site.logo:
            found["logo"] = site.logo
        self._files = {
            name: _File(plain, gzip.compress(plain, 9, mtime=0), kind) for name, (plain, kind) in found.items()
        }
        digest = hashlib.sha256()
        for name, (content, _) in sorted(found.items()):
            digest.update(b"%s\0%d\0%s" % (name.encode(), len(content), content))
        self.version = digest.hexdigest()[:16]
        self.routes = [Route("GET", "/static/{version}/{name:path}", self._serve)]

    def path(self, name: str) -> str:
        """Return the path of a file below the site's root; raises KeyError when there is no such file."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = self._files.get(name)
        if file is None:
            raise NotFound(f"there is no static file {name[:100]!r}", code="unknown_file", field="path")
        current = request.path_params["version"] == self.version
        headers = {**_HEADERS, "cache-control": _IMMUTABLE if current else "no-cache"}
        if accepts_gzip(request):
            return Response(file.packed, 200, {**headers, "content-encoding": "gzip"}, file.media_type)
        return Response(file.plain, 200, headers, file.media_type)


def accepts_gzip(request: Request) -> bool:
    """Tell whether the client takes gzip: it names it, or all codings, and not with a weight of 0 (RFC 9110)."""
    return _takes_gzip(request.exchange.header(b"accept-encoding")[:_HEADER_LENGTH])


@lru_cache(maxsize=1_000)
def _takes_gzip(accepted: str) -> bool:
    taken = {}
    for part in accepted.lower().split(","):
        coding, *parameters = (text.strip() for text in part.split(";"))
        taken[coding] = not any(re.fullmatch(r"q=0(\.0*)?", each) for each in parameters)
    return taken.get("gzip", taken.get("*", False))


def _walk(folder: Traversable, prefix: str = "") -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _walk(each, f"{prefix}{each.name}/")
        elif _media_type(each.name):
            found.append((prefix + each.name, each))
    return found


def _served(name: str, file: Traversable) -> bytes:
    """Return what is served of a file; a third party's, in a folder of its own, is served as it is."""
    content = file.read_bytes()
    return _COMMENT_LINE.sub(b"", content) if name.endswith(".js") and "/" not in name else content


def _media_type(name: str) -> str:
    return next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), "")
