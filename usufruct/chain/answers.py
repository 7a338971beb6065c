"""Reads nodes' JSON into our types. Whatever the JSON is, nothing but `RpcUnreadable` is raised.

Quantities are hexadecimal text, as the JSON-RPC specification says, or JSON integers, as some nodes answer. What goes
into a database column must fit it, so block numbers, nonces, times and gas are less than 2^63, amounts less than 2^256.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from usufruct.chain.rpc_errors import RpcUnreadable
from usufruct.core import Address, Hash32

T = TypeVar("T")

_HEX = re.compile(r"0[xX][0-9a-fA-F]*\Z")
_SHOWN = 60
_COUNT_BITS = 63
_AMOUNT_BITS = 256


def _number(answer: object, bits: int) -> int:
    if isinstance(answer, str) and _HEX.match(answer) and 2 < len(answer) <= 2 + _AMOUNT_BITS // 4:
        answer = int(answer, 16)
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < 1 << bits:
        return answer
    raise ValueError("not a quantity")


def _digits(answer: object, length: int) -> str:
    if isinstance(answer, str) and len(answer) == length + 2 and _HEX.match(answer):
        return answer.lower()
    raise ValueError(f"not {length} hexadecimal digits")


def _bytes(answer: object) -> bytes:
    if isinstance(answer, str) and _HEX.match(answer) and len(answer) % 2 == 0:
        return bytes.fromhex(answer[2:])
    raise ValueError("not an even number of hexadecimal digits")


def _has_logs(bloom: object) -> bool:
    return isinstance(bloom, str) and bool(_HEX.match(bloom)) and bool(bloom[2:].strip("0"))


def _known_amounts(entries: object) -> tuple[int, ...]:
    """Return the amounts of a list, without what is none."""
    found: list[int] = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            found.append(_number(entry, _AMOUNT_BITS))
        except ValueError:
            continue
    return tuple(found)


def _known_tips(rewards: object) -> tuple[int, ...]:
    entries = rewards if isinstance(rewards, list) else ()
    return _known_amounts([each[0] for each in entries if isinstance(each, list) and each])


def _without_removed(logs: object) -> object:
    if not isinstance(logs, list):
        return logs
    return [log for log in logs if not (isinstance(log, dict) and log.get("removed") is True)]


_Count = Annotated[int, PlainValidator(partial(_number, bits=_COUNT_BITS))]
_Amount = Annotated[int, PlainValidator(partial(_number, bits=_AMOUNT_BITS))]
_AmountIfAny = Annotated[int, PlainValidator(lambda answer: 0 if answer is None else _number(answer, _AMOUNT_BITS))]
_Hash = Annotated[Hash32, PlainValidator(partial(_digits, length=64))]
_Address = Annotated[Address, PlainValidator(partial(_digits, length=40))]
_Bytes = Annotated[bytes, PlainValidator(_bytes)]


class _Answer:
    """Base of the objects that a node answers with; their members are in camelCase there."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(alias_generator=to_camel, extra="ignore", defer_build=True)


@dataclass(frozen=True, slots=True)
class Header(_Answer):
    """What identifies one block: number, hashes, and its time in seconds since 1970."""

    number: _Count
    hash: _Hash
    parent: Annotated[_Hash, Field(alias="parentHash")]
    timestamp: _Count
    base_fee: Annotated[_AmountIfAny, Field(alias="baseFeePerGas")] = 0
    """Wei per gas."""
    gas_limit: Annotated[_AmountIfAny, Field(alias="gasLimit")] = 0
    """The most gas of its transactions together; 0 where the node does not tell."""
    has_logs: Annotated[bool, PlainValidator(_has_logs), Field(alias="logsBloom")] = False
    """Whether the block holds logs: its bloom is not empty."""


@dataclass(frozen=True, slots=True)
class Log(_Answer):
    """One event log as the chain keeps it."""

    address: _Address
    topics: tuple[_Hash, ...]
    data: _Bytes
    block_number: _Count
    block_hash: _Hash
    transaction_hash: _Hash
    index: Annotated[_Count, Field(alias="logIndex")]
    """Position in the block."""


