"""Transfer revenue shares, see who holds them, collect their income."""

from typing import Annotated

from typer import Argument, Typer

from usufruct.assets import SHARE_DECIMALS
from usufruct.cli.support.command import ADDRESS, Facts, Rows, runs
from usufruct.cli.support.registry_session import AssetArgument, Holder, Receiver, RegistrySession, open_registry
from usufruct.cli.support.wallet_option import Wallet, account
from usufruct.core import Address, checksum, format_asset, format_units, parse_units

app = Typer()


@app.command()
@runs(open_registry)
async def transfer(
    session: RegistrySession,
    asset: AssetArgument,
    to: Annotated[Address, Argument(**ADDRESS, help="Address that receives the shares.")],
    amount: Annotated[str, Argument(help="How many of the 100,000,000 shares, as in 2500000 or 12.5.")],
    wallet: Wallet,
) -> Facts:
    """Transfer shares. What accrued so far stays yours; what has not goes with the shares.

    Example: usufruct shares transfer my-model 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc 2500000 --wallet 0
    """
    sender, atoms = session.sender(wallet), parse_units(amount, SHARE_DECIMALS)
    which = await session.registry.find(asset)
    transaction = await session.holders.transfer(sender, which, to, atoms)
    return {
        "asset": format_asset(which),
        "from": checksum(sender.address),
        "to": checksum(to),
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
        {"holder": checksum(each.holder), "shares": format_units(each.amount, SHARE_DECIMALS), "percent": each.percent}
        for each in found
    ]
    return Rows(rows, ("holder", "shares", "percent"), "no shares")


@app.command()
@runs(open_registry)
async def pending(session: RegistrySession, asset: AssetArgument, holder: Holder) -> Rows:
    """Show what an account's shares have earned and it has not collected, for each revenue token.

    Accrued can be collected as it is; pending counts also what has arrived, or is due from child assets, and was not
    accrued yet.

    Example: usufruct shares pending my-model --holder 0
    """
    who = account(holder, session.chain.config)
    rows = [
        {
            "token": each.token.symbol,
            "pending": each.token.show(each.total),
            "accrued": each.token.show(each.accrued),
            "not_accrued": each.token.show(each.total - each.accrued),
        }
        for each in await session.holders.pending(await session.registry.find(asset), who)
    ]
    return Rows(rows, ("token", "pending", "accrued", "not_accrued"), "no revenue token")


@app.command()
@runs(open_registry)
async def collect(session: RegistrySession, asset: AssetArgument, wallet: Wallet, to: Receiver = None) -> Rows:
    """Collect the income of the wallet's shares, in every revenue token.

    Wraps native coin, fetches royalties of child assets and accrues what has just arrived, first.

    Example: usufruct shares collect my-model --wallet 0
    """
    sender = session.sender(wallet)
    receiver = to or sender.address
    rows = [
        {
            "token": each.token.symbol,
            "collected": each.token.show(each.amount),
            "to": checksum(receiver),
            "transaction": each.transaction,
        }
        for each in await session.holders.collect(sender, await session.registry.find(asset), receiver)
    ]
    return Rows(rows, nothing="nothing to collect")
