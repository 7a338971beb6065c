"""Listings before they are on sale: for a plain payee, or for the shares of a registered asset."""

from contextlib import suppress
from dataclasses import replace

from usufruct.assets import (
    Caps,
    Listing,
    ListingExists,
    Listings,
    PricePeriod,
    RegistryClient,
    UnknownListing,
    plain_listing_id,
)
from usufruct.core import Address, AssetId, Invalid, format_asset
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.operator_profile import Operator


async def check_name_free(listings: Listings, name: str, *, replace_active: bool = False) -> None:
    """Refuse a name that is taken before anything is sent to the chain for it.

    Raises:
        ListingExists: when a listing that is on sale has it.
    """
    with suppress(UnknownListing):
        found = await listings.find(name)
        if found.retired_at is None and not replace_active:
            raise ListingExists(
                f"a service named {name} is there already; choose another name (`usufruct sell --replace` sells the "
                "new one in its place)",
                field="name",
                name=name,
            )


def plain_listing(name: str, kind: str, pay_to: Address, card: PriceCard, caps: Caps | None = None) -> Listing:
    """Return a listing whose income goes to an address."""
    id_, prices = plain_listing_id(name, pay_to), (PricePeriod(card, 0),)
    return Listing(name, kind, pay_to, id_, prices, caps=caps or Caps())


async def registered_listing(
    registry: RegistryClient,
    operator: Operator,
    name: str,
    kind: str,
    asset: AssetId,
    window: int,
    caps: Caps | None = None,
) -> Listing:
    """Return a listing with payee and price card of a registered asset; `window` is for a card without one.

    Raises:
        UnknownAsset: when the registry does not know the asset.
        Invalid: when it is priced in another token than this installation charges in.
    """
    found, card = await registry.asset(asset), await registry.price_card(asset)
    if found.currency != operator.token:
        raise Invalid(
            f"asset {format_asset(asset)} is priced in {found.currency}, this installation charges in {operator.token}",
            code="invalid_choice",
            field="asset",
        )
    prices = (PricePeriod(replace(card, context_window=card.context_window or window), 0),)
    return Listing(name, kind, found.shares, asset, prices, registered=True, caps=caps or Caps())
