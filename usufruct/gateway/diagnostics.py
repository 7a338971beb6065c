"""Checks of what is sold: payees, upstreams, passes."""

import asyncio
from collections.abc import AsyncIterator

from usufruct.chain import Client, fee_sink_of
from usufruct.chain.contracts.asset_registry import AssetRegistry, UnknownAsset
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.deployment import Deployments
from usufruct.config import Config
from usufruct.connectors.openai import Limits, UpstreamClient, UpstreamFault
from usufruct.core import ZERO_ADDRESS, Address, checksum
from usufruct.core.components import Context
from usufruct.core.diagnostics import Finding, bad, good, skipped
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.model import ServedListing, Upstream
from usufruct.gateway.operator_profile import Operator
from usufruct.payments.pricing import PassTerms
from usufruct.payments.settlement import PassCredits

_LIMITS = Limits(connect=3, total=5, answer_bytes=1 << 20)


async def check_payees(context: Context) -> AsyncIterator[Finding]:
    """Check that the till pays the payee of each listing, and that no payout waits for a daily cap."""
    till = Till(context.get(Operator).till, context.get(Client))
    listings = await context.get(Catalogue).list()
    async for finding in _capped(context, till, {listing.pay_to: listing.name for listing in listings}):
        yield finding
    unpaid = [listing for listing in listings if await till.payees(listing.pay_to) is PayeeKind.NONE]
    for listing in unpaid:
        yield bad(
            "payees",
            f"the till does not list {checksum(listing.pay_to)}, the payee of {listing.name}: its income waits",
            f"run `usufruct till payee {checksum(listing.pay_to)}` where the owner's key is (--as shares for Shares)",
        )
    if not unpaid:
        yield good("payees", f"all of {len(listings)} services have a listed payee")


async def _capped(context: Context, till: Till, names: dict[Address, str]) -> AsyncIterator[Finding]:
    token, shown = context.get(Operator).token, context.get(Operator).shown
    for payee, name in ({fee_sink_of(context.get(Config)): "the operator's fee account"} | names).items():
        owed = await till.owed(payee, token)
        if owed and not await till.room_today(payee, token):
            cap = shown(await till.daily_cap(payee, token))
            yield bad(
                "payees",
                f"{checksum(payee)}, the payee of {name}, has had the {cap} of today: the till owes it {shown(owed)}",
                "it is paid from midnight UTC on; if it earns so much every day, run "
                f"`usufruct till cap AMOUNT --payee {checksum(payee)}` where the owner's key is",
            )


async def check_upstreams(context: Context) -> AsyncIterator[Finding]:
    """Every server behind a service answers, and has the model."""
    listings = await context.get(Catalogue).list()
    if not listings:
        yield skipped("upstreams", "nothing is on offer; `usufruct sell` changes that")
    pairs = [(listing, upstream) for listing in listings for upstream in listing.upstreams]
    for finding in await asyncio.gather(*(_upstream(listing, upstream) for listing, upstream in pairs)):
        yield finding


async def _upstream(listing: ServedListing, upstream: Upstream) -> Finding:
    async with UpstreamClient(upstream.url, upstream.api_key, _LIMITS, reach=upstream.reach) as server:
        try:
            models = {model.id for model in await server.models()}
        except UpstreamFault as fault:
            return bad("upstreams", f"{listing.name}: {fault.message}", "")
    if (model := listing.model_of(upstream)) not in models:
        return bad("upstreams", f"{listing.name}: {upstream.url} has no model {model} now", "start it there")
    return good("upstreams", f"{listing.name} answers at {upstream.url}")


async def check_configurations(context: Context) -> AsyncIterator[Finding]:
    """Each configuration that shareholders voted for is in force where the service follows it."""
    for listing in await context.get(Catalogue).list():
        if (followed := listing.followed) is None:
            continue
        if followed.problem:
            yield bad(
                "configurations",
                f"{listing.name}: {followed.problem}; the one before stays in force",
                f"put the document that `usufruct trust show {listing.name}` names into the folder configurations of "
                "the data folder, as HASH.json",
            )
        elif followed.document:
            yield good("configurations", f"{listing.name} is served as its shareholders decided")
        else:
            yield skipped("configurations", f"the registry names no configuration of {listing.name}")


async def check_passes(context: Context) -> AsyncIterator[Finding]:
    """Credits of what is on offer are activated for this gateway, and none that were used wait for an earlier key."""
    registry = AssetRegistry(context.get(Deployments).address(AssetRegistry), context.get(Client))
    key, sound = context.get(PassTerms).meter, True
    for listing in await context.get(Catalogue).list():
        try:
            meter = (await registry.meter_of(listing.id)).meter
        except UnknownAsset:  # sold for an address: it has no passes
            continue
        if meter not in (key, ZERO_ADDRESS):
            sound = False
            yield bad(
                "passes",
                f"pass credits of {listing.name} are activated for {checksum(meter)}, and cannot be used here",
                f"its title holder runs `usufruct asset meter {listing.name} {checksum(key)}`",
            )
    for account, activated in await context.get(PassCredits).unburnable():
        sound = False
        yield bad(
            "passes",
            f"account {account.id} owes credits that only {checksum(activated.meter)} can burn",
            "put that claim key's file back for one `usufruct claim run --everything`",
        )
    if sound:
        yield good("passes", "credits are activated for this gateway's claim key, where there are any")
