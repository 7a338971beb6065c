"""An upstream is asked while its call's commit is under way; a commit that fails stops it."""

import asyncio
from types import TracebackType

from usufruct.payments.ledger import Opened


class StoppedUnlessDurable:
    """Runs a block; cancels it when the call's commit fails, and raises the commit's error in its place.

    Leaving the block raises DatabaseUnavailable when the call could not be committed; nothing may leave for it.
    """

    __slots__ = ("_opened", "_over", "_stopped", "_task")

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._over = self._stopped = False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._opened.commit.add_done_callback(self._stop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._opened.commit.remove_done_callback(self._stop)
        if not self._stopped:
            return
        if isinstance(error, asyncio.CancelledError):
            if self._task is None or self._task.uncancel() > 0:
                return
        elif error is not None:
            return
        await self._opened.durable()

    def _stop(self, commit: "asyncio.Future[None]") -> None:
        if self._over:  # the commit failed as the block ended: what removes a callback does not stop one on its way
            return
        if self._task is not None and not commit.cancelled() and commit.exception() is not None:
            self._stopped = True
            self._task.cancel()
