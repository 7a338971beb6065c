"""The base of generated contract modules: calls, logs, events, artifacts.

View functions of a generated contract are awaitable (`await shares.balance_of(holder)`). State-changing ones return an
unsigned `Call` and send nothing (`shares.collect(usdc)`): a `Sender`, a smart wallet or a DAO proposal sends it, or a
fee preview only simulates it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

import orjson

from usufruct.chain.codec import UnreadableAnswer, Values, decode, encode
from usufruct.core import Address, Faulty, Hash32, Invalid

Block = int | Literal["earliest", "finalized", "safe", "latest", "pending"]
"""A block by number or by name."""


class NotThisEvent(Invalid):
    """A log is another event than the one it was decoded as."""

    code = "not_this_event"


class NoReader(Faulty):
    """A contract was asked a question without a node to ask."""

    code = "no_reader"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a contract, not sent: address, calldata, and wei that goes with it."""

    to: Address
    data: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class Creation:
    """One contract to be created, not sent: creation code with its encoded arguments, and wei that goes with it."""

    init_code: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class Log:
    """One event log as the chain keeps it."""

    address: Address
    topics: tuple[Hash32, ...]
    data: bytes
    block_number: int
    block_hash: Hash32
    transaction_hash: Hash32
    index: int
    """Position in the block."""


class Reader(Protocol):
    """Where contracts ask; `Client` is one."""

    async def call(self, call: Call, *, block: Block = "latest", sender: Address | None = None) -> bytes:
        """Run a call without sending it and return its output; a revert is raised as its exception."""


class Event:
    """Base of generated events; subclasses are frozen dataclasses."""

    __slots__ = ()
    SIGNATURE: ClassVar[str]
    TOPIC: ClassVar[Hash32 | None]
    """First topic; None for an anonymous event."""

    @classmethod
    def decode(cls, log: Log) -> Self:
        """Read the event from a log.

        Raises:
            NotThisEvent: when the log is another event.
        """
        raise NotImplementedError

    @classmethod
    def among(cls, logs: Iterable[Log], emitter: Address) -> list[Self]:
        """Return the events of this kind that one contract emitted."""
        return [cls.decode(log) for log in logs if log.address == emitter and log.topics[:1] == (cls.TOPIC,)]

    @classmethod
    def _split(cls, log: Log, indexed: Sequence[str], data: Sequence[str]) -> tuple[Values, Values]:
        topics = log.topics if cls.TOPIC is None else log.topics[1:]
        if (cls.TOPIC is not None and log.topics[:1] != (cls.TOPIC,)) or len(topics) != len(indexed):
            raise NotThisEvent(f"log {log.index} of {log.transaction_hash} is not {cls.SIGNATURE}")
        try:
            words = (decode((kind,), bytes.fromhex(topic[2:]))[0] for kind, topic in zip(indexed, topics, strict=True))
            return tuple(words), decode(data, log.data)
        except UnreadableAnswer:
            raise NotThisEvent(f"log {log.index} of {log.transaction_hash} is a malformed {cls.SIGNATURE}") from None


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
            if event.TOPIC is not None and log.topics[:1] == (event.TOPIC,):
                return event.decode(log)
        return None

    @classmethod
    def _creation(cls, types: Sequence[str], values: Sequence[object], value: int = 0) -> Creation:
        return Creation(cls.ARTIFACT.creation_code + encode(types, values), value)

    def _call(self, selector: str, types: Sequence[str], values: Sequence[object], value: int = 0) -> Call:
        return Call(self.address, bytes.fromhex(selector) + encode(types, values), value)

    async def _read(
        self, selector: str, types: Sequence[str], values: Sequence[object], outputs: Sequence[str]
    ) -> Values:
        if self._reader is None:
            raise NoReader(f"{self!r} has no node to ask; construct it with a Client")
        return decode(outputs, await self._reader.call(self._call(selector, types, values), block=self._block))
