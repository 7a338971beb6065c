"""JSON-RPC: questions out, answers or typed errors back. Knows methods only by how their errors are to be read.

Three things make it bear real providers. A rate limit or an overload, as HTTP status or as JSON-RPC error, is asked
again with back-off. A batch that the provider cuts short or refuses is split, and the smaller size is remembered. A
node that let a question time out is asked by one question at a time until it answers: all others fail at once.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

import orjson

from usufruct.chain.http import HttpWire, Reply
from usufruct.chain.rpc_errors import (
    NodeAway,
    NodeBusy,
    RpcRefused,
    RpcUnreadable,
    is_busy,
    read_refusal,
    refuses_batch,
)
from usufruct.core import Clock

T = TypeVar("T")

Question = tuple[str, Sequence[object]]
"""A method and its parameters."""

_BUSY_STATUS = {429, 502, 503, 504}
_TOO_LARGE_STATUS = {400, 413, 422}
_SHORTEST_SECRET = 6
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a busy node is asked again: at most `tries` times, after pauses that double from `first_seconds`.

    A node's own advice (`Retry-After`) is followed up to `most_seconds`. `batch` is the largest batch to begin with.
    A node that let a question time out is given `probe_seconds` for the next one, and `rest_seconds` before that.
    """

    tries: int = 4
    first_seconds: float = 0.25
    most_seconds: float = 2.0
    batch: int = 100
    probe_seconds: float = 5.0
    rest_seconds: float = 2.0

    def pause(self, tried: int, advice: float | None) -> float:
        """Return the seconds to wait after the try number `tried`, counted from 0; the upper half is random."""
        wanted = max(self.first_seconds * 2**tried, advice or 0.0)
        most: float = min(self.most_seconds, wanted)
        return most * (0.5 + random.random() / 2)


_CHECKED_BY: ContextVar["Transport | None"] = ContextVar("checked_by", default=None)
"""The transport whose check asks: its questions do not wait for the check."""


