"""Get whole documents: with a limit of size, time-outs, repeated tries, and redirects that stay within a reach."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from usufruct.http.connection import Response
from usufruct.http.errors import AddressRefused, NotHttp, ReadTimeout, TooLong, TransportError
from usufruct.http.pool import Pool
from usufruct.http.reach import Reach

_KEEP_ALIVE = 4.0
_REDIRECTS = {301, 302, 303, 307, 308}
_BUSY = {429, 500, 502, 503, 504}
_URL_CHARACTERS = "/?&=%:@!$'()*+,;~-._[]"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Seconds for a connection and for a whole document, its largest size, and how often it is asked for.

    Pauses double from `first_pause`; `Retry-After` is followed up to `longest_wait` seconds, a longer one ends the
    tries. `spacing`: least seconds between two requests.
    """

    connect: float = 10.0
    total: float = 60.0
    most_bytes: int = 1 << 25
    tries: int = 4
    first_pause: float = 1.0
    longest_wait: float = 120.0
    redirects: int = 5
    spacing: float = 0.0


@dataclass(frozen=True, slots=True)
class Document:
    """An answer: `headers` by lowercase name, `url` after redirects."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def retry_after(self) -> float:
        """The seconds of the header of that name; 0 without one."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


class Fetcher:
    """Gets documents, one after the other; keeps a connection to the last server. To be closed.

    Headers that are given are secret: a redirect to another server does not take them along.
    """

    def __init__(
        self,
        limits: FetchLimits | None = None,
        reach: Reach = Reach.PUBLIC,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take documents from servers within `reach`."""
        self._limits = limits or FetchLimits()
        self._reach = reach
        self._sleep = sleep
        self._pool: Pool | None = None
        self._origin = ""
        self._last: float | None = None

    async def close(self) -> None:
        """Close the connection."""
        if self._pool is not None:
            await self._pool.close()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Document:
        """Get a document; a server that is busy is asked again, and its last answer returned whatever its status.

        Raises:
            ValueError: when the URL is not of http or https.
            AddressRefused: when the server, or one that it redirects to, is out of reach.
            TooLong: when the document is larger than the limit.
            TransportError: when there is no answer after all tries.
        """
        limits, failure = self._limits, TransportError("no try was allowed")
        document: Document | None = None
        for tried in range(limits.tries):
            pause = limits.first_pause * 2.0**tried
            try:
                document = await self._follow(url, headers or {})
                if document.status not in _BUSY or document.retry_after > limits.longest_wait:
                    return document
                pause = max(pause, document.retry_after)
            except TransportError as error:
                if not _passing(error):
                    raise
                document, failure = None, error
            if tried + 1 < limits.tries:
                await self._sleep(min(pause, limits.longest_wait))
        if document is None:
            raise failure
        return document

    async def _follow(self, url: str, headers: Mapping[str, str]) -> Document:
        """Get a document by way of its redirects."""
        secret = dict(headers)
        for _ in range(self._limits.redirects + 1):
            document = await self._get(url, secret)
            location = document.headers.get("location", "")
            if document.status not in _REDIRECTS or not location:
                return document
            target = urljoin(url, location)
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise NotHttp("the server redirects from https to an address without it")
            if _origin(target) != _origin(url):
                secret = {}
            url = target
        raise NotHttp(f"the server redirects more than {self._limits.redirects} times")

    async def _get(self, url: str, headers: Mapping[str, str]) -> Document:
        await self._keep_distance()
        pool = await self._pool_of(url)
        try:
            async with asyncio.timeout(self._limits.total):
                response = await pool.send(_request(url, headers), self._limits.total)
                try:
                    content = await self._read(response)
                finally:
                    response.release()
        except TimeoutError:
            raise ReadTimeout(f"no whole document within {self._limits.total:g} s") from None
        return Document(url, response.status, response.headers, content)

    async def _read(self, response: Response) -> bytes:
        content = await response.read_all(self._limits.most_bytes)
        if len(content) > self._limits.most_bytes:
            raise TooLong(f"the document has over {self._limits.most_bytes} bytes")
        return content

    async def _pool_of(self, url: str) -> Pool:
        """Return connections to a URL's server; close those to another one."""
        origin = _origin(url)
        if self._pool is None or origin != self._origin:
            await self.close()
            self._pool = Pool(
                url, connect_seconds=self._limits.connect, keep_alive_seconds=_KEEP_ALIVE, reach=self._reach
            )
            self._origin = origin
        return self._pool

    async def _keep_distance(self) -> None:
        loop = asyncio.get_running_loop()
        if self._last is not None and (wait := self._last + self._limits.spacing - loop.time()) > 0:
            await self._sleep(wait)
        self._last = loop.time()


def _passing(error: TransportError) -> bool:
    """Tell whether another try may help."""
    return not isinstance(error, (TooLong, NotHttp, AddressRefused))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _request(url: str, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {quote(path, safe=_URL_CHARACTERS)} HTTP/1.1", f"host: {parts.netloc.rpartition('@')[2]}"]
    lines += ["user-agent: usufruct", "accept: */*", "accept-encoding: gzip"]
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the header {name} has characters that no HTTP header can carry")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode()
