"""Expect an error by its code: what callers see of one that has no class of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from usufruct.core import UsufructError


@contextmanager
def refused(code: str, match: str | None = None) -> Iterator[None]:
    """Expect an error with this code, whose message matches."""
    with pytest.raises(UsufructError, match=match) as caught:
        yield
    assert caught.value.code == code
