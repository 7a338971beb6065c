"""The base of generated contract modules: calls, logs, events, artifacts.

View functions of a generated contract are awaitable (`await shares.balance_of(holder)`). State-changing ones return an
unsigned `Call` and send nothing (`shares.collect(usdc)`): a `Sender`, a smart wallet or a DAO proposal sends it, or a
fee preview only simulates it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self, TypeVar

import orjson

from usufruct.chain.abi import fits_topic, parameter_types
from usufruct.chain.answers import Log
from usufruct.chain.codec import UnreadableAnswer, decode, encode, typed
from usufruct.chain.hashing import keccak, selector
from usufruct.core import Address, Faulty, Hash32, Invalid, hash32_from_bytes

T = TypeVar("T")

_INDEXED = " indexed"

Block = int | Literal["earliest", "finalized", "safe", "latest", "pending"]
"""A block by number or by name."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a contract, not sent: address, calldata, and wei that goes with it."""

    to: Address
    data: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class Creation:
    """One contract to be created, not sent: creation code with its encoded arguments."""

    init_code: bytes


class Reader(Protocol):
    """Where contracts ask; `Client` is one."""

    async def call(self, call: Call, *, block: Block = "latest", sender: Address | None = None) -> bytes:
        """Run a call without sending it and return its output; a revert is raised as its exception."""


class Event:
    """Base of generated events; subclasses are values with the event's parameters in order."""

    __slots__ = ()
    DECLARATION: ClassVar[str]
    """As Solidity writes it, without names: "Transfer(address indexed,address indexed,uint256)"."""
    TOPIC: ClassVar[Hash32]
    """First topic of its logs: the hash of its signature."""

    def __init_subclass__(cls) -> None:
        cls.TOPIC = hash32_from_bytes(keccak(cls.DECLARATION.replace(_INDEXED, "").encode()))

    @classmethod
    def decode(cls, log: Log) -> Self:
        """Read the event from a log; raises `Invalid` when the log is another event."""
        try:
            found: Self = typed(cls, cls._values(log, cls.DECLARATION))
        except UnreadableAnswer:
            raise _malformed(cls.DECLARATION, log) from None
        return found

    @classmethod
    def raw_values(cls, log: Log) -> tuple[Any, ...]:
        """Read the parameters, texts as bytes: a contract may emit what is not UTF-8; raises `Invalid` as `decode`."""
        try:
            return cls._values(log, cls.DECLARATION.replace("string", "bytes"))
        except UnreadableAnswer:
            raise _malformed(cls.DECLARATION, log) from None

    @classmethod
    def _values(cls, log: Log, declaration: str) -> tuple[Any, ...]:
        kinds, indexed, plain = _layout(declaration)
        if log.topics[:1] != (cls.TOPIC,) or len(log.topics) != 1 + len(indexed):
            raise Invalid(f"log {log.index} of {log.transaction_hash} is not {cls.DECLARATION}", code="not_this_event")
        topics = iter(decode(indexed, bytes.fromhex("".join(topic[2:] for topic in log.topics[1:]))))
        data = iter(decode(plain, log.data))
        return tuple(next(topics if kind.endswith(_INDEXED) else data) for kind in kinds)

    @classmethod
    def among(cls, logs: Iterable[Log], emitter: Address) -> list[Self]:
        """Return the events of this kind that one contract emitted."""
        return [cls.decode(log) for log in logs if log.address == emitter and log.topics[:1] == (cls.TOPIC,)]


def _malformed(declaration: str, log: Log) -> Invalid:
    message = f"log {log.index} of {log.transaction_hash} is a malformed {declaration}"
    return Invalid(message, code="not_this_event")


@cache
def _layout(declaration: str) -> tuple[tuple[str, ...], list[str], list[str]]:
    """Return the types of an event's parameters, of its topics and of its data."""
    kinds = parameter_types(declaration)
    indexed = [kind.removesuffix(_INDEXED) for kind in kinds if kind.endswith(_INDEXED)]
    topics = [kind if fits_topic(kind) else "bytes32" for kind in indexed]
    return kinds, topics, [kind for kind in kinds if not kind.endswith(_INDEXED)]


@cache
def _load(path: Path) -> Mapping[str, Any]:
    compiled: Mapping[str, Any] = orjson.loads(path.read_bytes())
    return compiled


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the compiler made of one contract, in a JSON file beside its generated module."""

    path: Path

    @property
    def abi(self) -> list[dict[str, Any]]:
        """Return the contract's ABI as JSON values."""
        abi: list[dict[str, Any]] = _load(self.path)["abi"]
        return abi

    @property
    def creation_code(self) -> bytes:
        """Return the creation code, without constructor arguments; empty for an interface."""
        return bytes.fromhex(_load(self.path)["creation"])

    @property
    def version(self) -> str:
        """Return the `VERSION` the source declares; empty when it declares none."""
        return str(_load(self.path)["version"])

    def is_runtime(self, code: bytes) -> bool:
        """Tell whether `code` is this contract as deployed, whatever its immutables hold."""
        entry = _load(self.path)
        expected = bytearray.fromhex(entry["runtime"])
        if len(code) != len(expected) or not code:
            return False
        for start, length in entry["immutables"]:
            expected[start : start + length] = code[start : start + length]
        return bytes(expected) == code


class Contract:
    """Base of generated contracts: an address, and a node to ask about it.

    Without a reader it still writes calls, which need no node.
    """

    ARTIFACT: ClassVar[Artifact]
    EVENTS: ClassVar[tuple[type[Event], ...]] = ()
    __test__ = False  # pytest takes any class called Test... for a test, and there is a TestDollar
    __slots__ = ("_block", "_reader", "address")

    def __init__(self, address: Address, reader: Reader | None = None, *, block: Block = "latest") -> None:
        self.address = address
        self._reader = reader
        self._block = block

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    def at_block(self, block: Block) -> Self:
        """Return the same contract, answering as of `block`."""
        return type(self)(self.address, self._reader, block=block)

    @classmethod
    def decode_log(cls, log: Log) -> Event | None:
        """Read a log as whichever of the contract's events it is; None when it is none of them."""
        for event in cls.EVENTS:
            if log.topics[:1] == (event.TOPIC,):
                return event.decode(log)
        return None

    @classmethod
    def _creation(cls, types: str, *values: object) -> Creation:
        return Creation(cls.ARTIFACT.creation_code + encode(parameter_types(types), values))

    def _call(self, signature: str, *values: object, value: int = 0) -> Call:
        return Call(self.address, selector(signature) + encode(parameter_types(signature), values), value)

    async def _read(self, kind: type[T], declaration: str, *values: object) -> T:
        """Ask a function such as "balanceOf(address) returns (uint256)"; several results make one `kind`."""
        if self._reader is None:
            raise Faulty(f"{self!r} has no node to ask; construct it with a Client", code="no_reader")
        signature, _, outputs = declaration.partition(" returns ")
        answer = await self._reader.call(self._call(signature, *values), block=self._block)
        results = decode(parameter_types(outputs), answer)
        found: T = typed(kind, results[0] if len(results) == 1 else results)
        return found
