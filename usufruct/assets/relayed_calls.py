"""What owners of assets may have the relayer of passkey accounts pay for: prices, retirement, income."""

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.assets.indexer import AssetIndexer
from usufruct.assets.price_cards import to_registry
from usufruct.assets.shares import ShareHolders
from usufruct.chain import Call
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.shares import Shares
from usufruct.core import ZERO_ADDRESS, Address, AssetId
from usufruct.core.price_cards import PriceCard


class OwnersCalls(RelayedCalls):
    """Knows the calls of title holders to one registry, and of shareholders to the shares that it made."""

    def __init__(
        self, registry: Address, indexer: AssetIndexer, holders: ShareHolders, token: Address, least: int
    ) -> None:
        """Ask `indexer` which contracts are shares of `registry`; `least` units of `token` are worth their gas."""
        self._registry = registry
        self._indexer = indexer
        self._holders = holders
        self._token = token
        self._least = least
        contract, shares = AssetRegistry(registry), Shares(ZERO_ADDRESS)
        asset, card = AssetId(0), to_registry(PriceCard(0, 0, 0, 0, 1))
        self._of_titles = _selectors(
            contract.set_price_card(asset, card), contract.retire(asset), contract.cancel_retirement(asset)
        )
        self._of_shares = _selectors(
            shares.collect_all([], ZERO_ADDRESS),
            shares.collect_to(ZERO_ADDRESS, ZERO_ADDRESS),
            shares.accrue_and_collect(ZERO_ADDRESS, ZERO_ADDRESS),
        )

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call; the contracts check that its sender may make it."""
        selector = call.data[:4]
        if call.to == self._registry:
            return selector in self._of_titles
        if selector not in self._of_shares:
            return False
        return await self._indexer.made(call.to)

    async def earns(self, account: Address, call: Call) -> bool:
        """Tell whether a call collects from shares that owe the account an amount that is worth the gas."""
        if call.data[:4] not in self._of_shares:
            return False
        asset = next((each.id for each in await self._indexer.assets() if each.shares == call.to), None)
        if asset is None:
            return False
        pending = await self._holders.pending(asset, account)
        return any(each.token.address == self._token and each.total >= self._least for each in pending)


def _selectors(*calls: Call) -> frozenset[bytes]:
    return frozenset(each.data[:4] for each in calls)
