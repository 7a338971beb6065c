"""A node without a network: answers bodies by a function of the test's, and keeps what it was asked."""

from collections.abc import Callable
from typing import Any

import orjson

from usufruct.chain.http import HttpWire, Reply

Answer = Callable[[Any], Any]
"""From a decoded body to a reply, or to the JSON of one; an exception is raised to the client."""


class ScriptedWire(HttpWire):
    """Answers instead of a node."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.bodies: list[Any] = []
        self.timeouts: list[float] = []

    async def post(self, body: bytes, timeout_seconds: float) -> Reply:
        asked = orjson.loads(body)
        self.bodies.append(asked)
        self.timeouts.append(timeout_seconds)
        said = self.answer(asked)
        return said if isinstance(said, Reply) else Reply(200, orjson.dumps(said))

    async def close(self) -> None:
        pass


class Pauses:
    """Fulfils `asyncio.sleep` without the time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def result(body: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": body["id"], "result": value}


def refusal(body: Any, number: Any, message: Any, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": body["id"], "error": {"code": number, "message": message, **more}}
