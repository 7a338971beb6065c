"""A node, asked in our types: blocks, logs, receipts, code, fees, and calls whose reverts are exceptions.

Everything else in this package, and every generated contract, asks through a `Client`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any, Self

from usufruct.chain.answers import (
    FeeHistory,
    Header,
    Receipt,
    find_revert_data,
    has_logs,
    read_amount,
    read_bytes,
    read_count,
    read_fee_history,
    read_hash,
    read_header,
    read_logs,
    read_receipt,
    read_transactions,
)
from usufruct.chain.binding import Block, Call, Creation, Log
from usufruct.chain.contracts import ERRORS
from usufruct.chain.http import Wire
from usufruct.chain.revert import Errors, decode_revert
from usufruct.chain.rpc_errors import RpcRefused, RpcUnreadable
from usufruct.chain.transport import Question, RetryPolicy, Transport
from usufruct.core import Address, ChainId, Clock, Hash32

Topics = Sequence[Hash32 | Sequence[Hash32] | None]
"""A log filter: for each position a topic, any of several, or None for whatever."""


_CHECKED_BY: ContextVar["Client | None"] = ContextVar("checked_by", default=None)
"""The client whose check asks: its questions do not wait for the check."""


class Client:
    """One node of one chain.

    Every method raises `RpcUnavailable` when the node does not answer and `RpcRefused` when it answers with an error;
    `call` and `estimate` raise the contract's own exception when it reverts.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 10.0,
        errors: Errors = ERRORS,
        wire: Wire | None = None,
        retry: RetryPolicy | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Clock | None = None,
        check: "Callable[[Client], Awaitable[None]] | None" = None,
    ) -> None:
        """Ask the node at `url`. `check` is run before the first question: a node that fails it is not asked others."""
        self._check = check
        self._checking = asyncio.Lock()
        self._transport = Transport(url, timeout_seconds, wire=wire, retry=retry, pause=pause, clock=clock)
        self._errors = errors

    def __repr__(self) -> str:
        return f"Client({self._transport!r})"

    @property
    def batch(self) -> int:
        """How many questions at most go into one request, as far as the node's limit is known."""
        return self._transport.batch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection to the node."""
        await self._transport.close()

    async def ask(self, method: str, *parameters: object) -> Any:
        """Ask a question this class has no method for, and return the node's JSON."""
        await self.ready()
        return await self._transport.ask(method, *parameters)

    async def ready(self) -> None:
        """Make sure that the node passed its check.

        Raises:
            RpcUnavailable: when it does not answer.
        """
        if self._check is None or _CHECKED_BY.get() is self:
            return
        async with self._checking:
            if self._check is not None:
                token = _CHECKED_BY.set(self)
                try:
                    await self._check(self)
                finally:
                    _CHECKED_BY.reset(token)
                self._check = None

    async def probe(self) -> int:
        """Ask for the newest block's number though the node hung a moment ago."""
        self._transport.allow_probe()
        return await self.block_number()

    async def chain_id(self) -> ChainId:
        """Return which chain the node serves."""
        return ChainId(read_count(await self.ask("eth_chainId"), "eth_chainId"))

    async def block_number(self) -> int:
        """Return the number of the newest block."""
        return read_count(await self.ask("eth_blockNumber"), "eth_blockNumber")

    async def header(self, block: Block = "latest") -> Header | None:
        """Return one block's header; None when the block does not exist."""
        return (await self.headers([block]))[0]

    async def headers(self, blocks: Sequence[Block]) -> list[Header | None]:
        """Return several blocks' headers in one request, in order."""
        questions: list[Question] = [("eth_getBlockByNumber", (_block(block), False)) for block in blocks]
        answers = await self._ask_all(questions)
        found = [read_header(answer, "eth_getBlockByNumber") for answer in answers]
        for block, header in zip(blocks, found, strict=True):
            if header is not None and isinstance(block, int) and header.number != block:
                raise RpcUnreadable(f"the node answered block {header.number} for block {block}; check chain.rpc_url")
        return found

    async def transactions(self, number: int) -> list[tuple[Address, int, Hash32]]:
        """Return (sender, nonce, hash) of every transaction in a block; empty when the block does not exist."""
        block = await self.ask("eth_getBlockByNumber", hex(number), True)
        return read_transactions(block, "eth_getBlockByNumber")

    async def balance(self, address: Address, block: Block = "latest") -> int:
        """Return an account's wei."""
        return read_amount(await self.ask("eth_getBalance", address, _block(block)), "eth_getBalance")

    async def nonce(self, address: Address, block: Block = "latest") -> int:
        """Return how many transactions an account has sent; "pending" counts those that wait."""
        return read_count(await self.ask("eth_getTransactionCount", address, _block(block)), "eth_getTransactionCount")

    async def code_at(self, address: Address, block: Block = "latest") -> bytes:
        """Return the code at an address; empty when there is none."""
        return read_bytes(await self.ask("eth_getCode", address, _block(block)), "eth_getCode")

    async def call(self, call: Call, *, block: Block = "latest", sender: Address | None = None) -> bytes:
        """Run a call without sending it and return its output.

        Raises:
            Revert: the contract's own error, when it refuses.
        """
        return read_bytes(await self._run("eth_call", _call(call, sender), _block(block)), "eth_call")

    async def create(self, creation: Creation, *, sender: Address) -> bytes:
        """Create a contract without sending it and return its runtime code.

        Raises:
            Revert: the constructor's own error, when it refuses.
        """
        fields = {"from": sender, "data": "0x" + creation.init_code.hex(), "value": hex(creation.value)}
        return read_bytes(await self._run("eth_call", fields, "latest"), "eth_call")

    async def estimate(self, call: Call, sender: Address) -> int:
        """Return the gas a call would take if sent by `sender` now.

        Raises:
            Revert: the contract's own error, when it refuses.
        """
        return read_count(await self._run("eth_estimateGas", _call(call, sender), "latest"), "eth_estimateGas")

    async def logs(self, first: int, last: int, *, addresses: Sequence[Address] = (), topics: Topics = ()) -> list[Log]:
        """Return the logs of blocks `first` to `last` inclusive, in order; no address means any."""
        query: dict[str, object] = {"fromBlock": hex(first), "toBlock": hex(last)}
        if addresses:
            query["address"] = list(addresses)
        if topics:
            query["topics"] = list(topics)
        logs = read_logs(await self.ask("eth_getLogs", query), "eth_getLogs")
        if strays := [log.block_number for log in logs if not first <= log.block_number <= last]:
            raise RpcUnreadable(
                f"the node answered logs of block {strays[0]} for blocks {first} to {last}; check chain.rpc_url"
            )
        return logs

    async def hidden_logs(self, blocks: int) -> list[int]:
        """Return which of the newest blocks hold logs by their headers, and none by the node's answer."""
        head = await self.block_number()
        numbers = list(range(max(0, head - blocks + 1), head + 1))
        questions: list[Question] = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
        answers = await self._ask_all(questions)
        full = [number for number, answer in zip(numbers, answers, strict=True) if has_logs(answer)]
        return [number for number in full if not await self.logs(number, number)]

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        """Return a transaction's receipt; None while it is not mined."""
        return (await self.receipts([transaction]))[0]

    async def receipts(self, transactions: Sequence[Hash32]) -> list[Receipt | None]:
        """Return several receipts in one request, in order."""
        questions: list[Question] = [("eth_getTransactionReceipt", (each,)) for each in transactions]
        answers = await self._ask_all(questions)
        found = [read_receipt(answer, "eth_getTransactionReceipt") for answer in answers]
        for transaction, receipt in zip(transactions, found, strict=True):
            if receipt is not None and receipt.hash != transaction:
                raise RpcUnreadable(f"the node answered the receipt of {receipt.hash} for {transaction}")
        return found

    async def send_raw(self, raw: bytes) -> Hash32:
        """Broadcast a signed transaction and return its hash."""
        return read_hash(await self.ask("eth_sendRawTransaction", "0x" + raw.hex()), "eth_sendRawTransaction")

    async def fee_history(self, blocks: int = 5, percentile: int = 50) -> FeeHistory:
        """Return base fees of the last `blocks` and the next, and tips paid at `percentile`, as far as known."""
        answer = await self.ask("eth_feeHistory", hex(blocks), "latest", [percentile])
        return read_fee_history(answer, "eth_feeHistory")

    async def _ask_all(self, questions: Sequence[Question]) -> list[Any]:
        await self.ready()
        return await self._transport.ask_all(questions)

    async def _run(self, method: str, *parameters: object) -> Any:
        try:
            return await self.ask(method, *parameters)
        except RpcRefused as refused:
            data = find_revert_data(refused.data)
            if data is None and refused.number != 3 and "revert" not in refused.reason:
                raise
            raise decode_revert(data or b"", self._errors, refused.reason) from None


def _block(block: Block) -> str:
    return hex(block) if isinstance(block, int) else block


def _call(call: Call, sender: Address | None) -> dict[str, str]:
    fields = {"to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    return fields | {"from": sender} if sender else fields
