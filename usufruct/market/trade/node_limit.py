"""How long a view waits for the chain's node."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from usufruct.core import Unavailable


@asynccontextmanager
async def node_limit(seconds: float) -> AsyncIterator[None]:
    """Limit the time that the node has; the end of it is `Unavailable`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable("the chain's node does not answer in time; try again", code="rpc_unavailable") from None
