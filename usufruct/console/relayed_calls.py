"""Calls of operators with a passkey that the relayer pays for: of a sale, and what the till's owner decides."""

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.assets import FREE, AssetIndexer, NewAsset
from usufruct.chain import Call
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.console.operators import Operators
from usufruct.core import ZERO_ADDRESS, Address

_EXAMPLE = NewAsset("", symbol="", currency=ZERO_ADDRESS, card=FREE)
_REGISTER = AssetRegistry(ZERO_ADDRESS).register(_EXAMPLE.registration()).data[:4]
_TRANSFER = Shares(ZERO_ADDRESS).transfer(ZERO_ADDRESS, 0).data[:4]
_OWNERS = {
    each.data[:4]
    for each in (
        Till(ZERO_ADDRESS).set_payee(ZERO_ADDRESS, PayeeKind.NONE),
        Till(ZERO_ADDRESS).set_daily_cap(ZERO_ADDRESS, ZERO_ADDRESS, 0),
        Till(ZERO_ADDRESS).transfer_ownership(ZERO_ADDRESS),
    )
}
_ACCEPT = Till(ZERO_ADDRESS).accept_ownership().data


class SellersCalls(RelayedCalls):
    """Allows the calls of a sale, for operators only: no other account sells a service here.

    Allows the till's owner its payees, their caps, and to offer the till; and who it is offered to, to accept it.
    """

    def __init__(self, registry: Address, till: Till, indexer: AssetIndexer, operators: Operators) -> None:
        """Ask `indexer` which contracts are shares of `registry`."""
        self._registry = registry
        self._till = till
        self._indexer = indexer
        self._operators = operators

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call of an account."""
        if call.to == self._till.address:
            if call.data == _ACCEPT:
                return account == await self._till.pending_owner()
            return call.data[:4] in _OWNERS and account == await self._operators.owner()
        registers = call.to == self._registry and call.data[:4] == _REGISTER
        gives = call.data[:4] == _TRANSFER
        if not (registers or gives) or not await self._operators.allows(account):
            return False
        return registers or await self._indexer.made(call.to)

    async def earns(self, account: Address, call: Call) -> bool:
        """Tell whether a call accepts the till: its owner chose the account, which is worth its creation."""
        return call.to == self._till.address and call.data == _ACCEPT and await self.pays_for(account, call)
