"""Show what this installation offers, and change prices and limits."""

from dataclasses import asdict, replace
from typing import Annotated, Any

from typer import Argument, Option, Typer

from usufruct.app import Installation, open_installation
from usufruct.assets import CardChange, FreeSample, Listing, Listings, bps_of_percent, price_facts
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import KeystoreMissing, Role, signer_of
from usufruct.cli.support.command import ADDRESS, Facts, Rows, runs
from usufruct.cli.support.price_options import CachedInput, InputPrice, OutputPrice, PricedIn, card_change
from usufruct.cli.support.progress import Progress
from usufruct.core import Address, Clock, Conflict, Denied, Invalid, checksum, format_asset, format_units, moment
from usufruct.gateway import Catalogue, FollowedConfiguration, FollowedConfigurations, Operator, ServedListing
from usufruct.payments.settlement import list_payee

app = Typer()

_USUAL_SAMPLE = FreeSample(calls_per_visitor=3, calls_per_day=100, output_per_call=200)

_COLUMNS = ("name", "kind", "unit", "input_per_million", "cached_input_percent", "output_per_million", "per_call")


@app.command("list")
@runs(open_installation)
async def list_services(installation: Installation) -> Rows:
    """List what is offered, with prices in whole units of the token."""
    rows = [facts_of(listing, installation) for listing in await installation.get(Catalogue).list()]
    return Rows(rows, _COLUMNS, "nothing is offered yet; `usufruct sell` changes that")


@app.command()
@runs(open_installation)
async def show(installation: Installation, name: str) -> Facts:
    """Show a service: its price, its limits of output, and what of a request is forwarded."""
    return facts_of(await installation.get(Catalogue).find(name), installation)


@app.command()
@runs(open_installation)
async def retire(installation: Installation, name: str) -> Facts:
    """Stop offering a service: new calls are refused, running ones end as they would have."""
    since = (await installation.get(Catalogue).find(name)).retired_at
    if since is not None:
        raise Conflict(f"{name} was retired at {moment(since)}; nothing was changed", code="already_retired")
    await installation.get(Listings).retire(name)
    return facts_of(await installation.get(Catalogue).find(name), installation)


@app.command()
@runs(open_installation)
async def pause(installation: Installation, name: str) -> Facts:
    """Refuse new calls of a service until it is resumed; nothing is charged, and running calls end."""
    await installation.get(Listings).pause(name)
    return facts_of(await installation.get(Catalogue).find(name), installation)


@app.command()
@runs(open_installation)
async def resume(installation: Installation, name: str) -> Facts:
    """Take new calls of a paused service again."""
    await installation.get(Listings).resume(name)
    return facts_of(await installation.get(Catalogue).find(name), installation)


@app.command()
@runs(open_installation)
async def sample(
    installation: Installation,
    name: str,
    per_visitor: Annotated[int | None, Option(min=1, help="Free calls of one visitor a day.")] = None,
    per_day: Annotated[int | None, Option(min=1, help="Free calls of all visitors a day.")] = None,
    output: Annotated[int | None, Option(min=1, help="Most output tokens of a free call.")] = None,
    off: Annotated[bool, Option("--off", help="Give no free calls any more.")] = False,
) -> Facts:
    """Let visitors try a service without payment, from now on.

    A bound that you leave out stays as it is; at first they are 3, 100 and 200.

    A visitor is a network. You bear what the server costs: --per-day bounds it.
    """
    if off == any(each is not None for each in (per_visitor, per_day, output)):
        raise Invalid("give --off, or at least one of --per-visitor, --per-day and --output", code="nothing_to_change")
    known = (await installation.get(Catalogue).find(name)).sample or _USUAL_SAMPLE
    options = {"calls_per_visitor": per_visitor, "calls_per_day": per_day, "output_per_call": output}
    given = {bound: most for bound, most in options.items() if most is not None}
    await installation.get(Listings).offer_sample(name, None if off else replace(known, **given))
    return facts_of(await installation.get(Catalogue).find(name), installation)


@app.command()
@runs(open_installation)
async def discount(
    installation: Installation,
    name: str,
    most: Annotated[str, Option("--most", help="The most that a level takes off, in per cent, such as 20.")] = "",
    off: Annotated[bool, Option("--off", help="Give no discount any more.")] = False,
) -> Facts:
    """Let the staking levels of payers lower a service's prices, from now on.

    A payer's level brings the discount that `usufruct level list` shows, up to --most. You bear it: you are paid less.
    """
    if off == bool(most):
        raise Invalid("give either --most or --off", code="nothing_to_change")
    bps = bps_of_percent(most, "--most") if most else 0
    await installation.get(Listings).give_level_discount(name, bps)
    return facts_of(await installation.get(Catalogue).find(name), installation)


@app.command()
@runs(open_installation)
async def configuration(
    installation: Installation,
    name: str,
    follow: Annotated[bool, Option("--follow", help="Serve what shareholders vote for, from now on.")] = False,
    ignore: Annotated[bool, Option("--ignore", help="Serve the seller's own model again.")] = False,
) -> Facts:
    """Follow the configuration of a registered service: model, prompts and parameters, as its shareholders vote.

    A worker reads the registry each block. It takes the document from https, or from the folder `configurations` of the
    data folder, named by its hash. One that is missing or not valid changes nothing.
    """
    if follow == ignore:
        raise Invalid("give either --follow or --ignore", code="nothing_to_change")
    catalogue = installation.get(Catalogue)
    known = (await catalogue.find(name)).followed
    await catalogue.follow(name, (known or FollowedConfiguration()) if follow else None)
    if follow:
        await installation.get(FollowedConfigurations).poll()
    return facts_of(await catalogue.find(name), installation)


