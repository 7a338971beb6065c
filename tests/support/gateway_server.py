"""A whole gateway for tests: database, ledger, keys, catalogue, uvicorn on a free port; and the process to be killed.

As a program it serves until it is stopped: `python -m tests.support.gateway_server DATABASE_URL PORT LEASE_SECONDS`.
"""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from usufruct.accounts import KeyDomain, Keys, KeyTerms, NewKey, key_digest
from usufruct.assets import Caps, Listings, PricePeriod, plain_listing_id
from usufruct.chain.keys import KeySigner
from usufruct.config import LedgerConfig
from usufruct.connectors.openai import Limits
from usufruct.core import UINT128_MAX, Address, ChainId, Clock
from usufruct.core.jobs import jobs_running
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import (
    BearerKeyPayments,
    CallLimits,
    Catalogue,
    CountingRule,
    Endpoint,
    FreeSamples,
    Gateway,
    KeyChannels,
    Operator,
    PaymentMethods,
    ServedListing,
    Upstream,
    gateway_pages,
    gateway_routes,
)
from usufruct.gateway.call_rate import CallRate
from usufruct.gateway.operations.base import Operation
from usufruct.gateway.quality.service import ServiceQuality
from usufruct.gateway.search.service import ServiceSearch
from usufruct.payments.ledger.service import open_ledger
from usufruct.payments.ledger.sql_statements import FaultHook, no_faults
from usufruct.payments.pricing import NoLevels, PayerBenefits
from usufruct.payments.pricing.vouchers import Escrow
from usufruct.payments.settlement import ChannelRegistry
from usufruct.store import Database, Seal, Stamp, open_database
from usufruct.web import Health, Router, Server, ServerLimits, base_url, event_loop_factory, listen
from usufruct.web.ui import Pages, Site
from usufruct_client import read_receipt

CHAIN = ChainId(31337)
TILL = Address("0x" + "77" * 20)
TOKEN = Address("0x" + "dd" * 20)
PAY_TO = Address("0x" + "55" * 20)
PAYER = KeySigner(bytes(31) + b"\x01")
OPERATOR = Operator(Escrow(CHAIN), TILL, TOKEN, KeySigner(bytes(31) + b"\x02"))
SECRET = b"a secret of thirty-two bytes ...."
LIMITS = Limits(connect=60, first_byte=60, idle=60, total=120, event_bytes=1 << 16)
CARD = PriceCard(input_per_million=1_000_000, output_per_million=3_000_000, per_call=5, context_window=4_096, version=1)
COUNTING = CountingRule(per_message=4, per_request=8, tolerance_ppm=100_000, spare_tokens=4)


class MovableClock(Clock):
    """The machine's clocks, moved on by `ahead` seconds."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@dataclass
class World:
    """Everything a test needs to hand; `url` is the gateway's base URL for OpenAI's client."""

    database: Database
    ledger: object
    keys: Keys
    listings: Listings
    catalogue: Catalogue
    gateway: Gateway
    domain: KeyDomain
    clock: MovableClock
    url: str = ""
    server: Server | None = None
    stopped: asyncio.Event | None = None

    async def asset(
        self, name: str, *urls: str, endpoint: Endpoint = Endpoint.CHAT, vocabulary=None, **changes
    ) -> ServedListing:
        """Offer an asset answered at `urls`; `card`, `caps`, `counting` may be given."""
        asset = ServedListing(
            name=name,
            operation=endpoint,
            pay_to=changes.get("pay_to", PAY_TO),
            id=changes.get("id", plain_listing_id(name, PAY_TO)),
            registered="id" in changes,
            upstreams=tuple(Upstream(url, "m") for url in urls),
            prices=(PricePeriod(changes.get("card", CARD), 0),),
            counting=changes.get("counting", COUNTING),
            caps=changes.get("caps", Caps(usual_output=100, largest_output=1_000)),
        )
        added = await self.catalogue.add(asset, vocabulary)
        await self.gateway.search.refresh()
        return added

    async def key(self, balance: int = 10**9, limit: int = UINT128_MAX, payer: KeySigner = PAYER, **terms) -> NewKey:
        """Make a key whose channel holds `balance`, if the chain can be believed."""
        new = await self.empty_key(limit, payer, **terms)
        await self.fund(new, balance)
        return new

    async def empty_key(self, limit: int, payer: KeySigner, **terms) -> NewKey:
        """Make a key the way a payer does: with their signature."""
        asked = KeyTerms(payer.address, limit, terms.pop("expires_at", Clock().now() + 3600), **terms)
        nonce = secrets.randbits(200)
        return await self.keys.create(asked, nonce, payer.sign(key_digest(self.domain, asked, nonce)))

    async def fund(self, new: NewKey, balance: int, block: int = 1) -> None:
        """Let the chain say that the key's channel holds `balance`."""
        channel = await self.ledger.account(new.key.channel)
        await self.ledger.observe(replace(channel.reading, block=block, balance=balance))

    async def channel(self, new: NewKey):
        """Return the ledger's numbers for a key."""
        return await self.ledger.account(new.key.channel)

    async def charged(self, new: NewKey) -> int:
        """Return what a key was charged in all."""
        return (await self.channel(new)).charged

    async def quiet(self, new: NewKey, seconds: float = 60.0) -> None:
        """Wait until the key has no open call."""
        async with asyncio.timeout(seconds):
            while (await self.channel(new)).reserved:
                await asyncio.sleep(0.02)

    async def bills(self, new: NewKey) -> list:
        """Return the key's metered calls."""
        return await self.ledger.metered(new.key.channel)

    async def check_books(self) -> None:
        """Nothing is lost or invented: entries balance, receipts tile what each channel was charged."""
        assert await self.ledger.audit() == []
        for channel in await self.ledger.account_list():
            calls = await self.ledger.metered(channel.reading.id, limit=10_000)
            assert sum(call.bill.charge for call in calls) == channel.charged
            assert [call.cumulative for call in calls] == sorted(call.cumulative for call in calls)
            assert channel.charged + channel.reserved <= channel.reading.balance


