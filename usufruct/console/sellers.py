"""Who may pause a service and resume it: the installation's operators, and the wallet that holds its title."""

from usufruct.accounts import Sessions
from usufruct.assets import Listing, Listings, RegistryClient, UnknownListing
from usufruct.console.operators import NotOperator, Operators
from usufruct.core import Address, asset_id, checksum
from usufruct.web import HttpExchange


class Sellers:
    """Knows the sellers of services by their sessions."""

    def __init__(self, operators: Operators, sessions: Sessions, listings: Listings, registry: RegistryClient) -> None:
        """Ask `registry` for the title holders of registered services."""
        self._operators = operators
        self._sessions = sessions
        self._listings = listings
        self._registry = registry

    async def require(self, exchange: HttpExchange, asset: str) -> Listing:
        """Return the service with an id, if the request's session is an operator's or its title holder's.

        Raises:
            Unauthenticated: when no one is signed in.
            NotOperator: when another wallet is.
            Invalid: when it is not an id.
            UnknownListing: when no service has it.
        """
        session = await self._sessions.require(exchange)
        listing = await self._listings.by_id(asset_id(asset, "service"))
        if listing is None:
            raise UnknownListing(f"there is no service {asset[:40]} here; `usufruct service list` names them")
        if not await self._operators.allows(session.address) and not await self.holds_title(listing, session.address):
            raise NotOperator(
                f"{checksum(session.address)} neither holds the title of {listing.name} nor is an operator of this "
                "installation; sign in with such a wallet",
                field="cookie",
                address=session.address,
            )
        return listing

    async def holds_title(self, listing: Listing, address: Address) -> bool:
        """Tell whether a wallet holds a service's title; a service that is not registered has none."""
        return listing.registered and await self._registry.contract.owner_of(listing.id) == address
