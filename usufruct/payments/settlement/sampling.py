"""Look at everything there is while there is time, else at a part that differs from one run to the next."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from usufruct.core import Clock

T = TypeVar("T")

SECONDS = 5.0
"""How long one check looks at things of one kind."""


async def pages_from(
    start: str,
    read: Callable[[str], Awaitable[Sequence[T]]],
    id_of: Callable[[T], str],
    seconds: float = SECONDS,
    clock: Clock | None = None,
) -> AsyncIterator[list[T]]:
    """Yield things a page at a time by id, from the one after `start` to the last, then from the first to `start`.

    `read` returns the page after an id, "" being before all. Ends after `seconds` with the page that was read then:
    ids are random, so a random `start` makes it a random sample.
    """
    clock = clock or Clock()
    end = clock.monotonic() + seconds
    for after, last in ((start, None), ("", start)):
        while page := [each for each in await read(after) if last is None or id_of(each) <= last]:
            yield page
            if clock.monotonic() >= end:
                return
            after = id_of(page[-1])


def part(seen: int, there: int, what: str) -> str:
    """Return how many of how many things were looked at, in words."""
    return f"all {there:,} {what}" if seen >= there else f"{seen:,} of {there:,} {what}"
