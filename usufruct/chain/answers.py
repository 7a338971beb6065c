"""Reads nodes' JSON into our types. Whatever the JSON is, nothing but `RpcUnreadable` is raised.

Quantities are hexadecimal text, as the JSON-RPC specification says, or JSON integers, as some nodes answer. What goes
into a database column must fit it, so block numbers, nonces, times and gas are less than 2^63, amounts less than 2^256.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usufruct.chain.binding import Log
from usufruct.chain.rpc_errors import RpcUnreadable
from usufruct.core import Address, Hash32

_HEX = re.compile(r"0[xX][0-9a-fA-F]*\Z")
_SHOWN = 60
_COUNT_BITS = 63
_AMOUNT_BITS = 256


@dataclass(frozen=True, slots=True)
class Header:
    """What identifies one block: number, hashes, and its time in seconds since 1970."""

    number: int
    hash: Hash32
    parent: Hash32
    timestamp: int
    base_fee: int
    """Wei per gas."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction."""

    hash: Hash32
    succeeded: bool
    block_number: int
    block_hash: Hash32
    gas_used: int
    gas_price: int
    """Wei per gas that was paid."""
    created: Address | None
    """The contract it created."""
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """Recent fees in wei per gas: base fee of each block and of the next one, tips at the percentile asked for.

    Either may be empty: nodes leave out what they do not know.
    """

    base_fees: tuple[int, ...]
    tips: tuple[int, ...]


def read_count(answer: object, what: str) -> int:
    """Return a number of things: a block number, a nonce, a time, gas."""
    return _number(answer, what, _COUNT_BITS)


def read_amount(answer: object, what: str) -> int:
    """Return an amount of wei."""
    return _number(answer, what, _AMOUNT_BITS)


def read_bytes(answer: object, what: str) -> bytes:
    """Return bytes, written as an even number of hexadecimal digits."""
    if isinstance(answer, str) and _HEX.match(answer) and len(answer) % 2 == 0:
        return bytes.fromhex(answer[2:])
    raise _unreadable(answer, what)


def read_hash(answer: object, what: str) -> Hash32:
    """Return 32 bytes, in lower case."""
    return Hash32(_digits(answer, what, 64))


def read_address(answer: object, what: str) -> Address:
    """Return an address, in lower case."""
    return Address(_digits(answer, what, 40))


def read_header(answer: object, what: str) -> Header | None:
    """Return a block's header; None for no such block."""
    if answer is None:
        return None
    block = _object(answer, what)
    return Header(
        number=read_count(block.get("number"), f"{what}: number"),
        hash=read_hash(block.get("hash"), f"{what}: hash"),
        parent=read_hash(block.get("parentHash"), f"{what}: parentHash"),
        timestamp=read_count(block.get("timestamp"), f"{what}: timestamp"),
        base_fee=read_amount(_or_zero(block.get("baseFeePerGas")), f"{what}: baseFeePerGas"),
    )


def read_transactions(answer: object, what: str) -> list[tuple[Address, int, Hash32]]:
    """Return (sender, nonce, hash) of each transaction of a block; empty for no such block."""
    if answer is None:
        return []
    found = [_object(each, what) for each in _list(_object(answer, what).get("transactions"), f"{what}: transactions")]
    return [
        (
            read_address(each.get("from"), f"{what}: from"),
            read_count(each.get("nonce"), f"{what}: nonce"),
            read_hash(each.get("hash"), f"{what}: hash"),
        )
        for each in found
    ]


def read_log(answer: object, what: str) -> Log:
    """Return one log."""
    log = _object(answer, what)
    return Log(
        address=read_address(log.get("address"), f"{what}: address"),
        topics=tuple(read_hash(topic, f"{what}: topics") for topic in _list(log.get("topics"), f"{what}: topics")),
        data=read_bytes(log.get("data"), f"{what}: data"),
        block_number=read_count(log.get("blockNumber"), f"{what}: blockNumber"),
        block_hash=read_hash(log.get("blockHash"), f"{what}: blockHash"),
        transaction_hash=read_hash(log.get("transactionHash"), f"{what}: transactionHash"),
        index=read_count(log.get("logIndex"), f"{what}: logIndex"),
    )


