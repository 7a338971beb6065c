"""A contract of the installation goes to another owner in two steps: the old one names them, and they take it."""

from secrets import token_hex
from typing import Annotated

import typer

from usufruct.chain import ChainAccess
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.till import Till
from usufruct.chain.keys import Role, signer_of
from usufruct.cli.support.prompts import confirm
from usufruct.cli.support.wallet_option import open_wallet
from usufruct.core import ZERO_ADDRESS, Address, Denied, checksum
from usufruct.core.networks import is_devnet

Owned = Till | AssetRegistry

NewOwner = Annotated[
    str, typer.Argument(help="The new owner's address; the zero address calls off what was not accepted yet.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


async def ownership(owned: Owned) -> dict[str, object]:
    """Return who owns a contract, and who may take it."""
    named = await owned.pending_owner()
    return {
        "owner": checksum(await owned.owner()),
        "next_owner": None if named == ZERO_ADDRESS else checksum(named),
    }


async def hand_over(chain: ChainAccess, owned: Owned, to: Address, *, yes: bool) -> dict[str, object]:
    """Name the next owner with the owner's key; nothing changes hands before they accept."""
    changed = await owned.pending_owner() != to
    if changed:
        confirm_on_public_chain(chain, f"Let {checksum(to)} become the owner of {checksum(owned.address)}?", yes=yes)
        sender = chain.sender(signer_of(Role.OWNER, chain.config))
        await sender.execute(owned.transfer_ownership(to), f"transfer/{owned.address}/{to}/{token_hex(4)}")
    return {"contract": checksum(owned.address), **await ownership(owned), "changed": changed}


async def take_over(chain: ChainAccess, owned: Owned, wallet: str, *, yes: bool) -> dict[str, object]:
    """Become the owner, with the key that was named."""
    signer, named = open_wallet(wallet, chain.config), await owned.pending_owner()
    if named != signer.address:
        who = "none" if named == ZERO_ADDRESS else checksum(named)
        raise Denied(
            f"{checksum(signer.address)} was not named as the next owner of {checksum(owned.address)}, but {who} was; "
            "the owner's `transfer` names them",
            code="not_named_owner",
        )
    confirm_on_public_chain(chain, f"Become the owner of {checksum(owned.address)}?", yes=yes)
    await chain.sender(signer).execute(owned.accept_ownership(), f"accept/{owned.address}/{token_hex(4)}")
    return {"contract": checksum(owned.address), **await ownership(owned), "changed": True}


def confirm_on_public_chain(chain: ChainAccess, question: str, *, yes: bool) -> None:
    """Ask at the terminal, where money is real."""
    confirm(question, yes=yes or is_devnet(chain.chain_id))
