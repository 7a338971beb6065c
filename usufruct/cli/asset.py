"""Register services on the chain, price and retire them, look at them."""

from typing import Annotated, Literal

from typer import Argument, BadParameter, Option, Typer

from usufruct.assets import (
    FREE,
    OPEN_SHARES_WARNING,
    Asset,
    AssetDetails,
    Holding,
    NewAsset,
    RevenueToken,
    bps_of_percent,
    shares_of_percent,
    symbol_of,
)
from usufruct.chain.contracts.asset_registry import Kind, Parent
from usufruct.cli.support.command import Facts, Rows, parse_duration, runs, split_part
from usufruct.cli.support.output import say
from usufruct.cli.support.price_options import CachedInput, InputPrice, OutputPrice, PricedIn, card_change
from usufruct.cli.support.registry_session import AssetArgument, RegistrySession, card_facts, open_registry
from usufruct.cli.support.wallet_option import Wallet, account
from usufruct.config import Config
from usufruct.core import ZERO_ADDRESS, Address, address, checksum, format_asset, format_units, hash32, moment
from usufruct.core.networks import is_devnet

_COLUMNS = ("name", "id", "input", "cached_input_percent", "output", "call", "unit", "currency", "state")

app = Typer()


PerCall = Annotated[str | None, Option("--call", help="Price of each call.")]
Context = Annotated[int | None, Option("--context", help="Most units of input and output together; 0: no limit.")]


@app.command()
@runs()
async def register(
    config: Config,
    name: Annotated[str, Argument(help="What the service is called, here and on the chain.")],
    wallet: Wallet,
    input_price: InputPrice = "0",
    output_price: OutputPrice = "0",
    call_price: PerCall = "0",
    cached_input: CachedInput = None,
    unit: PricedIn = None,
    context: Context = 0,
    symbol: Annotated[str, Option(help="Symbol of the shares; made from the name if left out.")] = "",
    kind: Annotated[Literal["model", "compute", "data", "agent"], Option(help="What is sold.")] = "model",
    currency: Annotated[str, Option(help="Revenue token of the price, by symbol or address.")] = "",
    owner: Annotated[list[str] | None, Option(help="ADDRESS:PERCENT of the shares to give away; repeatable.")] = None,
    parent: Annotated[list[str] | None, Option(help="ASSET:PERCENT of gross revenue for a parent; repeatable.")] = None,
    notice: Annotated[str, Option(help="How long before it holds a new price is known: 1h to 30d.")] = "1d",
    transfer_policy: Annotated[str, Option(help="Who may hold shares: open (a devnet's default), or a contract.")] = "",
    resale_royalty: Annotated[str, Option(help="Percent of resales of title and passes for the shares.")] = "0",
    meter_: Annotated[
        str,
        Option(
            "--meter",
            help="Who burns pass credits: an address or a wallet's name; the claim key's, for your own gateway to. "
            "Without one, passes cannot be sold.",
        ),
    ] = "",
    uri: Annotated[str, Option(help="Where the title's metadata lies.")] = "",
    endpoint: Annotated[str, Option(help="Address of the service's API.")] = "",
    salt: Annotated[str, Option(help="32 bytes as 0x and hex; made from the name if left out.")] = "",
) -> Facts:
    """Register a service: its title, 100,000,000 revenue shares, its price card.

    Example: usufruct asset register my-model --input 0.5 --output 2 --context 8192 --owner 0x9965...a4dc:20 --wallet 0
    """
    policy = _policy(transfer_policy, config.chain.id)
    async with open_registry(config) as session:
        sender, token = session.sender(wallet), await session.registry.find_token(currency)
        owners = [_owner(text) for text in owner or ()]
        card = card_change(token.decimals, input_price, output_price, call_price, cached_input, unit, context).of(FREE)
        terms = NewAsset(
            name=name,
            symbol=symbol or symbol_of(name),
            currency=token.address,
            card=card,
            kind=Kind[kind.upper()],
            notice_period=parse_duration(notice, "notice"),
            transfer_policy=policy,
            resale_royalty_bps=bps_of_percent(resale_royalty, "resale_royalty"),
            parents=tuple([await _parent(text, session) for text in parent or ()]),
            meter=account(meter_, config, "meter") if meter_ else ZERO_ADDRESS,
            uri=uri,
            endpoint=endpoint,
            salt=bytes.fromhex(hash32(salt, "salt")[2:]) if salt else None,
        )
        made = await session.assets.register(sender, terms, owners)
        return {
            "id": format_asset(made.id),
            "name": name,
            "shares": checksum(made.shares),
            "title_holder": checksum(sender.address),
            "owners": [{"holder": checksum(each.holder), "percent": each.percent} for each in owners],
            "price": card_facts(card, token),
            "transaction": made.transaction,
        }


@app.command()
@runs(open_registry)
async def price(
    session: RegistrySession,
    asset: AssetArgument,
    wallet: Wallet,
    input_price: InputPrice = None,
    output_price: OutputPrice = None,
    call_price: PerCall = None,
    cached_input: CachedInput = None,
    unit: PricedIn = None,
    context: Context = None,
) -> Facts:
    """Announce another price; it holds after the asset's notice period. What is not named stays as it is.

    Example: usufruct asset price my-model --input 0.4 --wallet 0
    """
    sender, which = session.sender(wallet), await session.registry.find(asset)
    token = await session.registry.token((await session.registry.asset(which)).currency)
    change = card_change(token.decimals, input_price, output_price, call_price, cached_input, unit, context)
    period, transaction = await session.assets.price(sender, which, change)
    return {
        "id": format_asset(which),
        "price": card_facts(period.card, token),
        "holds_from": moment(period.starts_at),
        "transaction": transaction,
    }


