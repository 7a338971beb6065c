"""How an installation does: money, payees, keys, jobs, settings, and what the doctor says. Nothing is changed here."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from usufruct.chain import ChainAccess, gas_needed
from usufruct.chain.contracts.till import Till
from usufruct.chain.keys import Role, role_address
from usufruct.config import show_config
from usufruct.console.node_answers import known
from usufruct.console.payees import Earner, Payees, earners
from usufruct.console.sales import Sales
from usufruct.core.diagnostics import Diagnostics
from usufruct.gateway import Catalogue, Operator, ServedListing
from usufruct.payments.ledger import Ledger
from usufruct.store import reported_jobs
from usufruct_client.operator_documents import (
    ClaimFacts,
    HealthFacts,
    HealthFinding,
    InstallationFacts,
    JobFacts,
    RoleKey,
    ServiceState,
)

PAGE_SIZE = 100
"""Services, and payees, on one page."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Search:
    """Which services and payees of an installation to show: `text` is part of a service's name or a payee's address."""

    text: str = ""
    page: int = 1
    payee_page: int = 1


@dataclass(frozen=True, slots=True)
class InstallationPage:
    """An installation with a page of its services, of `pages`, and a page of its payees, of `payee_pages`."""

    facts: InstallationFacts
    search: Search
    pages: int
    payee_pages: int


class InstallationView:
    """Reads an installation for its operator; what only the node knows is None while it does not answer."""

    def __init__(
        self,
        chain: ChainAccess,
        ledger: Ledger,
        catalogue: Catalogue,
        sales: Sales,
        payees: Payees,
        operator: Operator,
        diagnostics: Diagnostics,
    ) -> None:
        self.operator = operator
        self._chain = chain
        self._ledger = ledger
        self._catalogue = catalogue
        self._sales = sales
        self._payees = payees
        self._diagnostics = diagnostics
        self._till = Till(operator.till, chain.client)
        self._looking = asyncio.Lock()

    async def facts(self) -> InstallationFacts:
        """Return everything but the health."""
        listings, sales = await self._catalogue.list(), await self._sales.waiting()
        return await self._facts(listings, earners(listings, sales))

    async def page(self, search: Search) -> InstallationPage:
        """Return what a search finds; the till is asked about the payees of the page only. Waiting ones come first."""
        listings, sales = await self._catalogue.list(), await self._sales.waiting()
        text = search.text.strip().casefold()
        found = [each for each in listings if text in each.name.casefold() or text in each.pay_to]
        payees = [each for each in earners(listings, sales) if _names(each, text)]
        payees.sort(key=lambda each: not each.sales)
        services, page, pages = _page(found, search.page)
        shown, payee_page, payee_pages = _page(payees, search.payee_page)
        search = Search(search.text.strip(), page, payee_page)
        return InstallationPage(await self._facts(services, shown), search, pages, payee_pages)

    async def _facts(self, listings: Sequence[ServedListing], paid: Sequence[Earner]) -> InstallationFacts:
        claims, till, payees, keys, jobs = await asyncio.gather(
            self._claims(), self._payees.till(), self._payees.facts_of(paid), self._keys(), self._jobs()
        )
        services = [
            ServiceState(each.name, each.id, each.operation, each.registered, len(each.upstreams), each.paused_at)
            for each in listings
        ]
        return InstallationFacts(
            self.operator.symbol,
            self.operator.decimals,
            services,
            claims,
            till,
            payees,
            keys,
            jobs,
            show_config(self._chain.config),
        )

    async def health(self) -> HealthFacts:
        """Ask what `usufruct doctor` asks, but what takes seconds; one look at a time."""
        async with self._looking:
            found = await self._diagnostics.ask(slow=False)
        return HealthFacts([HealthFinding(**each.as_json()) for each in found])

    async def _claims(self) -> ClaimFacts:
        totals = [each for each in await self._ledger.totals() if each.token == self.operator.token]
        return ClaimFacts(
            sum(each.charged for each in totals),
            sum(each.claimable for each in totals),
            await self._ledger.oldest_unclaimed(),
            await known(self._till.total_owed(self.operator.token)),
        )

    async def _keys(self) -> list[RoleKey]:
        addresses = {role: role_address(role, self._chain.config) for role in Role}
        here = {role: address for role, address in addresses.items() if address is not None}
        client = self._chain.client
        needed, *held = await asyncio.gather(
            known(gas_needed(client)), *(known(client.balance(address)) for address in here.values())
        )
        return [
            RoleKey(role.value, address, coins, None if role is Role.RECEIPTS else needed)
            for (role, address), coins in zip(here.items(), held, strict=True)
        ]

    async def _jobs(self) -> list[JobFacts]:
        return [
            JobFacts(process, job.name, job.failures, job.failing_since, job.code, job.message)
            for process, job in await reported_jobs(self._chain.database)
        ]


def _names(earner: Earner, text: str) -> bool:
    names = [*earner.services, *(sale.name for sale in earner.sales)]
    return text in earner.pay_to or any(text in name.casefold() for name in names)


def _page(found: Sequence[T], page: int) -> tuple[Sequence[T], int, int]:
    """Return the page of a list that is nearest to `page`, its number, and how many there are."""
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(page, 1), pages)
    return found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], page, pages
