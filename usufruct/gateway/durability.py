"""An upstream is asked while its call's commit is under way; a commit that fails stops it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from usufruct.payments import Opened


@asynccontextmanager
async def stopped_unless_durable(opened: Opened) -> AsyncIterator[None]:
    """Run a block; cancel it when the call's commit fails, and raise the commit's error in its place.

    Raises:
        DatabaseUnavailable: when the call could not be committed; nothing may leave for it.
    """
    task = asyncio.current_task()
    stopped = over = False

    def stop(commit: "asyncio.Future[None]") -> None:
        nonlocal stopped
        if over:  # the commit failed as the block ended: what removes a callback does not stop one on its way
            return
        if task is not None and not commit.cancelled() and commit.exception() is not None:
            stopped = True
            task.cancel()

    opened.commit.add_done_callback(stop)
    try:
        yield
    except asyncio.CancelledError:
        if task is None or not stopped or task.uncancel() > 0:
            raise
    finally:
        over = True
        opened.commit.remove_done_callback(stop)
    if stopped:
        await opened.durable()
