"""Reads calls that people write, as in `VoteEscrow.setExitPenalty(25%)`: a contract, a function, its arguments.

An argument is what its type says: a whole number, `true`, an address or a contract's name, `0x` and hex digits, a text
with or without quotes, `[a, b]` for a list and `(a, b)` for a struct. A number may have a unit: `25%` is 2500, in
hundredths of a per cent, `3d` or `12h` are seconds, `12.5 EXM` are atomic units of a token that the installation knows.

With the types before the arguments, as in `0x...transfer(address,uint256)(0x..., 5)`, the function is taken as written:
so any contract can be called by its address, also one that the installation does not know.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.chain import Call
from usufruct.chain.interface import Function, Parameter
from usufruct.core import Address, Invalid, address, checksum, parse_units
from usufruct.governance.errors import InvalidArgument, InvalidCall, UnknownFunction, WrongArguments
from usufruct.governance.known_contracts import TREASURY, KnownContract, KnownContracts

_CALL = re.compile(r"\s*([\w.$-]+)\.([A-Za-z_$][\w$]*)\s*\((.*)\)\s*", re.DOTALL)
_TYPED_CALL = re.compile(r"\s*([\w.$-]+)\.([A-Za-z_$][\w$]*)\s*(\([\w,()\[\]\s]*\))\s*\((.*)\)\s*", re.DOTALL)
_PLAIN_TYPES = frozenset(
    (
        *("address", "bool", "string", "bytes", "uint", "int"),
        *(f"{sign}int{bits}" for sign in ("u", "") for bits in range(8, 257, 8)),
        *(f"bytes{size}" for size in range(1, 33)),
    )
)
_CALLED = re.compile(r"\s*(0x[0-9a-fA-F]{40})\.")
_ARRAY = re.compile(r"(.+)\[(\d*)\]")
_WHOLE = re.compile(r"-?\d[\d_]*", re.ASCII)
_PER_CENT = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)
DURATION = re.compile(r"(\d{1,12})\s*([smhdw])", re.ASCII)
_COINS = re.compile(r"(\d+(?:\.\d+)?)\s+(\S+)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_OPENING, _CLOSING = "([", ")]"
_SHOWN = 80


def read_call(text: str, known: KnownContracts, value: int = 0) -> Call:
    """Read a call of a contract of the installation; `value` is the wei that goes with it.

    Raises:
        InvalidCall: when it is not CONTRACT.FUNCTION(ARGUMENTS).
        UnknownContract, UnknownFunction: when there is no such contract or function.
        WrongArguments, InvalidArgument: when the arguments are not the function's.
    """
    if (typed := _typed_call(text, known, value)) is not None:
        return typed
    found = _CALL.fullmatch(text)
    if found is None:
        raise InvalidCall(
            f"{text[:_SHOWN]!r} is not a call; write CONTRACT.FUNCTION(ARGUMENTS), as in "
            "VoteEscrow.setExitPenalty(25%)",
            field="call",
        )
    contract, words = known.named(called_address(text) or found[1]), list(_split(found[3]))
    functions = _changing(contract, found[2])
    fitting = [each for each in functions if len(each.inputs) == len(words)]
    if not fitting:
        takes = " or ".join(each.signature for each in functions)
        raise WrongArguments(
            f"{contract.name}.{found[2]} takes {takes}: {len(words)} arguments were given", field="call"
        )
    refusal: Invalid | None = None
    for function in fitting:
        try:
            return function.call(contract.address, _values(function, words, known), value)
        except Invalid as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def _typed_call(text: str, known: KnownContracts, value: int) -> Call | None:
    """Read a call whose types are written; None where they are not."""
    found = _TYPED_CALL.fullmatch(text)
    types = list(_split(found[3][1:-1])) if found else []
    if found is None or not all(map(_is_type, types)):
        return None
    words = list(_split(found[4]))
    inputs = tuple(Parameter("", _canonical(each)) for each in types)
    function = Function(found[2], inputs, (), reads=False)
    if len(words) != len(types):
        raise WrongArguments(
            f"{function.signature} takes {len(types)} arguments: {len(words)} were given", field="call"
        )
    to = called_address(text) or known.named(found[1]).address
    return function.call(to, _values(function, words, known), value)


def _is_type(text: str) -> bool:
    """Tell whether a text is an ABI type."""
    if array := _ARRAY.fullmatch(text):
        return _is_type(array[1])
    if text[:1] == "(" and text[-1:] == ")":
        return all(map(_is_type, _split(text[1:-1])))
    return text in _PLAIN_TYPES


def _canonical(kind: str) -> str:
    """Return a type as signatures have it: without spaces, and `uint` as `uint256`."""
    return re.sub(r"\bu?int\b", r"\g<0>256", re.sub(r"\s", "", kind))


def _values(function: Function, words: Sequence[str], known: KnownContracts) -> list[Any]:
    return [
        read_argument(parameter.type, word, known, parameter.name or str(place))
        for place, (parameter, word) in enumerate(zip(function.inputs, words, strict=True), 1)
    ]


def read_argument(kind: str, text: str, known: KnownContracts, name: str) -> Any:
    """Return the value that a text is of an ABI type; `name` is for refusals, which are those of `read_call`."""
    return _Argument(name, known).read(kind, text)


def seconds_of(duration: re.Match[str]) -> int:
    """Return the seconds of a match of `DURATION`."""
    return int(duration[1]) * _SECONDS[duration[2]]


def called_address(text: str) -> Address | None:
    """Return the address of the contract that a call names; None where it is named otherwise."""
    found = _CALLED.match(text)
    return address(found[1], "call") if found else None


def _changing(contract: KnownContract, name: str) -> list[Function]:
    functions = contract.interface.named(name)
    changing = [each for each in functions if not each.reads]
    if changing:
        return changing
    if functions:
        raise UnknownFunction(f"{contract.name}.{name} changes nothing; a proposal cannot call it", field="call")
    names = ", ".join(sorted({each.name for each in contract.interface.functions if not each.reads}))
    raise UnknownFunction(f"{contract.name} has no function {name}; it has {names}", field="call")


def _split(text: str) -> Iterator[str]:
    """Return what is between the outer commas of a list; commas in brackets and in quotes do not count."""
    depth, start, quoted, escaped = 0, 0, False, False
    for place, sign in enumerate(text):
        if quoted:
            quoted, escaped = sign != '"' or escaped, sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
        elif sign == "," and not depth:
            yield text[start:place].strip()
            start = place + 1
    if text.strip():
        yield text[start:].strip()


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of a call; `name` is for its refusals."""

    name: str
    known: KnownContracts

    def read(self, kind: str, text: str) -> Any:
        """Return the value that a text is of an ABI type."""
        if array := _ARRAY.fullmatch(kind):
            return [self.read(array[1], each) for each in _split(self._inside(text, "[]", kind))]
        if kind.startswith("("):
            kinds, words = list(_split(kind[1:-1])), list(_split(self._inside(text, "()", kind)))
            if len(kinds) != len(words):
                raise self._refusal(kind, text)
            return tuple(self.read(each, word) for each, word in zip(kinds, words, strict=True))
        readers: dict[str, Callable[[str], Any]] = {
            "address": self._address, "bool": self._flag, "string": self._text,
        }  # fmt: skip
        if kind in readers:
            return readers[kind](text)
        return self._bytes(kind, text) if kind.startswith("bytes") else self._number(kind, text)

    def _address(self, text: str) -> Address:
        if text == TREASURY:
            return self.known.treasury
        return address(text, self.name) if text.startswith("0x") else self.known.named(text).address

    def _flag(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise self._refusal("bool", text)
        return text == "true"

    def _text(self, text: str) -> str:
        if not text.startswith('"'):
            return text
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise self._refusal("string", text) from None
        return str(found)

    def _bytes(self, kind: str, text: str) -> bytes:
        if not re.fullmatch(r"0x(?:[0-9a-fA-F]{2})*", text):
            raise self._refusal(kind, text)
        raw = bytes.fromhex(text[2:])
        if kind != "bytes" and len(raw) != int(kind.removeprefix("bytes")):
            raise self._refusal(kind, text)
        return raw

    def _number(self, kind: str, text: str) -> int:
        number = self._quantity(text)
        signed, bits = not kind.startswith("u"), int(kind.lstrip("uint") or 256)
        least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        if number is None or not least <= number <= most:
            raise self._refusal(kind, text)
        return number

    def _quantity(self, text: str) -> int | None:
        if _WHOLE.fullmatch(text):
            return int(text.replace("_", ""))
        if part := _PER_CENT.fullmatch(text):
            return parse_units(part[1], 2, self.name)
        if duration := DURATION.fullmatch(text):
            return seconds_of(duration)
        if coins := _COINS.fullmatch(text):
            for token in self.known.tokens:
                if token.symbol == coins[2]:
                    return parse_units(coins[1], token.decimals, self.name)
        return None

    def _inside(self, text: str, brackets: str, kind: str) -> str:
        if text[:1] != brackets[0] or text[-1:] != brackets[1]:
            raise self._refusal(kind, text)
        return text[1:-1]

    def _refusal(self, kind: str, text: str) -> InvalidArgument:
        return InvalidArgument(f"argument {self.name} must be {kind}, not {text[:_SHOWN]!r}", field="call")


def value_text(kind: str, value: Any) -> str:
    """Write a decoded value of an ABI type, as `read_call` reads it."""
    if array := _ARRAY.fullmatch(kind):
        return f"[{', '.join(value_text(array[1], each) for each in value)}]"
    if kind.startswith("("):
        parts = zip(_split(kind[1:-1]), value, strict=True)
        return f"({', '.join(value_text(each, part) for each, part in parts)})"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if kind == "address":
        return checksum(value)
    return orjson.dumps(value).decode() if isinstance(value, str) else str(value)
