"""Values looked up by key, many callers to a statement: a statement costs more than the rows that it reads."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SharedReads(Generic[K, V]):
    """Reads values by key, one read at a time; keys that are asked for while one runs are read together by the next.

    So a value is never older than the call that asked for it, unlike a cached one.
    """

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        """Call `read` with keys; what it does not return has no value.

        Their number is a power of two, and the last key is repeated: a database prepares few different statements.
        """
        self._read = read
        self._turn = asyncio.Lock()
        self._next: _Batch[K, V] | None = None

    async def get(self, key: K) -> V | None:
        """Return the value of a key as it is now; raises what the read raises."""
        batch = self._next
        if batch is None:
            batch = self._next = _Batch()
            batch.found = asyncio.create_task(self._run(batch))
        batch.keys.add(key)
        return (await asyncio.shield(batch.found)).get(key)  # a caller that leaves ends no one else's read

    async def _run(self, batch: "_Batch[K, V]") -> Mapping[K, V]:
        async with self._turn:
            self._next = None
            return await self._read(_filled_up(list(batch.keys)))


class _Batch(Generic[K, V]):
    """Keys that are read together, and the task that reads them."""

    found: "asyncio.Task[Mapping[K, V]]"

    def __init__(self) -> None:
        self.keys: set[K] = set()


def _filled_up(keys: list[K]) -> list[K]:
    """Return keys with the last one repeated until their number is a power of two."""
    return keys + keys[-1:] * ((1 << (len(keys) - 1).bit_length()) - len(keys))
