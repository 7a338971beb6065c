"""Make and list wallets: keys in encrypted files on this machine."""

from typing import Annotated

from typer import Argument, Typer

from usufruct.chain import ChainAccess, give_play_money, open_chain, token_of
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.keys import keystore_address
from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.wallet_option import account, keystore_of, write_new_key
from usufruct.config import Config
from usufruct.core import Conflict, address, checksum, format_units, parse_units

app = Typer()


@app.command()
@runs()
async def new(config: Config, name: str) -> Facts:
    """Make a new key and keep it in an encrypted file; the password is asked for, or configured as keys.password."""
    path = keystore_of(name, config)
    if path.exists():
        raise Conflict(f"{path} is there already; choose another name", code="wallet_exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    made = write_new_key(path, config)
    return {"name": name, "address": checksum(made), "file": str(path)}


@app.command("list")
@runs()
async def list_wallets(config: Config) -> Rows:
    """List the wallets in the keys folder."""
    rows = [
        {"name": path.stem, "address": checksum(found), "file": str(path)}
        for path in sorted(config.keys.folder.glob("*.json"))
        if (found := keystore_address(path))
    ]
    return Rows(rows, ("name", "address", "file"), "no wallet yet; `usufruct wallet new NAME` makes one")


@app.command()
@runs(open_chain)
async def balance(
    chain: ChainAccess,
    wallet: Annotated[str, Argument(help="An address, a wallet's name, or a devnet account (0 to 9).")],
) -> Facts:
    """Show what a wallet holds: of the token that is charged in, and of the chain's coin, for gas."""
    who = account(wallet, chain.config, "wallet")
    token = await token_of(chain.config, chain.client, chain.deployments)
    held = await Erc20(token.address, chain.client).balance_of(who)
    return {
        "wallet": checksum(who),
        "balance": format_units(held, token.decimals),
        "symbol": token.symbol,
        "token": checksum(token.address),
        "coins": format_units(await chain.client.balance(who), 18),
    }


@app.command()
@runs()
async def fund(
    config: Config,
    wallet: Annotated[str, Argument(help="An address, a wallet's name, or a devnet account (0 to 9).")],
    amount: Annotated[str, Argument(help="Test dollars, such as 100.")] = "100",
) -> Facts:
    """Give a wallet test dollars, and coins to pay for gas: on a chain of this machine only, where money is play."""
    if wallet.startswith("0x"):
        address(wallet, "wallet")
    async with open_chain(config) as chain:
        to = account(wallet, config, "wallet")
        decimals = (await token_of(config, chain.client, chain.deployments)).decimals
        return {
            "wallet": checksum(to),
            "minted": amount,
            "transaction": await give_play_money(chain, to, parse_units(amount, decimals)),
        }
