"""Who owns the till, and its way to another owner in two steps: the owner offers it, and the other accepts."""

import asyncio

from usufruct.accounts import Sessions
from usufruct.assets import execute_once
from usufruct.chain import Call, ChainAccess
from usufruct.chain.contracts.till import Till
from usufruct.console.operators import NotOperator, Operators
from usufruct.console.payees import check_till_owner
from usufruct.console.wallet_transactions import DevnetOwner, for_wallet, sender_of
from usufruct.core import ZERO_ADDRESS, Address, Conflict, Denied, checksum
from usufruct.gateway import Operator
from usufruct.web import HttpExchange
from usufruct_client.operator_documents import OwnerFacts, OwnerWish
from usufruct_client.sale_documents import WalletTransaction


class NotNextOwner(Denied, code="not_next_owner"):
    """The till is not offered to the signed-in account."""


class TillOwnership:
    """Reads who owns the till and to whom it is offered; what they decide is sent by their own wallets."""

    def __init__(
        self,
        chain: ChainAccess,
        operator: Operator,
        operators: Operators,
        sessions: Sessions,
        devnet_owner: DevnetOwner = None,
    ) -> None:
        """Send by `devnet_owner`, where there is one; tell `operators` who the owner is."""
        self._till = Till(operator.till, chain.client)
        self._chain_id = chain.chain_id
        self._operators = operators
        self._sessions = sessions
        self._devnet_owner = devnet_owner

    def asks_wallet(self, who: Address) -> bool:
        """Tell whether an account's own wallet sends what it decides."""
        return sender_of(who, self._devnet_owner) is None

    async def facts(self) -> OwnerFacts:
        """Return the till's owner and the account that it is offered to, as the chain has them now."""
        owner, named = await asyncio.gather(self._till.owner(), self._till.pending_owner())
        self._operators.learn(owner)
        return OwnerFacts(self._till.address, owner, None if named == ZERO_ADDRESS else named)

    async def require(self, exchange: HttpExchange) -> Address:
        """Return the signed-in account: an operator's, or the one that the till is offered to.

        Raises:
            Unauthenticated: when no one is signed in.
            NotOperator: when another is.
        """
        who = (await self._sessions.require(exchange)).address
        facts = await self.facts()
        if who != facts.next_owner and not await self._operators.allows(who):
            raise NotOperator(
                f"{checksum(who)} is not an operator, and the till is not offered to it; sign in with the owner's "
                "wallet",
                field="cookie",
                address=who,
            )
        return who

    async def offer(self, owner: Address, wish: OwnerWish) -> list[WalletTransaction]:
        """Offer the till to another owner, or take the offer back; return what the owner's wallet has to send for that.

        Raises:
            NotTillOwner: when the account does not own the till.
            Conflict: when it is offered to its owner.
        """
        await check_till_owner(self._till, owner)
        if wish.to == owner:
            message = f"{checksum(owner)} owns the till already; offer it to another account"
            raise Conflict(message, code="owns_already", field="to")
        to = wish.to or ZERO_ADDRESS
        if await self._till.pending_owner() == to:
            return []
        return await self._made(owner, self._till.transfer_ownership(to), f"offer/{to}")

    async def accept(self, who: Address) -> list[WalletTransaction]:
        """Make an account the till's owner that it is offered to; return what its wallet has to send for that.

        Raises:
            NotNextOwner: when the till is not offered to it.
        """
        if await self._till.pending_owner() != who:
            message = f"the till is not offered to {checksum(who)}; its owner offers it on this page first"
            raise NotNextOwner(message, field="cookie", address=who)
        return await self._made(who, self._till.accept_ownership(), "accept")

    async def _made(self, who: Address, call: Call, intent: str) -> list[WalletTransaction]:
        if (sender := sender_of(who, self._devnet_owner)) is None:
            return for_wallet("owner", self._chain_id, call)
        await execute_once(sender, call, f"till/{intent}")
        return []
