"""A job's step, again and again: what is away is waited for, longer each time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from usufruct.core.errors import Unavailable, UsufructError

_log = logging.getLogger(__name__)

_LONGEST_SECONDS = 60.0


async def forever(name: str, step: Callable[[], Awaitable[object]], poll_seconds: float) -> None:
    """Take a step every `poll_seconds` until cancelled.

    A node, database or network that is away is waited for; what an operator must mend (a claim key that was removed,
    say) is logged as an error and tried again at the slowest pace.
    """
    pause = poll_seconds
    while True:
        try:
            await step()
            pause = poll_seconds
        except Unavailable as error:
            pause = min(_LONGEST_SECONDS, pause * 2)
            _log.warning("%s waits %.1f s: %s", name, pause, error.message)
        except UsufructError as error:
            pause = _LONGEST_SECONDS
            _log.error("%s stopped and tries again in %.0f s: %s", name, pause, error.message)
        await asyncio.sleep(pause)
