"""Whether the caller is still there, and for how long a call may go on."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from usufruct.web import Exchange


class DisconnectWatch:
    """Runs a block for at most `longest` seconds, and for at most `grace()` more once the caller has hung up.

    As `asyncio.timeout`, which it does the work of, leaving the block raises TimeoutError when the time is over.
    `gone` tells whether the caller has hung up.
    """

    __slots__ = ("_before", "_deadline", "_exchange", "_grace", "_longest", "_loop", "_over", "_stay", "_task", "gone")

    def __init__(self, exchange: Exchange, longest: float, grace: Callable[[], float]) -> None:
        self.gone = False
        self._exchange = exchange
        self._longest = longest
        self._grace = grace
        self._over = False

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task is not None else 0
        self._deadline = self._loop.call_later(self._longest, self._end)
        self._stay = self._exchange.when_disconnected(self._leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stay()
        self._deadline.cancel()
        if not self._over or self._task is None:
            return
        if self._task.uncancel() <= self._before and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error

    def _leave(self) -> None:
        self.gone = True
        if not self._over:
            self._deadline.cancel()
            self._deadline = self._loop.call_later(self._grace(), self._end)

    def _end(self) -> None:
        if self._task is not None:
            self._over = True
            self._task.cancel()
