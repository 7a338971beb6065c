"""Documents of `usufruct_client.wire`, refused with our errors."""

from collections.abc import Callable
from typing import TypeVar

from usufruct.core import UsufructError
from usufruct_client.wire_types import read

Kind = TypeVar("Kind")
MakeError = Callable[..., UsufructError]
"""A class of errors, or a function: takes a message, and `field`, the name of the member that is wrong."""


def read_document(kind: type[Kind], content: object, error: MakeError, within: str = "") -> Kind:
    """Read a document from parsed JSON, which is the member `within` of a larger one, or the whole.

    Raises:
        UsufructError: what `error` makes; names the member, its value and what it must be.
    """
    return read(kind, content, lambda message, field: error(message, field=field), within)
