"""One code for callers with and without an event loop: a coroutine that never suspends is run at once."""

from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_blocking(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that awaits only what blocks: it never suspends, so no event loop is needed."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("a blocking coroutine was suspended")
