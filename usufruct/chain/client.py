"""A node, asked in our types: blocks, logs, receipts, code, fees, and calls whose reverts are exceptions.

Everything else in this room, and every generated contract, asks through a `Client`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from usufruct.chain.binding import Block, Call, Creation, Log
from usufruct.chain.contracts.errors import ERRORS
from usufruct.chain.revert import Errors, decode_revert
from usufruct.chain.transport import Question, RpcRefused, Transport
from usufruct.core import Address, ChainId, Hash32

Topics = Sequence[Hash32 | Sequence[Hash32] | None]
"""A log filter: for each position a topic, any of several, or None for whatever."""


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
    """Recent fees in wei per gas: base fee of each block and of the next one, tips at the percentile asked for."""

    base_fees: tuple[int, ...]
    tips: tuple[int, ...]


class Client:
    """One node of one chain.

    Every method raises `RpcUnavailable` when the node does not answer and `RpcRefused` when it answers with an error;
    `call` and `estimate` raise the contract's own exception when it reverts.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 10.0, errors: Errors = ERRORS) -> None:
        self._transport = Transport(url, timeout_seconds)
        self._errors = errors

    def __repr__(self) -> str:
        return f"Client({self._transport!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection to the node."""
        await self._transport.close()

    async def ask(self, method: str, *parameters: object) -> Any:
        """Ask a question this class has no method for, and return the node's JSON."""
        return await self._transport.ask(method, *parameters)

    async def chain_id(self) -> ChainId:
        """Return which chain the node serves."""
        return ChainId(_number(await self.ask("eth_chainId")))

    async def block_number(self) -> int:
        """Return the number of the newest block."""
        return _number(await self.ask("eth_blockNumber"))

    async def header(self, block: Block = "latest") -> Header | None:
        """Return one block's header; None when there is no such block."""
        return (await self.headers([block]))[0]

    async def headers(self, blocks: Sequence[Block]) -> list[Header | None]:
        """Return several blocks' headers in one request, in order."""
        questions: list[Question] = [("eth_getBlockByNumber", (_block(block), False)) for block in blocks]
        return [_header(answer) for answer in await self._transport.ask_all(questions)]

    async def transactions(self, number: int) -> list[tuple[Address, int, Hash32]]:
        """Return (sender, nonce, hash) of every transaction in a block; empty when there is no such block."""
        block = await self.ask("eth_getBlockByNumber", hex(number), True)
        found = block["transactions"] if block else []
        return [(Address(t["from"].lower()), _number(t["nonce"]), Hash32(t["hash"])) for t in found]

    async def balance(self, address: Address, block: Block = "latest") -> int:
        """Return an account's wei."""
        return _number(await self.ask("eth_getBalance", address, _block(block)))

    async def nonce(self, address: Address, block: Block = "latest") -> int:
        """Return how many transactions an account has sent; "pending" counts those that wait."""
        return _number(await self.ask("eth_getTransactionCount", address, _block(block)))

    async def code_at(self, address: Address, block: Block = "latest") -> bytes:
        """Return the code at an address; empty when there is none."""
        return _bytes(await self.ask("eth_getCode", address, _block(block)))

    async def call(self, call: Call, *, block: Block = "latest", sender: Address | None = None) -> bytes:
        """Run a call without sending it and return its output.

        Raises:
            Revert: the contract's own error, when it refuses.
        """
        return _bytes(await self._run("eth_call", _call(call, sender), _block(block)))

    async def create(self, creation: Creation, *, sender: Address) -> bytes:
        """Create a contract without sending it and return its runtime code.

        Raises:
            Revert: the constructor's own error, when it refuses.
        """
        fields = {"from": sender, "data": "0x" + creation.init_code.hex(), "value": hex(creation.value)}
        return _bytes(await self._run("eth_call", fields, "latest"))

    async def estimate(self, call: Call, sender: Address) -> int:
        """Return the gas a call would take if sent by `sender` now.

        Raises:
            Revert: the contract's own error, when it refuses.
        """
        return _number(await self._run("eth_estimateGas", _call(call, sender), "latest"))

    async def logs(self, first: int, last: int, *, addresses: Sequence[Address] = (), topics: Topics = ()) -> list[Log]:
        """Return the logs of blocks `first` to `last` inclusive, in order; no address means any."""
        query: dict[str, object] = {"fromBlock": hex(first), "toBlock": hex(last)}
        if addresses:
            query["address"] = list(addresses)
        if topics:
            query["topics"] = list(topics)
        found = [_log(entry) for entry in await self.ask("eth_getLogs", query)]
        return sorted(found, key=lambda log: (log.block_number, log.index))

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        """Return a transaction's receipt; None while it is not mined."""
        return (await self.receipts([transaction]))[0]

    async def receipts(self, transactions: Sequence[Hash32]) -> list[Receipt | None]:
        """Return several receipts in one request, in order."""
        questions: list[Question] = [("eth_getTransactionReceipt", (each,)) for each in transactions]
        return [_receipt(answer) for answer in await self._transport.ask_all(questions)]

    async def send_raw(self, raw: bytes) -> Hash32:
        """Broadcast a signed transaction and return its hash."""
        return Hash32(await self.ask("eth_sendRawTransaction", "0x" + raw.hex()))

    async def fee_history(self, blocks: int = 5, percentile: int = 50) -> FeeHistory:
        """Return base fees of the last `blocks` and the next, and the tips paid at `percentile`."""
        answer = await self.ask("eth_feeHistory", hex(blocks), "latest", [percentile])
        return FeeHistory(
            tuple(_number(fee) for fee in answer["baseFeePerGas"]),
            tuple(_number(tips[0]) for tips in answer.get("reward") or ()),
        )

    async def _run(self, method: str, *parameters: object) -> Any:
        try:
            return await self.ask(method, *parameters)
        except RpcRefused as refused:
            data = _revert_data(refused.data)
            if data is None and refused.number != 3 and "revert" not in refused.reason:
                raise
            raise decode_revert(data or b"", self._errors, refused.reason) from None


