"""What stops a call's work upstream: its time limit, its caller's disconnect, and a commit that fails."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

from usufruct.web import HttpExchange


class Committed(Protocol):
    """A call that is being committed."""

    @property
    def commit(self) -> "asyncio.Future[None]":
        """The commit."""


class UpstreamCancellation:
    """Runs a block for at most `longest` seconds, and for at most `grace()` more once the caller has hung up.

    As with `asyncio.timeout`, which does the work, leaving the block raises TimeoutError when the time is over. The
    upstream is asked while the call's commit is under way: when that fails, the block is cancelled, and leaving it
    raises DatabaseUnavailable. `gone` tells whether the caller has hung up.
    """

    def __init__(self, exchange: HttpExchange, call: Committed, longest: float, grace: Callable[[], float]) -> None:
        self.gone = False
        self._exchange = exchange
        self._commit = call.commit
        self._grace = grace
        self._timeout = asyncio.timeout(longest)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._stay = self._exchange.when_disconnected(self._leave)
        self._commit.add_done_callback(self._committed)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stay()
        self._commit.remove_done_callback(self._committed)
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            if self._has_failed():
                self._commit.result()
            raise

    def _leave(self) -> None:
        self.gone = True
        self._end_in(self._grace())

    def _committed(self, _: "asyncio.Future[None]") -> None:
        if self._has_failed():
            self._end_in(0)

    def _has_failed(self) -> bool:
        return self._commit.done() and not self._commit.cancelled() and self._commit.exception() is not None

    def _end_in(self, seconds: float) -> None:
        with suppress(RuntimeError):  # the block has ended, or ends now: what removes a callback stops none on its way
            self._timeout.reschedule(asyncio.get_running_loop().time() + seconds)
