"""`usufruct till`: what the owner's key decides about the operator's till."""

from enum import StrEnum
from typing import Annotated

import typer

from usufruct.app import ChainAccess, Role, open_chain, open_installation, signer_of
from usufruct.chain import allow_claims, list_payee
from usufruct.chain.contracts.structs import PayeeKind
from usufruct.chain.contracts.till import Till
from usufruct.cli.handover import NewOwner, Yes, hand_over, ownership, take_over
from usufruct.cli.printing import Json, print_facts
from usufruct.cli.running import run
from usufruct.cli.wallets import Wallet
from usufruct.config import load_config
from usufruct.core import address, checksum

app = typer.Typer(
    help="The till: who owns it, who is paid by it, and which keys may claim for it.", no_args_is_help=True
)


class As(StrEnum):
    """How the till treats a payee."""

    PLAIN = "plain"
    SHARES = "shares"
    NONE = "none"


@app.command()
def show(as_json: Json = False) -> None:
    """Show the till: who owns it, what it holds, and the anchor of the receipts."""

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            till, token = Till(installation.operator.till, installation.client), installation.operator.token
            unsplit = await till.unsplit(token)
            facts = {
                "till": checksum(till.address),
                **await ownership(till),
                "claimed_and_not_split": installation.operator.shown(unsplit.claimed),
                "given_and_not_split": installation.operator.shown(unsplit.donated),
                "owed_to_payees": installation.operator.shown(await till.total_owed(token)),
                "symbol": installation.operator.symbol,
                "anchor": "0x" + (await till.anchor()).hex(),
            }
            print_facts(facts, as_json=as_json)

    run(work)


@app.command()
def payee(
    who: Annotated[str, typer.Argument(help="The address.")],
    kind: Annotated[
        As,
        typer.Option(
            "--as",
            help="shares: the Shares of an asset; none: pay it no more, so that its unclaimed income waits.",
        ),
    ] = As.PLAIN,
    as_json: Json = False,
) -> None:
    """Let the till pay an address, or no more; signed by the owner's key."""
    pay_to = address(who, "who")

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            till = _till(chain)
            owner = chain.sender(signer_of(Role.OWNER, chain.config))
            changed = await list_payee(till, owner, pay_to, PayeeKind[kind.name])
            print_facts({"payee": checksum(pay_to), "as": kind.value, "changed": changed}, as_json=as_json)

    run(work)


@app.command("claim-key")
def claim_key(
    who: Annotated[str, typer.Argument(help="The key's address.")],
    allow: Annotated[bool, typer.Option("--allow/--drop", help="Whether it may claim from now on.")] = True,
    as_json: Json = False,
) -> None:
    """Let a key claim for the till, or no more; signed by the owner's key."""
    key = address(who, "who")

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            till = _till(chain)
            owner = chain.sender(signer_of(Role.OWNER, chain.config))
            changed = await allow_claims(till, owner, key, allowed=allow)
            print_facts({"claim_key": checksum(key), "allowed": allow, "changed": changed}, as_json=as_json)

    run(work)


@app.command()
def transfer(to: NewOwner, yes: Yes = False, as_json: Json = False) -> None:
    """Name the till's next owner, who then accepts; signed by the owner's key."""
    owner = address(to, "to")

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            print_facts(await hand_over(chain, _till(chain), owner, yes=yes), as_json=as_json)

    run(work)


@app.command()
def accept(wallet: Wallet, yes: Yes = False, as_json: Json = False) -> None:
    """Become the till's owner, with the wallet that was named."""

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            print_facts(await take_over(chain, _till(chain), wallet, yes=yes), as_json=as_json)

    run(work)


def _till(chain: ChainAccess) -> Till:
    return Till(chain.deployments.address(Till), chain.client)
