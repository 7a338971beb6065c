"""A VoteEscrow on a devnet of its own: blocks at exact seconds, and many questions in one request."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.support.devnet import Devnet, devnet_client
from usufruct.chain import Call, Client
from usufruct.chain.answers import Receipt
from usufruct.chain.anvil import Anvil
from usufruct.chain.contract_base import Block, Creation
from usufruct.chain.contracts.platform_token import Allocation, PlatformToken, Terms
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address

FUNDS = 10**27
"""Platform tokens that each staker has at first, atomic units."""
BATCH = 5
"""Calls that fit a block, so that each of them may roll 52 weeks."""
OWNER, *STAKERS = DEVNET_ADDRESSES[:8]

_GAS = 5_000_000
_CREATION_GAS = 14_000_000


class BatchedReader:
    """Sends the calls that are awaited together in one request."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: list[tuple[Call, Block, asyncio.Future[bytes]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def call(self, call: Call, *, block: Block = "latest", sender: Address | None = None) -> bytes:
        answer = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._sending = asyncio.create_task(self._send())
        self._waiting.append((call, block, answer))
        return await answer

    async def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        questions = [
            ("eth_call", ({"to": call.to, "data": "0x" + call.data.hex()}, block)) for call, block, _ in waiting
        ]
        try:
            found = await self._client.ask_all(questions)
        except Exception as error:
            for *_, answer in waiting:
                answer.set_exception(error)
            return
        for (*_, answer), output in zip(waiting, found, strict=True):
            answer.set_result(bytes.fromhex(output[2:]))


class EscrowDevnet:
    """The contracts, and the stakers that have `FUNDS` and approved the escrow."""

    def __init__(self, client: Client, stakers: Sequence[Address]) -> None:
        self.stakers = stakers
        self._client = client

    async def deploy(self, at: int, score_floor: int, exit_penalty_bps: int) -> None:
        """Put the contracts there; `at`: when, Unix seconds. The parameters are those of VoteEscrow."""
        reader = BatchedReader(self._client)
        await Devnet(self._client).set_automine(on=False)
        owned = [Allocation(staker, FUNDS) for staker in self.stakers]
        terms = Terms("Example", "EXM", "", 2 * FUNDS * len(owned), FUNDS * len(owned), 5_000)
        token, dollar = await self._create(at, PlatformToken.deploy(terms, owned, OWNER), TestDollar.deploy())
        self.token, self.dollar = PlatformToken(token, reader), TestDollar(dollar, reader)
        (escrow,) = await self._create(at + 1, VoteEscrow.deploy(OWNER, token, dollar, score_floor, exit_penalty_bps))
        self.escrow = VoteEscrow(escrow, reader)
        approve = self.token.approve(escrow, 2**256 - 1)
        assert all(await self.send(at + 2, [(staker, approve) for staker in self.stakers]))

    async def send(self, at: int, calls: Sequence[tuple[Address, Call]] = ()) -> list[bool]:
        """Mine one block at a time, Unix seconds, with calls in order; return which of them succeeded."""
        fields = [(sender, _GAS, {"to": call.to, "data": "0x" + call.data.hex()}) for sender, call in calls]
        return [receipt.succeeded for receipt in await self._mine(at, fields)]

    def earn(self, amount: int) -> list[tuple[Address, Call]]:
        """Return the calls that bring revenue and book it."""
        return [(OWNER, self.dollar.mint(self.escrow.address, amount)), (OWNER, self.escrow.notify())]

    async def _create(self, at: int, *creations: Creation) -> list[Address]:
        fields = [(OWNER, _CREATION_GAS, {"data": "0x" + each.init_code.hex()}) for each in creations]
        return [receipt.created for receipt in await self._mine(at, fields)]

    async def _mine(self, at: int, transactions: Sequence[tuple[Address, int, dict[str, str]]]) -> list[Receipt]:
        """Mine sender, gas and fields; the first pays the highest price, so that it is the first in the block."""
        hashes = []
        for place, (sender, gas, fields) in enumerate(transactions):
            fees = {"from": sender, "gas": hex(gas), "gasPrice": hex((100 - place) * 10**9)}
            hashes.append(await self._client.ask("eth_sendTransaction", fees | fields))
        await self._client.ask("evm_setNextBlockTimestamp", at)
        await self._client.ask("evm_mine")
        return [receipt for receipt in await self._client.receipts(hashes) if receipt] if hashes else []


@asynccontextmanager
async def escrow_devnet(
    at: int, *, stakers: int, score_floor: int = 0, exit_penalty_bps: int = 0
) -> AsyncIterator[EscrowDevnet]:
    """Run a devnet with an escrow that is made at a time, Unix seconds."""
    async with Anvil(starts_at=at - 60) as anvil, devnet_client(anvil.url) as client:
        made = EscrowDevnet(client, STAKERS[:stakers])
        await made.deploy(at, score_floor, exit_penalty_bps)
        yield made
