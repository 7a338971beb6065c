"""Calls of makers with a passkey that the relayer pays for: approvals of goods, cancellations of offers."""

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.assets import AssetIndexer
from usufruct.chain import Call
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.core import ZERO_ADDRESS, Address


class MakersCalls(RelayedCalls):
    """Allows cancellations at one exchange, and approvals of that exchange: of shares as the spender, of credits."""

    def __init__(self, exchange: Address, passes: Address, indexer: AssetIndexer) -> None:
        """Ask `indexer` which contracts are shares."""
        self._exchange = exchange
        self._indexer = indexer
        self._cancel = Exchange(exchange).cancel(0, 0).data[:4]
        self._approve = Shares(ZERO_ADDRESS).approve(exchange, 0).data[:36]
        self._approve_credits = AccessPass(passes).set_approval_for_all(exchange, True)

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call; the contracts check that its sender may make it."""
        if call.to == self._exchange:
            return call.data[:4] == self._cancel
        if call == self._approve_credits:
            return True
        return call.data[:36] == self._approve and await self._indexer.made(call.to)
