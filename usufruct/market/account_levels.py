"""Tells persons of levels: a key's deposit or limit that is low, a service that fails. Once, until the level is over.

Only the keys and services of persons who want to be told are looked at, a page of persons in a few queries; calls do
nothing for it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from usufruct.accounts import BearerKey, Keys
from usufruct.accounts.notifications import Contact, EventKind, Notifications
from usufruct.assets import Listings
from usufruct.chain import TokenFacts
from usufruct.core import DAY_SECONDS, Address, AssetId
from usufruct.market.review_owners import ServiceOwners
from usufruct.payments.ledger import Account, Ledger
from usufruct.store import Database
from usufruct_client.notification_documents import BalanceLow, EventMoney, KeyLimitLow, ServiceFailing

_PAGE = 200
_KINDS = (EventKind.LOW_BALANCE, EventKind.LIMIT_LOW, EventKind.FAILING)
_TENTH = 10
LEAST_FAILURES = 5
"""Calls that must have failed before a service is said to."""


class ServiceFailures(Protocol):
    """Knows how servers of services do."""

    async def last_hours(self) -> Mapping[AssetId, tuple[int, int]]:
        """Return how many calls were answered and failed in this hour and the one before, by service."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A level that is reached, and what the person is told of it."""

    kind: EventKind
    subject: str
    data: dict[str, Any]


class AccountLevels:
    """Looks at the keys of those who want to be told, and at the services."""

    def __init__(
        self,
        notifications: Notifications,
        keys: Keys,
        ledger: Ledger,
        failures: ServiceFailures,
        listings: Listings,
        owners: ServiceOwners,
        database: Database,
        token: TokenFacts,
    ) -> None:
        self._notifications = notifications
        self._keys = keys
        self._ledger = ledger
        self._failures = failures
        self._listings = listings
        self._owners = owners
        self._database = database
        self._token = token

    async def report(self) -> None:
        """Report levels that are reached and were not reported; forget those that are over.

        Raises:
            RpcUnavailable: when the chain has to be asked for a service's owners and does not answer.
        """
        failing = await self._failing()
        after: Address | None = None
        while True:
            page = await self._notifications.watching(_KINDS, after, _PAGE)
            await self._report_page(page.contacts, failing)
            if page.after is None:
                return
            after = page.after

    async def _report_page(self, contacts: Sequence[Contact], failing: Mapping[Address, Sequence[Reached]]) -> None:
        if not contacts:
            return
        now = await self._database.now()
        persons = [each.person for each in contacts]
        keys: dict[Address, list[BearerKey]] = defaultdict(list)
        for key in await self._keys.store.live_of(persons, now):
            keys[key.payer].append(key)
        accounts = await self._ledger.find_accounts([key.channel for each in keys.values() for key in each])
        reported = await self._notifications.levels_of(persons, _KINDS)
        reached = set()
        for contact in contacts:
            levels = [*failing.get(contact.person, ())]
            for key in keys[contact.person]:
                if account := accounts.get(key.channel):
                    levels += levels_of_key(contact, key, account, now // DAY_SECONDS, self._token)
            for level in levels:
                named = (contact.person, level.kind.value, level.subject)
                if level.kind in contact.events:
                    reached.add(named)
                    if named not in reported:
                        await self._notifications.report_level(contact, level.kind, level.subject, level.data)
        await self._notifications.end_levels(sorted(reported - reached))

    async def _failing(self) -> dict[Address, list[Reached]]:
        """Return the failing services of each owner."""
        found: dict[Address, list[Reached]] = defaultdict(list)
        for asset, (answered, failed) in (await self._failures.last_hours()).items():
            listing = await self._listings.by_id(asset) if fails(answered, failed) else None
            if listing is not None and listing.retired_at is None:
                data = ServiceFailing(listing.name, asset, answered + failed, failed)
                level = Reached(EventKind.FAILING, f"{asset:x}", data.as_json())
                for owner in await self._owners.owners_of(listing):
                    found[owner].append(level)
        return found


def levels_of_key(contact: Contact, key: BearerKey, account: Account, day: int, token: TokenFacts) -> Iterator[Reached]:
    """Return the levels that a key has reached: its deposit's, its limit's, its limit's of the day.

    What running calls have set aside is not spent, so it counts as left; a key that never had money is not low.
    """

    def money(amount: int) -> EventMoney:
        return EventMoney(amount, account.token, token.symbol, token.decimals)

    deposit = max(0, account.usable - account.charged)
    if account.reading.balance and deposit < contact.low_balance:
        low = BalanceLow(key.id, key.label, money(deposit), money(contact.low_balance))
        yield Reached(EventKind.LOW_BALANCE, key.id, low.as_json())
    left = max(0, key.spending_limit - account.charged)
    if left < key.spending_limit // _TENTH:
        data = KeyLimitLow(key.id, key.label, "total", money(left), money(key.spending_limit))
        yield Reached(EventKind.LIMIT_LOW, f"{key.id}/total", data.as_json())
    if key.day_limit is not None:
        left = max(0, key.day_limit - account.charged_on(day))
        if left < key.day_limit // _TENTH:
            data = KeyLimitLow(key.id, key.label, "day", money(left), money(key.day_limit))
            yield Reached(EventKind.LIMIT_LOW, f"{key.id}/day/{day}", data.as_json())


def fails(answered: int, failed: int) -> bool:
    """Tell whether a service fails: most of its calls, and not just a few."""
    return failed >= LEAST_FAILURES and failed > answered
