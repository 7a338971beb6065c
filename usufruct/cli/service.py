"""`usufruct service`: what this installation offers."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from usufruct.app import Installation, open_installation
from usufruct.assets import bps_of_percent
from usufruct.cli.support.output import Json, print_facts, print_rows
from usufruct.cli.support.registry_session import CachedInput, PricedIn, percent
from usufruct.cli.support.runner import run
from usufruct.config import load_config
from usufruct.core import Conflict, Invalid, PriceCard, SystemClock, checksum, format_asset, moment, parse_units
from usufruct.gateway import ServedListing

app = typer.Typer(help="Services: what this installation offers, and at what price.", no_args_is_help=True)

_COLUMNS = ("name", "kind", "unit", "input_per_million", "cached_input_percent", "output_per_million", "per_call")


class AlreadyRetired(Conflict):
    """The service is not offered any more."""

    code = "already_retired"


class NothingToChange(Invalid):
    """A change that names nothing to be changed."""

    code = "nothing_to_change"


class ContradictingOptions(Invalid):
    """Options that ask for one thing and its opposite."""

    code = "contradicting_options"


@app.command("list")
def list_services(as_json: Json = False) -> None:
    """List what is offered, with prices in whole units of the token."""

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            rows = [facts_of(asset, installation) for asset in await installation.catalogue.list()]
            print_rows(rows, _COLUMNS, "nothing is offered yet; `usufruct sell` changes that", as_json=as_json)

    run(work)


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Show a service: its price, its limits of output, and what of a request is forwarded."""

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            print_facts(facts_of(await installation.catalogue.find(name), installation), as_json=as_json)

    run(work)


@app.command()
def retire(name: str, as_json: Json = False) -> None:
    """Stop offering a service: new calls are refused, running ones end as they would have."""

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            since = (await installation.catalogue.find(name)).retired_at
            if since is not None:
                raise AlreadyRetired(f"{name} was retired at {moment(since)}; nothing was changed", name=name)
            print_facts(facts_of(await installation.catalogue.retire(name), installation), as_json=as_json)

    run(work)


@app.command()
def price(
    name: str,
    input_price: Annotated[
        str | None, typer.Option("--input", help="Per million units of input, whole units of the token.")
    ] = None,
    output_price: Annotated[str | None, typer.Option("--output", help="Per million units of output.")] = None,
    per_call: Annotated[str | None, typer.Option("--per-call", help="Per call.")] = None,
    cached_input: CachedInput = None,
    unit: PricedIn = None,
    as_json: Json = False,
) -> None:
    """Change a service's price from now on; what is not given stays as it is. Quoted and running calls keep theirs."""
    if all(given is None for given in (input_price, output_price, per_call, cached_input, unit)):
        raise NothingToChange(
            "give at least one of --input, --output, --per-call, --cached-input and --unit", field="input"
        )

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            now, decimals = SystemClock().now(), installation.operator.decimals
            old = (await installation.catalogue.find(name)).card(now)

            def units(given: str | None, field: str, unchanged: int) -> int:
                return unchanged if given is None else parse_units(given, decimals, field)

            card = PriceCard(
                units(input_price, "--input", old.input_per_million),
                units(output_price, "--output", old.output_per_million),
                units(per_call, "--per-call", old.per_call),
                old.context_window,
                old.version,
                old.cached_input_bps if cached_input is None else bps_of_percent(cached_input, "--cached-input"),
                unit or old.unit,
            )
            asset = await installation.catalogue.price(name, card, now)
            print_facts(facts_of(asset, installation), as_json=as_json)

    run(work)


@app.command()
def limits(
    name: str,
    max_output: Annotated[int | None, typer.Option(min=1, help="Most output tokens of one call.")] = None,
    default_output: Annotated[
        int | None, typer.Option(min=1, help="Output tokens of a call that names no limit.")
    ] = None,
    reasoning_output: Annotated[
        int | None, typer.Option(min=0, help="Hidden reasoning tokens of one call that may be charged, at most.")
    ] = None,
    forward: Annotated[
        list[str] | None, typer.Option(help="Member of requests to forward from now on; repeatable.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Member to drop again; repeatable.")] = None,
    as_json: Json = False,
) -> None:
    """Change what one call may take and give from now on; what is not given stays as it is. Shows old and new."""
    added, removed = frozenset(forward or ()), frozenset(drop or ())
    if added & removed:
        raise ContradictingOptions(
            f"{', '.join(sorted(added & removed))}: give it to one of --forward and --drop", field="drop"
        )
    options = {"largest_output": max_output, "usual_output": default_output, "reasoning_output": reasoning_output}
    given = {cap: most for cap, most in options.items() if most is not None}
    if not given and not added | removed:
        raise NothingToChange(
            "give at least one of --max-output, --default-output, --reasoning-output, --forward and --drop",
            field="max_output",
        )

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            old = await installation.catalogue.find(name)
            kept = (old.counting.forward | added) - removed
            new = await installation.catalogue.limit(name, replace(old.caps, **given), kept)
            before, after = _limits_of(old), _limits_of(new)
            changes = {what: {"old": before[what], "new": after[what]} for what in after if before[what] != after[what]}
            print_facts({"name": name, **changes}, as_json=as_json)

    run(work)


def _limits_of(asset: ServedListing) -> dict[str, object]:
    return {
        "default_output": asset.caps.usual_output,
        "max_output": asset.caps.largest_output,
        "reasoning_output": asset.caps.reasoning_output,
        "forward": ", ".join(sorted(asset.counting.forward)),
    }


def facts_of(asset: ServedListing, installation: Installation) -> dict[str, Any]:
    """Return what people and programs are shown of a service; prices in whole units."""
    card, shown = asset.card(SystemClock().now()), installation.operator.shown
    return {
        "name": asset.name,
        "kind": asset.endpoint.value,
        "asset": format_asset(asset.id),
        "pay_to": checksum(asset.pay_to),
        "price_version": card.version,
        "input_per_million": shown(card.input_per_million),
        "output_per_million": shown(card.output_per_million),
        "per_call": shown(card.per_call),
        "cached_input_percent": percent(card.cached_input_bps),
        "unit": card.unit.value,
        "symbol": installation.operator.symbol,
        "context_window": card.context_window,
        **_limits_of(asset),
        "retired_at": moment(asset.retired_at) if asset.retired_at else None,
    }
