"""How long a view waits for the chain's node."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from usufruct.core import Unavailable


@dataclass
class NodeLimit:
    """Limits what a view asks the node in one block to so many seconds."""

    seconds: float

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Ask the node within the time.

        Raises:
            Unavailable: when it does not answer in time.
        """
        try:
            async with asyncio.timeout(self.seconds):
                yield
        except TimeoutError:
            message = "the chain's node does not answer in time; try again"
            raise Unavailable(message, code="rpc_unavailable") from None
