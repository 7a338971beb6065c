"""`usufruct shares`: give revenue shares away, see who holds them, collect what they earned."""

from typing import Annotated

import typer

from usufruct.assets import SHARE_DECIMALS
from usufruct.cli.support.output import Json, print_facts, print_rows
from usufruct.cli.support.registry_session import AssetArgument, Holder, open_registry, print_each
from usufruct.cli.support.runner import run
from usufruct.cli.support.wallet_option import Wallet, account, open_wallet
from usufruct.config import load_config
from usufruct.core import address, checksum, format_asset, format_units, parse_units

app = typer.Typer(help="Revenue shares: transfer, holders, income.", no_args_is_help=True)


@app.command()
def transfer(
    asset: AssetArgument,
    to: Annotated[str, typer.Argument(help="Address that receives the shares.")],
    amount: Annotated[str, typer.Argument(help="How many of the 100,000,000 shares, as in 2500000 or 12.5.")],
    wallet: Wallet,
    as_json: Json = False,
) -> None:
    """Give shares to somebody. What accrued so far stays yours; what has not goes with the shares.

    Example: usufruct shares transfer my-model 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc 2500000 --wallet 0
    """
    config = load_config()
    signer = open_wallet(wallet, config)
    receiver, atoms = address(to, "to"), parse_units(amount, SHARE_DECIMALS)

    async def work() -> dict[str, object]:
        async with open_registry(config) as session:
            which = await session.registry.find(asset)
            transaction = await session.holders.transfer(session.chain.sender(signer), which, receiver, atoms)
            return {
                "asset": format_asset(which),
                "from": checksum(signer.address),
                "to": checksum(receiver),
                "shares": format_units(atoms, SHARE_DECIMALS),
                "transaction": transaction,
            }

    print_facts(run(work), as_json=as_json)


@app.command()
def holders(asset: AssetArgument, as_json: Json = False) -> None:
    """List who holds a service's shares, from the chain's logs up to now.

    Example: usufruct shares holders my-model
    """

    async def work() -> list[dict[str, object]]:
        async with open_registry(load_config()) as session:
            found = await session.holders.holders(await session.registry.find(asset))
            return [
                {
                    "holder": checksum(each.holder),
                    "shares": format_units(each.amount, SHARE_DECIMALS),
                    "percent": each.percent,
                }
                for each in found
            ]

    print_rows(run(work), ("holder", "shares", "percent"), "nobody holds shares", as_json=as_json)


@app.command()
def pending(asset: AssetArgument, holder: Holder, as_json: Json = False) -> None:
    """Show what somebody's shares have earned and they have not collected, for each revenue token.

    Accrued can be collected as it is; pending counts also what has arrived, or is due from child assets, and was not
    accrued yet.

    Example: usufruct shares pending my-model --holder 0
    """
    config = load_config()
    who = account(holder, config)

    async def work() -> list[dict[str, object]]:
        async with open_registry(config) as session:
            found = await session.holders.pending(await session.registry.find(asset), who)
            return [
                {
                    "token": each.token.symbol,
                    "pending": each.token.show(each.total),
                    "accrued": each.token.show(each.accrued),
                    "not_accrued": each.token.show(each.total - each.accrued),
                }
                for each in found
            ]

    print_rows(run(work), ("token", "pending", "accrued", "not_accrued"), "no revenue token", as_json=as_json)


@app.command()
def collect(
    asset: AssetArgument,
    wallet: Wallet,
    to: Annotated[str, typer.Option(help="Address that is paid instead of the wallet.")] = "",
    as_json: Json = False,
) -> None:
    """Collect the income of the wallet's shares, in every revenue token.

    Wraps native coin, fetches royalties of child assets and accrues what has just arrived, first.

    Example: usufruct shares collect my-model --wallet 0
    """
    config = load_config()
    signer = open_wallet(wallet, config)
    receiver = address(to, "to") if to else signer.address

    async def work() -> list[dict[str, object]]:
        async with open_registry(config) as session:
            sender = session.chain.sender(signer)
            found = await session.holders.collect(sender, await session.registry.find(asset), receiver)
            return [
                {
                    "token": each.token.symbol,
                    "collected": each.token.show(each.amount),
                    "to": checksum(receiver),
                    "transaction": each.transaction,
                }
                for each in found
            ]

    print_each(run(work), "nothing to collect", as_json=as_json)
