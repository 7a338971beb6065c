"""The tables of offers, of trades on the exchange, and of nonces that makers cancelled.

The first two are named for shares, which were the only goods when they were made.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from usufruct.core import Address, AssetId, Hash32
from usufruct.market.trade.model import GoodsGroup, GoodsOffer, OfferFilter
from usufruct.store import AddressColumn, Amount, AssetIdColumn, HashColumn, Unit, metadata
from usufruct_client.trade import Goods, GoodsKind, OfferedItem

_offers = Table(
    "share_offers",
    metadata,
    Column("hash", HashColumn, primary_key=True),
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("shares", AddressColumn, key="token", nullable=False),  # the contract of the goods
    Column("maker", AddressColumn, nullable=False, index=True),
    Column("currency", AddressColumn, nullable=False),
    Column("amount", Amount, nullable=False),
    Column("price", Amount, nullable=False),
    Column("expiry", BigInteger, nullable=False),
    Column("max_deduction_bps", Integer, nullable=False),
    Column("nonce", Amount, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("rate", Amount, nullable=False),  # the price of 2**64 atomic units, for the order
    Column("sold", Amount, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("over", Boolean, nullable=False),  # sold or used
    Column("plan_id", HashColumn),  # of pass credits; NULL: shares, or the title
    Column("title", Boolean),  # true: the asset's title, sold as a whole; NULL: shares or credits
    Column("more", Text),  # JSON of what is sold with the title: lists of token, plan, amount, price; NULL: nothing
    Index("ix_share_offers_asset_id_over_rate", "asset_id", "over", "rate"),
    Index("ix_share_offers_over_created_at", "over", "created_at", "hash"),
)

_trades = Table(
    "share_trades",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("offer", HashColumn, nullable=False, index=True),
    Column("maker", AddressColumn, nullable=False, index=True),
    Column("buyer", AddressColumn, nullable=False),
    Column("nonce", Amount, nullable=False),
    Column("amount", Amount, nullable=False),
    Column("price", Amount, nullable=False),
    Column("fee", Amount, nullable=False),
    Column("transaction", HashColumn, nullable=False),
    Column("time", BigInteger),
    Column("royalty", Amount),  # NULL: 0
    PrimaryKeyConstraint("block", "position"),
)

_cancellations = Table(
    "exchange_cancellations",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("maker", AddressColumn, nullable=False, index=True),
    Column("word", Amount, nullable=False),
    Column("mask", Amount, nullable=False),
    PrimaryKeyConstraint("block", "position"),
)

_BITS = 256


@dataclass(frozen=True, slots=True)
class Trade:
    """A sale on the exchange; `amount` is 0 for a listing that is not sold in parts, `time` None until it is known.

    `plan` is that of the offer, where the trade was looked up with it.
    """

    block: int
    position: int
    offer: Hash32
    maker: Address
    buyer: Address
    nonce: int
    amount: int
    price: int
    fee: int
    royalty: int
    transaction: Hash32
    time: int | None = None
    plan: int | None = None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Nonces that a maker used up: those of the bits in `mask`, the lowest of which is nonce 256 * `word`."""

    block: int
    position: int
    maker: Address
    word: int
    mask: int

    def holds(self, nonce: int) -> bool:
        """Tell whether a nonce is among them."""
        return nonce // _BITS == self.word and bool(self.mask >> nonce % _BITS & 1)


async def put_offer(unit: Unit, offer: GoodsOffer) -> None:
    """Store a new offer, with what was sold and cancelled under its nonce so far."""
    sold, used = await _use(unit, offer.hash, offer.maker, offer.nonce, whole=offer.goods.title)
    row = {
        "hash": offer.hash,
        "asset_id": offer.goods.asset,
        "plan_id": _plan_id(offer.goods.plan),
        "title": offer.goods.title or None,
        "more": _more_text(offer.more),
        "token": offer.goods.token,
        "maker": offer.maker,
        "currency": offer.currency,
        "amount": offer.amount,
        "price": offer.price,
        "expiry": offer.expiry,
        "max_deduction_bps": offer.max_deduction_bps,
        "nonce": offer.nonce,
        "signature": offer.signature,
        "created_at": offer.created_at,
        "rate": offer.rate,
        "sold": sold,
        "used": used,
        "over": used or sold >= offer.amount,
    }
    await unit.change(insert(_offers).values(row))


async def find_offer(unit: Unit, hash_: Hash32) -> GoodsOffer | None:
    """Return an offer by its listing's hash."""
    row = await unit.row(select(_offers).where(_offers.c.hash == hash_))
    return _offer(row) if row else None


