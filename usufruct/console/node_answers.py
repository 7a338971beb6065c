"""What only the chain's node knows, on pages that are shown without it too."""

from collections.abc import Awaitable
from typing import TypeVar

from usufruct.core import Unavailable

T = TypeVar("T")


async def known(answer: Awaitable[T]) -> T | None:
    """Return the node's answer; None while it does not answer."""
    try:
        return await answer
    except Unavailable:
        return None
