"""Who receives a service's income: an address, or the holders of revenue shares, with royalties to parents."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets import (
    Holding,
    Listing,
    NewAsset,
    RegistryClient,
    bps_of_percent,
    check_new_asset,
    check_owners,
    plain_listing_id,
    shares_of_percent,
    symbol_of,
)
from usufruct.chain import Call, keccak
from usufruct.chain.contracts.asset_registry import Parent, PredictResult
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.till import PayeeKind
from usufruct.console.registrar import Registrar
from usufruct.core import ZERO_ADDRESS, Address, AssetId, ChainId, Conflict, address
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Operator, plain_listing, registered_listing
from usufruct_client.sale_documents import OwnershipWish, Part, SaleDraft, WalletTransaction

_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Shared:
    """An asset that is to be registered, and what its registrant gives away of its shares."""

    terms: NewAsset
    owners: Sequence[Holding]


class Ownership:
    """Reads who a draft's owners are, and makes them so on the chain."""

    def __init__(self, registry: RegistryClient, registrar: Registrar, operator: Operator, chain_id: ChainId) -> None:
        self._registry = registry
        self._registrar = registrar
        self._operator = operator
        self._chain_id = chain_id

    async def fee_bps(self, draft: SaleDraft) -> int:
        """Return the protocol fee on what a draft's service will earn, hundredths of a per cent; 0 without shares."""
        return 0 if _wish(draft).mode == "plain" else await self._registry.contract.fee_bps()

    async def check(self, seller: Address, draft: SaleDraft, card: PriceCard) -> None:
        """Refuse owners that there cannot be; nothing is sent.

        Raises:
            Invalid: names the field, the value and the rule.
            UnknownAsset: when a parent does not exist.
            Conflict: when the draft's price or owners are missing.
        """
        wish = _wish(draft)
        if wish.mode == "plain":
            _payee(wish, seller)
            return
        shared = await self._shared(draft, wish, card)
        check_new_asset(shared.terms, self._chain_id)
        check_owners(shared.owners, seller)

    def asks_wallet(self, seller: Address) -> bool:
        """Tell whether a seller's own wallet sends what is missing on the chain."""
        return self._registrar.asks_wallet(seller)

    async def asset(self, seller: Address, draft: SaleDraft, card: PriceCard) -> AssetId:
        """Return the id that the draft's service has once it is on sale."""
        wish = _wish(draft)
        if wish.mode == "plain":
            return plain_listing_id(_name(draft), _payee(wish, seller))
        return (await self._predicted(seller, await self._shared(draft, wish, card))).id

    async def calls(self, seller: Address, draft: SaleDraft, card: PriceCard) -> list[Call]:
        """Return the calls that a sale may need of its seller.

        They register the service, give the other owners their shares, and, of the till's owner, list the payee.
        """
        owns_till = await self._registrar.sends_all(seller)
        if (wish := _wish(draft)).mode == "plain":
            return [self._registrar.listing(_payee(wish, seller), PayeeKind.PLAIN)] if owns_till else []
        shared = await self._shared(draft, wish, card)
        shares = Shares((await self._predicted(seller, shared)).shares)
        gifts = [shares.transfer(each.holder, each.amount) for each in shared.owners]
        listing = [self._registrar.listing(shares.address, PayeeKind.SHARES)] if owns_till else []
        return [self._registry.contract.register(shared.terms.registration()), *gifts, *listing]

    async def carry_out(
        self, seller: Address, draft: SaleDraft, card: PriceCard
    ) -> tuple[Listing | None, list[WalletTransaction]]:
        """Make the owners so; return the listing, or what the seller's wallet has to send before there is one.

        Raises:
            UsufructError: as `Registrar` is refused.
        """
        wish, kind = _wish(draft), draft.server.kind if draft.server else "chat"
        if wish.mode == "plain":
            pay_to = _payee(wish, seller)
            left = await self._registrar.list_payee(seller, pay_to, PayeeKind.PLAIN)
            return (None, left) if left else (plain_listing(_name(draft), kind, pay_to, card), [])
        shared = await self._shared(draft, wish, card)
        asset, shares, left = await self._registrar.register(seller, shared.terms, shared.owners)
        if not left or await self._registrar.sends_all(seller):
            left = [*left, *await self._registrar.list_payee(seller, shares, PayeeKind.SHARES)]
        if left:
            return None, left
        window = card.context_window
        return await registered_listing(self._registry, self._operator, _name(draft), kind, asset, window), []

    async def _predicted(self, seller: Address, shared: Shared) -> PredictResult:
        return await self._registry.contract.predict(seller, shared.terms.registration())

    async def _shared(self, draft: SaleDraft, wish: OwnershipWish, card: PriceCard) -> Shared:
        name, policy = _name(draft), wish.transfer_policy.strip()
        terms = NewAsset(
            name=name,
            symbol=symbol_of(name) or "SHARES",
            currency=self._operator.token,
            card=card,
            notice_period=wish.notice_hours * _HOUR,
            transfer_policy=_policy(policy),
            resale_royalty_bps=bps_of_percent(wish.resale_royalty.strip() or "0", "resale_royalty"),
            parents=tuple([await self._parent(each) for each in wish.parents]),
            salt=keccak(b"usufruct sale " + draft.id.encode()),
        )
        owners = [
            Holding(address(each.of.strip(), "owners"), shares_of_percent(_percent(each), "owners"))
            for each in wish.owners
        ]
        return Shared(terms, owners)

    async def _parent(self, part: Part) -> Parent:
        shares = await self._registry.shares(await self._registry.find(part.of.strip()))
        return Parent(shares.address, bps_of_percent(_percent(part), "parents"))


def _wish(draft: SaleDraft) -> OwnershipWish:
    if draft.ownership is None:
        raise Conflict("choose who receives the income first", code="sale_incomplete", field="ownership")
    return draft.ownership


def _name(draft: SaleDraft) -> str:
    if draft.price is None:
        raise Conflict("set the price first", code="sale_incomplete", field="price")
    return draft.price.name


def _payee(wish: OwnershipWish, seller: Address) -> Address:
    return address(wish.pay_to.strip(), "pay_to") if wish.pay_to.strip() else seller


def _policy(text: str) -> Address | None:
    if text == "open":
        return ZERO_ADDRESS
    return address(text, "transfer_policy") if text else None


def _percent(part: Part) -> str:
    return part.percent.strip().removesuffix("%").strip()
