"""A contract of the installation goes to another owner in two steps: the old one names them, and they take it."""

from collections.abc import Callable
from secrets import token_hex
from typing import Annotated

from typer import Argument, Option, Typer

from usufruct.chain import ChainAccess, Sender, open_chain
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.till import Till
from usufruct.chain.keys import Role, signer_of
from usufruct.cli.support.command import ADDRESS, Facts, runs
from usufruct.cli.support.prompts import confirm
from usufruct.cli.support.wallet_option import Wallet, open_wallet
from usufruct.core import ZERO_ADDRESS, Address, Denied, checksum
from usufruct.core.networks import is_devnet

Owned = Till | AssetRegistry

NewOwner = Annotated[Address, Argument(**ADDRESS, help="The new owner; zero address: call it off.")]
Yes = Annotated[bool, Option("--yes", "-y", help="Do not ask.")]


def owner_of(chain: ChainAccess) -> Sender:
    """Return what sends the calls of the owner's key."""
    return chain.sender(signer_of(Role.OWNER, chain.config))


async def ownership(owned: Owned) -> dict[str, object]:
    """Return who owns a contract, and who may take it."""
    named = await owned.pending_owner()
    return {"owner": checksum(await owned.owner()), "next_owner": None if named == ZERO_ADDRESS else checksum(named)}


def add_ownership(app: Typer, contract: Callable[[ChainAccess], Owned]) -> None:
    """Add the commands that hand a contract over: nothing changes hands before the new owner accepts."""

    @app.command()
    @runs(open_chain)
    async def transfer(chain: ChainAccess, to: NewOwner, yes: Yes = False) -> Facts:
        """Name the next owner, who then accepts; signed by the owner's key."""
        owned = contract(chain)
        changed = await owned.pending_owner() != to
        if changed:
            question = f"Let {checksum(to)} become the owner of {checksum(owned.address)}?"
            confirm_on_public_chain(chain, question, yes=yes)
            key = f"transfer/{owned.address}/{to}/{token_hex(4)}"
            await owner_of(chain).execute(owned.transfer_ownership(to), key)
        return {"contract": checksum(owned.address), **await ownership(owned), "changed": changed}

    @app.command()
    @runs(open_chain)
    async def accept(chain: ChainAccess, wallet: Wallet, yes: Yes = False) -> Facts:
        """Become the owner, with the wallet that was named."""
        owned, signer = contract(chain), open_wallet(wallet, chain.config)
        named = await owned.pending_owner()
        if named != signer.address:
            who = "none" if named == ZERO_ADDRESS else checksum(named)
            raise Denied(
                f"{checksum(signer.address)} was not named as the next owner of {checksum(owned.address)}, but {who} "
                "was; the owner's `transfer` names them",
                code="not_named_owner",
            )
        confirm_on_public_chain(chain, f"Become the owner of {checksum(owned.address)}?", yes=yes)
        await chain.sender(signer).execute(owned.accept_ownership(), f"accept/{owned.address}/{token_hex(4)}")
        return {"contract": checksum(owned.address), **await ownership(owned), "changed": True}


def confirm_on_public_chain(chain: ChainAccess, question: str, *, yes: bool) -> None:
    """Ask at the terminal, where money is real."""
    confirm(question, yes=yes or is_devnet(chain.chain_id))
