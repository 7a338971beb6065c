"""`usufruct till`: what the owner's key decides about the operator's till."""

from enum import StrEnum
from secrets import token_hex
from typing import Annotated

import typer

from usufruct.app import open_installation
from usufruct.chain import ChainAccess, Role, allow_claims, cap_payees, list_payee, open_chain, signer_of, token_of
from usufruct.chain.contracts.till import Paid, PayeeKind, Till
from usufruct.cli.support.output import Json, print_facts
from usufruct.cli.support.ownership import NewOwner, Yes, hand_over, ownership, take_over
from usufruct.cli.support.runner import run
from usufruct.cli.support.wallet_option import Wallet
from usufruct.config import load_config
from usufruct.core import ZERO_ADDRESS, Conflict, address, checksum, format_units, parse_units

app = typer.Typer(
    help="The till: who owns it, who is paid by it, and which keys may claim for it.", no_args_is_help=True
)


class UnsplitClaims(Conflict):
    """Money of channels is in the till that belongs to the services called; a worker splits it."""

    code = "unsplit_claims"


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
            cap = await till.daily_cap(ZERO_ADDRESS, token)
            facts = {
                "till": checksum(till.address),
                **await ownership(till),
                "claimed_and_not_split": installation.operator.shown(unsplit.claimed),
                "given_and_not_split": installation.operator.shown(unsplit.donated),
                "owed_to_payees": installation.operator.shown(await till.total_owed(token)),
                "daily_cap_of_a_payee": installation.operator.shown(cap) if cap else None,
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


Payee = Annotated[str, typer.Argument(help="The payee's address.")]
Amount = Annotated[str, typer.Argument(help="How much of the token that is charged in, as in 12.5.")]


@app.command()
def cap(
    amount: Annotated[str, typer.Argument(help="Most that a payee gets in a day, as in 1000; 0: no cap.")],
    payee_: Annotated[str, typer.Option("--payee", help="Cap this payee alone; 0: what holds for all.")] = "",
    as_json: Json = False,
) -> None:
    """Cap what the till pays one payee in a day (from midnight UTC); signed by the owner's key.

    What a payee earns above its cap is owed to it, and paid on the following days. A thief of the claim key gets no
    more than that either.

    Example: usufruct till cap 1000
    """

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            token = await token_of(chain.config, chain.client, chain.deployments)
            pay_to = address(payee_, "--payee") if payee_ else ZERO_ADDRESS
            owner = chain.sender(signer_of(Role.OWNER, chain.config))
            atoms = parse_units(amount, token.decimals)
            changed = await cap_payees(_till(chain), owner, token.address, atoms, pay_to)
            facts = {"payee": checksum(pay_to) if payee_ else "all", "daily_cap": amount, "symbol": token.symbol}
            print_facts({**facts, "changed": changed}, as_json=as_json)

    run(work)


@app.command("take-back")
def take_back(who: Payee, amount: Amount, as_json: Json = False) -> None:
    """Take back what the till owes a payee and has not paid; signed by the owner's key.

    For what a stolen claim key attributed. `usufruct till split` then gives it to another payee.
    """

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            token = await token_of(chain.config, chain.client, chain.deployments)
            till, pay_to = _till(chain), address(who)
            call = till.take_back_owed(pay_to, token.address, parse_units(amount, token.decimals))
            owner = chain.sender(signer_of(Role.OWNER, chain.config))
            receipt = await owner.execute(call, f"take-back/{till.address}/{pay_to}/{token_hex(8)}")
            left = format_units(await till.owed(pay_to, token.address), token.decimals)
            facts = {"payee": checksum(pay_to), "taken_back": amount, "still_owed": left, "symbol": token.symbol}
            print_facts({**facts, "transaction": receipt.hash}, as_json=as_json)

    run(work)


@app.command()
def split(who: Payee, as_json: Json = False) -> None:
    """Give all that was sent to the till, or taken back from a payee, to one payee; signed by the claim key.

    Money that was claimed elsewhere is not for this: a worker splits it to the services that earned it.
    """

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            token = await token_of(chain.config, chain.client, chain.deployments)
            till, pay_to = _till(chain), address(who)
            if claimed := (await till.unsplit(token.address)).claimed:
                raise UnsplitClaims(
                    f"{format_units(claimed, token.decimals)} {token.symbol} were claimed elsewhere and are not split; "
                    "run a worker, or `usufruct claim run`, first",
                    claimed=claimed,
                )
            claim = chain.sender(signer_of(Role.CLAIM, chain.config))
            receipt = await claim.execute(
                till.split(token.address, [], pay_to), f"split-by-hand/{till.address}/{token_hex(8)}"
            )
            paid = sum(each.amount for each in Paid.among(receipt.logs, till.address))
            facts = {
                "payee": checksum(pay_to),
                "paid": format_units(paid, token.decimals),
                "still_owed": format_units(await till.owed(pay_to, token.address), token.decimals),
            }
            print_facts({**facts, "symbol": token.symbol, "transaction": receipt.hash}, as_json=as_json)

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
