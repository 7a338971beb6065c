"""The calls by which accounts use deals. What can be checked before is checked; nothing is sent here."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from usufruct.chain import Call, keccak, word
from usufruct.chain.contracts.deal_room import LevelTerms, Terms
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.core import Address, Hash32, checksum, format_units, hash32_from_bytes, id_to_bytes, moment
from usufruct.staking.deals.deals import Deals
from usufruct.staking.deals.errors import (
    DealAccountNotAllowed,
    DealCapReached,
    DealClosed,
    DealLevelNotAdmitted,
    DealNotOpen,
    DealOutdated,
    DealSelling,
    DealSoldOut,
    DealUnfunded,
    DealWindowOver,
    InvalidDealWish,
    NotDealIssuer,
    NothingDue,
)
from usufruct.staking.deals.model import DealPart, DealState, DealTerms, Obstacle, Phase, obstacle


@dataclass(frozen=True, slots=True)
class Payment:
    """What an account does to pay into a deal: an approval of exactly the amount, and the payment.

    `name` is the same for the same payment, and another after it.
    """

    calls: Sequence[Call]
    amount: int
    name: Hash32


class DealCalls:
    """The verbs of issuers and subscribers. Questions to the chain raise `Unavailable`."""

    def __init__(self, deals: Deals) -> None:
        """Use the deal room of `deals`."""
        self.deals = deals
        self._room = deals.room

    # -- subscribers

    async def subscribe(self, state: DealState, account: Address, amount: int, paid: int | None = None) -> Payment:
        """Return the calls that pay into a deal; `paid`: what the account has paid as far as it knows, if it says so.

        Raises:
            DealConflict: when the deal would not take it; its code says why.
        """
        deal, terms = state.deal, state.deal.terms
        part = await self.deals.part(state, account)
        if paid is not None and paid != part.paid:
            message = f"{account} has paid {part.paid} atomic units into this deal, not {paid}; look at it again"
            raise DealOutdated(message, field="paid", paid=str(part.paid))
        await self._check_payment(state, part, amount)
        approval = Erc20(terms.payment_token).approve(self._room.address, amount)
        call = self._room.subscribe(id_to_bytes(deal.id), amount)
        return Payment((approval, call), amount, payment_name(deal.id, account, amount, part.paid))

    async def refund(self, state: DealState, account: Address, to: Address) -> Call:
        """Return the call that pays an account's refund.

        Raises:
            DealSelling, NothingDue: when there is none now.
        """
        self._check_closed(state)
        if not (await self.deals.part(state, account)).refundable:
            raise NothingDue(f"deal {state.deal.id} owes {checksum(account)} no refund, or it was paid")
        return self._room.refund(id_to_bytes(state.deal.id), to)

    async def claim(self, state: DealState, account: Address, to: Address) -> Call:
        """Return the call that pays the tokens of an account that have vested.

        Raises:
            DealSelling, NothingDue: when there are none now.
        """
        self._check_closed(state)
        if not (await self.deals.part(state, account)).claimable:
            raise NothingDue(f"deal {state.deal.id} has no vested tokens for {checksum(account)} that it did not claim")
        return self._room.claim(id_to_bytes(state.deal.id), to)

    # -- issuers

    async def create(self, issuer: Address, terms: DealTerms, salt: bytes) -> list[Call]:
        """Return the calls that create a deal: an approval where one is needed, and the deal with all its tokens.

        Raises:
            DealUnfunded: when the issuer holds less than is for sale.
        """
        token = Erc20(terms.sale_token, self.deals.client)
        held, allowed = await asyncio.gather(token.balance_of(issuer), token.allowance(issuer, self._room.address))
        if held < terms.for_sale:
            facts = await self.deals.token(terms.sale_token)
            raise DealUnfunded(
                f"{checksum(issuer)} holds {format_units(held, facts.decimals)} {facts.symbol}, and "
                f"{format_units(terms.for_sale, facts.decimals)} are for sale; all of them come in with the deal",
                field="for_sale",
            )
        approval = [] if allowed >= terms.for_sale else [token.approve(self._room.address, terms.for_sale)]
        return [*approval, self._room.create(contract_terms(terms), salt)]

    def cancel(self, state: DealState, issuer: Address) -> Call:
        """Return the call that cancels a deal before the first payment; raises `NotDealIssuer`."""
        self._check_issuer(state, issuer)
        return self._room.cancel(id_to_bytes(state.deal.id))

    def take_proceeds(self, state: DealState, issuer: Address, to: Address) -> Call:
        """Return the call that pays the issuer's proceeds; raises `NotDealIssuer`, `DealSelling`."""
        self._check_issuer(state, issuer)
        self._check_closed(state)
        return self._room.take_proceeds(id_to_bytes(state.deal.id), to)

    def take_unsold(self, state: DealState, issuer: Address, to: Address) -> Call:
        """Return the call that pays unsold tokens to the issuer; raises `NotDealIssuer`, `DealSelling`."""
        self._check_issuer(state, issuer)
        self._check_closed(state)
        return self._room.take_unsold(id_to_bytes(state.deal.id), to)

    def allow(self, state: DealState, issuer: Address, accounts: Sequence[Address], *, allowed: bool) -> Call:
        """Return the call that puts accounts on the deal's allow list, or off it.

        Raises:
            NotDealIssuer: when another account is its issuer.
            InvalidDealWish: when the deal does not use the installation's allow list.
        """
        self._check_issuer(state, issuer)
        place = self.deals.allow_list.address
        if state.deal.terms.policy != place:
            raise InvalidDealWish(
                f"deal {state.deal.id} does not ask the list {checksum(place)}; that is chosen when it is created",
                field="deal",
            )
        return self.deals.allow_list.set_accounts(id_to_bytes(state.deal.id), accounts, allowed)

    # -- anyone

    def allot(self, state: DealState, account: Address) -> Call:
        """Return the call that fixes an account's result; raises `DealSelling`."""
        self._check_closed(state)
        return self._room.allot(id_to_bytes(state.deal.id), account)

    async def _check_payment(self, state: DealState, part: DealPart, amount: int) -> None:
        token = await self.deals.token(state.deal.terms.payment_token)
        if found := obstacle(state, part):
            _refuse(found, state, part)
        left = part.left(state.deal.terms)
        if not 0 < amount <= left:
            raise DealCapReached(
                f"level {part.level} may pay up to {format_units(left, token.decimals)} {token.symbol} more, not "
                f"{format_units(amount, token.decimals)}",
                field="amount",
                left=str(left),
            )
        if part.held < amount:
            raise DealUnfunded(
                f"{checksum(part.account)} holds {format_units(part.held, token.decimals)} {token.symbol}; pay less",
                field="amount",
                held=str(part.held),
            )

    def _check_closed(self, state: DealState) -> None:
        if state.phase is Phase.SELLING:
            end = moment(state.deal.terms.closes_at)
            raise DealSelling(f"deal {state.deal.id} sells until {end}; try again then")

    def _check_issuer(self, state: DealState, account: Address) -> None:
        if account != state.deal.issuer:
            raise NotDealIssuer(f"only {checksum(state.deal.issuer)}, its issuer, may do this; use that wallet")