class Transport:
    """One node, by its URL. The URL may hold a secret, so messages name its host only."""

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 10.0,
        wire: HttpWire | None = None,
        retry: RetryPolicy | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Clock | None = None,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Ask the node at `url`. `check` is run before the first question: a node that fails it is not asked others."""
        self._host = urlsplit(url).hostname or "the node"
        self._secrets = _secrets(url)
        self._wire = wire or HttpWire(url)
        self._retry = retry or RetryPolicy()
        self._pause = pause
        self._check = check
        self._checking = asyncio.Lock()
        self._timeout = timeout_seconds
        self._clock = clock or Clock()
        self._answered_at = float("-inf")
        self._hangs = self._probing = False
        self._probe_at = 0.0
        self._ids = count(1)
        self.batch = self._retry.batch
        """How many questions at most go into one request, as far as the node's limit is known."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._host})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next question opens others."""
        await self._wire.close()

    async def ready(self) -> None:
        """Make sure that the node passed its check; raises `RpcUnavailable` when it does not answer."""
        if self._check is None or _CHECKED_BY.get() is self:
            return
        async with self._checking:
            if self._check is not None:
                token = _CHECKED_BY.set(self)
                try:
                    await self._check()
                finally:
                    _CHECKED_BY.reset(token)
                self._check = None

    async def ask(self, method: str, *parameters: object) -> Any:
        """Ask one question and return its result.

        Raises:
            RpcUnavailable: when no answer comes in time, or none that can be read.
            RpcRefused: when the node answers with an error.
        """
        await self.ready()

        async def once() -> Any:
            body = self._body(method, parameters)
            status, answer = await self._post(body)
            if not isinstance(answer, dict) or not _same_id(answer, body["id"]):
                raise self._no_answer(method, status)
            return self._result(method, answer, status)

        return await self._patiently(once)

    async def ask_all(self, questions: Sequence[Question]) -> list[Any]:
        """Ask several questions in as few requests as the node allows, and return their results in order.

        Raises:
            RpcUnavailable: as `ask`.
            RpcRefused: as `ask`; the first error is raised.
        """
        await self.ready()
        results: dict[int, Any] = {}
        while missing := [index for index in range(len(questions)) if index not in results]:
            some = missing[: self.batch]
            if len(some) == 1:
                method, parameters = questions[some[0]]
                results[some[0]] = await self.ask(method, *parameters)
            else:
                results |= await self._patiently(partial(self._ask_some, questions, some))
        return [results[index] for index in range(len(questions))]

    async def _ask_some(self, questions: Sequence[Question], some: Sequence[int]) -> dict[int, Any]:
        """Ask a batch and return what was answered, by index; halves the batch size when that is not everything."""
        bodies = {index: self._body(*questions[index]) for index in some}
        status, answers = await self._post(list(bodies.values()))
        if not isinstance(answers, list):
            self._check_refused_batch(status, answers)
            self._halve(len(some))
            return {}
        by_id = {answer["id"]: answer for answer in answers if isinstance(answer, dict) and _has_id(answer)}
        found: dict[int, Any] = {}
        busy: NodeBusy | None = None
        for index, body in bodies.items():
            answer = by_id.get(body["id"])
            if answer is None or refuses_batch(answer):
                continue
            try:
                found[index] = self._result(questions[index][0], answer, status)
            except NodeBusy as error:
                busy = error
        if busy and not found:
            raise busy
        if busy or len(found) < len(some):
            self._halve(len(some))
        return found

    def _check_refused_batch(self, status: int, answer: object) -> None:
        """Raise what a batch was answered with as a whole, unless a smaller batch may help."""
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            refusal = self._refusal("a batch", answer["error"])
            if isinstance(refusal, NodeBusy):
                raise refusal
        elif status not in _TOO_LARGE_STATUS:
            raise self._no_answer("a batch", status)

    def _halve(self, size: int) -> None:
        self.batch = max(1, min(self.batch, size) // 2)

    def _body(self, method: str, parameters: Sequence[object]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(parameters)}

    async def _patiently(self, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step, again with back-off while the node is busy."""
        for tried in range(self._retry.tries - 1):
            try:
                return await step()
            except NodeBusy as busy:
                await self._pause(self._retry.pause(tried, busy.retry_after))
        return await step()

    async def _post(self, body: object) -> tuple[int, Any]:
        """Send a body and return status and JSON of the reply; None when it is not JSON."""
        reply = await self._send(orjson.dumps(body))
        try:
            answer = orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            answer = None
        if reply.status in _BUSY_STATUS and not _is_rpc(answer):
            raise self._busy(f"HTTP {reply.status}", reply.retry_after)
        return reply.status, answer

    async def _send(self, body: bytes) -> Reply:
        """Send a body; a node that hangs is probed by one at a time, all others fail at once."""
        if not self._hangs:
            known = self._answered_at > float("-inf")
            return await self._timed(body, self._timeout if known else min(self._timeout, self._retry.probe_seconds))
        if self._probing or self._clock.monotonic() < self._probe_at:
            raise NodeAway(f"{self._host} does not answer (it hangs); check chain.rpc_url", host=self._host)
        self._probing = True
        try:
            return await self._timed(body, min(self._timeout, self._retry.probe_seconds))
        finally:
            self._probing = False

    async def _timed(self, body: bytes, timeout_seconds: float) -> Reply:
        """Send a body, and note whether the node answers or hangs."""
        began = self._clock.monotonic()
        try:
            reply = await self._wire.post(body, timeout_seconds)
        except NodeAway as away:
            if away.details.get("timed_out") and self._answered_at < began:
                self._hangs, self._probe_at = True, self._clock.monotonic() + self._retry.rest_seconds
            raise
        self._answered_at, self._hangs = self._clock.monotonic(), False
        return reply

    def _result(self, method: str, answer: Mapping[str, Any], status: int) -> Any:
        if answer.get("error") is None:
            if "result" not in answer:
                raise self._no_answer(method, status)
            return answer["result"]
        raise self._refusal(method, answer["error"])

    def _refusal(self, method: str, error: object) -> RpcRefused | NodeBusy:
        refused = read_refusal(method, error, self._redacted)
        return self._busy(refused.reason) if is_busy(method, refused) else refused

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:_LONGEST_REASON]

    def _busy(self, reason: str, retry_after: float | None = None) -> NodeBusy:
        return NodeBusy(
            f"{self._host} takes no more requests now ({self._redacted(reason)}); try again in a few seconds, or set "
            "chain.rpc_url to a node with a higher limit",
            retry_after,
            host=self._host,
        )

    def _no_answer(self, method: str, status: int) -> RpcUnreadable:
        message = f"{self._host} gives no answer to {method} (HTTP {status}); check chain.rpc_url"
        return RpcUnreadable(message, host=self._host, status=status)


def _is_rpc(answer: object) -> bool:
    return isinstance(answer, list) or (isinstance(answer, dict) and ("error" in answer or "result" in answer))


def _has_id(answer: Mapping[str, Any]) -> bool:
    found = answer.get("id")
    return isinstance(found, int) and not isinstance(found, bool)


def _same_id(answer: Mapping[str, Any], wanted: int) -> bool:
    """Tell whether an answer is to our question; an error may come without an id."""
    if answer.get("id") is None:
        return answer.get("error") is not None
    return _has_id(answer) and answer["id"] == wanted


def _secrets(url: str) -> list[str]:
    """Return the parts of a URL that may be secret, the longest first: nodes repeat them in their messages."""
    try:
        parts = urlsplit(url)
        words = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
        words += [parts.username or "", parts.password or "", parts.query]
    except ValueError:
        return []
    return sorted({word for word in words if len(word) >= _SHORTEST_SECRET}, key=len, reverse=True)
