"""What a worker runs for the money: follow the chain, finish deposits, claim, refund. Each is a loop that does not die.

A node, database or network that is away is waited for, longer each time; what an operator must mend (a claim key that
was removed, say) is logged as an error and tried again at the slowest pace.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from usufruct.core import Unavailable, UsufructError
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.refunds import Refunds
from usufruct.payments.settlement.watcher import Watcher

_log = logging.getLogger(__name__)

_LONGEST_SECONDS = 60.0


async def watch(watcher: Watcher, *, poll_seconds: float = 1.0) -> None:
    """Follow the settlement contract for ever."""
    await _forever("watch", watcher.poll, poll_seconds)


async def claim_due(claimer: Claimer, *, poll_seconds: float = 5.0) -> None:
    """Claim what is due, for ever; gives the claimer's lease back when it is stopped."""
    try:
        await _forever("claim", claimer.run, poll_seconds)
    finally:
        await claimer.release()


async def deposit_due(deposits: Deposits, *, poll_seconds: float = 5.0) -> None:
    """Bring deposits to their end that nobody waits for any more, for ever."""
    await _forever("deposit", deposits.run, poll_seconds)


async def refund_due(refunds: Refunds, *, poll_seconds: float = 60.0) -> None:
    """Give unused money back, for ever."""
    await _forever("refund", refunds.run, poll_seconds)


async def _forever(name: str, step: Callable[[], Awaitable[object]], poll_seconds: float) -> None:
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