def contract_terms(terms: DealTerms) -> Terms:
    """Return terms as the contract takes them."""
    return Terms(
        terms.sale_token,
        terms.payment_token,
        terms.policy,
        terms.for_sale,
        terms.hard_cap,
        terms.soft_cap,
        terms.closes_at,
        terms.cliff_days,
        terms.vesting_days,
        tuple(LevelTerms(each.cap, each.opens_at) for each in terms.levels),
    )


def payment_name(deal: Hash32, account: Address, amount: int, paid: int) -> Hash32:
    """Return the name of an account's payment after it has paid so much: the same in every tab."""
    return hash32_from_bytes(keccak(id_to_bytes(deal) + id_to_bytes(account) + word(amount) + word(paid)))


def _refuse(found: Obstacle, state: DealState, part: DealPart) -> NoReturn:
    terms, level = state.deal.terms, part.level
    match found:
        case Obstacle.CLOSED:
            raise DealClosed(f"the sale ended at {moment(terms.closes_at)}")
        case Obstacle.NOT_ADMITTED:
            least = next(number for number, each in enumerate(terms.levels) if each.cap)
            raise DealLevelNotAdmitted(
                f"{checksum(part.account)} has level {level}; this deal is for level {least} and up"
            )
        case Obstacle.NOT_OPEN:
            raise DealNotOpen(f"level {level} may subscribe from {moment(terms.levels[level].opens_at)} on")
        case Obstacle.NOT_ALLOWED:
            raise DealAccountNotAllowed(
                f"the deal's policy {checksum(terms.policy)} does not allow {checksum(part.account)}"
            )
        case Obstacle.WINDOW_OVER:
            raise DealWindowOver("the window that the account paid into is over; more can be paid in that window only")
        case Obstacle.SOLD_OUT:
            raise DealSoldOut("the windows before this one reached the hard cap; no more is taken")
        case Obstacle.CAP_REACHED:
            raise DealCapReached(
                f"level {level} may pay {terms.levels[level].cap} atomic units in all, and the account has paid them",
                left="0",
            )
