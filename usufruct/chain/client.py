"""A node, asked in our types: blocks, logs, receipts, code, fees, and calls whose reverts are exceptions.

Everything else in this package, and every generated contract, asks through a `Client`.
"""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from pydantic import TypeAdapter

from usufruct.chain.answers import (
    AMOUNT,
    BLOCK,
    BYTES,
    COUNT,
    FEES,
    HASH,
    HEADER,
    LOGS,
    RECEIPT,
    FeeHistory,
    Header,
    Log,
    MinedTransaction,
    Receipt,
    find_revert_data,
    read,
)
from usufruct.chain.contract_base import Block, Call, Creation
from usufruct.chain.contracts import ERRORS
from usufruct.chain.revert import Errors, Revert, decode_revert
from usufruct.chain.rpc_errors import RpcRefused, RpcUnreadable
from usufruct.chain.transport import Transport
from usufruct.core import Address, ChainId, Clock, Hash32

T = TypeVar("T")

Topics = Sequence[Hash32 | Sequence[Hash32] | None]
"""A log filter: for each position a topic, any of several, or None for whatever."""


class Client(Transport):
    """One node of one chain.

    Every method raises `RpcUnavailable` when the node does not answer and `RpcRefused` when it answers with an error;
    `call` and `estimate` raise the contract's own exception when it reverts.
    """

    errors: Errors = ERRORS
    """Classes of the errors that contracts refuse with."""

    async def probe(self) -> int:
        """Ask for the newest block's number though the node hung a moment ago."""
        self._probe_at = self._clock.monotonic()
        return await self.block_number()

    async def chain_id(self) -> ChainId:
        """Return which chain the node serves."""
        return ChainId(await self._answer(COUNT, "eth_chainId"))

    async def block_number(self) -> int:
        """Return the number of the newest block."""
        return await self._answer(COUNT, "eth_blockNumber")

    async def head(self) -> Header:
        """Return the newest block's header."""
        if header := await self.header("latest"):
            return header
        raise RpcUnreadable("the node has no newest block; check chain.rpc_url")

    async def header(self, block: Block) -> Header | None:
        """Return one block's header; None when the block does not exist."""
        return (await self.headers([block]))[0]

    async def headers(self, blocks: Sequence[Block]) -> list[Header | None]:
        """Return several blocks' headers in one request, in order."""
        found = await self._answers(HEADER, "eth_getBlockByNumber", [(_block(block), False) for block in blocks])
        for block, header in zip(blocks, found, strict=True):
            if header is not None and isinstance(block, int) and header.number != block:
                raise RpcUnreadable(f"the node answered block {header.number} for block {block}; check chain.rpc_url")
        return found

    async def transactions(self, number: int) -> Sequence[MinedTransaction]:
        """Return every transaction of a block; none when the block does not exist."""
        (block,) = await self._answers(BLOCK, "eth_getBlockByNumber", [(hex(number), True)])
        return block.transactions if block else ()

    async def balance(self, address: Address, block: Block = "latest") -> int:
        """Return an account's wei."""
        return await self._answer(AMOUNT, "eth_getBalance", address, _block(block))

    async def nonce(self, address: Address, block: Block = "latest") -> int:
        """Return how many transactions an account has sent; "pending" counts those that wait."""
        return await self._answer(COUNT, "eth_getTransactionCount", address, _block(block))

    async def code_at(self, address: Address, block: Block = "latest") -> bytes:
        """Return the code at an address; empty when there is none."""
        return await self._answer(BYTES, "eth_getCode", address, _block(block))

    async def call(self, call: Call, *, block: Block = "latest", sender: Address | None = None) -> bytes:
        """Run a call without sending it and return its output.

        Raises:
            Revert: the contract's own error, when it refuses.
        """
        return await self._run(BYTES, "eth_call", _call(call, sender), _block(block))

    async def create(self, creation: Creation, *, sender: Address, gas: int | None = None) -> bytes:
        """Create a contract without sending it and return its runtime code; `gas`: the most that it may take.

        Raises:
            Revert: the constructor's own error, when it refuses.
        """
        fields = {"from": sender, "data": "0x" + creation.init_code.hex()} | ({} if gas is None else {"gas": hex(gas)})
        return await self._run(BYTES, "eth_call", fields, "latest")

    async def estimate(self, call: Call, sender: Address) -> int:
        """Return the gas a call would take if sent by `sender` now.

        Raises:
            Revert: the contract's own error, when it refuses.
        """
        return await self._run(COUNT, "eth_estimateGas", _call(call, sender), "latest")

    async def logs(self, first: int, last: int, *, addresses: Sequence[Address] = (), topics: Topics = ()) -> list[Log]:
        """Return the logs of blocks `first` to `last` inclusive, in order; no address means any."""
        query: dict[str, object] = {"fromBlock": hex(first), "toBlock": hex(last)}
        if addresses:
            query["address"] = list(addresses)
        if topics:
            query["topics"] = list(topics)
        logs = await self._answer(LOGS, "eth_getLogs", query)
        if strays := [log.block_number for log in logs if not first <= log.block_number <= last]:
            raise RpcUnreadable(
                f"the node answered logs of block {strays[0]} for blocks {first} to {last}; check chain.rpc_url"
            )
        return list(logs)

    async def hidden_logs(self, blocks: int) -> list[int]:
        """Return which of the newest blocks hold logs by their headers, and none by the node's answer."""
        head = await self.block_number()
        headers = await self.headers(range(max(0, head - blocks + 1), head + 1))
        full = [header.number for header in headers if header and header.has_logs]
        return [number for number in full if not await self.logs(number, number)]

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        """Return a transaction's receipt; None while it is not mined."""
        return (await self.receipts([transaction]))[0]

    async def receipts(self, transactions: Sequence[Hash32]) -> list[Receipt | None]:
        """Return several receipts in one request, in order."""
        found = await self._answers(RECEIPT, "eth_getTransactionReceipt", [(each,) for each in transactions])
        for transaction, receipt in zip(transactions, found, strict=True):
            if receipt is not None and receipt.hash != transaction:
                raise RpcUnreadable(f"the node answered the receipt of {receipt.hash} for {transaction}")
        return found

    async def send_raw(self, raw: bytes) -> Hash32:
        """Broadcast a signed transaction and return its hash."""
        return await self._answer(HASH, "eth_sendRawTransaction", "0x" + raw.hex())

    async def fee_history(self, blocks: int = 5, percentile: int = 50) -> FeeHistory:
        """Return base fees of the last `blocks` and the next, and tips paid at `percentile`, as far as known."""
        return await self._answer(FEES, "eth_feeHistory", hex(blocks), "latest", [percentile])

    def refusal(self, data: bytes) -> Revert:
        """Return the exception that revert data means: the contract's own error where it is known."""
        return decode_revert(data, self.errors)

    async def _answer(self, kind: TypeAdapter[T], method: str, *parameters: object) -> T:
        return read(kind, await self.ask(method, *parameters), method)

    async def _answers(
        self, kind: TypeAdapter[T], method: str, questions: Sequence[Sequence[object]]
    ) -> list[T | None]:
        """Ask one method about several things; None where the node knows of none."""
        answers = await self.ask_all([(method, parameters) for parameters in questions])
        return [None if answer is None else read(kind, answer, method) for answer in answers]

    async def _run(self, kind: TypeAdapter[T], method: str, *parameters: object) -> T:
        """Have the node run a call; a refusal raises the contract's own exception."""
        try:
            return await self._answer(kind, method, *parameters)
        except RpcRefused as refused:
            data = find_revert_data(refused.data)
            if data is None and refused.number != 3 and "revert" not in refused.reason:
                raise
            raise decode_revert(data or b"", self.errors, refused.reason) from None


class ChainHead:
    """The newest block's header, at most `fresh_seconds` old.

    Streams that find the head unchanged since they were idle ask the node nothing else.
    """

    def __init__(self, client: Client, fresh_seconds: float, clock: Clock | None = None) -> None:
        self._client = client
        self._fresh_seconds = fresh_seconds
        self._clock = clock or Clock()
        self._reading = asyncio.Lock()
        self._header: Header | None = None
        self._read_at = 0.0

    async def latest(self) -> Header:
        """Return the newest block's header; raises `RpcUnavailable` when the node does not answer."""
        async with self._reading:
            now = self._clock.monotonic()
            if self._header is None or now - self._read_at >= self._fresh_seconds:
                self._header = await self._client.head()
                self._read_at = now
            return self._header


def _block(block: Block) -> str:
    return hex(block) if isinstance(block, int) else block


def _call(call: Call, sender: Address | None) -> dict[str, str]:
    fields = {"to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    return fields | {"from": sender} if sender else fields
