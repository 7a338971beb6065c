"""Imports that leave the interpreter's recursion limit as it was."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def recursion_limit_kept() -> Iterator[None]:
    """Restore the recursion limit in the end: py_ecc, below eth-account, raises it so far that deep JSON crashes us."""
    limit = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
