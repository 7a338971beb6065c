"""A buyer's deposits: what is left of each, and the ways by which it comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from usufruct.accounts import BearerKey, Keys
from usufruct.accounts.passkeys import Wallet
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.escrow import SETTLEMENT
from usufruct.core import Address, Clock, Hash32, NotFound
from usufruct.payments.settlement import DepositMoney, MoneyBack, RefundRequests, RefundStatus
from usufruct_client.deposit_wire import DepositFacts, DepositList, RefundFacts, WithdrawalFacts, WithdrawalStep
from usufruct_client.passkey_wire import CallFacts
from usufruct_client.wire import Terms

_RETURNED_PAGE = 20
"""Deposits that came back on a page."""


@dataclass(frozen=True, slots=True)
class DepositPage:
    """A payer's deposits with money in them or on its way, and a page of those that came back, the newest key first."""

    open: list[DepositFacts]
    returned: list[DepositFacts]
    page: int
    pages: int


class BuyerDeposits:
    """The verbs of a signed-in buyer about deposits; `wallet` serves passkey accounts, where there are any."""

    def __init__(
        self, keys: Keys, money: MoneyBack, refunds: RefundRequests, terms: Terms, clock: Clock, wallet: Wallet | None
    ) -> None:
        self._keys = keys
        self._money = money
        self._refunds = refunds
        self._terms = terms
        self._clock = clock
        self._wallet = wallet

    async def list(self, payer: Address) -> DepositList:
        """Return the deposits of a payer, of the newest key first."""
        keys = await self._keys.list(payer)
        money = await self._of(keys)
        found = [_facts(key, money[key.channel]) for key in keys if key.channel in money]
        return DepositList(self._terms.token.symbol, self._terms.token.decimals, found)

    async def refund(self, payer: Address, channel: Hash32) -> DepositFacts:
        """Ask for all that is left of a deposit; asking again while it is on its way changes nothing.

        Raises:
            NotFound: when the payer has no such deposit.
            PaymentRequired, RpcUnavailable: as `RefundRequests.begin`.
        """
        key = await self._key(payer, channel)
        await self._refunds.begin(channel)
        return _facts(key, (await self._of([key]))[channel])

    async def withdrawal_step(self, payer: Address, channel: Hash32) -> WithdrawalStep:
        """Return what the payer sends or signs next to take a deposit back without the operator.

        Raises:
            NotFound: when the payer has no such deposit.
            NoWithdrawalStep, Unavailable: as `DepositMoney.next_step`.
        """
        money = (await self._of([await self._key(payer, channel)]))[channel]
        calls = money.next_step()
        step: Literal["announce", "finish"] = "finish" if money.announced_at else "announce"
        if self._wallet and await self._wallet.owns(payer):
            return WithdrawalStep(step, self._terms.chain_id, None, await self._wallet.call(payer, calls))
        [call] = calls if len(calls) == 1 else [BatchSettlement(SETTLEMENT).multicall([each.data for each in calls])]
        return WithdrawalStep(step, self._terms.chain_id, CallFacts(call.to, call.data), None)

    async def _of(self, keys: Sequence[BearerKey]) -> dict[Hash32, DepositMoney]:
        now = self._clock.now()
        over = {key.channel for key in keys if not key.is_live(now)}
        return await self._money.of({key.channel for key in keys}, over)

    async def _key(self, payer: Address, channel: Hash32) -> BearerKey:
        key = next((each for each in await self._keys.list(payer) if each.channel == channel), None)
        if key is None:
            message = f"{payer} has no key with channel {channel}; look at the keys again"
            raise NotFound(message, code="channel_not_found", field="channel")
        return key


def deposit_page(deposits: Sequence[DepositFacts], page: int = 1) -> DepositPage:
    """Return the open deposits, and of those that came back the page which is nearest to `page`."""
    open_ = [each for each in deposits if _is_open(each)]
    returned = [each for each in deposits if each.refund and not _is_open(each)]
    pages = max(1, -(-len(returned) // _RETURNED_PAGE))
    page = min(max(page, 1), pages)
    return DepositPage(open_, returned[(page - 1) * _RETURNED_PAGE : page * _RETURNED_PAGE], page, pages)


def _is_open(each: DepositFacts) -> bool:
    pending = each.refund is not None and each.refund.state == "requested"
    return bool(each.withdrawable or each.reserved or each.withdrawal or pending or each.paid_in > each.spent)


def _facts(key: BearerKey, money: DepositMoney) -> DepositFacts:
    announced = money.announced, money.announced_at, money.finish_from, money.can_finish
    return DepositFacts(
        money.channel,
        key.id,
        key.label,
        money.paid_in,
        money.spent,
        money.reserved,
        money.free,
        money.refund_from,
        money.returns_at,
        money.config.withdraw_delay,
        _refund(money.refund) if money.refund else None,
        WithdrawalFacts(*announced) if money.announced_at else None,
    )


def _refund(found: RefundStatus) -> RefundFacts:
    return RefundFacts(found.state.value, found.amount, found.requested_at, found.arrives_by, found.transaction)
