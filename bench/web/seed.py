"""An installation as it is after a year: services, measured calls and reviews, written by bulk inserts."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, update

from bench.ledger import LINES, ZERO, fill
from usufruct.assets import Caps, PricePeriod, plain_listing_id
from usufruct.assets.listing_store import caps_text
from usufruct.assets.model import NO_DIGEST
from usufruct.assets.price_cards import row_of
from usufruct.core import Address, AssetId
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import CountingRule, ServiceQuality, Upstream
from usufruct.gateway.quality.store import DAY, HOUR, add_tallies
from usufruct.gateway.quality.tally import Outcome, Tally, Times
from usufruct.gateway.store import counting_text, sealed_upstreams
from usufruct.market.review_model import Review, Totals
from usufruct.market.review_store import review_values, totals_values
from usufruct.payments.ledger import Bill
from usufruct.store import Database, MasterSecret, metadata, open_database

_ACCOUNTS = 1_000
_DAYS = range(0, 30, 3)
"""How many days ago services were called."""

_CHUNK = 10_000
_CARD = PriceCard(500_000, 1_500_000, 20, 8_192, 1)
_COUNTING = counting_text(CountingRule())
_CREATED = 1_700_000_000

Rows = Iterator[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much an installation has seen."""

    services: int
    calls: int
    reviews: int


async def seed(url: str, secret: str, size: Size) -> None:
    """Fill the tables of a migrated database; a tenth of all reviews are of the service `poet-77`."""
    database = open_database(url)
    assets = {f"poet-{number}": _asset(number) for number in range(size.services)}
    reviews = partial(_reviews, list(assets.values()), size.reviews)
    tables: dict[str, Rows] = {
        "listings": _listings(assets),
        "listing_prices": _prices(assets),
        "gateway_upstreams": _servers(assets, MasterSecret(secret.encode())),
        "reviews": (review_values(each) for each in reviews()),
        "review_totals": _totals(reviews()),
    }
    for table, rows in tables.items():
        while chunk := list(islice(rows, _CHUNK)):
            await database.run(partial(_insert, table, chunk))
    await database.run(_count_revisions)
    await _tally(database, list(assets.values()), max(1, size.calls // size.services // len(_DAYS)))
    await ServiceQuality(database).summarize()
    await database.close()
    accounts = min(_ACCOUNTS, size.calls)
    await fill(url, [secrets.token_bytes(32) for _ in range(accounts)], size.calls // accounts)


def _insert(table: str, rows: list[Mapping[str, Any]], connection: Connection) -> None:
    connection.execute(insert(metadata.tables[table]), rows)


def _count_revisions(connection: Connection) -> None:
    """Have the rows count as changed, which were given the revision 1."""
    connection.execute(update(metadata.tables["revisions"]).values(revision=1))


def _payee(number: int) -> Address:
    return Address(f"0x{number + 1:040x}")


def _asset(number: int) -> AssetId:
    return plain_listing_id(f"poet-{number}", _payee(number))


def _listings(assets: Mapping[str, AssetId]) -> Rows:
    caps = caps_text(Caps(usual_output=100, largest_output=1_000))
    for number, (name, asset) in enumerate(assets.items()):
        yield {
            "id": asset,
            "name": name,
            "operation": "chat",
            "pay_to": _payee(number),
            "registered": False,
            "caps": caps,
            "model_digest": NO_DIGEST,
            "created_at": _CREATED + number,
            "retired_at": None,
            "revision": 1,
        }


def _prices(assets: Mapping[str, AssetId]) -> Rows:
    for number, asset in enumerate(assets.values()):
        yield row_of(PricePeriod(replace(_CARD, per_call=number), 0)) | {"listing_id": asset}


def _servers(assets: Mapping[str, AssetId], secret: MasterSecret) -> Rows:
    seal, servers = secret.seal("upstreams"), (Upstream("http://127.0.0.1:1/v1", "m"),)
    for asset in assets.values():
        yield {
            "listing_id": asset,
            "sealed_upstreams": sealed_upstreams(asset, servers, seal),
            "counting": _COUNTING,
            "revision": 1,
        }


def _reviews(assets: list[AssetId], count: int) -> Iterator[Review]:
    """Yield reviews by as many accounts: a tenth of one service, the others of all in turn."""
    busy = min(77, len(assets) - 1)
    for number in range(count):
        asset = assets[busy if number % 10 == 0 else number % len(assets)]
        text = f"Answered {number} of my questions, quickly and in plain words; I would pay for it again."
        yield Review(
            asset, _payee(number), ZERO, 1 + number % 5, text, _CREATED + number, bytes(65), paid=10**6, weight=1
        )


def _totals(reviews: Iterator[Review]) -> Rows:
    found: dict[AssetId, Totals] = {}
    for review in reviews:
        found[review.asset] = found.get(review.asset, Totals()).plus(review)
    for asset, totals in found.items():
        yield {"asset_id": asset} | totals_values(totals)


async def _tally(database: Database, assets: list[AssetId], calls: int) -> None:
    """Count so many calls of each service in the last hour, and on each of the days."""
    now = await database.now()
    tallies = {asset: _tally_of(calls, number) for number, asset in enumerate(assets)}
    async with database.transaction() as unit:
        await add_tallies(unit, tallies, HOUR, now)
    for age in _DAYS:
        async with database.transaction() as unit:
            await add_tallies(unit, tallies, DAY, now - age * DAY)


def _tally_of(calls: int, number: int) -> Tally:
    tally = Tally()
    for at in range(calls):
        bill = Bill(1 + (number + at) % 500, LINES, flagged=False, model_digest=ZERO, response_hash=ZERO)
        tally.add(Outcome.ANSWERED, Times(0.0, 0.1 + at % 9 * (1 + number % 7) / 10, 9.0), bill)
    return tally
