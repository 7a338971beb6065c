"""Who looks after a service at the desk: the installation's operators, and the wallet that holds its title."""

from dataclasses import dataclass, field

from usufruct.accounts import Sessions
from usufruct.assets import AssetIndexer, Listing, Listings, UnknownListing
from usufruct.console.operators import NotOperator, Operators
from usufruct.core import Address, AssetId, Invalid, asset_id, checksum
from usufruct.market.trade import NodeView
from usufruct.web import HttpExchange


@dataclass(frozen=True, slots=True)
class Seller:
    """A signed-in seller. `services`: those whose title the wallet holds; None for an operator, who sells all.

    `node` is the chain's node as the seller's request asks it: it is waited for once.
    """

    address: Address
    services: frozenset[AssetId] | None
    node: NodeView = field(compare=False)

    @property
    def is_operator(self) -> bool:
        """Tell whether the seller may do what concerns the installation: its servers and their keys."""
        return self.services is None

    def sells(self, listing: Listing) -> bool:
        """Tell whether a service is this seller's."""
        return self.services is None or listing.id in self.services


class Sellers:
    """Knows the sellers of services by their sessions."""

    def __init__(
        self,
        operators: Operators,
        sessions: Sessions,
        listings: Listings,
        indexer: AssetIndexer,
        node_seconds: float = 5.0,
    ) -> None:
        """Ask `indexer` for the title holders of registered services; a page waits `node_seconds` for the node."""
        self.node_seconds = node_seconds
        self._operators = operators
        self._sessions = sessions
        self._listings = listings
        self._indexer = indexer

    def node(self) -> NodeView:
        """Return the chain's node for a request that begins."""
        return NodeView(self.node_seconds)

    async def require(self, exchange: HttpExchange) -> Seller:
        """Return the seller whose session a request carries.

        Raises:
            Unauthenticated: when no one is signed in.
            NotOperator: when a wallet is that sells nothing here.
            Unavailable: when the chain's node does not answer who holds which title.
        """
        address, node = (await self._sessions.require(exchange)).address, self.node()
        if await self._operators.allows(address, node):
            return Seller(address, None, node)
        async with node.limit():
            held = frozenset(each.id for each in await self._indexer.assets() if each.holder == address)
        sold = held & {each.id for each in await self._listings.list() if each.registered}
        if not sold:
            raise _neither(address, "of any service here")
        return Seller(address, sold, node)

    async def require_of(self, exchange: HttpExchange, asset: str) -> tuple[Seller, Listing]:
        """Return the seller whose session a request carries, and the service of theirs with an id.

        Raises:
            Unauthenticated, NotOperator: as `require`, and when the service is another's.
            Invalid, UnknownListing: as `service_of`.
        """
        seller = await self.require(exchange)
        return seller, await self.service_of(seller, asset)

    async def service_of(self, seller: Seller, asset: str) -> Listing:
        """Return the service of a seller with an id.

        Raises:
            NotOperator: when the service is another's.
            Invalid: when it is not an id.
            UnknownListing: when no service has it.
        """
        try:
            listing = await self._listings.by_id(asset_id(asset, "service"))
        except Invalid:
            if seller.is_operator:
                raise
            listing = None
        if listing is not None and seller.sells(listing):
            return listing
        if seller.is_operator:
            raise UnknownListing(f"there is no service {asset[:40]} here; `usufruct service list` names them")
        raise _neither(seller.address, f"of {asset[:40]}")


def _neither(address: Address, what: str) -> NotOperator:
    return NotOperator(
        f"{checksum(address)} neither holds the title {what} nor is an operator of this installation; sign in with "
        "such a wallet, or have the owner add yours to the setting operator.admin",
        field="cookie",
        address=address,
    )
