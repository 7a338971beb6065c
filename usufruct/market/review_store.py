"""The tables of reviews: the current ones, their earlier revisions, and totals that are kept on every write."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
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

from usufruct.core import DAY_SECONDS, Address, AssetId, moment
from usufruct.market.review_model import MOST_OF_NETWORK, Review, TooManyReviews, Totals
from usufruct.store import (
    AddressColumn,
    Amount,
    AssetIdColumn,
    HashColumn,
    RollingWindow,
    Unit,
    metadata,
    next_revision,
)


def _said() -> list[Column[Any]]:
    return [
        Column("asset_id", AssetIdColumn, nullable=False),
        Column("payer", AddressColumn, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("call_id", HashColumn, nullable=False),
        Column("rating", Integer, nullable=False),
        Column("text", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("signature", LargeBinary, nullable=False),
        Column("paid", Amount, nullable=False),
        Column("weight", Integer, nullable=False),
        Column("flags", Text, nullable=False),
    ]


REVISION = "reviews"
"""What changes of reviews and answers are counted under."""

_reviews = Table(
    "reviews",
    metadata,
    *_said(),
    Column("text_hash", LargeBinary, nullable=False, index=True),
    Column("answer", Text),
    Column("answered_at", BigInteger),
    PrimaryKeyConstraint("asset_id", "payer"),
    Index("ix_reviews_asset_id_time", "asset_id", "time"),
)

_earlier = Table("review_revisions", metadata, *_said(), PrimaryKeyConstraint("asset_id", "payer", "revision"))

_STARS = ("one", "two", "three", "four", "five")

_totals = Table(
    "review_totals",
    metadata,
    Column("asset_id", AssetIdColumn, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in (*_STARS, "flagged", "weight", "weighted")),
)


_networks = Table(
    "review_networks",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("payer", AddressColumn, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("network", LargeBinary, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("asset_id", "payer", "time"),
)


async def count_network(unit: Unit, review: Review, network: bytes, now: int) -> None:
    """Note that a review came from a network, by its mark, which is kept for a day.

    Raises:
        TooManyReviews: when as many came from it in 24 hours.
    """
    today = RollingWindow(_networks.c.created_at, DAY_SECONDS, now)
    await unit.change(delete(_networks).where(~today.recent))
    if wait := await today.wait_for_count(unit, MOST_OF_NETWORK, _networks.c.network == network):
        most, then = MOST_OF_NETWORK, moment(now + wait)
        message = f"{most} reviews came from your network in 24 hours; try again from {then} on"
        raise TooManyReviews(message, most=most, retry_after=wait)
    one = {"asset_id": review.asset, "payer": review.payer, "time": review.time}
    await unit.change(insert(_networks).values(network=network, created_at=now, **one))


async def put_review(unit: Unit, review: Review) -> None:
    """Store a review, keep the one that it replaces, and take both into the totals.

    Raises:
        ConstraintViolated: when another process put the service's first review, or this revision, at the same time.
    """
    totals = await totals_of(unit, review.asset, lock=True)
    known = await find_review(unit, review.asset, review.payer)
    values = review_values(review)
    if known is None:
        await unit.change(insert(_reviews).values(values))
    else:
        await unit.change(insert(_earlier).values(_said_values(known)))
        await unit.change(update(_reviews).where(_one(review.asset, review.payer)).values(values))
    counted = (totals or Totals()).plus(review)
    if known is not None:
        counted = counted.plus(known, -1)
    columns = totals_values(counted)
    if totals is None:
        await unit.change(insert(_totals).values(asset_id=review.asset, **columns))
    else:
        await unit.change(update(_totals).where(_totals.c.asset_id == review.asset).values(columns))
    await next_revision(unit, REVISION)


def review_values(review: Review) -> dict[str, object]:
    """Return a review as the table has it, without its answer."""
    return _said_values(review) | {"text_hash": _text_hash(review.text)}


def totals_values(totals: Totals) -> dict[str, int]:
    """Return a service's totals as the table has them."""
    stars = dict(zip(_STARS, totals.stars, strict=True))
    return stars | {"flagged": totals.flagged, "weight": totals.weight, "weighted": totals.weighted}


