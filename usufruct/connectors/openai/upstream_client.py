"""The client of one OpenAI-compatible server."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from usufruct.connectors.openai.answer import Answer, OfferedModel, read_answer, read_models
from usufruct.connectors.openai.errors import (
    TRANSPORT_ERRORS,
    InvalidUpstream,
    UpstreamOversized,
    UpstreamRejected,
    status_fault,
    transport_fault,
)
from usufruct.connectors.openai.stream import ChatStream
from usufruct.connectors.openai.upstream_limits import Limits
from usufruct.http import Pool, Reach, Response

# Under the 5 s after which uvicorn (so vLLM too) closes an idle connection: a call must never meet one half closed.
_KEEP_ALIVE = 4.0
_ERROR_BYTES = 1 << 16
_BODY = Mapping[str, Any]

OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens")
"""By which name a server takes the limit of an answer's output: servers know one of two, or both."""

_NOT_KNOWN = re.compile(
    r"(?i)unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|extra (?:inputs|fields)|not permitted|"
    r"not allowed|deprecated|instead|invalid (?:parameter|argument|field)|no such"
)


class UpstreamClient:
    """An OpenAI-compatible server; one pool of connections, shared by all calls.

    Every method raises an `UpstreamFault`. The key appears neither in `repr` nor in errors.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        limits: Limits | None = None,
        *,
        output_limit: str = "",
        reach: Reach = Reach.ANY,
    ) -> None:
        """Address the server at `base_url` ("http://host:port/v1"; `/v1` is added to a bare address).

        `output_limit` is the name by which it is known to take the limit of output; empty: the request's own name.
        `reach`: which addresses the server may have.

        Raises:
            InvalidUpstream: when the address is not a plain http(s) address, or the key does not fit into a header.
        """
        self.url = _checked_url(base_url)
        self.output_limit = output_limit
        if not (api_key.isascii() and api_key.isprintable()):
            raise InvalidUpstream("api_key has characters no HTTP header can carry; copy it again")
        parts = urlsplit(self.url)
        self._path = parts.path
        lines = [f"host: {parts.netloc}", "content-type: application/json", "accept: */*", "accept-encoding: identity"]
        lines += [f"authorization: Bearer {api_key}"] if api_key else []
        self._headers = "".join(f"{line}\r\n" for line in lines)
        self._limits = limits or Limits()
        self._secret = api_key
        self._pool = Pool(self.url, connect_seconds=self._limits.connect, keep_alive_seconds=_KEEP_ALIVE, reach=reach)

    def __repr__(self) -> str:
        return f"UpstreamClient({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        await self._pool.close()

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
        usage = {"include_usage": True}  # and nothing else: the count at the end is of the whole answer
        asked = {**body, "stream": True, "stream_options": usage}
        ends_at = asyncio.get_running_loop().time() + self._limits.total
        try:
            async with asyncio.timeout_at(ends_at):
                response = await self._open("POST", "/chat/completions", asked, self._limits.first_byte)
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

    async def post(self, path: str, body: _BODY) -> bytes:
        """Ask another endpoint, and return its whole answer as it came."""
        return await self._whole("POST", path, body)

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
        limits = self._limits
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + limits.total
        response = await self._open(method, path, body, limits.total, TimeoutError())
        timer = None if response.complete else loop.call_at(ends_at, response.fail, TimeoutError())
        try:
            answer = await response.read_all(limits.answer_bytes)
        except TRANSPORT_ERRORS as error:
            raise transport_fault(error, self.url, limits, started=True) from error
        finally:
            response.release()
            if timer is not None:
                timer.cancel()
        if len(answer) > limits.answer_bytes:
            raise UpstreamOversized(
                f"{self.url} sent an answer of over {limits.answer_bytes} bytes; raise answer_bytes if that is right",
                limit=limits.answer_bytes,
            )
        return answer

    async def _open(
        self, method: str, path: str, body: _BODY | None, head_seconds: float, late: Exception | None = None
    ) -> Response:
        """Send a request as `_send` does; once more if the server knows the limit of output by its other name.

        Which name that is, is kept in `output_limit` for the next requests.
        """
        if body is not None and self.output_limit:
            body = limited_by(body, self.output_limit)
        try:
            return await self._send(method, path, body, head_seconds, late)
        except UpstreamRejected as fault:
            other = other_limit(body or {}, fault)
            if body is None or other is None:
                raise
        response = await self._send(method, path, limited_by(body, other), head_seconds, late)
        self.output_limit = other
        return response

    async def _send(
        self, method: str, path: str, body: _BODY | None, head_seconds: float, late: Exception | None
    ) -> Response:
        """Send a request and return its answer once the head is here and says 2xx; `late`: as in `Pool.send`."""
        data = b"" if body is None else orjson.dumps(body)
        head = f"{method} {self._path}{path} HTTP/1.1\r\n{self._headers}content-length: {len(data)}\r\n\r\n"
        try:
            response = await self._pool.send(head.encode() + data, head_seconds, late)
            if 200 <= response.status < 300:
                return response
            try:
                async with asyncio.timeout(head_seconds):
                    said = await response.read_all(_ERROR_BYTES)
            finally:
                response.release()
        except TRANSPORT_ERRORS as error:
            raise transport_fault(error, self.url, self._limits, started=False) from error
        raise status_fault(response.status, response.headers, said[:_ERROR_BYTES], self.url, self._secret)


def limited_by(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a request whose output is limited by `name`, if it is limited, and by that name alone."""
    given = [body[known] for known in OUTPUT_LIMITS if known in body]
    plain = {member: value for member, value in body.items() if member not in OUTPUT_LIMITS}
    return {**plain, name: min(given)} if given else plain


def other_limit(body: Mapping[str, Any], fault: UpstreamRejected) -> str | None:
    """Return the name to try instead, if a server refused the request for the name of its output limit; else None."""
    sent = [name for name in OUTPUT_LIMITS if name in body]
    if len(sent) != 1 or sent[0] not in fault.message:
        return None
    (other,) = set(OUTPUT_LIMITS) - set(sent)
    return other if other in fault.message or _NOT_KNOWN.search(fault.message) else None


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