_Logs = Annotated[
    tuple[Log, ...],
    BeforeValidator(_without_removed),
    AfterValidator(lambda logs: tuple(sorted(logs, key=lambda log: (log.block_number, log.index)))),
]
"""In the order of the chain, without those that a node calls removed."""


@dataclass(frozen=True, slots=True)
class Receipt(_Answer):
    """What became of a mined transaction."""

    hash: Annotated[_Hash, Field(alias="transactionHash")]
    succeeded: Annotated[bool, PlainValidator(lambda status: _number(status, _COUNT_BITS) == 1), Field(alias="status")]
    block_number: _Count
    block_hash: _Hash
    gas_used: _Count
    logs: _Logs
    gas_price: Annotated[_AmountIfAny, Field(alias="effectiveGasPrice")] = 0
    """Wei per gas that was paid."""
    created: Annotated[_Address | None, Field(alias="contractAddress")] = None
    """The contract it created."""


@dataclass(frozen=True, slots=True)
class SimulatedCall(_Answer):
    """What one call would do, after those simulated before it."""

    succeeded: Annotated[bool, PlainValidator(lambda status: _number(status, _COUNT_BITS) == 1), Field(alias="status")]
    output: Annotated[_Bytes, Field(alias="returnData")]
    """What it returned, or the data of its revert."""
    logs: _Logs
    gas_used: _Count


@dataclass(frozen=True, slots=True)
class SimulatedBlock(_Answer):
    """The calls of one simulated block, in order."""

    calls: tuple[SimulatedCall, ...]


@dataclass(frozen=True, slots=True)
class MinedTransaction(_Answer):
    """One transaction of a block: who sent it, with which nonce."""

    sender: Annotated[_Address, Field(alias="from")]
    nonce: _Count
    hash: _Hash


@dataclass(frozen=True, slots=True)
class FullBlock(_Answer):
    """A block's transactions."""

    transactions: tuple[MinedTransaction, ...]


@dataclass(frozen=True, slots=True)
class FeeHistory(_Answer):
    """Recent fees in wei per gas: base fee of each block and of the next one, tips at the percentile asked for.

    Either may be empty: nodes leave out what they do not know.
    """

    base_fees: Annotated[tuple[int, ...], PlainValidator(_known_amounts), Field(alias="baseFeePerGas")] = ()
    tips: Annotated[tuple[int, ...], PlainValidator(_known_tips), Field(alias="reward")] = ()


_DEFERRED = ConfigDict(defer_build=True)
COUNT: TypeAdapter[int] = TypeAdapter(_Count, config=_DEFERRED)
AMOUNT: TypeAdapter[int] = TypeAdapter(_Amount, config=_DEFERRED)
BYTES: TypeAdapter[bytes] = TypeAdapter(_Bytes, config=_DEFERRED)
HASH: TypeAdapter[Hash32] = TypeAdapter(_Hash, config=_DEFERRED)
LOGS: TypeAdapter[tuple[Log, ...]] = TypeAdapter(_Logs, config=_DEFERRED)
HEADER: TypeAdapter[Header] = TypeAdapter(Header)
RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)
BLOCK: TypeAdapter[FullBlock] = TypeAdapter(FullBlock)
FEES: TypeAdapter[FeeHistory] = TypeAdapter(FeeHistory)
SIMULATED: TypeAdapter[tuple[SimulatedBlock]] = TypeAdapter(tuple[SimulatedBlock], config=_DEFERRED)


def read(kind: TypeAdapter[T], answer: object, method: str) -> T:
    """Read what a node answered to a method."""
    try:
        return kind.validate_python(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, (method, *first["loc"])))
        shown = repr(first["input"])[:_SHOWN]
        raise RpcUnreadable(
            f"the node's answer to {place} cannot be read: {shown}; check the node at chain.rpc_url"
        ) from None


def find_revert_data(data: object) -> bytes | None:
    """Find revert data where nodes put it: as hex text, alone, after a word, or some levels down."""
    for _ in range(8):
        if not isinstance(data, Mapping):
            break
        data = data.get("data") or data.get("result")
    if isinstance(data, str) and "0x" in data:
        digits = "0x" + data.rpartition("0x")[2]
        if len(digits) % 2 == 0 and _HEX.match(digits):
            return bytes.fromhex(digits[2:])
    return None
