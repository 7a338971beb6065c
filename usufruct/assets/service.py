"""What a title holder does: register, price, retire; and what anyone may see."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from usufruct.assets.errors import AlreadyRegistered, InvalidAsset
from usufruct.assets.model import AssetDetails, Holding
from usufruct.assets.price_cards import PricePeriod, check_card, from_registry, to_registry
from usufruct.assets.registration import NewAsset, check_new_asset, check_owners
from usufruct.assets.registry_client import RegistryClient, execute_once, read_text, readable
from usufruct.assets.store import add_name, asset_named, names_given
from usufruct.chain import Call, Sender, Sent, State
from usufruct.chain.contracts import asset_registry
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address, AssetId, Conflict, Hash32, format_asset, moment
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.store import ConstraintViolated


@dataclass(frozen=True, slots=True)
class Registered:
    """An asset that was just registered; `transaction` is the registration's."""

    id: AssetId
    shares: Address
    transaction: Hash32


@dataclass(frozen=True, slots=True)
class Unregistered:
    """What a registration will be, and the calls that its registrant has still to send, in order; none: it is made."""

    id: AssetId
    shares: Address
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class PlannedPrice:
    """A price card to announce by `call`, or one that is announced already and holds from `starts_at` on."""

    card: PriceCard
    call: Call | None
    starts_at: int | None = None


@dataclass(frozen=True, slots=True)
class CardChange:
    """What of a price card shall change; None stays as it is. The fields are those of `PriceCard`."""

    input_per_million: int | None = None
    output_per_million: int | None = None
    per_call: int | None = None
    cached_input_bps: int | None = None
    unit: PriceUnit | None = None
    context_window: int | None = None

    def of(self, card: PriceCard) -> PriceCard:
        """Return the card as changed."""
        wanted = {field: getattr(self, field) for field in self.__slots__}
        return replace(card, **{field: value for field, value in wanted.items() if value is not None})


