"""The tables of deals: terms, payments by window and account, which accounts are allotted, and what was taken."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row

from usufruct.core import Address, Hash32
from usufruct.staking.deals.model import Deal, DealLevel, DealTerms, Window
from usufruct.store import AddressColumn, Amount, HashColumn, Unit, metadata

_deals = Table(
    "deals",
    metadata,
    Column("id", HashColumn, primary_key=True),
    Column("room", AddressColumn, nullable=False, index=True),
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("issuer", AddressColumn, nullable=False),
    Column("sale_token", AddressColumn, nullable=False),
    Column("payment_token", AddressColumn, nullable=False),
    Column("policy", AddressColumn, nullable=False),
    Column("for_sale", Amount, nullable=False),
    Column("hard_cap", Amount, nullable=False),
    Column("soft_cap", Amount, nullable=False),
    Column("closes_at", BigInteger, nullable=False),
    Column("cliff_days", Integer, nullable=False),
    Column("vesting_days", Integer, nullable=False),
    Column("fee_bps", Integer, nullable=False),
    Column("levels", Text, nullable=False),  # JSON: threshold and cap as text, opening time, by level 0 to 10
    Column("cancelled", Boolean, nullable=False),
)

_TERMS = (
    *("sale_token", "payment_token", "policy"),
    *("for_sale", "hard_cap", "soft_cap"),
    *("closes_at", "cliff_days", "vesting_days"),
)

_events = Table(
    "deal_events",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("deal_id", HashColumn, nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("account", AddressColumn, index=True),
    Column("amount", Amount, nullable=False),
    Column("number", Integer, nullable=False),  # the window of a payment
    PrimaryKeyConstraint("block", "position"),
)

_windows = Table(
    "deal_windows",  # sums of the payments among the events
    metadata,
    Column("deal_id", HashColumn, nullable=False),
    Column("number", Integer, nullable=False),
    Column("paid", Amount, nullable=False),
    Column("accounts", Integer, nullable=False),
    PrimaryKeyConstraint("deal_id", "number"),
)


class EventKind(StrEnum):
    """What happened in a deal."""

    PAID = "paid"
    ALLOTTED = "allotted"
    CANCELLED = "cancelled"


Place = tuple[int, int]
"""A block, and the position of a log in it."""


async def put_deal(unit: Unit, room: Address, place: Place, deal: Deal) -> None:
    """Store a deal that was created."""
    terms = deal.terms
    levels = [[str(each.threshold), str(each.cap), each.opens_at] for each in terms.levels]
    row: dict[str, Any] = {name: getattr(terms, name) for name in _TERMS}
    row |= {"id": deal.id, "room": room, "block": place[0], "position": place[1], "issuer": deal.issuer}
    row |= {"fee_bps": deal.fee_bps, "levels": orjson.dumps(levels).decode(), "cancelled": deal.cancelled}
    await unit.change(insert(_deals).values(**row))


async def put_payment(unit: Unit, place: Place, deal: Hash32, account: Address, amount: int, number: int) -> None:
    """Store a payment, and count it in its window."""
    is_first = await window_of(unit, deal, account) is None
    await _put_event(unit, place, deal, EventKind.PAID, account, amount, number)
    await _change_window(unit, deal, number, amount, int(is_first))


async def put_allotment(unit: Unit, place: Place, deal: Hash32, account: Address, allocation: int) -> None:
    """Store that an account's result was fixed."""
    await _put_event(unit, place, deal, EventKind.ALLOTTED, account, allocation)


async def put_cancellation(unit: Unit, place: Place, deal: Hash32) -> None:
    """Store that a deal was cancelled."""
    await _put_event(unit, place, deal, EventKind.CANCELLED, None, 0)
    await unit.change(update(_deals).where(_deals.c.id == deal).values(cancelled=True))


async def forget_after(unit: Unit, room: Address, block: int) -> None:
    """Undo what happened in blocks after `block`, the newest first."""
    ours = select(_deals.c.id).where(_deals.c.room == room).scalar_subquery()
    undone = (_events.c.deal_id.in_(ours), _events.c.block > block)
    newest_first = (_events.c.block.desc(), _events.c.position.desc())
    for row in await unit.rows(select(_events).where(*undone).order_by(*newest_first)):
        await unit.change(delete(_events).where(_events.c.block == row.block, _events.c.position == row.position))
        if row.kind == EventKind.CANCELLED:
            await unit.change(update(_deals).where(_deals.c.id == row.deal_id).values(cancelled=False))
        if row.kind == EventKind.PAID:
            is_first = await window_of(unit, row.deal_id, row.account) is None
            await _change_window(unit, row.deal_id, row.number, -row.amount, -int(is_first))
    await unit.change(delete(_deals).where(_deals.c.room == room, _deals.c.block > block))