@asynccontextmanager
async def gateway_world(
    database_url: str,
    *,
    port: int = 0,
    lease_seconds: int = 30,
    operator: Operator = OPERATOR,
    limits: Limits = LIMITS,
    server_limits: ServerLimits | None = None,
    faults: FaultHook = no_faults,
    drain_seconds: float = 5.0,
    operations: Sequence[Operation] = (),
    site: Site | None = None,
    benefits: PayerBenefits | None = None,
    calls_per_minute: int = 0,
) -> AsyncIterator[World]:
    """Open everything on a migrated database, and serve it."""
    database = open_database(database_url)
    clock = MovableClock()
    config, seal = LedgerConfig(lease_seconds=lease_seconds), Seal(SECRET, "stored answers")
    ledger = open_ledger(database, config, seal=seal, faults=faults)
    channels, domain = (
        KeyChannels(ChannelRegistry(database, ledger, operator.escrow, clock), operator),
        KeyDomain(CHAIN, operator.till),
    )
    keys = Keys(database, Seal(SECRET, "session keys"), clock, domain, channels)
    listings = Listings(database, clock)
    catalogue = Catalogue(listings, database, Seal(SECRET, "upstreams"), clock)
    call_limits = CallLimits(upstream=limits, drain_seconds=drain_seconds)
    methods = PaymentMethods(BearerKeyPayments(keys, operator.escrow))
    quality, search = ServiceQuality(database), ServiceSearch(catalogue, database, clock)
    samples = FreeSamples(database, Stamp(SECRET, "visitors"), clock)
    gateway = Gateway(
        methods,
        catalogue,
        ledger,
        operator,
        clock,
        quality,
        search,
        samples,
        call_limits,
        operations=operations,
        benefits=benefits,
        call_rate=CallRate(calls_per_minute, benefits or NoLevels(), clock) if calls_per_minute else None,
    )
    health = Health({"ledger": ledger.totals})
    pages = Pages(site or Site(), gallery=True)
    app = Router(
        [*gateway_routes(gateway), *gateway_pages(gateway, pages), *pages.static.routes, *health.routes],
        lifespan=lambda: jobs_running([gateway.lease_job(lease_seconds), gateway.quality_job()]),
        error_page=pages.error_page,
    )
    world = World(database, ledger, keys, listings, catalogue, gateway, domain, clock)
    async with served(app, port, server_limits) as (world.server, world.url, world.stopped):
        yield world
    await world.check_books()
    await ledger.close()
    await database.close()


@asynccontextmanager
async def served(
    app, port: int = 0, limits: ServerLimits | None = None
) -> AsyncIterator[tuple[Server, str, asyncio.Event]]:
    """Serve an application as production does, in this loop; yields server, base URL, and when it has stopped."""
    listening = listen("127.0.0.1", port)
    server = Server(app, limits)
    stopped = asyncio.Event()
    task = asyncio.create_task(server.serve(sockets=[listening]))
    task.add_done_callback(lambda _: stopped.set())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.01)
    try:
        yield server, f"{base_url(listening, '127.0.0.1')}/v1", stopped
    finally:
        server.drain()
        await task
        listening.close()


def receipt_signer(receipt: dict[str, Any]) -> Address:
    """Recover who signed a receipt as it is sent, from its own members only."""
    signer = read_receipt(receipt).signed_by()
    assert signer is not None
    return Address(signer)


async def _serve_until_stopped(database_url: str, port: int, lease_seconds: int) -> None:
    async with gateway_world(database_url, port=port, lease_seconds=lease_seconds) as world:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, world.server.drain)
        await world.stopped.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(_serve_until_stopped(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
