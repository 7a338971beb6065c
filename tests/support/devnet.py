"""A devnet's levers: time, blocks, reorganisations, senders without a key."""

from tests.support.waiting import until
from usufruct.chain import Call, Client
from usufruct.chain.transport import RetryPolicy
from usufruct.core import Address, Hash32


def devnet_client(url: str) -> Client:
    """Return a client that waits for its first answer as long as a busy machine's devnet needs."""
    return Client(url, retry=RetryPolicy(probe_seconds=60))


class Devnet:
    """The levers of a devnet, pulled through its RPC."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def set_code(self, address: Address, code: bytes) -> None:
        """Put code at an address."""
        await self._client.ask("anvil_setCode", address, "0x" + code.hex())

    async def set_balance(self, address: Address, wei: int) -> None:
        """Give an account so much wei."""
        await self._client.ask("anvil_setBalance", address, hex(wei))

    async def send_as(self, sender: Address, call: Call) -> Hash32:
        """Send a call as any address, without its key, and return the transaction's hash.

        Where the node mines by itself the transaction is mined then: the node answers before it has mined.
        """
        await self._client.ask("anvil_impersonateAccount", sender)
        fields = {"from": sender, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
        sent: Hash32 = await self._client.ask("eth_sendTransaction", fields)
        if await self._client.ask("anvil_getAutomine"):
            await until(lambda: self._client.receipt(sent))
        return sent

    async def mine(self, blocks: int = 1) -> None:
        """Mine blocks at once."""
        await self._client.ask("anvil_mine", hex(blocks))

    async def set_automine(self, *, on: bool) -> None:
        """Mine each transaction as it comes, or only when told to."""
        await self._client.ask("evm_setAutomine", on)

    async def pass_time(self, seconds: int) -> None:
        """Move the chain's clock forward and mine a block."""
        await self._client.ask("evm_increaseTime", seconds)
        await self.mine()

    async def drop(self, transaction: str) -> None:
        """Forget a transaction that waits."""
        await self._client.ask("anvil_dropTransaction", transaction)

    async def reorganise(self, depth: int) -> None:
        """Replace the newest `depth` blocks by as many empty ones."""
        await self._client.ask("anvil_reorg", depth, [])

    async def snapshot(self) -> str:
        """Remember the whole state; returns its number for `revert`."""
        return str(await self._client.ask("evm_snapshot"))

    async def revert(self, snapshot: str) -> None:
        """Go back to a remembered state."""
        await self._client.ask("evm_revert", snapshot)
