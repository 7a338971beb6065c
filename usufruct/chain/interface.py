"""What contracts offer, by the names of their ABI: functions and events whose arguments are known only at run time.

Generated contracts are typed, and for code that knows what it calls. This is for code that does not: a proposal names
a contract and a function in text, and what others propose arrives as calldata.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from usufruct.chain import contracts
from usufruct.chain.abi import fits_topic
from usufruct.chain.answers import Log
from usufruct.chain.codec import UnreadableAnswer, decode, encode
from usufruct.chain.contract_base import Call, Contract
from usufruct.chain.generate.names import snake
from usufruct.chain.hashing import keccak, selector
from usufruct.core import Address, Hash32, hash32_from_bytes

__all__ = ["Function", "Interface", "Parameter", "SeenEvent", "interface_of"]

_READING = ("view", "pure")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or a result: its name, empty where the source gives none, and its canonical ABI type."""

    name: str
    type: str
    indexed: bool = False


@dataclass(frozen=True)
class Function:
    """A function of a contract. `reads`: it changes nothing."""

    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    reads: bool

    @cached_property
    def signature(self) -> str:
        """Name and types, as in `transfer(address,uint256)`."""
        return f"{self.name}({','.join(each.type for each in self.inputs)})"

    def call(self, to: Address, values: Sequence[object] = (), value: int = 0) -> Call:
        """Return a call with these arguments; raises `Invalid` when one does not fit its type."""
        return Call(to, selector(self.signature) + encode([each.type for each in self.inputs], values), value)

    def arguments(self, data: bytes) -> tuple[Any, ...]:
        """Return the arguments of calldata; raises `UnreadableAnswer` when they are not what the types say."""
        return _decoded(self.inputs, data[4:])

    def results(self, data: bytes) -> tuple[Any, ...]:
        """Return what the function answered; raises `UnreadableAnswer` when it is not what the types say."""
        return _decoded(self.outputs, data)


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event of a log: its name, and the name and value of each parameter."""

    name: str
    parameters: tuple[tuple[Parameter, Any], ...]


@dataclass(frozen=True)
class Interface:
    """The functions and events of one contract."""

    name: str
    functions: tuple[Function, ...]
    _events: Mapping[Hash32, tuple[str, tuple[Parameter, ...]]]

    @cached_property
    def by_selector(self) -> Mapping[bytes, Function]:
        """Functions by the four bytes that calldata begins with."""
        return {selector(each.signature): each for each in self.functions}

    def named(self, name: str) -> list[Function]:
        """Return the functions of a name: several where it is overloaded."""
        return [each for each in self.functions if each.name == name]

    def event(self, log: Log) -> SeenEvent | None:
        """Return the event that a log is; None when the interface has none like it."""
        name, parameters = self._events.get(log.topics[0] if log.topics else Hash32(""), ("", ()))
        topics = [each for each in parameters if each.indexed]
        if not name or len(log.topics) != 1 + len(topics):
            return None
        words = b"".join(bytes.fromhex(topic[2:]) for topic in log.topics[1:])
        try:
            told = iter(decode([each.type if fits_topic(each.type) else "bytes32" for each in topics], words))
            plain = iter(_decoded([each for each in parameters if not each.indexed], log.data))
        except UnreadableAnswer:
            return None
        return SeenEvent(name, tuple((each, next(told if each.indexed else plain)) for each in parameters))


@cache
def interface_of(contract: str) -> Interface | None:
    """Return the interface of a generated contract by its name; None when there is no contract of this name."""
    module = f"{contracts.__name__}.{snake(contract)}"
    if not contract.isidentifier() or find_spec(module) is None:
        return None
    found = getattr(import_module(module), contract, None)
    if isinstance(found, type) and issubclass(found, Contract):
        return _interface(contract, found.ARTIFACT.abi)
    return None


def _interface(name: str, abi: Iterable[Mapping[str, Any]]) -> Interface:
    functions, events = [], {}
    for each in abi:
        if each["type"] == "function":
            reads = each["stateMutability"] in _READING
            functions.append(Function(each["name"], _parameters(each["inputs"]), _parameters(each["outputs"]), reads))
        elif each["type"] == "event":
            parameters = _parameters(each["inputs"])
            signature = f"{each['name']}({','.join(parameter.type for parameter in parameters)})"
            events[hash32_from_bytes(keccak(signature.encode()))] = (each["name"], parameters)
    return Interface(name, tuple(functions), events)


def _parameters(entries: Iterable[Mapping[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(Parameter(each["name"], _canonical(each), each.get("indexed", False)) for each in entries)


def _canonical(entry: Mapping[str, Any]) -> str:
    """Return a type as signatures have it: a struct as the tuple of its members."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_canonical, entry['components']))}){kind.removeprefix('tuple')}"


def _decoded(parameters: Sequence[Parameter], data: bytes) -> tuple[Any, ...]:
    return decode([each.type for each in parameters], data)
