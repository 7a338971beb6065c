"""Transfer revenue shares, see who holds them, collect their income."""

from typing import Annotated

import typer

from usufruct.assets import SHARE_DECIMALS
from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.registry_session import AssetArgument, Holder, RegistrySession, open_registry
from usufruct.cli.support.wallet_option import Wallet, account, open_wallet
from usufruct.config import Config
from usufruct.core import address, checksum, format_asset, format_units, parse_units

app = typer.Typer()


@app.command()
@runs()
async def transfer(
    config: Config,
    asset: AssetArgument,
    to: Annotated[str, typer.Argument(help="Address that receives the shares.")],
    amount: Annotated[str, typer.Argument(help="How many of the 100,000,000 shares, as in 2500000 or 12.5.")],
    wallet: Wallet,
) -> Facts:
    """Transfer shares. What accrued so far stays yours; what has not goes with the shares.

    Example: usufruct shares transfer my-model 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc 2500000 --wallet 0
    """
    signer = open_wallet(wallet, config)
    receiver, atoms = address(to, "to"), parse_units(amount, SHARE_DECIMALS)
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


@app.command()
@runs(open_registry)
async def holders(session: RegistrySession, asset: AssetArgument) -> Rows:
    """List who holds a service's shares, from the chain's logs up to now.

    Example: usufruct shares holders my-model
    """
    found = await session.holders.holders(await session.registry.find(asset))
    rows = [
        {
            "holder": checksum(each.holder),
            "shares": format_units(each.amount, SHARE_DECIMALS),
            "percent": each.percent,
        }
        for each in found
    ]
    return Rows(rows, ("holder", "shares", "percent"), "no shares")


@app.command()
@runs()
async def pending(config: Config, asset: AssetArgument, holder: Holder) -> Rows:
    """Show what an account's shares have earned and it has not collected, for each revenue token.

    Accrued can be collected as it is; pending counts also what has arrived, or is due from child assets, and was not
    accrued yet.

    Example: usufruct shares pending my-model --holder 0
    """
    who = account(holder, config)
    async with open_registry(config) as session:
        found = await session.holders.pending(await session.registry.find(asset), who)
        rows = [
            {
                "token": each.token.symbol,
                "pending": each.token.show(each.total),
                "accrued": each.token.show(each.accrued),
                "not_accrued": each.token.show(each.total - each.accrued),
            }
            for each in found
        ]
        return Rows(rows, ("token", "pending", "accrued", "not_accrued"), "no revenue token")


@app.command()
@runs()
async def collect(
    config: Config,
    asset: AssetArgument,
    wallet: Wallet,
    to: Annotated[str, typer.Option(help="Address that is paid instead of the wallet.")] = "",
) -> Rows:
    """Collect the income of the wallet's shares, in every revenue token.

    Wraps native coin, fetches royalties of child assets and accrues what has just arrived, first.

    Example: usufruct shares collect my-model --wallet 0
    """
    signer = open_wallet(wallet, config)
    receiver = address(to, "to") if to else signer.address
    async with open_registry(config) as session:
        sender = session.chain.sender(signer)
        found = await session.holders.collect(sender, await session.registry.find(asset), receiver)
        rows = [
            {
                "token": each.token.symbol,
                "collected": each.token.show(each.amount),
                "to": checksum(receiver),
                "transaction": each.transaction,
            }
            for each in found
        ]
        return Rows(rows, nothing="nothing to collect")
