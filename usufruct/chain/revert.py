"""What a contract says when it refuses: one exception class for each custom error.

::

    Revert                409  a contract refused the call; nothing was changed and nothing was charged
    |-- (generated)            one class per Solidity error, in the modules of `usufruct.chain.contracts`
    |-- Reason                 require(false, "text")
    |-- Panic                  assert, overflow, division by zero, index out of range
    `-- UnknownRevert          an error no bound contract declares, or none at all

The chain knows an error only by its selector, so errors of the same signature are one class, whichever contract
declares them: a refusal that bubbles up through three contracts is caught by the name it has in Solidity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, fields
from functools import cached_property
from importlib import import_module
from typing import ClassVar

from usufruct.chain.abi import parameter_types
from usufruct.chain.codec import UnreadableAnswer, decode, typed
from usufruct.chain.hashing import selector
from usufruct.core import Conflict

_PANICS = {
    0x01: "an assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "not a member of the enum",
    0x22: "a storage byte array is badly encoded",
    0x31: "pop from an empty array",
    0x32: "index out of range",
    0x41: "out of memory",
    0x51: "call of an uninitialised function",
}


_LONGEST_DETAIL = 1_024


def _detail(value: object) -> str | int | bool:
    if isinstance(value, int):
        return value
    text = "0x" + value.hex() if isinstance(value, bytes) else value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_DETAIL else text[:_LONGEST_DETAIL] + "..."


@dataclass(eq=False)
class Revert(Conflict, code="reverted"):
    """A contract refused the call. Subclasses are dataclasses whose fields are the error's arguments, in order."""

    SIGNATURE: ClassVar[str] = ""
    NOTICE: ClassVar[str] = ""
    """What the error means, in the words of its source."""

    def __post_init__(self) -> None:
        self._describe(self.NOTICE)

    def _describe(self, notice: str) -> None:
        details = {field.name: _detail(getattr(self, field.name)) for field in fields(self)}
        shown = ", ".join(f"{name}={value}" for name, value in details.items())
        super().__init__(f"{type(self).__name__}({shown})" + (f": {notice}" if notice else ""), **details)


@dataclass(eq=False)
class Reason(Revert, code="reverted_with_reason"):
    """`require(false, "text")`: the reason in words."""

    SIGNATURE = "Error(string)"
    reason: str


@dataclass(eq=False)
class Panic(Revert, code="panicked"):
    """The compiler's own check failed: a bug in the contract, or an argument out of all range."""

    SIGNATURE = "Panic(uint256)"
    number: int

    def __post_init__(self) -> None:
        self._describe(_PANICS.get(self.number, "unknown panic"))


@dataclass(eq=False)
class UnknownRevert(Revert, code="reverted_unknown"):
    """Revert data that no bound contract declares; empty when the contract gave none."""

    data: bytes
    notice: InitVar[str] = ""

    def __post_init__(self, notice: str) -> None:
        self._describe(notice)


Errors = Mapping[bytes, type[Revert]]
"""Error classes by their four-byte selector."""


class ErrorTable(Errors):
    """The error classes of a package's generated modules, which are imported when the first error is looked up."""

    def __init__(self, package: str, *modules: str) -> None:
        self.modules = tuple(f"{package}.{module}" for module in modules)

    @cached_property
    def _classes(self) -> Errors:
        values = (value for module in self.modules for value in vars(import_module(module)).values())
        found = (value for value in values if isinstance(value, type) and issubclass(value, Revert))
        return {selector(error.SIGNATURE): error for error in found if error.SIGNATURE}

    def __getitem__(self, found: bytes) -> type[Revert]:
        return self._classes[found]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


_BUILT_IN: Errors = {selector(error.SIGNATURE): error for error in (Reason, Panic)}


def decode_revert(data: bytes, errors: Errors, hint: str = "") -> Revert:
    """Turn revert data into the exception that names it; never fails, at worst an `UnknownRevert` with `hint`."""
    kind = _BUILT_IN.get(data[:4]) or errors.get(data[:4])
    if kind is None:
        return UnknownRevert(data, hint)
    try:
        found: Revert = typed(kind, decode(parameter_types(kind.SIGNATURE), data[4:]))
    except UnreadableAnswer:
        return UnknownRevert(data, f"malformed {kind.SIGNATURE}")
    return found
