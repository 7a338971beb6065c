"""Who may sell and look after an installation in a browser: the till's owner, and the wallets that they named."""

from urllib.parse import urlsplit

from usufruct.accounts import Session, Sessions
from usufruct.chain.contracts.till import Till
from usufruct.core import Address, Clock, Denied, Unavailable, checksum
from usufruct.market.trade import NodeView
from usufruct.web import HttpExchange

_FRESH_SECONDS = 60.0
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via", b"cf-connecting-ip")
"""What proxies and tunnels add: a caller behind one is on another machine."""


class NotOperator(Denied, code="not_operator"):
    """The signed-in wallet is neither the owner's nor one that the owner named."""


class Operators:
    """Knows operators by their sessions; `devnet_owner` is the owner that a local visitor may be on a devnet."""

    def __init__(
        self,
        sessions: Sessions,
        till: Till,
        clock: Clock,
        admins: frozenset[Address],
        devnet_owner: Address | None,
        node_seconds: float = 5.0,
    ) -> None:
        """Wait `node_seconds` for the chain's node where no page says for how long."""
        self._sessions = sessions
        self._till = till
        self._clock = clock
        self._admins = admins
        self._devnet_owner = devnet_owner
        self._node_seconds = node_seconds
        self._owner: tuple[Address, float] | None = None

    async def find(self, exchange: HttpExchange) -> Session | None:
        """Return the session of a request, an operator's or not."""
        return await self._sessions.find(exchange)

    async def require(self, exchange: HttpExchange) -> Address:
        """Return the operator whose session a request carries.

        Raises:
            Unauthenticated: when no one is signed in.
            NotOperator: when another is.
        """
        session = await self._sessions.require(exchange)
        if not await self.allows(session.address):
            raise NotOperator(
                f"{checksum(session.address)} is not an operator of this installation; sign in with the owner's "
                "wallet, or have the owner add yours to the setting operator.admin",
                field="cookie",
                address=session.address,
            )
        return session.address

    async def allows(self, address: Address, node: NodeView | None = None) -> bool:
        """Tell whether an address is an operator's; `node` as `owner`."""
        return address in self._admins or address == await self.owner(node)

    async def owner(self, node: NodeView | None = None) -> Address:
        """Return the till's owner, as the chain said within the last minute; while its node is away, as it said last.

        `node` is the one of the page that asks; None stands for one that asks nothing else.

        Raises:
            Unavailable: when the node has not answered yet.
        """
        now = self._clock.monotonic()
        if self._owner is None or now - self._owner[1] > _FRESH_SECONDS:
            try:
                async with (node or NodeView(self._node_seconds)).limit():
                    self._owner = await self._till.owner(), now
            except Unavailable:  # the operator looks at the page for just this
                if self._owner is None:
                    raise
        return self._owner[0]

    def learn(self, owner: Address) -> None:
        """Take over the till's owner as the chain said just now: one who has accepted it is an operator at once."""
        self._owner = owner, self._clock.monotonic()

    def may_enter(self, exchange: HttpExchange) -> bool:
        """Tell whether a visitor may be the owner without a wallet: on a devnet, on the machine that it runs on."""
        return self._devnet_owner is not None and _is_here(exchange)

    async def enter(self, exchange: HttpExchange) -> Session:
        """Start a session of a devnet's owner.

        Raises:
            NotOperator: when this is not a devnet, or the visitor is not on this machine.
        """
        if self._devnet_owner is None or not _is_here(exchange):
            raise NotOperator(
                "only a devnet's own machine signs its operator in without a wallet; open the page at 127.0.0.1 there",
                field="host",
            )
        return await self._sessions.start(exchange, self._devnet_owner)


def _is_here(exchange: HttpExchange) -> bool:
    """Tell whether a request comes from this machine, to an address that only this machine has.

    The address keeps out pages of other sites whose name resolves to this machine (DNS rebinding).
    """
    peer = (exchange.scope.get("client") or ("",))[0]
    host = urlsplit(exchange.root).hostname
    forwarded = exchange.has_public_url or any(exchange.header(name) for name in _FORWARDED)
    return peer in _THIS_MACHINE and host in _THIS_MACHINE and not forwarded
