"""The accounts of a local chain whose clock is set: what they send, by their numbers."""

from usufruct.chain import Call, ChainAccess, Sender
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import devnet_signer
from usufruct.core import Address

DOLLAR = 10**6


class Accounts:
    """Accounts of the devnet, and the chain's clock."""

    def __init__(self, chain: ChainAccess) -> None:
        self.chain = chain
        self.dollar = TestDollar(chain.deployments.address(TestDollar))
        self._sent = 0

    def sender(self, account: int) -> Sender:
        """Return what sends an account's transactions."""
        return self.chain.sender(devnet_signer(account, self.chain.chain_id))

    async def send(self, account: int, *calls: Call) -> None:
        """Send calls of an account one after the other."""
        for call in calls:
            self._sent += 1
            await self.sender(account).execute(call, f"transaction {self._sent} of the pictures")

    async def mint(self, to: Address, dollars: int) -> None:
        """Give an account test dollars."""
        await self.send(0, self.dollar.mint(to, dollars * DOLLAR))

    async def now(self) -> int:
        """Return the time of the last block."""
        return (await self.chain.client.head()).timestamp

    async def jump(self, time: int) -> None:
        """Mine a block at a later time."""
        await self.chain.client.ask("evm_setNextBlockTimestamp", time)
        await self.chain.client.ask("evm_mine")