async def open_offers(
    unit: Unit, group: GoodsGroup, now: int, after: tuple[int, Hash32] | None, limit: int
) -> list[GoodsOffer]:
    """Return offers that are neither over nor expired, the lowest price of a unit first, after a rate and hash."""
    query = select(_offers).where(_of(group), _offers.c.over.is_(False), _offers.c.expiry > now)
    if after is not None:
        rate, hash_ = after
        query = query.where(or_(_offers.c.rate > rate, and_(_offers.c.rate == rate, _offers.c.hash > hash_)))
    rows = await unit.rows(query.order_by(_offers.c.rate, _offers.c.hash).limit(limit))
    return [_offer(row) for row in rows]


async def offers_of_maker(unit: Unit, group: GoodsGroup, maker: Address, limit: int) -> list[GoodsOffer]:
    """Return a maker's offers, the newest first, whatever became of them."""
    query = select(_offers).where(_of(group), _offers.c.maker == maker)
    rows = await unit.rows(query.order_by(_offers.c.created_at.desc(), _offers.c.hash).limit(limit))
    return [_offer(row) for row in rows]


async def newest_open_offers(
    unit: Unit, filters: OfferFilter, now: int, before: tuple[int, Hash32] | None, limit: int
) -> list[GoodsOffer]:
    """Return offers of all assets that are neither over nor expired, the newest first, from before a time and hash."""
    created, hash_ = _offers.c.created_at, _offers.c.hash
    query = select(_offers).where(_offers.c.over.is_(False), _offers.c.expiry > now, *_passing(filters))
    if before is not None:
        query = query.where(or_(created < before[0], and_(created == before[0], hash_ < before[1])))
    rows = await unit.rows(query.order_by(created.desc(), hash_.desc()).limit(limit))
    return [_offer(row) for row in rows]


async def live_offers_of(unit: Unit, asset: AssetId, maker: Address, now: int) -> list[GoodsOffer]:
    """Return a maker's offers of an asset's goods that are neither over nor expired."""
    mine = (_offers.c.asset_id == asset, _offers.c.maker == maker)
    rows = await unit.rows(select(_offers).where(*mine, _offers.c.over.is_(False), _offers.c.expiry > now))
    return [_offer(row) for row in rows]


async def trades_of(unit: Unit, group: GoodsGroup, limit: int) -> list[Trade]:
    """Return trades by offers that are known here, the newest first: of others the currency is not known."""
    query = select(_trades, _offers.c.plan_id).join(_offers, _offers.c.hash == _trades.c.offer).where(_of(group))
    rows = await unit.rows(query.order_by(_trades.c.block.desc(), _trades.c.position.desc()).limit(limit))
    return [replace(_trade(row), plan=_plan(row.plan_id)) for row in rows]


async def count_trades(unit: Unit, group: GoodsGroup) -> int:
    """Return how many trades `trades_of` would return, without a limit."""
    query = select(func.count()).select_from(_trades).join(_offers, _offers.c.hash == _trades.c.offer)
    row = await unit.row(query.where(_of(group)))
    return int(row[0]) if row else 0


async def purchases_of(unit: Unit, offer: Hash32, buyer: Address) -> list[Trade]:
    """Return a buyer's trades of an offer, the oldest first."""
    query = select(_trades).where(_trades.c.offer == offer, _trades.c.buyer == buyer)
    return [_trade(row) for row in await unit.rows(query.order_by(_trades.c.block, _trades.c.position))]


async def bought_by(unit: Unit, buyer: Address, offers: Sequence[Hash32]) -> dict[Hash32, int]:
    """Return how much a buyer has bought of each of some offers."""
    found: dict[Hash32, int] = dict.fromkeys(offers, 0)
    query = select(_trades.c.offer, _trades.c.amount).where(_trades.c.buyer == buyer, _trades.c.offer.in_(offers))
    for row in await unit.rows(query):
        found[row.offer] += row.amount
    return found


async def put_trade(unit: Unit, trade: Trade) -> None:
    """Store a trade, and count it in the maker's offers of its nonce."""
    names = (
        "block",
        "position",
        "offer",
        "maker",
        "buyer",
        "nonce",
        "amount",
        "price",
        "fee",
        "royalty",
        "transaction",
    )
    await unit.change(insert(_trades).values({name: getattr(trade, name) for name in (*names, "time")}))
    await _refresh(unit, trade.maker)


async def put_cancellation(unit: Unit, cancelled: Cancellation) -> None:
    """Store a cancellation, and end the maker's offers of its nonces."""
    names = ("block", "position", "maker", "word", "mask")
    await unit.change(insert(_cancellations).values({name: getattr(cancelled, name) for name in names}))
    await _refresh(unit, cancelled.maker)


async def forget_after(unit: Unit, block: int) -> None:
    """Undo trades and cancellations in blocks after `block`."""
    makers: set[Address] = set()
    for table in (_trades, _cancellations):
        rows = await unit.rows(select(table.c.maker).where(table.c.block > block).distinct())
        makers |= {row.maker for row in rows}
        await unit.change(delete(table).where(table.c.block > block))
    for maker in sorted(makers):
        await _refresh(unit, maker)


