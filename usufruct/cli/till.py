"""Decide, as its owner, about the till: owner, payees, daily caps, claim keys."""

from secrets import token_hex
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from usufruct.app import Installation, open_installation
from usufruct.chain import ChainAccess, open_chain, token_of
from usufruct.chain.contracts.till import Paid, PayeeKind, Till
from usufruct.chain.keys import Role, signer_of
from usufruct.cli.support.command import ADDRESS, Facts, runs
from usufruct.cli.support.ownership import add_ownership, owner_of, ownership
from usufruct.core import ZERO_ADDRESS, Address, Conflict, checksum, format_units, parse_units
from usufruct.gateway import Operator
from usufruct.payments.settlement import allow_claims, cap_payees, list_payee

app = Typer()


Payee = Annotated[Address, Argument(**ADDRESS, help="The payee's address.")]
PayeeAs = Annotated[
    Literal["plain", "shares", "none"],
    Option("--as", help="shares: the Shares of an asset; none: pay it no more, so that its unclaimed income waits."),
]
Amount = Annotated[str, Argument(help="How much of the token that is charged in, as in 12.5.")]


@app.command()
@runs(open_installation)
async def show(installation: Installation) -> Facts:
    """Show the till: who owns it, what it holds, and the anchor of the receipts."""
    till, operator = _till(installation), installation.get(Operator)
    unsplit = await till.unsplit(operator.token)
    cap = await till.daily_cap(ZERO_ADDRESS, operator.token)
    return {
        "till": checksum(till.address),
        **await ownership(till),
        "claimed_and_not_split": operator.shown(unsplit.claimed),
        "given_and_not_split": operator.shown(unsplit.donated),
        "owed_to_payees": operator.shown(await till.total_owed(operator.token)),
        "daily_cap_of_a_payee": operator.shown(cap) if cap else None,
        "symbol": operator.symbol,
        "anchor": "0x" + (await till.anchor()).hex(),
    }


@app.command()
@runs(open_chain)
async def payee(chain: ChainAccess, who: Payee, kind: PayeeAs = "plain") -> Facts:
    """Let the till pay an address, or no more; signed by the owner's key."""
    changed = await list_payee(_till(chain), owner_of(chain), who, PayeeKind[kind.upper()])
    return {"payee": checksum(who), "as": kind, "changed": changed}


@app.command("claim-key")
@runs(open_chain)
async def claim_key(
    chain: ChainAccess,
    who: Annotated[Address, Argument(**ADDRESS, help="The key's address.")],
    allow: Annotated[bool, Option("--allow/--drop", help="Whether it may claim from now on.")] = True,
) -> Facts:
    """Let a key claim for the till, or no more; signed by the owner's key."""
    changed = await allow_claims(_till(chain), owner_of(chain), who, allowed=allow)
    return {"claim_key": checksum(who), "allowed": allow, "changed": changed}


@app.command()
@runs(open_chain)
async def cap(
    chain: ChainAccess,
    amount: Annotated[str, Argument(help="Most that a payee gets in a day, as in 1000; 0: no cap.")],
    payee_: Annotated[Address | None, Option("--payee", **ADDRESS, help="Cap this payee alone; 0: as for all.")] = None,
) -> Facts:
    """Cap what the till pays one payee in a day (from midnight UTC); signed by the owner's key.

    What a payee earns above its cap is owed to it, and paid on the following days. A thief of the claim key gets no
    more than that either.

    Example: usufruct till cap 1000
    """
    token = await token_of(chain.config, chain.client, chain.deployments)
    atoms = parse_units(amount, token.decimals)
    changed = await cap_payees(_till(chain), owner_of(chain), token.address, atoms, payee_ or ZERO_ADDRESS)
    facts = {"payee": checksum(payee_) if payee_ else "all", "daily_cap": amount, "symbol": token.symbol}
    return {**facts, "changed": changed}


@app.command("take-back")
@runs(open_chain)
async def take_back(chain: ChainAccess, who: Payee, amount: Amount) -> Facts:
    """Take back what the till owes a payee and has not paid; signed by the owner's key.

    For what a stolen claim key attributed. `usufruct till split` then gives it to another payee.
    """
    till, token = _till(chain), await token_of(chain.config, chain.client, chain.deployments)
    call = till.take_back_owed(who, token.address, parse_units(amount, token.decimals))
    receipt = await owner_of(chain).execute(call, f"take-back/{till.address}/{who}/{token_hex(8)}")
    left = format_units(await till.owed(who, token.address), token.decimals)
    facts = {"payee": checksum(who), "taken_back": amount, "still_owed": left, "symbol": token.symbol}
    return {**facts, "transaction": receipt.hash}


@app.command()
@runs(open_chain)
async def split(chain: ChainAccess, who: Payee) -> Facts:
    """Give all that was sent to the till, or taken back from a payee, to one payee; signed by the claim key.

    Money that was claimed elsewhere is not for this: a worker splits it to the services that earned it.
    """
    till, token = _till(chain), await token_of(chain.config, chain.client, chain.deployments)
    if claimed := (await till.unsplit(token.address)).claimed:
        raise Conflict(
            f"{format_units(claimed, token.decimals)} {token.symbol} were claimed elsewhere and are not split; "
            "run a worker, or `usufruct claim run`, first",
            code="unsplit_claims",
        )
    claim = chain.sender(signer_of(Role.CLAIM, chain.config))
    receipt = await claim.execute(till.split(token.address, [], who), f"split-by-hand/{till.address}/{token_hex(8)}")
    paid = sum(each.amount for each in Paid.among(receipt.logs, till.address))
    return {
        "payee": checksum(who),
        "paid": format_units(paid, token.decimals),
        "still_owed": format_units(await till.owed(who, token.address), token.decimals),
        "symbol": token.symbol,
        "transaction": receipt.hash,
    }


def _till(chain: ChainAccess) -> Till:
    return Till(chain.deployments.address(Till), chain.client)


add_ownership(app, _till)
