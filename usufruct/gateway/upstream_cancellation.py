"""What stops a call's work upstream: its time limit, its caller's disconnect, and a commit that fails."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from usufruct.payments.ledger import Opened
from usufruct.web import Exchange


class UpstreamCancellation:
    """Runs a block for at most `longest` seconds, and for at most `grace()` more once the caller has hung up.

    As `asyncio.timeout`, which it does the work of, leaving the block raises TimeoutError when the time is over. The
    upstream is asked while the call's commit is under way: when that fails, the block is cancelled, and leaving it
    raises DatabaseUnavailable. `gone` tells whether the caller has hung up.
    """

    __slots__ = (
        "_before",
        "_exchange",
        "_grace",
        "_left",
        "_longest",
        "_loop",
        "_opened",
        "_stay",
        "_stopped",
        "_task",
        "_timer",
        "gone",
    )

    def __init__(self, exchange: Exchange, opened: Opened, longest: float, grace: Callable[[], float]) -> None:
        self.gone = False
        self._exchange = exchange
        self._opened = opened
        self._longest = longest
        self._grace = grace
        self._stopped = self._left = False

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task is not None else 0
        self._timer = self._loop.call_later(self._longest, self._stop)
        self._stay = self._exchange.when_disconnected(self._leave)
        self._opened.commit.add_done_callback(self._committed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left = True
        self._stay()
        self._timer.cancel()
        self._opened.commit.remove_done_callback(self._committed)
        if not self._stopped or self._task is None:
            return
        if self._task.uncancel() <= self._before and isinstance(error, asyncio.CancelledError):
            if self._has_failed():
                self._opened.commit.result()
            raise TimeoutError from error

    def _leave(self) -> None:
        self.gone = True
        if not self._stopped:
            self._timer.cancel()
            self._timer = self._loop.call_later(self._grace(), self._stop)

    def _committed(self, _: "asyncio.Future[None]") -> None:
        if self._has_failed():
            self._stop()

    def _has_failed(self) -> bool:
        commit = self._opened.commit
        return commit.done() and not commit.cancelled() and commit.exception() is not None

    def _stop(self) -> None:
        # The block may have ended as the commit did: what removes a callback does not stop one on its way.
        if self._task is not None and not self._stopped and not self._left:
            self._stopped = True
            self._timer.cancel()
            self._task.cancel()