async def put_answer(unit: Unit, asset: AssetId, payer: Address, text: str, now: int) -> None:
    """Store what the seller answers; it replaces an earlier answer."""
    await unit.change(update(_reviews).where(_one(asset, payer)).values(answer=text, answered_at=now))
    await next_revision(unit, REVISION)


async def totals_of(unit: Unit, asset: AssetId, *, lock: bool = False) -> Totals | None:
    """Return the totals of a service's reviews; None where there is none."""
    query = select(_totals).where(_totals.c.asset_id == asset)
    row = await unit.row(query.with_for_update() if lock else query)
    if row is None:
        return None
    return Totals(tuple(getattr(row, name) for name in _STARS), row.flagged, row.weight, row.weighted)


async def find_review(unit: Unit, asset: AssetId, payer: Address) -> Review | None:
    """Return a payer's current review of a service."""
    row = await unit.row(select(_reviews).where(_one(asset, payer)))
    return None if row is None else _review(row, row.answer, row.answered_at)


async def newest_reviews(unit: Unit, asset: AssetId, after: tuple[int, Address] | None, limit: int) -> list[Review]:
    """Return reviews, the newest first, from the one after `after`: its time and payer."""
    query = select(_reviews).where(_reviews.c.asset_id == asset)
    if after is not None:
        time, payer = after
        same = and_(_reviews.c.time == time, _reviews.c.payer > payer)
        query = query.where(_reviews.c.time <= time, or_(_reviews.c.time < time, same))
    rows = await unit.rows(query.order_by(_reviews.c.time.desc(), _reviews.c.payer).limit(limit))
    return [_review(row, row.answer, row.answered_at) for row in rows]


async def earlier_revisions(unit: Unit, asset: AssetId, payer: Address) -> list[Review]:
    """Return what a payer said of a service before, the newest first."""
    ours = and_(_earlier.c.asset_id == asset, _earlier.c.payer == payer)
    rows = await unit.rows(select(_earlier).where(ours).order_by(_earlier.c.revision.desc()))
    return [_review(row) for row in rows]


async def count_equal_texts(unit: Unit, review: Review, most: int) -> int:
    """Return how many other reviews have the same text, at most `most`."""
    same = select(_reviews.c.rating).where(
        _reviews.c.text_hash == _text_hash(review.text),
        or_(_reviews.c.asset_id != review.asset, _reviews.c.payer != review.payer),
    )
    return len(await unit.rows(same.limit(most)))


async def any_reviewed(unit: Unit, assets: Sequence[AssetId], payers: Iterable[Address]) -> bool:
    """Tell whether one of `payers` has reviewed one of `assets`."""
    ours = and_(_reviews.c.asset_id.in_(assets), _reviews.c.payer.in_(sorted(payers)))
    return await unit.row(select(func.count()).select_from(_reviews).where(ours).having(func.count() > 0)) is not None


def _one(asset: AssetId, payer: Address) -> Any:
    return and_(_reviews.c.asset_id == asset, _reviews.c.payer == payer)


def _text_hash(text: str) -> bytes:
    """Return the hash of a text's letters and digits: spaces, case and marks make no other text."""
    return sha256("".join(filter(str.isalnum, text.casefold())).encode()).digest()


def _said_values(review: Review) -> dict[str, object]:
    return {
        "asset_id": review.asset,
        "payer": review.payer,
        "revision": review.revision,
        "call_id": review.call,
        "rating": review.rating,
        "text": review.text,
        "time": review.time,
        "signature": review.signature,
        "paid": review.paid,
        "weight": review.weight,
        "flags": " ".join(review.flags),
    }


def _review(row: Row[Any], answer: str | None = None, answered_at: int | None = None) -> Review:
    return Review(
        row.asset_id,
        row.payer,
        row.call_id,
        row.rating,
        row.text,
        row.time,
        bytes(row.signature),
        row.paid,
        row.weight,
        tuple(row.flags.split()),
        row.revision,
        answer,
        answered_at,
    )
