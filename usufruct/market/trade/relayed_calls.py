"""Calls of traders with a passkey that the relayer pays for: of makers of offers, and of holders of credits."""

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.assets import AssetIndexer
from usufruct.chain import Call
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.core import ZERO_ADDRESS, Address


class TradersCalls(RelayedCalls):
    """Allows cancellations at one exchange, and approvals of that exchange: for shares, titles and credits.

    Of credits it also allows to buy packages, to activate them, and to give them back. The contract of the credits may
    be approved for any token that the asset registry lists, as plans are priced in these.
    """

    def __init__(self, exchange: Address, passes: Address, registry: AssetRegistry, indexer: AssetIndexer) -> None:
        """Ask `indexer` which contracts are shares; `registry` holds the titles, and knows the tokens of plans."""
        self._exchange = exchange
        self._registry = registry
        self._indexer = indexer
        self._cancel = Exchange(exchange).cancel(0, 0).data[:4]
        self._approve = Shares(ZERO_ADDRESS).approve(exchange, 0).data[:36]  # of an ERC-721 too
        credits_, none = AccessPass(passes), ZERO_ADDRESS
        self._approve_credits = credits_.set_approval_for_all(exchange, True)
        self._passes = passes
        self._pay_for_credits = Erc20(ZERO_ADDRESS).approve(passes, 0).data[:36]
        self._of_credits = {
            each.data[:4]
            for each in (
                credits_.buy(0, 0, none),
                credits_.activate(0, 0, none),
                credits_.refund(0, 0, none),
                credits_.refund_activated(0, none, 0, none),
            )
        }

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call; the contracts check that its sender may make it."""
        if call.to == self._exchange:
            return call.data[:4] == self._cancel
        if call.to == self._passes:
            return call == self._approve_credits or call.data[:4] in self._of_credits
        if call.data[:36] == self._pay_for_credits:
            return await self._registry.is_revenue_token(call.to)
        if call.data[:36] != self._approve:
            return False
        return call.to == self._registry.address or await self._indexer.made(call.to)
