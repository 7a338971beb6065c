"""`usufruct wallet`: the keystores of this machine."""

from secrets import token_bytes

import orjson
import typer

from usufruct.chain import checksum, write_keystore
from usufruct.cli.printing import Json, print_facts, print_rows
from usufruct.cli.wallets import keystore_of, new_password
from usufruct.config import load_config
from usufruct.core import Conflict, UsufructError, address

app = typer.Typer(help="Wallets: keys in encrypted files on this machine.", no_args_is_help=True)


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
    for path in sorted(config.keys.folder.glob("*.json")):
        try:
            owner = checksum(address("0x" + str(orjson.loads(path.read_bytes())["address"]).removeprefix("0x")))
        except (orjson.JSONDecodeError, KeyError, TypeError, UsufructError):
            continue
        rows.append({"name": path.stem, "address": owner, "file": str(path)})
    print_rows(
        rows, ("name", "address", "file"), "no wallet yet; `usufruct wallet new NAME` makes one", as_json=as_json
    )
