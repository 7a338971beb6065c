"""Activated pass credits as a funding source: authorized by grants, settled by burning what calls used."""

import asyncio
from collections.abc import Sequence

from usufruct.chain import Call, Header, Log, NoAnswer
from usufruct.chain.contracts.access_pass import AccessPass, BurnSkipped, StandingResult, UnknownPlan
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import Account, AccountIdentity, AccountKind, AccountReading, Claim
from usufruct.payments.pricing import ActivatedCredits
from usufruct.payments.settlement.configurations import credits_configurations
from usufruct.payments.settlement.funding_source import (
    Accounts,
    FundingSource,
    Readings,
    Refresh,
    SettledElsewhere,
    is_ahead,
    read_at_one_block,
)
from usufruct.payments.settlement.model import BatchKind, SettlementContext
from usufruct.payments.settlement.payouts import Payouts

CLOSING = 86_400
"""Seconds before credits can be given back in which their account takes no new call: what it owes is burned."""

_NOTICE_SECONDS = 4 * 86_400
"""Taken as notice before credits can be given back: what is charged is burned within a part of it."""

_MANY = 50


class PassCredits(FundingSource):
    """The funding source of accounts that activated credits fund.

    A grant is checked with every call and authorizes nothing later. A burn pays the asset's Shares by itself.
    """

    batch_kind = BatchKind.BURN

    def __init__(self, context: SettlementContext) -> None:
        """Take credits under the context's terms."""
        self.terms = context.passes
        self._context = context
        self._configs = credits_configurations(context.database, self.terms)
        self._contract = AccessPass(self.terms.contract, context.client)

    # Configurations

    async def register(self, activated: ActivatedCredits) -> AccountIdentity:
        """Keep which credits fund an account, and return the account."""
        await self._configs.add(activated)
        return self._identity(activated)

    async def held(self) -> list[tuple[Account, ActivatedCredits]]:
        """Return every account of this contract's credits with what funds it, also those of an earlier meter."""
        found: list[tuple[Account, ActivatedCredits]] = []
        after: Hash32 | None = None
        while page := await self._context.ledger.account_list(after, kind=AccountKind.PASS_CREDITS):
            after = page[-1].id
            activated = await self._known(page)
            found += [(account, activated[account.id]) for account in page if account.id in activated]
        return found

    async def unburnable(self) -> list[tuple[Account, ActivatedCredits]]:
        """Return the accounts that owe credits which only an earlier meter can burn."""
        earlier = [each for each in await self.held() if each[1].meter != self.terms.meter]
        return [each for each in earlier if each[0].total_split < min(each[0].charged, each[0].reading.balance)]

    # Reading

    async def observe(self, accounts: Accounts) -> Readings:
        """Read accounts from the chain, all of one block."""
        activated = await self._configs.find([account.id for account in accounts])
        return await self._read([activated[account.id] for account in accounts])

    async def readable(self, accounts: Sequence[Account]) -> Sequence[Account]:
        """Return the accounts of this contract's credits."""
        activated = await self._known(accounts)
        return [account for account in accounts if account.id in activated]

    async def peek(self, activated: ActivatedCredits) -> AccountReading:
        """Read credits now, and keep nothing of them."""
        return (await self._read([activated])).accounts[0]

    # Settlement

    async def notice_seconds(self, accounts: Sequence[Account]) -> dict[Hash32, int]:
        """Return the same for all."""
        return {account.id: _NOTICE_SECONDS for account in accounts}

    async def settlement_groups(self, accounts: Sequence[Account], claim_key: Address) -> list[list[Account]]:
        """Divide accounts by plan. Only the meter burns credits: accounts of an earlier claim key wait for it."""
        activated = await self._known(accounts)
        plans: dict[int, list[Account]] = {}
        for account in accounts:
            if account.id in activated and activated[account.id].meter == claim_key:
                plans.setdefault(activated[account.id].plan, []).append(account)
        return [plans[plan] for plan in sorted(plans)]

    async def settled_elsewhere(
        self, accounts: Sequence[Account], payouts: Payouts, refresh: Refresh
    ) -> list[SettledElsewhere]:
        """Return burns that our records do not have, because the database was restored: they paid the Shares then."""
        ahead = tuple(account for account in accounts if is_ahead(account))
        return [SettledElsewhere(BatchKind.NOTED, self.terms.token, ahead)] if ahead else []

    async def settlement_call(
        self, kind: BatchKind, token: Address, claims: Sequence[Claim], payouts: Payouts
    ) -> Call | None:
        """Burn credits of one plan; as in a claim of channels, each row is a total."""
        activated = await self._configs.find([claim.account for claim in claims])
        plan = activated[claims[0].account].plan
        holders = [activated[claim.account].holder for claim in claims]
        return self._contract.burn_up_to(plan, holders, [claim.cumulative for claim in claims])

    async def left_out(self, claims: Sequence[Claim], logs: Sequence[Log]) -> list[Claim]:
        """Return the claims whose credits were refunded before they could be burned."""
        holders = {skipped.holder for skipped in BurnSkipped.among(logs, self.terms.contract)}
        activated = await self._configs.find([claim.account for claim in claims])
        return [claim for claim in claims if activated[claim.account].holder in holders]

    async def _known(self, accounts: Sequence[Account]) -> dict[Hash32, ActivatedCredits]:
        return await self._configs.known([account.id for account in accounts])

    async def _read(self, credits_: Sequence[ActivatedCredits]) -> Readings:
        async def read(block: Header, head: Header) -> list[AccountReading]:
            found: list[AccountReading] = []
            for start in range(0, len(credits_), _MANY):
                some = credits_[start : start + _MANY]
                found += await asyncio.gather(*(self._account(activated, block, head) for activated in some))
            return found

        return await read_at_one_block(self._context.client, self._context.confirmations, read)

    async def _account(self, activated: ActivatedCredits, block: Header, head: Header) -> AccountReading:
        """Read an account as of `block`; refunds since then and a pending closing count at once."""
        now = await self._standing(activated, head)
        then = now if head == block else await self._standing(activated, block)
        closing = now.left and now.closes_at and now.closes_at - head.timestamp < CLOSING
        return AccountReading(
            identity=self._identity(activated),
            block=block.number,
            balance=min(then.left + then.burned, now.left + now.burned),
            total_claimed=then.burned,
            withdraw_at=now.closes_at if closing else 0,
        )

    async def _standing(self, activated: ActivatedCredits, block: Header) -> StandingResult:
        contract = self._contract.at_block(block.number)
        try:
            return await contract.standing(activated.plan, activated.holder, activated.meter)
        except (UnknownPlan, NoAnswer):  # the plan or the contract is younger than that block
            return StandingResult(left=0, burned=0, closes_at=0)

    def _identity(self, activated: ActivatedCredits) -> AccountIdentity:
        id_, holder = self.terms.account_id(activated), activated.holder
        return AccountIdentity(id_, AccountKind.PASS_CREDITS, self.terms.chain_id, holder, holder, self.terms.token)
