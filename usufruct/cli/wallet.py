"""`usufruct wallet`: the keystores of this machine."""

from secrets import token_bytes, token_hex
from typing import Annotated

import orjson
import typer

from usufruct.chain import DEVNET_CHAINS, Devnet, Role, open_chain, signer_of, write_keystore
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.cli.support.output import Json, print_facts, print_rows
from usufruct.cli.support.runner import run
from usufruct.cli.support.wallet_option import account, keystore_of, new_password
from usufruct.config import load_config
from usufruct.core import Conflict, Denied, UsufructError, address, checksum, parse_units

app = typer.Typer(help="Wallets: keys in encrypted files on this machine.", no_args_is_help=True)

_COINS = 10**18
"""Wei: gas for many transactions of a devnet."""


class NoPlayMoney(Denied):
    """Test dollars were asked for where money is real."""

    code = "no_play_money"


class WalletExists(Conflict):
    """A keystore file of this name is there already."""

    code = "wallet_exists"


@app.command()
def new(name: str, as_json: Json = False) -> None:
    """Make a new key and keep it in an encrypted file; the password is asked for, or configured as keys.password."""
    config = load_config()
    path = keystore_of(name, config)
    if path.exists():
        raise WalletExists(f"{path} is there already; choose another name", name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = write_keystore(path, token_bytes(32), new_password(config))
    print_facts({"name": name, "address": checksum(made), "file": str(path)}, as_json=as_json)


@app.command("list")
def list_wallets(as_json: Json = False) -> None:
    """List the wallets in the keys folder."""
    config = load_config()
    rows = []
    for path in sorted(each for each in config.keys.folder.glob("*.json") if each.is_file()):
        try:
            owner = checksum(address("0x" + str(orjson.loads(path.read_bytes())["address"]).removeprefix("0x")))
        except (orjson.JSONDecodeError, KeyError, TypeError, UsufructError):
            continue
        rows.append({"name": path.stem, "address": owner, "file": str(path)})
    print_rows(
        rows, ("name", "address", "file"), "no wallet yet; `usufruct wallet new NAME` makes one", as_json=as_json
    )


@app.command()
def fund(
    wallet: Annotated[
        str, typer.Argument(help="An address, the name of a wallet, or the number of a rich account (0 to 9).")
    ],
    amount: Annotated[str, typer.Argument(help="Test dollars, such as 100.")] = "100",
    as_json: Json = False,
) -> None:
    """Give a wallet test dollars, and coins to pay for gas: on a devnet only, where money is play."""
    config = load_config()
    if wallet.startswith("0x"):
        address(wallet, "wallet")

    async def work() -> None:
        async with open_chain(config) as chain:
            if chain.chain_id not in DEVNET_CHAINS:
                raise NoPlayMoney(f"chain {chain.chain_id} is no devnet; get its token from whoever sells it")
            to = account(wallet, config, "wallet")
            dollar = TestDollar(chain.deployments.address(TestDollar), chain.client)
            minter = chain.sender(signer_of(Role.OWNER, config))
            call = dollar.mint(to, parse_units(amount, await dollar.decimals()))
            receipt = await minter.execute(call, f"fund/{to}/{token_hex(8)}")
            if not await chain.client.balance(to):
                await Devnet(chain.client).set_balance(to, _COINS)
            facts = {"wallet": checksum(to), "minted": amount, "transaction": receipt.hash}
            print_facts(facts, as_json=as_json)

    run(work)