async def deals_of(unit: Unit, room: Address) -> list[Deal]:
    """Return the deals of a deal room, the newest first."""
    return await _find_deals(unit, _deals.c.room == room)


async def named_deals(unit: Unit, room: Address, deals: Collection[Hash32], issuers: Collection[Address]) -> list[Deal]:
    """Return the deals of a deal room that have one of some ids or issuers, the newest first."""
    is_named = or_(_deals.c.id.in_(deals), _deals.c.issuer.in_(issuers))
    return await _find_deals(unit, _deals.c.room == room, is_named)


async def find_deal(unit: Unit, room: Address, deal: Hash32) -> Deal | None:
    """Return a deal of a deal room, or None."""
    row = await unit.row(select(_deals).where(_deals.c.room == room, _deals.c.id == deal))
    return None if row is None else _deal(row)


async def windows_of(unit: Unit, deals: Sequence[Hash32]) -> dict[Hash32, dict[int, Window]]:
    """Return the windows of deals by their numbers, the earliest first."""
    found: dict[Hash32, dict[int, Window]] = {each: {} for each in deals}
    earliest_first = (_windows.c.deal_id, _windows.c.number.desc())
    for row in await unit.rows(select(_windows).where(_windows.c.deal_id.in_(deals)).order_by(*earliest_first)):
        windows = found[Hash32(row.deal_id)]
        before = sum(each.paid for each in windows.values())
        windows[row.number] = Window(before, row.paid, row.accounts)
    return found


async def accounts_to_allot(unit: Unit, deal: Hash32) -> list[Address]:
    """Return the accounts that paid in and whose result is not fixed, in the order of their first payment."""
    rows = await unit.rows(
        select(_events).where(_events.c.deal_id == deal).order_by(_events.c.block, _events.c.position)
    )
    allotted = {row.account for row in rows if row.kind == EventKind.ALLOTTED}
    return list(
        dict.fromkeys(
            Address(row.account) for row in rows if row.kind == EventKind.PAID and row.account not in allotted
        )
    )


async def window_of(unit: Unit, deal: Hash32, account: Address) -> int | None:
    """Return the window that an account paid into; None: it paid nothing."""
    where = (_events.c.deal_id == deal, _events.c.account == account, _events.c.kind == EventKind.PAID)
    row = await unit.row(select(_events.c.number).where(*where).limit(1))
    return None if row is None else int(row.number)


async def _find_deals(unit: Unit, *where: ColumnElement[bool]) -> list[Deal]:
    newest_first = (_deals.c.block.desc(), _deals.c.position.desc())
    return [_deal(row) for row in await unit.rows(select(_deals).where(*where).order_by(*newest_first))]


async def _put_event(
    unit: Unit, place: Place, deal: Hash32, kind: EventKind, account: Address | None, amount: int, number: int = 0
) -> None:
    row = {"block": place[0], "position": place[1], "deal_id": deal, "kind": kind, "account": account}
    await unit.change(insert(_events).values(**row, amount=amount, number=number))


async def _change_window(unit: Unit, deal: Hash32, number: int, amount: int, accounts: int) -> None:
    key = (_windows.c.deal_id == deal, _windows.c.number == number)
    row = await unit.row(select(_windows).where(*key))
    if row is None:
        values = {"deal_id": deal, "number": number, "paid": amount, "accounts": accounts}
        await unit.change(insert(_windows).values(**values))
    elif row.paid + amount:
        await unit.change(update(_windows).where(*key).values(paid=row.paid + amount, accounts=row.accounts + accounts))
    else:
        await unit.change(delete(_windows).where(*key))


def _deal(row: Row[Any]) -> Deal:
    levels = [DealLevel(int(threshold), int(cap), opens_at) for threshold, cap, opens_at in orjson.loads(row.levels)]
    terms = DealTerms(
        Address(row.sale_token),
        Address(row.payment_token),
        Address(row.policy),
        row.for_sale,
        row.hard_cap,
        row.soft_cap,
        row.closes_at,
        row.cliff_days,
        row.vesting_days,
        levels,
    )
    return Deal(Hash32(row.id), Address(row.issuer), terms, row.fee_bps, row.cancelled)