class Assets:
    """The assets of one registry.

    Whatever changes an asset raises `Denied` when the sender may not, and `UnknownAsset` where it does not
    exist.
    """

    def __init__(self, registry: RegistryClient) -> None:
        self._registry = registry
        self._contract = registry.contract

    async def register(self, sender: Sender, terms: NewAsset, owners: Sequence[Holding] = ()) -> Registered:
        """Register an asset and share it out: `owners` get their shares, the sender keeps title and the rest.

        The same registration made again after a crash goes on where it stopped. Once it is complete, its name is taken.

        Raises:
            Invalid: for what no asset can be.
            AlreadyRegistered: when the name or the salt belongs to another asset.
            Conflict: when the same asset is being registered with other terms.
        """
        check_new_asset(terms, self._registry.chain_id)
        gifts = check_owners(owners, sender.address)
        registration = terms.registration()
        found = await self._contract.predict(sender.address, registration)
        call = self._contract.register(registration)
        key, known = await _attempt(sender, f"asset/register/{found.id:#x}")
        await self._check_free(terms.name, found.id, call, known)
        receipt = await sender.execute(call, key)
        shares = Shares(found.shares)
        for gift in gifts:
            await sender.execute(shares.transfer(gift.holder, gift.amount), f"{key}/owner/{gift.holder}")
        await self._give_name(terms.name, found.id)
        return Registered(found.id, found.shares, receipt.hash)

    async def missing(self, registrant: Address, terms: NewAsset, owners: Sequence[Holding] = ()) -> Unregistered:
        """Return what a registrant's own wallet has still to send for a registration; once that is nothing, name it.

        Raises:
            Invalid: for what no asset can be.
            AlreadyRegistered: when the name belongs to another asset.
            Conflict: when the asset is registered with another price card.
        """
        check_new_asset(terms, self._registry.chain_id)
        gifts = check_owners(owners, registrant)
        registration = terms.registration()
        found = await self._contract.predict(registrant, registration)
        calls: list[Call] = []
        async with self._registry.database.snapshot() as unit:
            named = await asset_named(unit, self._contract.address, terms.name)
        if await self._registry.on_chain(found.id) is None:
            if named is not None:
                raise _registered_already(terms.name, named)
            calls.append(self._contract.register(registration))
        elif (card := await self._registry.price_card(found.id)) != terms.card:
            raise Conflict(
                f"{terms.name} is registered as {format_asset(found.id)} at another price, version {card.version}; "
                "start a new sale, or sell that asset",
                name=terms.name,
                asset=format_asset(found.id),
                code="registered_otherwise",
            )
        shares = Shares(found.shares, self._registry.client)
        for gift in gifts:
            held = 0 if calls else await shares.balance_of(gift.holder)
            if held < gift.amount:
                calls.append(shares.transfer(gift.holder, gift.amount))
        if not calls and named != found.id:
            await self._give_name(terms.name, found.id)
        return Unregistered(found.id, found.shares, tuple(calls))

    async def price(self, sender: Sender, asset: AssetId, change: CardChange) -> tuple[PricePeriod, Hash32]:
        """Announce a price card; return it, from when on it holds by the asset's notice period, and the transaction.

        Raises:
            InvalidAsset: for a card no call could be charged by, or one that changes nothing.
        """
        planned = await self.plan_price(sender.address, asset, change)
        if planned.call is None:
            raise _same_price(planned.card)
        receipt = await execute_once(sender, planned.call, f"asset/price/{asset:#x}")
        (event,) = asset_registry.PriceCardSet.among(receipt.logs, self._contract.address)
        return _period(event.card, event.effective_at), receipt.hash

    async def plan_price(self, holder: Address, asset: AssetId, change: CardChange) -> PlannedPrice:
        """Return the call by which `holder` announces a price card, or the card if it is announced already.

        Raises:
            InvalidAsset: for a card no call could be charged by, or one that is in force.
        """
        await self._registry.managed(holder, asset)
        pending = await self._contract.pending_price_card(asset)
        latest = from_registry(pending.card if pending.card.version else await self._contract.price_card(asset))
        changed = change.of(latest)
        if changed == latest and not pending.card.version:
            raise _same_price(latest)
        if changed == latest:
            return PlannedPrice(latest, None, pending.effective_at)
        card = replace(changed, version=latest.version + 1)
        check_card(card)
        return PlannedPrice(card, self._contract.set_price_card(asset, to_registry(card)))

    async def retire(self, sender: Sender, asset: AssetId) -> tuple[int, Hash32]:
        """Announce the asset's retirement; return when it takes effect, chain seconds, and the transaction.

        Raises:
            Conflict: when it is announced already.
        """
        call = await self.plan_retirement(sender.address, asset)
        receipt = await execute_once(sender, call, f"asset/retire/{asset:#x}")
        (event,) = asset_registry.RetirementAnnounced.among(receipt.logs, self._contract.address)
        return event.retires_at, receipt.hash

    async def plan_retirement(self, holder: Address, asset: AssetId) -> Call:
        """Return the call by which `holder` announces the asset's retirement; raises as `retire`."""
        known = await self._registry.managed(holder, asset)
        if known.retires_at:
            raise Conflict(
                f"{format_asset(asset)} retires at {moment(known.retires_at)}, as was announced; until then it can be "
                "called off",
                retires_at=known.retires_at,
                code="retirement_announced",
            )
        return self._contract.retire(asset)

    async def retires_at(self, asset: AssetId) -> int | None:
        """Return when an asset's announced retirement takes effect, chain seconds; None when none is announced."""
        return (await self._registry.asset(asset)).retires_at or None

    async def pending_price(self, asset: AssetId) -> PricePeriod | None:
        """Return the price card that is announced and not in force yet."""
        pending = await self._contract.pending_price_card(asset)
        return _period(pending.card, pending.effective_at) if pending.card.version else None

    async def cancel_retirement(self, sender: Sender, asset: AssetId) -> Hash32:
        """Call an announced retirement off; return the transaction.

        Raises:
            Conflict: when none is announced, or it is in effect.
        """
        known = await self._registry.managed(sender.address, asset)
        if not known.retires_at or await self._contract.is_retired(asset):
            what = "is in effect" if known.retires_at else "is not announced"
            raise Conflict(
                f"the retirement of {format_asset(asset)} {what}: there is nothing to call off", code="no_retirement"
            )
        call = self._contract.cancel_retirement(asset)
        return (await execute_once(sender, call, f"asset/cancel-retirement/{asset:#x}")).hash

    async def set_meter(self, sender: Sender, asset: AssetId, meter: Address) -> Hash32:
        """Name who burns credits that are activated from now on; return the transaction."""
        await self._registry.managed(sender.address, asset)
        return (await execute_once(sender, self._contract.set_meter(asset, meter), f"asset/meter/{asset:#x}")).hash

    async def show(self, asset: AssetId) -> AssetDetails:
        """Return everything the chain says about an asset now."""
        block = await self._registry.client.block_number()
        contract = self._contract.at_block(block)
        known = await self._registry.asset(asset, block)
        shares = Shares(known.shares, self._registry.client, block=block)
        card, pending, holder, retired, uri, endpoint = await asyncio.gather(
            contract.price_card(asset),
            contract.pending_price_card(asset),
            contract.owner_of(asset),
            contract.is_retired(asset),
            read_text(contract.token_uri(asset)),
            contract.get_metadata(asset, "endpoint"),
        )
        name, symbol, parents, policy = await asyncio.gather(
            read_text(shares.name()), read_text(shares.symbol()), shares.parents(), shares.transfer_policy()
        )
        return AssetDetails(
            id=asset,
            known=known,
            name=name,
            symbol=symbol,
            holder=holder,
            currency=await self._registry.token(known.currency),
            card=from_registry(card),
            pending_card=_period(pending.card, pending.effective_at) if pending.card.version else None,
            retired=retired,
            transfer_policy=policy,
            parents=parents,
            uri=uri,
            endpoint=readable(endpoint.decode(errors="replace")),
            income=tuple(await self._registry.income(shares, block)),
        )

    async def names(self) -> dict[AssetId, str]:
        """Return the names this installation registered assets under."""
        async with self._registry.database.snapshot() as unit:
            return await names_given(unit, self._contract.address)

    async def _check_free(self, name: str, asset: AssetId, call: Call, known: Sent | None) -> None:
        async with self._registry.database.snapshot() as unit:
            named = await asset_named(unit, self._contract.address, name)
        ours = known is not None and known.call == call
        if named is not None or (not ours and await self._registry.on_chain(asset) is not None):
            raise _registered_already(name, asset if named is None else named)
        if known is not None and not ours:
            raise Conflict(
                f"{name} is being registered with other terms as {format_asset(asset)}; wait for it, or choose another "
                "name",
                name=name,
                asset=format_asset(asset),
                code="registration_under_way",
            )

    async def _give_name(self, name: str, asset: AssetId) -> None:
        try:
            async with self._registry.database.transaction() as unit:
                await add_name(unit, self._contract.address, name, asset)
        except ConstraintViolated as error:
            raise AlreadyRegistered(
                f"{format_asset(asset)} is registered, but the name {name} was given to another asset meanwhile; use "
                "the id",
                name=name,
                asset=format_asset(asset),
            ) from error


def _same_price(card: PriceCard) -> InvalidAsset:
    return InvalidAsset(
        f"price must differ from the card that was announced last, version {card.version}", field="price"
    )


def _registered_already(name: str, asset: AssetId) -> AlreadyRegistered:
    taken = format_asset(asset)
    return AlreadyRegistered(
        f"{name} is registered already, as {taken}: `usufruct asset show {taken}`; choose another name, and "
        "another salt if you gave one",
        field="name",
        name=name,
        asset=taken,
    )


async def _attempt(sender: Sender, intent: str) -> tuple[str, Sent | None]:
    """Return the key under which an intent is sent, or was; one that came to nothing has a new one."""
    for number in count():
        known = await sender.find(key := f"{intent}/{number}")
        if known is None or known.state not in (State.REVERTED, State.DISPLACED):
            break
    return key, known


def _period(card: asset_registry.PriceCard, starts_at: int) -> PricePeriod:
    return PricePeriod(from_registry(card), starts_at)
