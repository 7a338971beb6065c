"""JSON-RPC over HTTP: questions out, answers or typed errors back. Knows no method by name."""

from collections.abc import Sequence
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from usufruct.core import Conflict, Unavailable

_HEADERS = {"Content-Type": "application/json"}


class RpcUnavailable(Unavailable):
    """The node does not answer, or answers what is not JSON-RPC; the same question may succeed later."""

    code = "rpc_unavailable"


class RpcRefused(Conflict):
    """The node answered with an error.

    `number` and `reason` are the node's own; `data` is what it gave with them, a revert's data among others.
    """

    code = "rpc_refused"

    def __init__(self, method: str, number: int, reason: str, data: object = None) -> None:
        super().__init__(f"the node refused {method}: {reason} ({number})", method=method, number=number)
        self.number = number
        self.reason = reason
        self.data = data


Question = tuple[str, Sequence[object]]
"""A method and its parameters."""


class Transport:
    """One node, by its URL. The URL may hold a secret, so messages name its host only.

    A session is opened by the first question and belongs to the event loop that asked it.
    """

    def __init__(self, url: str, timeout_seconds: float = 10.0) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or "the node"
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._ids = count(1)

    def __repr__(self) -> str:
        return f"Transport({self._host})"

    async def close(self) -> None:
        """Close the session; the next question opens another."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, method: str, *parameters: object) -> Any:
        """Ask one question and return its result.

        Raises:
            RpcUnavailable: when no answer comes in time, or none that can be read.
            RpcRefused: when the node answers with an error.
        """
        answer = await self._post(self._body(method, parameters))
        return self._result(method, answer)

    async def ask_all(self, questions: Sequence[Question]) -> list[Any]:
        """Ask several questions in one request and return their results in order; the first error is raised.

        Raises:
            RpcUnavailable: as `ask`, or when an answer is missing.
            RpcRefused: as `ask`.
        """
        if not questions:
            return []
        bodies = [self._body(method, parameters) for method, parameters in questions]
        answers = await self._post(bodies)
        if not isinstance(answers, list):
            return [self._result(questions[0][0], answers)]
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [
            self._result(method, by_id.get(body["id"])) for (method, _), body in zip(questions, bodies, strict=True)
        ]

    def _body(self, method: str, parameters: Sequence[object]) -> dict[str, object]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(parameters)}

    async def _post(self, body: object) -> Any:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=_HEADERS)
        try:
            async with self._session.post(self._url, data=orjson.dumps(body)) as response:
                content = await response.read()
                status = response.status
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise self._unavailable(type(error).__name__) from None
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            raise self._unavailable(f"HTTP {status}, no JSON") from None

    def _result(self, method: str, answer: object) -> Any:
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise self._unavailable(f"no answer to {method}")
        if error := answer.get("error"):
            if not isinstance(error, dict):
                raise RpcRefused(method, 0, str(error))
            raise RpcRefused(method, int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
        return answer["result"]

    def _unavailable(self, what: str) -> RpcUnavailable:
        return RpcUnavailable(f"{self._host} does not answer ({what}); check chain.rpc_url", host=self._host)