def read_logs(answer: object, what: str) -> list[Log]:
    """Return logs in the order of the chain, without those a node calls removed."""
    entries = [_object(entry, what) for entry in _list(answer, what)]
    logs = [read_log(entry, what) for entry in entries if entry.get("removed") is not True]
    return sorted(logs, key=lambda log: (log.block_number, log.index))


def read_receipt(answer: object, what: str) -> Receipt | None:
    """Return a receipt; None while the transaction is not mined."""
    if answer is None:
        return None
    receipt = _object(answer, what)
    created = receipt.get("contractAddress")
    return Receipt(
        hash=read_hash(receipt.get("transactionHash"), f"{what}: transactionHash"),
        succeeded=read_count(receipt.get("status"), f"{what}: status") == 1,
        block_number=read_count(receipt.get("blockNumber"), f"{what}: blockNumber"),
        block_hash=read_hash(receipt.get("blockHash"), f"{what}: blockHash"),
        gas_used=read_count(receipt.get("gasUsed"), f"{what}: gasUsed"),
        gas_price=read_amount(_or_zero(receipt.get("effectiveGasPrice")), f"{what}: effectiveGasPrice"),
        created=read_address(created, f"{what}: contractAddress") if created is not None else None,
        logs=tuple(read_logs(receipt.get("logs"), f"{what}: logs")),
    )


def read_fee_history(answer: object, what: str) -> FeeHistory:
    """Return what a node knows of recent fees; missing or malformed parts are left out."""
    history = _object(answer, what)
    fees, rewards = history.get("baseFeePerGas"), history.get("reward")
    tips = [each[0] for each in rewards if isinstance(each, list) and each] if isinstance(rewards, list) else []
    return FeeHistory(_readable(fees, f"{what}: baseFeePerGas"), _readable(tips, f"{what}: reward"))


def has_logs(block: object) -> bool:
    """Tell whether a block's header says that the block holds logs: its bloom is not empty."""
    bloom = block.get("logsBloom") if isinstance(block, dict) else None
    return isinstance(bloom, str) and bool(_HEX.match(bloom)) and bool(bloom[2:].strip("0"))


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


def _readable(entries: object, what: str) -> tuple[int, ...]:
    found: list[int] = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            found.append(read_amount(entry, what))
        except RpcUnreadable:
            continue
    return tuple(found)


def _number(answer: object, what: str, bits: int) -> int:
    if isinstance(answer, str) and _HEX.match(answer) and 2 < len(answer) <= 2 + _AMOUNT_BITS // 4:
        number = int(answer, 16)
    elif isinstance(answer, int) and not isinstance(answer, bool):
        number = answer
    else:
        raise _unreadable(answer, what)
    if not 0 <= number < 1 << bits:
        raise _unreadable(answer, what)
    return number


def _digits(answer: object, what: str, length: int) -> str:
    if isinstance(answer, str) and len(answer) == length + 2 and _HEX.match(answer):
        return answer.lower()
    raise _unreadable(answer, what)


def _or_zero(answer: object) -> object:
    return 0 if answer is None else answer


def _object(answer: object, what: str) -> Mapping[str, Any]:
    if isinstance(answer, dict):
        return answer
    raise _unreadable(answer, what)


def _list(answer: object, what: str) -> list[Any]:
    if isinstance(answer, list):
        return answer
    raise _unreadable(answer, what)


def _unreadable(answer: object, what: str) -> RpcUnreadable:
    shown = repr(answer)[:_SHOWN]
    return RpcUnreadable(f"the node's answer to {what} cannot be read: {shown}; check the node at chain.rpc_url")
