"""Show levels: what an account's Staking Score brings it, and what each level needs and brings."""

from typing import Annotated

from typer import Argument, Typer

from usufruct.chain import ChainAccess, open_chain
from usufruct.cli.support.command import Facts, Rows, runs
from usufruct.cli.support.wallet_option import account
from usufruct.core import checksum, format_units
from usufruct.staking import TOKEN_DECIMALS, StakingLevels

app = Typer()


@app.command()
@runs(open_chain)
async def show(
    chain: ChainAccess,
    holder: Annotated[str, Argument(help="An address, a wallet's name, or a devnet account.")],
) -> Facts:
    """Show an account's level, and what it brings: a discount where sellers give it, and a multiple of the usual quota.

    Example: usufruct level show 0
    """
    who = account(holder, chain.config)
    found = await StakingLevels(chain).of(who)
    above = found.next_threshold
    return {
        "holder": checksum(who),
        "level": found.level,
        "score": format_units(found.score, TOKEN_DECIMALS),
        "discount": _percent(found.discount_bps),
        "quota": _times(found.quota_bps),
        "next_level_at": None if above is None else format_units(above, TOKEN_DECIMALS),
    }


@app.command("list")
@runs(open_chain)
async def list_levels(chain: ChainAccess) -> Rows:
    """Show the ten levels: the Staking Score that each needs, and what it brings.

    Example: usufruct level list
    """
    rows = [
        {
            "level": number,
            "score": format_units(level.threshold, TOKEN_DECIMALS),
            "discount": _percent(level.discount_bps),
            "quota": _times(level.quota_bps),
        }
        for number, level in enumerate(await StakingLevels(chain).all(), 1)
    ]
    return Rows(rows, ("level", "score", "discount", "quota"), "no levels")


def _percent(bps: int) -> str:
    return f"{format_units(bps, 2)} %"


def _times(bps: int) -> str:
    return f"{format_units(bps, 4)} x"
