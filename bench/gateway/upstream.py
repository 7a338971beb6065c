"""A mock model server: chat completions whose pace is named by the model, cheap enough to serve every subject.

Run as a program it listens on a free port of the loopback interface and prints {"url": ...}.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import httptools
import uvloop

WORDS = 50
_ANSWER = " ".join(["word"] * 10)
_DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds before the first token (or the whole answer), between two tokens, and how many tokens."""

    first: float
    gap: float
    words: int


PACES = {
    "instant": Pace(0, 0, 10),
    "slow20": Pace(0.020, 0, 10),
    "stream50": Pace(0.005, 0.005, WORDS),
    "ttft20": Pace(0.020, 0, 3),
    "long": Pace(0.05, 0.2, WORDS),
}


def _whole(model: str) -> bytes:
    message = {"role": "assistant", "content": _ANSWER}
    return _json(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 10, "total_tokens": 19},
        }
    )


def _json(content: dict[str, Any]) -> bytes:
    body = json.dumps(content).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _event(model: str, choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model}
    return b"data: " + json.dumps({**chunk, "choices": choices, "usage": usage}).encode() + b"\n\n"


def _delta(delta: dict[str, str], finish: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class _Server(asyncio.Protocol):
    """One connection; requests on it are answered one after the other."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        asked, self._body = json.loads(self._body or b"{}"), b""
        if self._parser.get_method() == b"GET":
            self._write(_json({"object": "list", "data": [{"id": model, "object": "model"} for model in PACES]}))
            return
        model = str(asked.get("model", "instant")).rsplit("/", 1)[-1]
        if model not in PACES:
            model = "instant"
        if asked.get("stream"):
            usage = bool((asked.get("stream_options") or {}).get("include_usage"))
            self._stream(model, PACES[model], usage)
        else:
            self._after(PACES[model].first, lambda: self._write(_whole(model)))

    def _stream(self, model: str, pace: Pace, usage: bool) -> None:
        word = _chunked(_event(model, _delta({"content": " word"})))
        start = _HEAD + _chunked(_event(model, _delta({"role": "assistant", "content": ""})))
        counts = {"prompt_tokens": 9, "completion_tokens": pace.words, "total_tokens": 9 + pace.words}
        end = _chunked(_event(model, _delta({}, "stop")))
        end += _chunked(_event(model, [], counts)) if usage else b""
        end += _chunked(_DONE) + b"0\r\n\r\n"
        left = pace.words

        def tick() -> None:
            nonlocal left
            left -= 1
            if left:
                self._write(word)
                self._after(pace.gap, tick)
            else:
                self._write(word + end)

        self._write(start)
        self._after(pace.first, tick)

    def _after(self, seconds: float, work: Callable[[], None]) -> None:
        if seconds:
            asyncio.get_running_loop().call_later(seconds, work)
        else:
            work()

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
