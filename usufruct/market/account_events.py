"""Tells persons of refunds and income: from where they are written down when they are final, until they are told.

What is to be told is reported under a subject of its own, and only then taken off the list. A process that is killed
between the two reports it again, which changes nothing.
"""

from collections.abc import Callable, Iterable

from usufruct.accounts.notifications import EventKind, Notifications
from usufruct.assets import Listing, Listings, ShareHolders
from usufruct.chain import Outbox, TokenFacts
from usufruct.core import Address
from usufruct.market.review_owners import ServiceOwners
from usufruct.payments.ledger import Ledger, Transfer
from usufruct.payments.settlement import PaidBatch, PaidBatches
from usufruct_client.notification_documents import EventMoney, IncomeArrived, RefundSent

Faults = Callable[[str], None]
_PAGE = 200


class AccountEvents:
    """Reads the lists of what is final and not told yet; several processes may."""

    def __init__(
        self,
        notifications: Notifications,
        ledger: Ledger,
        batches: PaidBatches,
        listings: Listings,
        owners: ServiceOwners,
        shares: Callable[[], ShareHolders],
        sent: Outbox,
        token: TokenFacts,
        faults: Faults = lambda name: None,
    ) -> None:
        """Look transactions up in `sent`; ask `shares` about registered services only."""
        self._notifications = notifications
        self._ledger = ledger
        self._batches = batches
        self._listings = listings
        self._owners = owners
        self._shares = shares
        self._sent = sent
        self._token = token
        self._faults = faults

    async def report(self) -> None:
        """Report what is final and was not reported.

        Raises:
            RpcUnavailable: when the chain has to be asked for a service's owners and does not answer; nothing is lost.
        """
        for refund in await self._ledger.refunds_to_report():
            await self._report_refund(refund)
        for batch in await self._batches.to_report():
            await self._report_income(batch)

    async def _report_refund(self, refund: Transfer) -> None:
        account = await self._ledger.account(refund.account)
        sent = await self._sent.find(refund.outbox_id)
        data = RefundSent(account.id, self._money(refund.amount, account.token), sent.hash if sent else None)
        subject = f"{refund.account}/{refund.nonce}"
        await self._notifications.report([account.owner], EventKind.REFUND, subject, data.as_json())
        self._faults("refund.reported")
        await self._ledger.refund_reported(refund.account, int(refund.nonce))

    async def _report_income(self, batch: PaidBatch) -> None:
        wanting = await self._wanting() if batch.incomes else frozenset[Address]()
        for asset, amount in batch.incomes.items() if wanting else ():
            listing = await self._listings.by_id(asset)
            if listing is None:
                continue
            persons = sorted((await self._earners(listing)) & wanting)
            money = self._money(amount, batch.token)
            data = IncomeArrived(listing.name, asset, money, batch.transaction)
            await self._notifications.report(persons, EventKind.INCOME, f"{batch.id}/{asset:x}", data.as_json())
        self._faults("income.reported")
        await self._batches.reported(batch.id)

    async def _wanting(self) -> frozenset[Address]:
        """Return who wants to be told of income: the chain is asked for owners only if someone does."""
        found: set[Address] = set()
        after: Address | None = None
        while True:
            page = await self._notifications.watching([EventKind.INCOME], after, _PAGE)
            found |= {each.person for each in page.contacts}
            if page.after is None:
                return frozenset(found)
            after = page.after

    async def _earners(self, listing: Listing) -> frozenset[Address]:
        """Return who earns from a service: its payee, the owner of its title, the holders of its shares."""
        owners: Iterable[Address] = await self._owners.owners_of(listing)
        held = await self._shares().holders(listing.id) if listing.registered else ()
        return frozenset(owners) | {each.holder for each in held if each.amount}

    def _money(self, amount: int, token: Address) -> EventMoney:
        return EventMoney(amount, token, self._token.symbol, self._token.decimals)