async def blocks_without_time(unit: Unit, limit: int) -> list[int]:
    """Return blocks whose trades have no time yet."""
    query = select(_trades.c.block).where(_trades.c.time.is_(None)).distinct().order_by(_trades.c.block).limit(limit)
    return [row.block for row in await unit.rows(query)]


async def set_times(unit: Unit, times: Iterable[tuple[int, int]]) -> None:
    """Give the trades of blocks their time, seconds since 1970."""
    for block, time in times:
        await unit.change(update(_trades).where(_trades.c.block == block).values(time=time))


async def _refresh(unit: Unit, maker: Address) -> None:
    """Count again what is sold and cancelled of a maker's offers."""
    for row in await unit.rows(select(_offers).where(_offers.c.maker == maker)):
        sold, used = await _use(unit, row.hash, maker, row.nonce, whole=bool(row.title))
        if (sold, used) != (row.sold, row.used):
            over = used or sold >= row.amount
            values = {"sold": sold, "used": used, "over": over}
            await unit.change(update(_offers).where(_offers.c.hash == row.hash).values(values))


async def _use(unit: Unit, offer: Hash32, maker: Address, nonce: int, *, whole: bool) -> tuple[int, bool]:
    """Return how much of an offer is sold, and whether its nonce is used up.

    Divisible listings of a nonce count together what they sell. One that is sold as a `whole` counts its own sale only,
    as 1: the trade's amount is 0.
    """
    mine = (_trades.c.maker == maker, _trades.c.nonce == nonce)
    trades = await unit.rows(select(_trades.c.offer, _trades.c.amount).where(*mine))
    word = nonce // _BITS
    query = select(_cancellations).where(_cancellations.c.maker == maker, _cancellations.c.word == word)
    cancelled = [_cancellation(row) for row in await unit.rows(query)]
    sold = int(any(row.offer == offer for row in trades)) if whole else sum(row.amount for row in trades)
    return sold, any(not row.amount for row in trades) or any(each.holds(nonce) for each in cancelled)


def _of(group: GoodsGroup) -> ColumnElement[bool]:
    return and_(_offers.c.asset_id == group.asset, _of_kind(group.kind))


def _of_kind(kind: GoodsKind) -> ColumnElement[bool]:
    plan, title = _offers.c.plan_id, _offers.c.title
    if kind is GoodsKind.SHARES:
        return and_(plan.is_(None), title.is_(None))
    return plan.is_not(None) if kind is GoodsKind.CREDITS else title.is_(True)


def _passing(filters: OfferFilter) -> Iterator[ColumnElement[bool]]:
    if filters.kind is not None:
        yield _of_kind(filters.kind)
    if filters.asset is not None:
        yield _offers.c.asset_id == filters.asset
    if filters.maker is not None:
        yield _offers.c.maker == filters.maker


def _plan_id(plan: int | None) -> Hash32 | None:
    return None if plan is None else Hash32(f"0x{plan:064x}")


def _plan(stored: Hash32 | None) -> int | None:
    return None if stored is None else int(stored, 16)


def _more_text(more: Sequence[OfferedItem]) -> str | None:
    items = [[each.goods.token, _plan_id(each.goods.plan), str(each.amount), str(each.price)] for each in more]
    return json.dumps(items) if items else None


def _more(asset: AssetId, stored: str | None) -> tuple[OfferedItem, ...]:
    items = json.loads(stored) if stored else []
    return tuple(
        OfferedItem(Goods(asset, token, _plan(plan)), int(amount), int(price)) for token, plan, amount, price in items
    )


def _offer(row: Row[Any]) -> GoodsOffer:
    return GoodsOffer(
        hash=row.hash,
        goods=Goods(row.asset_id, row.token, _plan(row.plan_id), bool(row.title)),
        maker=row.maker,
        currency=row.currency,
        amount=row.amount,
        price=row.price,
        expiry=row.expiry,
        max_deduction_bps=row.max_deduction_bps,
        nonce=row.nonce,
        signature=row.signature,
        more=_more(row.asset_id, row.more),
        created_at=row.created_at,
        sold=row.sold,
        used=row.used,
    )


def _trade(row: Row[Any]) -> Trade:
    return Trade(
        row.block,
        row.position,
        row.offer,
        row.maker,
        row.buyer,
        row.nonce,
        row.amount,
        row.price,
        row.fee,
        row.royalty or 0,
        row.transaction,
        row.time,
    )


def _cancellation(row: Row[Any]) -> Cancellation:
    return Cancellation(row.block, row.position, row.maker, row.word, row.mask)
