"""Decide, as its owner, about the till: owner, payees, daily caps, claim keys."""

from enum import StrEnum
from secrets import token_hex
from typing import Annotated

import typer

from usufruct.app import Installation, open_installation
from usufruct.chain import ChainAccess, open_chain, token_of
from usufruct.chain.contracts.till import Paid, PayeeKind, Till
from usufruct.chain.keys import Role, signer_of
from usufruct.cli.support.command import Facts, runs
from usufruct.cli.support.ownership import NewOwner, Yes, hand_over, ownership, take_over
from usufruct.cli.support.wallet_option import Wallet
from usufruct.config import Config
from usufruct.core import ZERO_ADDRESS, Conflict, address, checksum, format_units, parse_units
from usufruct.gateway import Operator
from usufruct.payments.settlement import allow_claims, cap_payees, list_payee

app = typer.Typer()


class As(StrEnum):
    """How the till treats a payee."""

    PLAIN = "plain"
    SHARES = "shares"
    NONE = "none"


@app.command()
@runs(open_installation)
async def show(installation: Installation) -> Facts:
    """Show the till: who owns it, what it holds, and the anchor of the receipts."""
    till, token = Till(installation.get(Operator).till, installation.client), installation.get(Operator).token
    unsplit = await till.unsplit(token)
    cap = await till.daily_cap(ZERO_ADDRESS, token)
    return {
        "till": checksum(till.address),
        **await ownership(till),
        "claimed_and_not_split": installation.get(Operator).shown(unsplit.claimed),
        "given_and_not_split": installation.get(Operator).shown(unsplit.donated),
        "owed_to_payees": installation.get(Operator).shown(await till.total_owed(token)),
        "daily_cap_of_a_payee": installation.get(Operator).shown(cap) if cap else None,
        "symbol": installation.get(Operator).symbol,
        "anchor": "0x" + (await till.anchor()).hex(),
    }


@app.command()
@runs()
async def payee(
    config: Config,
    who: Annotated[str, typer.Argument(help="The address.")],
    kind: Annotated[
        As,
        typer.Option(
            "--as",
            help="shares: the Shares of an asset; none: pay it no more, so that its unclaimed income waits.",
        ),
    ] = As.PLAIN,
) -> Facts:
    """Let the till pay an address, or no more; signed by the owner's key."""
    pay_to = address(who, "who")
    async with open_chain(config) as chain:
        till = _till(chain)
        owner = chain.sender(signer_of(Role.OWNER, chain.config))
        changed = await list_payee(till, owner, pay_to, PayeeKind[kind.name])
        return {"payee": checksum(pay_to), "as": kind.value, "changed": changed}


@app.command("claim-key")
@runs()
async def claim_key(
    config: Config,
    who: Annotated[str, typer.Argument(help="The key's address.")],
    allow: Annotated[bool, typer.Option("--allow/--drop", help="Whether it may claim from now on.")] = True,
) -> Facts:
    """Let a key claim for the till, or no more; signed by the owner's key."""
    key = address(who, "who")
    async with open_chain(config) as chain:
        till = _till(chain)
        owner = chain.sender(signer_of(Role.OWNER, chain.config))
        changed = await allow_claims(till, owner, key, allowed=allow)
        return {"claim_key": checksum(key), "allowed": allow, "changed": changed}


Payee = Annotated[str, typer.Argument(help="The payee's address.")]
Amount = Annotated[str, typer.Argument(help="How much of the token that is charged in, as in 12.5.")]


@app.command()
@runs(open_chain)
async def cap(
    chain: ChainAccess,
    amount: Annotated[str, typer.Argument(help="Most that a payee gets in a day, as in 1000; 0: no cap.")],
    payee_: Annotated[str, typer.Option("--payee", help="Cap this payee alone; 0: what holds for all.")] = "",
) -> Facts:
    """Cap what the till pays one payee in a day (from midnight UTC); signed by the owner's key.

    What a payee earns above its cap is owed to it, and paid on the following days. A thief of the claim key gets no
    more than that either.

    Example: usufruct till cap 1000
    """
    token = await token_of(chain.config, chain.client, chain.deployments)
    pay_to = address(payee_, "--payee") if payee_ else ZERO_ADDRESS
    owner = chain.sender(signer_of(Role.OWNER, chain.config))
    atoms = parse_units(amount, token.decimals)
    changed = await cap_payees(_till(chain), owner, token.address, atoms, pay_to)
    facts = {"payee": checksum(pay_to) if payee_ else "all", "daily_cap": amount, "symbol": token.symbol}
    return {**facts, "changed": changed}


@app.command("take-back")
@runs(open_chain)
async def take_back(chain: ChainAccess, who: Payee, amount: Amount) -> Facts:
    """Take back what the till owes a payee and has not paid; signed by the owner's key.

    For what a stolen claim key attributed. `usufruct till split` then gives it to another payee.
    """
    token = await token_of(chain.config, chain.client, chain.deployments)
    till, pay_to = _till(chain), address(who)
    call = till.take_back_owed(pay_to, token.address, parse_units(amount, token.decimals))
    owner = chain.sender(signer_of(Role.OWNER, chain.config))
    receipt = await owner.execute(call, f"take-back/{till.address}/{pay_to}/{token_hex(8)}")
    left = format_units(await till.owed(pay_to, token.address), token.decimals)
    facts = {"payee": checksum(pay_to), "taken_back": amount, "still_owed": left, "symbol": token.symbol}
    return {**facts, "transaction": receipt.hash}


@app.command()
@runs(open_chain)
async def split(chain: ChainAccess, who: Payee) -> Facts:
    """Give all that was sent to the till, or taken back from a payee, to one payee; signed by the claim key.

    Money that was claimed elsewhere is not for this: a worker splits it to the services that earned it.
    """
    token = await token_of(chain.config, chain.client, chain.deployments)
    till, pay_to = _till(chain), address(who)
    if claimed := (await till.unsplit(token.address)).claimed:
        raise Conflict(
            f"{format_units(claimed, token.decimals)} {token.symbol} were claimed elsewhere and are not split; "
            "run a worker, or `usufruct claim run`, first",
            code="unsplit_claims",
        )
    claim = chain.sender(signer_of(Role.CLAIM, chain.config))
    receipt = await claim.execute(till.split(token.address, [], pay_to), f"split-by-hand/{till.address}/{token_hex(8)}")
    paid = sum(each.amount for each in Paid.among(receipt.logs, till.address))
    facts = {
        "payee": checksum(pay_to),
        "paid": format_units(paid, token.decimals),
        "still_owed": format_units(await till.owed(pay_to, token.address), token.decimals),
    }
    return {**facts, "symbol": token.symbol, "transaction": receipt.hash}


@app.command()
@runs()
async def transfer(config: Config, to: NewOwner, yes: Yes = False) -> Facts:
    """Name the till's next owner, who then accepts; signed by the owner's key."""
    owner = address(to, "to")
    async with open_chain(config) as chain:
        return await hand_over(chain, _till(chain), owner, yes=yes)


@app.command()
@runs(open_chain)
async def accept(chain: ChainAccess, wallet: Wallet, yes: Yes = False) -> Facts:
    """Become the till's owner, with the wallet that was named."""
    return await take_over(chain, _till(chain), wallet, yes=yes)


def _till(chain: ChainAccess) -> Till:
    return Till(chain.deployments.address(Till), chain.client)
