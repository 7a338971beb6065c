"""The client of one OpenAI-compatible server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import orjson

from usufruct.connectors.openai.answer import Answer, OfferedModel, read_answer, read_models
from usufruct.connectors.openai.errors import InvalidUpstream, UpstreamOversized, UpstreamRejected
from usufruct.connectors.openai.faults import TRANSPORT_ERRORS, status_fault, transport_fault
from usufruct.connectors.openai.limits import Limits
from usufruct.connectors.openai.reuse import ReusingConnector, is_unanswered, on_kept_connection
from usufruct.connectors.openai.stream import ChatStream

# Under the 5 s after which uvicorn (so vLLM too) closes an idle connection: a call must never meet one half closed.
_KEEP_ALIVE = 4.0
_ERROR_BYTES = _HEAD_BYTES = 1 << 16
_BODY = Mapping[str, Any]


class Upstream:
    """An OpenAI-compatible server; one pool of connections, shared by all calls.

    Every method raises an `UpstreamFault`. The key appears neither in `repr` nor in errors.
    """

    def __init__(self, base_url: str, api_key: str = "", limits: Limits | None = None) -> None:
        """Address the server at `base_url` ("http://host:port/v1"; `/v1` is added to a bare address).

        Raises:
            InvalidUpstream: when the address is no plain http(s) address, or the key does not fit into a header.
        """
        self.url = _checked_url(base_url)
        self._limits = limits or Limits()
        self._secret = api_key
        self._session: aiohttp.ClientSession | None = None
        self._unpooled: aiohttp.ClientSession | None = None
        self._of_streams = aiohttp.ClientTimeout(sock_connect=self._limits.connect, sock_read=self._limits.first_byte)
        if not (api_key.isascii() and api_key.isprintable()):
            raise InvalidUpstream("api_key has characters no HTTP header can carry; copy it again")

    def __repr__(self) -> str:
        return f"Upstream({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        sessions = (self._session, self._unpooled)
        self._session = self._unpooled = None
        for session in sessions:
            if session is not None:
                await session.close()

    async def chat(self, body: _BODY) -> Answer:
        """Ask for one whole chat answer; streaming options in `body` are dropped."""
        plain = {name: value for name, value in body.items() if name not in {"stream", "stream_options"}}
        answer = await self._whole("POST", "/chat/completions", plain)
        return read_answer(answer, self.url, "choices", self._secret)

    @contextlib.asynccontextmanager
    async def chat_stream(self, body: _BODY) -> AsyncIterator[ChatStream]:
        """Open a streamed chat answer, always with usage; leaving the block early hangs up.

        The block is entered when the server has accepted the request: refusals are raised before it.
        """
        asked = {"include_usage": True}  # and nothing else: the count at the end is of the whole answer
        ends_at = asyncio.get_running_loop().time() + self._limits.total
        try:
            async with asyncio.timeout_at(ends_at):
                response = await self._open(
                    "POST", "/chat/completions", {**body, "stream": True, "stream_options": asked}, self._of_streams
                )
        except TimeoutError as error:
            raise transport_fault(error, self.url, self._limits, started=False) from error
        stream = ChatStream(response, self.url, self._limits, self._secret, ends_at)
        try:
            yield stream
        finally:
            stream.close()
            response.release()

    async def embeddings(self, body: _BODY) -> Answer:
        """Ask for embeddings."""
        return read_answer(await self._whole("POST", "/embeddings", body), self.url, "data", self._secret)

    async def models(self) -> tuple[OfferedModel, ...]:
        """Ask which models there are."""
        return read_models(await self._whole("GET", "/models"), self.url)

    async def tokenizer(self) -> bytes | None:
        """Ask for the vocabulary as a `tokenizers` JSON file, as our librarian serves it; None where there is none."""
        try:
            return await self._whole("GET", "/tokenizer")
        except UpstreamRejected:
            return None

    async def _whole(self, method: str, path: str, body: _BODY | None = None) -> bytes:
        timeout = aiohttp.ClientTimeout(total=self._limits.total, sock_connect=self._limits.connect)
        response = await self._open(method, path, body, timeout)
        try:
            answer = await self._read(response, self._limits.answer_bytes)
        finally:
            response.release()
        if len(answer) > self._limits.answer_bytes:
            raise UpstreamOversized(
                f"{self.url} sent an answer of over {self._limits.answer_bytes} bytes; "
                "raise answer_bytes if that is right",
                limit=self._limits.answer_bytes,
            )
        return answer

    async def _open(
        self, method: str, path: str, body: _BODY | None, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Send a request and return its answer once the head is here and says 2xx."""
        data = None if body is None else orjson.dumps(body)
        try:
            response = await self._send(method, self.url + path, data, timeout)
        except TRANSPORT_ERRORS as error:
            raise transport_fault(error, self.url, self._limits, started=False) from error
        if 200 <= response.status < 300:
            return response
        try:
            said = await self._read(response, _ERROR_BYTES)
        finally:
            response.release()
        raise status_fault(response.status, response.headers, said[:_ERROR_BYTES], self.url, self._secret)

    async def _send(
        self, method: str, url: str, data: bytes | None, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Send a request; once more, on a new connection, if the server had closed the kept-alive one it went out on.

        A server may close an idle connection at any moment. If not a byte of an answer came, it did not answer.
        """
        if self._session is None:
            self._session = self._new_session(ReusingConnector(_KEEP_ALIVE))
        session = self._session
        try:
            return await session.request(method, url, data=data, timeout=timeout, allow_redirects=False)
        except aiohttp.ClientConnectionError as error:
            if not (on_kept_connection.get() and is_unanswered(error)):
                raise
        if self._unpooled is None:
            self._unpooled = self._new_session(aiohttp.TCPConnector(limit=0, force_close=True))
        session = self._unpooled
        return await session.request(method, url, data=data, timeout=timeout, allow_redirects=False)

    async def _read(self, response: aiohttp.ClientResponse, enough: int) -> bytes:
        """Read to the end, or until there are more than `enough` bytes."""
        parts: list[bytes] = []
        length = 0
        try:
            while length <= enough and (part := await response.content.readany()):
                parts.append(part)
                length += len(part)
        except TRANSPORT_ERRORS as error:
            raise transport_fault(error, self.url, self._limits, started=True) from error
        return b"".join(parts)

    def _new_session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self._secret:
            headers["Authorization"] = f"Bearer {self._secret}"
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            max_line_size=_HEAD_BYTES,
            max_field_size=_HEAD_BYTES,
        )


def _checked_url(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        plain = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        plain = False
    if not plain or parts.username is not None or parts.query or parts.fragment:
        raise InvalidUpstream(
            "base_url must be like http://host:port/v1, without user, password or query; a key goes in api_key"
        )
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"
