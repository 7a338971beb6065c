"""The chain's node as one view asks it: it is waited for once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from usufruct.core import Unavailable


class NodeView:
    """Limits what one view asks the chain's node to so many seconds in all.

    `answers` turns false with the first question that is not answered; then the node is not asked again.
    """

    def __init__(self, seconds: float) -> None:
        self.answers = True
        self._seconds = seconds
        self._until: float | None = None

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Ask the node within the time that is left.

        Raises:
            Unavailable: when the node does not answer in time, or did not answer this view before.
        """
        if not self.answers:
            raise _no_answer()
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._until):
                yield
        except TimeoutError:
            self.answers = False
            raise _no_answer() from None
        except Unavailable:
            self.answers = False
            raise


def _no_answer() -> Unavailable:
    return Unavailable("the chain's node does not answer in time; try again", code="rpc_unavailable")