def _number(answer: Any) -> int:
    return int(answer, 16)


def _bytes(answer: Any) -> bytes:
    return bytes.fromhex(answer.removeprefix("0x"))


def _block(block: Block) -> str:
    return hex(block) if isinstance(block, int) else block


def _call(call: Call, sender: Address | None) -> dict[str, str]:
    fields = {"to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    return fields | {"from": sender} if sender else fields


def _header(answer: Mapping[str, Any] | None) -> Header | None:
    if answer is None:
        return None
    return Header(
        number=_number(answer["number"]),
        hash=Hash32(answer["hash"]),
        parent=Hash32(answer["parentHash"]),
        timestamp=_number(answer["timestamp"]),
        base_fee=_number(answer.get("baseFeePerGas", "0x0")),
    )


def _log(answer: Mapping[str, Any]) -> Log:
    return Log(
        address=Address(answer["address"].lower()),
        topics=tuple(Hash32(topic) for topic in answer["topics"]),
        data=_bytes(answer["data"]),
        block_number=_number(answer["blockNumber"]),
        block_hash=Hash32(answer["blockHash"]),
        transaction_hash=Hash32(answer["transactionHash"]),
        index=_number(answer["logIndex"]),
    )


def _receipt(answer: Mapping[str, Any] | None) -> Receipt | None:
    if answer is None:
        return None
    created = answer.get("contractAddress")
    return Receipt(
        hash=Hash32(answer["transactionHash"]),
        succeeded=_number(answer["status"]) == 1,
        block_number=_number(answer["blockNumber"]),
        block_hash=Hash32(answer["blockHash"]),
        gas_used=_number(answer["gasUsed"]),
        gas_price=_number(answer.get("effectiveGasPrice", "0x0")),
        created=Address(created.lower()) if created else None,
        logs=tuple(_log(entry) for entry in answer["logs"]),
    )


def _revert_data(data: object) -> bytes | None:
    """Find revert data where nodes put it: as hex text, alone, after a word, or one level down."""
    if isinstance(data, Mapping):
        return _revert_data(data.get("data") or data.get("result"))
    if isinstance(data, str):
        digits = data.rpartition("0x")[2]
        if "0x" in data and len(digits) % 2 == 0 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
            return bytes.fromhex(digits)
    return None