@app.command()
@runs(open_registry)
async def retire(
    session: RegistrySession,
    asset: AssetArgument,
    wallet: Wallet,
    cancel: Annotated[bool, Option("--cancel", help="Call an announced retirement off.")] = False,
) -> Facts:
    """Announce that the service ends in 7 days: no new calls and no sales then, while money goes on being paid out.

    Example: usufruct asset retire my-model --wallet 0
    """
    sender, which = session.sender(wallet), await session.registry.find(asset)
    if cancel:
        transaction = await session.assets.cancel_retirement(sender, which)
        return {"id": format_asset(which), "retires_at": None, "transaction": transaction}
    retires_at, transaction = await session.assets.retire(sender, which)
    return {"id": format_asset(which), "retires_at": moment(retires_at), "transaction": transaction}


@app.command()
@runs(open_registry)
async def meter(
    session: RegistrySession,
    asset: AssetArgument,
    who: Annotated[str, Argument(metavar="METER", help="An address or a wallet's name; the gateway's is claim.")],
    wallet: Wallet,
) -> Facts:
    """Name who burns pass credits that are activated from now on; those activated before stay with their meter.

    Example: usufruct asset meter my-model claim --wallet 0
    """
    named, which = account(who, session.chain.config, "meter"), await session.registry.find(asset)
    transaction = await session.assets.set_meter(session.sender(wallet), which, named)
    return {"id": format_asset(which), "meter": checksum(named), "transaction": transaction}


@app.command()
@runs(open_registry)
async def show(session: RegistrySession, asset: AssetArgument) -> Facts:
    """Show everything the chain says about a service: owner, price, what is announced, income.

    Example: usufruct asset show my-model
    """
    return _shown(await session.assets.show(await session.registry.find(asset)))


@app.command("list")
@runs(open_registry)
async def list_assets(
    session: RegistrySession,
    mine: Annotated[bool, Option("--mine", help="Only those whose title --wallet holds.")] = False,
    wallet: Annotated[str, Option("--wallet", "-w", help="For --mine: a wallet, address, or devnet account.")] = "",
) -> Rows:
    """List the services of this chain's registry, from its logs up to now.

    Example: usufruct asset list --mine --wallet 0
    """
    if mine and not wallet:
        raise BadParameter("--mine needs --wallet", param_hint="--wallet")
    holder = account(wallet, session.chain.config, "wallet") if mine else None
    found = await session.indexer.assets()
    now, names = await session.registry.now(), await session.assets.names()
    rows = [
        _row(each, now, await session.registry.token(each.currency), ours=each.id in names)
        for each in found
        if holder in (None, each.holder)
    ]
    return Rows(rows, _COLUMNS, "no service yet; `usufruct asset register` makes one")


def _identity(asset: Asset | AssetDetails, kind: Kind, shares: Address) -> dict[str, object]:
    return {
        "id": format_asset(asset.id),
        "name": asset.name,
        "kind": kind.name.lower(),
        "title_holder": checksum(asset.holder),
        "shares": checksum(shares),
    }


def _row(asset: Asset, now: int, token: RevenueToken, *, ours: bool) -> dict[str, object]:
    card = asset.card(now).card
    retires = "retired" if asset.retired(now) else f"retires {moment(asset.retires_at)}"
    return {
        **_identity(asset, asset.kind, asset.shares),
        "input": token.show(card.input_per_million),
        "cached_input_percent": format_units(card.cached_input_bps, 2),
        "output": token.show(card.output_per_million),
        "call": token.show(card.per_call),
        "unit": card.unit.value,
        "currency": token.symbol,
        "state": retires if asset.retires_at else "in service",
        "registered_here": ours,
    }


def _shown(asset: AssetDetails) -> dict[str, object]:
    known = asset.known
    pending = asset.pending_card
    announced = pending and {**card_facts(pending.card, asset.currency), "holds_from": moment(pending.starts_at)}
    return {
        **_identity(asset, known.kind, known.shares),
        "symbol": asset.symbol,
        "price": card_facts(asset.card, asset.currency),
        "announced_price": announced,
        "notice_seconds": known.notice_period,
        "retires_at": moment(known.retires_at) if known.retires_at else None,
        "retired": asset.retired,
        "parents": [{"shares": checksum(each.shares), "royalty_bps": each.royalty_bps} for each in asset.parents],
        "transfer_policy": "open" if asset.transfer_policy == ZERO_ADDRESS else checksum(asset.transfer_policy),
        "resale_royalty_bps": known.resale_royalty_bps,
        "meter": None if known.meter == ZERO_ADDRESS else checksum(known.meter),
        "uri": asset.uri or None,
        "endpoint": asset.endpoint or None,
        "income": [
            {
                "token": each.token.symbol,
                "gross": each.token.show(each.gross),
                "not_accrued": each.token.show(each.unaccrued),
            }
            for each in asset.income
        ],
    }


def _owner(text: str) -> Holding:
    who, percent = split_part(text, "owner")
    return Holding(address(who, "owner"), shares_of_percent(percent, "owner"))


async def _parent(text: str, session: RegistrySession) -> Parent:
    who, percent = split_part(text, "parent")
    shares = await session.registry.shares(await session.registry.find(who))
    return Parent(shares.address, bps_of_percent(percent, "parent"))


def _policy(text: str, chain: int) -> Address | None:
    """Return the choice: None for none, which is taken on a devnet only."""
    if text == "open":
        if not is_devnet(chain):
            say(OPEN_SHARES_WARNING)
        return ZERO_ADDRESS
    return address(text, "transfer_policy") if text else None
