"""What a sale needs on the chain: the asset, its shares' owners, and the till's list of payees.

The seller's wallet sends it. A gateway never opens the owner's key, but on a devnet, where everyone knows it.
"""

from collections.abc import Sequence

from usufruct.assets import Assets, Holding, NewAsset
from usufruct.chain import Call
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.console.wallet_transactions import DevnetOwner, for_wallet, sender_of
from usufruct.core import Address, AssetId, ChainId, Denied, checksum
from usufruct.payments.settlement import list_payee
from usufruct_client.sale_documents import WalletTransaction


class PayeeNotListed(Denied, code="payee_not_listed"):
    """The till does not pay `pay_to`, and only its owner can change that."""

    def __init__(self, pay_to: Address, kind: PayeeKind) -> None:
        """Name the payee, and what its owner has to do."""
        self.pay_to = pay_to
        super().__init__(
            f"the till does not pay {checksum(pay_to)} yet; its owner lists it on the page /operator, or by `usufruct "
            f"till payee {checksum(pay_to)} --as {kind.name.lower()}`; then confirm again",
            field="pay_to",
        )


class Registrar:
    """Makes what a sale needs, or returns the transactions that the seller's wallet has still to send for it."""

    def __init__(self, assets: Assets, till: Till, chain_id: ChainId, devnet_owner: DevnetOwner = None) -> None:
        """Send by `devnet_owner`, where there is one: it is the till's owner."""
        self._assets = assets
        self._till = till
        self._chain_id = chain_id
        self._devnet_owner = devnet_owner

    async def register(
        self, seller: Address, terms: NewAsset, owners: Sequence[Holding]
    ) -> tuple[AssetId, Address, list[WalletTransaction]]:
        """Register an asset for `seller`; return its id, its shares, and what is left to send, in order.

        Raises:
            Invalid, AlreadyRegistered, Conflict: as `Assets.missing`.
        """
        wanted = await self._assets.missing(seller, terms, owners)
        if not wanted.calls:
            return wanted.id, wanted.shares, []
        sender = sender_of(seller, self._devnet_owner)
        if sender is not None:
            made = await self._assets.register(sender, terms, owners)
            return made.id, made.shares, []
        shares = wanted.shares
        register = [call for call in wanted.calls if call.to != shares]
        gifts = [call for call in wanted.calls if call.to == shares]
        chain_id = self._chain_id
        return wanted.id, shares, [*for_wallet("register", chain_id, *register), *for_wallet("share", chain_id, *gifts)]

    def asks_wallet(self, seller: Address) -> bool:
        """Tell whether a seller's own wallet sends a registration."""
        return sender_of(seller, self._devnet_owner) is None

    async def sends_all(self, seller: Address) -> bool:
        """Tell whether the seller's wallet sends everything, the till's list of payees included."""
        return self._devnet_owner is None and seller == await self._till.owner()

    async def list_payee(self, seller: Address, pay_to: Address, kind: PayeeKind) -> list[WalletTransaction]:
        """Have the till pay an address; return what is left to send.

        Raises:
            PayeeNotListed: when only another wallet may: the till's owner's.
        """
        if await self._till.payees(pay_to) is kind:
            return []
        if self._devnet_owner is not None:
            await list_payee(self._till, self._devnet_owner(), pay_to, kind)
            return []
        if seller != await self._till.owner():
            raise PayeeNotListed(pay_to, kind)
        return for_wallet("payee", self._chain_id, self.listing(pay_to, kind))

    def listing(self, pay_to: Address, kind: PayeeKind) -> Call:
        """Return the call by which the till's owner has it pay an address."""
        return self._till.set_payee(pay_to, kind)
