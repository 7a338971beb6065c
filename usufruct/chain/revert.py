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

from collections.abc import Mapping
from types import ModuleType
from typing import ClassVar, Self

from usufruct.chain.codec import UnreadableAnswer, Values, decode
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


class Revert(Conflict):
    """A contract refused the call. Subclasses carry the error's arguments as attributes."""

    code = "reverted"
    SIGNATURE: ClassVar[str] = ""
    SELECTOR: ClassVar[bytes] = b""
    TYPES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str = "", **arguments: object) -> None:
        details = {name: _detail(value) for name, value in arguments.items()}
        shown = ", ".join(f"{name}={value}" for name, value in details.items())
        super().__init__(f"{type(self).__name__}({shown})" + (f": {message}" if message else ""), **details)

    @classmethod
    def from_abi(cls, raw: Values) -> Self:
        """Build the error from its decoded arguments."""
        return cls(*raw)


class Reason(Revert):
    """`require(false, "text")`: the reason in words."""

    code = "reverted_with_reason"
    SIGNATURE = "Error(string)"
    SELECTOR = bytes.fromhex("08c379a0")
    TYPES = ("string",)

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)
        self.reason = reason


class Panic(Revert):
    """The compiler's own check failed: a bug in the contract, or an argument out of all range."""

    code = "panicked"
    SIGNATURE = "Panic(uint256)"
    SELECTOR = bytes.fromhex("4e487b71")
    TYPES = ("uint256",)

    def __init__(self, number: int) -> None:
        super().__init__(_PANICS.get(number, "unknown panic"), number=number)
        self.number = number


class UnknownRevert(Revert):
    """Revert data that no bound contract declares; empty when the contract gave none."""

    code = "reverted_unknown"

    def __init__(self, data: bytes, hint: str = "") -> None:
        super().__init__(hint, data=data)
        self.data = data


Errors = Mapping[bytes, type[Revert]]
"""Error classes by their four-byte selector."""


def errors_of(*modules: ModuleType) -> Errors:
    """Return the error classes that generated modules hold."""
    values = (value for module in modules for value in vars(module).values())
    found = (value for value in values if isinstance(value, type) and issubclass(value, Revert))
    return {error.SELECTOR: error for error in found if error.SELECTOR}


_BUILT_IN: Errors = {Reason.SELECTOR: Reason, Panic.SELECTOR: Panic}


def decode_revert(data: bytes, errors: Errors, hint: str = "") -> Revert:
    """Turn revert data into the exception that names it; never fails, at worst an `UnknownRevert` with `hint`."""
    kind = _BUILT_IN.get(data[:4]) or errors.get(data[:4])
    if kind is None:
        return UnknownRevert(data, hint)
    try:
        return kind.from_abi(decode(kind.TYPES, data[4:]))
    except UnreadableAnswer:
        return UnknownRevert(data, f"malformed {kind.SIGNATURE}")