@app.command()
@runs(open_installation)
async def price(
    installation: Installation,
    name: str,
    input_price: InputPrice = None,
    output_price: OutputPrice = None,
    per_call: Annotated[str | None, Option("--per-call", help="Per call.")] = None,
    cached_input: CachedInput = None,
    unit: PricedIn = None,
) -> Facts:
    """Change a service's price from now on; what is not given stays as it is. Quoted and running calls keep theirs."""
    decimals = installation.get(Operator).decimals
    change = card_change(decimals, input_price, output_price, per_call, cached_input, unit)
    if change == CardChange():
        raise Invalid(
            "give at least one of --input, --output, --per-call, --cached-input and --unit", code="nothing_to_change"
        )
    now, catalogue = Clock().now(), installation.get(Catalogue)
    await installation.get(Listings).price(name, change.of((await catalogue.find(name)).card(now)), now)
    return facts_of(await catalogue.find(name), installation)


@app.command("pay-to")
@runs(open_installation)
async def pay_to(
    installation: Installation,
    name: str,
    payee: Annotated[Address, Argument(**ADDRESS, help="Who receives the income from now on.")],
) -> Facts:
    """Correct who receives a service's income, that of calls which were not claimed yet too.

    The income of a registered service goes to its revenue shares, which cannot be changed here.
    """
    listing = await installation.get(Listings).find(name)
    if listing.pay_to == payee:
        raise Invalid(f"{name} pays {checksum(payee)} already; nothing was changed", code="nothing_to_change")
    if not listing.registered:
        await list_payee_of(installation, listing, payee, Progress(to_stderr=True))
    await installation.get(Listings).pay(name, payee)
    return facts_of(await installation.get(Catalogue).find(name), installation)


@app.command()
@runs(open_installation)
async def limits(
    installation: Installation,
    name: str,
    max_output: Annotated[int | None, Option(min=1, help="Most output tokens of one call.")] = None,
    default_output: Annotated[int | None, Option(min=1, help="Output tokens of a call that names no limit.")] = None,
    reasoning_output: Annotated[int | None, Option(min=0, help="Most hidden reasoning tokens of a call.")] = None,
    forward: Annotated[list[str] | None, Option(help="Member of requests to forward from now on; repeatable.")] = None,
    drop: Annotated[list[str] | None, Option(help="Member to drop again; repeatable.")] = None,
) -> Facts:
    """Change what one call may take and give from now on; what is not given stays as it is. Shows old and new."""
    added, removed = frozenset(forward or ()), frozenset(drop or ())
    if added & removed:
        raise Invalid(
            f"{', '.join(sorted(added & removed))}: give it to one of --forward and --drop",
            code="contradicting_options",
        )
    options = {"largest_output": max_output, "usual_output": default_output, "reasoning_output": reasoning_output}
    given = {cap: most for cap, most in options.items() if most is not None}
    if not given and not added | removed:
        raise Invalid(
            "give at least one of --max-output, --default-output, --reasoning-output, --forward and --drop",
            code="nothing_to_change",
        )
    old = await installation.get(Catalogue).find(name)
    kept = (old.counting.forward | added) - removed
    new = await installation.get(Catalogue).limit(name, replace(old.caps, **given), kept)
    before, after = _limits_of(old), _limits_of(new)
    changes = {what: {"old": before[what], "new": after[what]} for what in after if before[what] != after[what]}
    return {"name": name, **changes}


def _limits_of(listing: ServedListing) -> dict[str, object]:
    return {
        "default_output": listing.caps.usual_output,
        "max_output": listing.caps.largest_output,
        "reasoning_output": listing.caps.reasoning_output,
        "forward": ", ".join(sorted(listing.counting.forward)),
    }


def facts_of(listing: ServedListing, installation: Installation) -> dict[str, Any]:
    """Return what people and programs are shown of a service; prices in whole units."""
    card, operator = listing.card(Clock().now()), installation.get(Operator)
    return {
        "name": listing.name,
        "kind": listing.operation,
        "asset": format_asset(listing.id),
        "pay_to": checksum(listing.pay_to),
        "price_version": card.version,
        **price_facts(card, operator.shown),
        "symbol": operator.symbol,
        **_limits_of(listing),
        "sample": asdict(listing.sample) if listing.sample else None,
        "level_discount": f"{format_units(listing.level_discount_bps, 2)} %" if listing.level_discount_bps else None,
        "configuration": _configuration_of(listing),
        "paused_at": moment(listing.paused_at) if listing.paused_at else None,
        "retired_at": moment(listing.retired_at) if listing.retired_at else None,
    }


def _configuration_of(listing: ServedListing) -> dict[str, object] | None:
    """Return what is known of the configuration that a service follows; None where it follows none."""
    if (followed := listing.followed) is None:
        return None
    digest = listing.configuration.digest if listing.configuration else None
    return {"digest": digest, "entry": followed.entry or None, "problem": followed.problem or None}


async def list_payee_of(installation: Installation, listing: Listing, payee: Address, progress: Progress) -> None:
    """Have the till pay a listing's payee; the owner's key lists one that is not listed yet."""
    till = Till(installation.get(Operator).till, installation.client)
    kind = PayeeKind.SHARES if listing.registered else PayeeKind.PLAIN
    if await till.payees(payee) is kind:
        return
    try:
        owner = installation.sender(signer_of(Role.OWNER, installation.config))
    except KeystoreMissing as missing:
        raise Denied(
            f"the till {checksum(till.address)} does not list {checksum(payee)}, and the owner's key is not here; "
            f"where it is, run `usufruct till payee {checksum(payee)} --as {kind.name.lower()}`",
            code="payee_not_listed",
        ) from missing
    with progress.working(f"listing {checksum(payee)} as a payee of the till, by the owner's key"):
        await list_payee(till, owner, payee, kind)
