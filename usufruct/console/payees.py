"""Whom the till pays, and how much a day: read for operators, decided by the till's owner."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets import AssetIndexer, Listing
from usufruct.chain import Call, ChainAccess
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.console.node_answers import known
from usufruct.console.wallet_transactions import DevnetOwner, What, for_wallet, sender_of
from usufruct.core import ZERO_ADDRESS, Address, Denied, Invalid, checksum, parse_units
from usufruct.gateway import Operator
from usufruct.payments.settlement import cap_payees, list_payee
from usufruct_client.operator_documents import CapWish, PayeeFacts, PayeeWish, TillFacts, WaitingSale
from usufruct_client.sale_documents import SaleDraft, WalletTransaction

_MOST_CAP = 2**96 - 1
"""What the till stores a cap in."""


@dataclass(frozen=True, slots=True)
class Earner:
    """An address that services pay, and the sales that wait until the till lists it."""

    pay_to: Address
    services: list[str]
    sales: list[WaitingSale]


def earners(listings: Sequence[Listing], sales: Sequence[tuple[Address, SaleDraft]]) -> list[Earner]:
    """Return whom services and waiting sales pay: in the order of the listings, then of the sales."""
    services: defaultdict[Address, list[str]] = defaultdict(list)
    waiting: defaultdict[Address, list[WaitingSale]] = defaultdict(list)
    for listing in listings:
        services[listing.pay_to].append(listing.name)
    for seller, draft in sales:
        if draft.waits_for and draft.price:
            waiting[draft.waits_for].append(WaitingSale(draft.price.name, seller))
    return [Earner(each, services[each], waiting[each]) for each in services | waiting]


class NotTillOwner(Denied, code="not_till_owner"):
    """The signed-in operator does not own the till."""


class Payees:
    """The till's list of payees and their daily caps; what its owner changes is sent by the owner's wallet."""

    def __init__(
        self, chain: ChainAccess, operator: Operator, indexer: AssetIndexer, devnet_owner: DevnetOwner = None
    ) -> None:
        """Send by `devnet_owner`, where there is one; ask `indexer` which payees are shares."""
        self._till = Till(operator.till, chain.client)
        self._chain_id = chain.chain_id
        self._operator = operator
        self._indexer = indexer
        self._devnet_owner = devnet_owner

    def asks_wallet(self, who: Address) -> bool:
        """Tell whether an owner's own wallet sends what they change."""
        return sender_of(who, self._devnet_owner) is None

    async def till(self) -> TillFacts:
        """Return the till and its owner."""
        owner, cap = await asyncio.gather(known(self._till.owner()), known(self._cap(ZERO_ADDRESS)))
        return TillFacts(self._till.address, owner, cap)

    async def facts(self, listings: Sequence[Listing], sales: Sequence[tuple[Address, SaleDraft]]) -> list[PayeeFacts]:
        """Return who is paid for what is on sale, and who has to be listed before `sales` can be."""
        return await self.facts_of(earners(listings, sales))

    async def facts_of(self, found: Sequence[Earner]) -> list[PayeeFacts]:
        """Ask the till about payees; those that it lists and that have no service are left out."""
        facts = await asyncio.gather(*(self._payee(each.pay_to, each.services, each.sales) for each in found))
        return [each for each in facts if each.services or not each.listed]

    async def _payee(self, pay_to: Address, services: list[str], sales: list[WaitingSale]) -> PayeeFacts:
        kind, owed, cap, has_shares = await asyncio.gather(
            known(self._till.payees(pay_to)),
            known(self._till.owed(pay_to, self._operator.token)),
            known(self._cap(pay_to)),
            known(self._indexer.made(pay_to)),
        )
        listed = None if kind is None else kind is not PayeeKind.NONE
        return PayeeFacts(pay_to, services, listed, owed, has_shares, cap, [] if listed else sales)

    async def set_listed(self, owner: Address, wish: PayeeWish) -> list[WalletTransaction]:
        """Have the till pay an address, or no more; return what the owner's wallet has to send for that.

        Raises:
            NotTillOwner: when the operator does not own the till.
        """
        await check_till_owner(self._till, owner)
        shares = wish.listed and await self._indexer.made(wish.pay_to)
        kind = PayeeKind.SHARES if shares else PayeeKind.PLAIN if wish.listed else PayeeKind.NONE
        if (sender := sender_of(owner, self._devnet_owner)) is not None:
            await list_payee(self._till, sender, wish.pay_to, kind)
            return []
        if await self._till.payees(wish.pay_to) is kind:
            return []
        return self._for_wallet("payee", self._till.set_payee(wish.pay_to, kind))

    async def set_cap(self, owner: Address, wish: CapWish) -> list[WalletTransaction]:
        """Cap what a payee gets a day; return what the owner's wallet has to send for that.

        Raises:
            NotTillOwner: when the operator does not own the till.
            Invalid: for an amount that no cap can be.
        """
        await check_till_owner(self._till, owner)
        operator, pay_to = self._operator, wish.pay_to or ZERO_ADDRESS
        cap = parse_units(wish.amount.strip(), operator.decimals, "amount")
        if cap > _MOST_CAP:
            raise Invalid(
                f"amount must be at most {_MOST_CAP} atomic units, not {cap}", code="invalid_cap", field="amount"
            )
        if (sender := sender_of(owner, self._devnet_owner)) is not None:
            await cap_payees(self._till, sender, operator.token, cap, pay_to)
            return []
        return self._for_wallet("cap", self._till.set_daily_cap(pay_to, operator.token, cap))

    def _for_wallet(self, what: What, call: Call) -> list[WalletTransaction]:
        return for_wallet(what, self._chain_id, call)

    async def _cap(self, pay_to: Address) -> int:
        return await self._till.daily_cap(pay_to, self._operator.token)


async def check_till_owner(till: Till, who: Address) -> None:
    """Raise `NotTillOwner` unless an account owns the till."""
    owner = await till.owner()
    if who != owner:
        raise NotTillOwner(
            f"only the till's owner, {checksum(owner)}, decides about it, and {checksum(who)} is signed in; sign in "
            "with the owner's wallet",
            field="cookie",
            owner=owner,
        )
