"""Checks of what is sold: payees, upstreams, passes, calls and claims that hang."""

import asyncio
from collections.abc import AsyncIterator
from secrets import token_hex

from usufruct.app import Installation
from usufruct.chain import fee_sink_of
from usufruct.chain.contracts.asset_registry import AssetRegistry, UnknownAsset
from usufruct.chain.contracts.till import NotAPayee, PayeeKind, Till
from usufruct.cli.doctor.findings import Finding, bad, good, skipped
from usufruct.cli.doctor.sample import pages_from, part
from usufruct.connectors import Limits, UpstreamClient, UpstreamFault
from usufruct.core import ZERO_ADDRESS, Address, Hash32, checksum, format_units
from usufruct.gateway import ServedListing, Upstream
from usufruct.payments.ledger import Account

_PAGE = 200
_SHOWN = 5
_UNLISTED = NotAPayee.__name__
_LIMITS = Limits(connect=3, total=5, answer_bytes=1 << 20)


async def check_payees(installation: Installation) -> AsyncIterator[Finding]:
    """The till pays everybody whose service is on offer, and nobody waits because of a daily cap."""
    till = Till(installation.operator.till, installation.client)
    assets = await installation.catalogue.list()
    async for finding in _capped(installation, till, {asset.pay_to: asset.name for asset in assets}):
        yield finding
    unpaid = [asset for asset in assets if await till.payees(asset.pay_to) is PayeeKind.NONE]
    for asset in unpaid:
        yield bad(
            "payees",
            f"the till does not list {checksum(asset.pay_to)}, the payee of {asset.name}: its income waits",
            f"run `usufruct till payee {checksum(asset.pay_to)}` where the owner's key is (--as shares for Shares)",
        )
    if not unpaid:
        yield good("payees", f"all of {len(assets)} services have a listed payee")


async def _capped(installation: Installation, till: Till, names: dict[Address, str]) -> AsyncIterator[Finding]:
    token, shown = installation.operator.token, installation.operator.shown
    for payee, name in ({fee_sink_of(installation.config): "the fee sink"} | names).items():
        owed = await till.owed(payee, token)
        if owed and not await till.room_today(payee, token):
            cap = shown(await till.daily_cap(payee, token))
            yield bad(
                "payees",
                f"{checksum(payee)}, the payee of {name}, has had the {cap} of today: the till owes it {shown(owed)}",
                "it is paid from midnight UTC on; if it earns so much every day, run "
                f"`usufruct till cap AMOUNT --payee {checksum(payee)}` where the owner's key is",
            )


async def check_upstreams(installation: Installation) -> AsyncIterator[Finding]:
    """Every server behind a service answers, and has the model."""
    assets = await installation.catalogue.list()
    if not assets:
        yield skipped("upstreams", "nothing is on offer; `usufruct sell` changes that")
    pairs = [(asset, replica) for asset in assets for replica in asset.upstreams]
    for finding in await asyncio.gather(*(_upstream(asset, replica) for asset, replica in pairs)):
        yield finding


async def _upstream(asset: ServedListing, replica: Upstream) -> Finding:
    async with UpstreamClient(replica.url, replica.api_key, _LIMITS) as server:
        try:
            models = {model.id for model in await server.models()}
        except UpstreamFault as fault:
            return bad("upstreams", f"{asset.name}: {fault.message}", "")
    if replica.model not in models:
        return bad("upstreams", f"{asset.name}: {replica.url} has no model {replica.model} now", "start it there")
    return good("upstreams", f"{asset.name} answers at {replica.url}")


async def check_passes(installation: Installation) -> AsyncIterator[Finding]:
    """Credits of what is on offer are activated for this gateway, and none that were used wait for an earlier key."""
    registry = AssetRegistry(installation.deployments.address(AssetRegistry), installation.client)
    key, sound = installation.pass_terms.meter, True
    for asset in await installation.catalogue.list():
        try:
            meter = (await registry.meter_of(asset.id)).meter
        except UnknownAsset:  # sold for an address: it has no passes
            continue
        if meter not in (key, ZERO_ADDRESS):
            sound = False
            yield bad(
                "passes",
                f"pass credits of {asset.name} are activated for {checksum(meter)}, and cannot be used here",
                f"its title holder runs `usufruct asset meter {asset.name} {checksum(key)}`",
            )
    for channel in await _waiting_credits(installation):
        sound = False
        yield bad(
            "passes",
            f"account {channel.reading.id} owes credits that only {checksum(channel.reading.config.receiver)} can burn",
            "put that claim key's file back for one `usufruct claim run --everything`",
        )
    if sound:
        yield good("passes", "credits are activated for this gateway's claim key, where there are any")


async def _waiting_credits(installation: Installation) -> list[Account]:
    """Return the accounts that owe what an earlier claim key must burn."""
    found: list[Account] = []
    after: Hash32 | None = None
    while page := await installation.ledger.account_list(after):
        after = page[-1].reading.id
        accounts = [channel for channel in page if installation.chain_side.holds_credits(channel.reading.config)]
        found += [
            account
            for account in accounts
            if account.reading.config.receiver != installation.pass_terms.meter
            and account.total_split < min(account.charged, account.reading.balance)
        ]
    return found


async def check_channels(installation: Installation) -> AsyncIterator[Finding]:
    """No channel has more money in the ledger than on the chain."""
    ledger, seen = installation.ledger, 0
    above: list[tuple[Account, int]] = []

    async def read(after: str) -> list[Account]:
        return await ledger.account_list(Hash32(after) if after else None, _PAGE)

    async for page in pages_from("0x" + token_hex(32), read, lambda channel: channel.reading.id):
        seen += len(page)
        above += await installation.observer.above_chain(page)
    for channel, chain in above[:_SHOWN]:
        yield bad(
            "channels",
            f"{channel.reading.id} holds {channel.reading.balance} atomic units in the ledger, {chain} on the chain",
            "run a worker: it takes the chain's number over; `usufruct reconcile` shows the rest",
        )
    if not above:
        looked = part(seen, await ledger.account_count(), "channels")
        yield good("channels", f"the ledger is not above the chain in {looked}")


async def check_hanging(installation: Installation) -> AsyncIterator[Finding]:
    """No call hangs whose gateway died, and no channel is refused by the chain."""
    lapsed = await installation.ledger.lapsed()
    if lapsed:
        yield bad("calls", f"{len(lapsed)} open calls have no gateway any more", "run a gateway: it releases them")
    else:
        yield good("calls", "none hangs")
    aside = await installation.claimer.set_aside()
    for each in aside:
        remedy = "it is tried again by itself"
        if _UNLISTED in each.message:
            remedy = "list that payee where the owner's key is (`usufruct till payee ADDRESS`); then " + remedy
        yield bad("claims", f"channel {each.channel} is set aside: {each.message}", remedy)
    if not aside:
        owed = sum(total.claimable for total in await installation.ledger.totals())
        amount = format_units(owed, installation.operator.decimals)
        yield good("claims", f"{amount} {installation.operator.symbol} charged and not claimed yet")
