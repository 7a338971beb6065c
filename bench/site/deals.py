"""Deals of the pictures: one that is open, and one that opens next week."""

from secrets import token_bytes
from typing import Any

from bench.site.accounts import DOLLAR, Accounts
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import DAY_SECONDS, Hash32, moment
from usufruct.staking.deals import DealCalls, DealIndexer, Deals, ShownDeals, read_level, read_plan

_ISSUER = 6
_HOUR, _DAY = 3_600, DAY_SECONDS


async def open_deals(accounts: Accounts, end: int) -> "Deal":
    """Create both deals; return the one to which levels can come before `end`, the present."""
    opened = await _create(
        accounts,
        for_sale="400000",
        hard_cap="20000",
        soft_cap="5000",
        closes=moment(end + 4 * _DAY),
        levels=[
            read_level(f"8=8000@{moment(end - 2 * _DAY)}"),
            read_level(f"4=4000@{moment(end - 2 * _DAY + 12 * _HOUR)}"),
            read_level(f"1=1000@{moment(end + _DAY)}"),
        ],
    )
    await _create(
        accounts,
        for_sale="1000000",
        hard_cap="60000",
        soft_cap="15000",
        closes=moment(end + 14 * _DAY),
        levels=[read_level(f"5=5000@{moment(end + 7 * _DAY)}")],
    )
    return opened


class Deal:
    """A deal to which accounts subscribe."""

    def __init__(self, accounts: Accounts, deals: Deals, id_: Hash32) -> None:
        self.id = id_
        self._accounts = accounts
        self._deals = deals

    async def subscribe(self, account: int, dollars: int) -> None:
        """Pay into it."""
        payer = DEVNET_ADDRESSES[account]
        await self._accounts.mint(payer, dollars)
        state = await self._deals.state(self.id)
        await self._accounts.send(
            account, *(await DealCalls(self._deals).subscribe(state, payer, dollars * DOLLAR)).calls
        )


async def _create(accounts: Accounts, **terms: Any) -> Deal:
    at, client = accounts.chain.deployments.address, accounts.chain.client
    deals = Deals(accounts.chain, DealIndexer(accounts.chain), ShownDeals(frozenset({"all"})))
    plan = read_plan({"sale_token": at(PlatformToken), "cliff_days": 30, "vesting_days": 360, **terms})
    sale, payment = await deals.token(plan.sale_token), await deals.token(accounts.dollar.address)
    thresholds = await Levels(at(Levels), client).thresholds()
    checked = plan.terms(sale, payment, thresholds, deals.allow_list.address, await accounts.now())
    await accounts.send(_ISSUER, *await DealCalls(deals).create(DEVNET_ADDRESSES[_ISSUER], checked, token_bytes(32)))
    newest = (await deals.listed())[0]
    return Deal(accounts, deals, newest.deal.id)
