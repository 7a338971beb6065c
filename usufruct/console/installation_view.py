"""How an installation does: money, payees, keys, jobs, settings, and what the doctor says. Nothing is changed here."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from usufruct.assets import Listings
from usufruct.chain import ChainAccess
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import Role, role_address
from usufruct.config import show_config
from usufruct.core import Address, Unavailable
from usufruct.core.diagnostics import Diagnostics
from usufruct.gateway import Operator
from usufruct.payments.ledger import Ledger
from usufruct.store import reported_jobs
from usufruct_client.operator_documents import (
    ClaimFacts,
    HealthFacts,
    HealthFinding,
    InstallationFacts,
    JobFacts,
    PayeeFacts,
    RoleKey,
)

T = TypeVar("T")


class InstallationView:
    """Reads an installation for its operator; what only the node knows is None while it does not answer."""

    def __init__(
        self, chain: ChainAccess, ledger: Ledger, listings: Listings, operator: Operator, diagnostics: Diagnostics
    ) -> None:
        self.operator = operator
        self._chain = chain
        self._ledger = ledger
        self._listings = listings
        self._diagnostics = diagnostics
        self._till = Till(operator.till, chain.client)
        self._looking = asyncio.Lock()

    async def facts(self) -> InstallationFacts:
        """Return everything but the health."""
        return InstallationFacts(
            self.operator.symbol,
            self.operator.decimals,
            await self._claims(),
            await self._payees(),
            await self._keys(),
            await self._jobs(),
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
            await _known(self._till.total_owed(self.operator.token)),
        )

    async def _payees(self) -> list[PayeeFacts]:
        services: dict[Address, list[str]] = {}
        for listing in await self._listings.list():
            services.setdefault(listing.pay_to, []).append(listing.name)
        found = []
        for pay_to, names in services.items():
            kind = await _known(self._till.payees(pay_to))
            owed = await _known(self._till.owed(pay_to, self.operator.token))
            found.append(PayeeFacts(pay_to, names, None if kind is None else kind is not PayeeKind.NONE, owed))
        return found

    async def _keys(self) -> list[RoleKey]:
        known = {role: role_address(role, self._chain.config) for role in Role}
        return [
            RoleKey(role.value, address, await _known(self._chain.client.balance(address)))
            for role, address in known.items()
            if address is not None
        ]

    async def _jobs(self) -> list[JobFacts]:
        return [
            JobFacts(process, job.name, job.failures, job.failing_since, job.code, job.message)
            for process, job in await reported_jobs(self._chain.database)
        ]


async def _known(answer: Awaitable[T]) -> T | None:
    """Return the node's answer; None while it does not answer."""
    try:
        return await answer
    except Unavailable:
        return None
