"""Decide, as its owner, about the registry of all services: owner, protocol fee, who gets it."""

from secrets import token_hex
from typing import Annotated

from typer import Argument, Typer

from usufruct.chain import Call, ChainAccess, open_chain
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.cli.support.command import ADDRESS, Facts, runs
from usufruct.cli.support.output import say
from usufruct.cli.support.ownership import Yes, add_ownership, confirm_on_public_chain, owner_of, ownership
from usufruct.core import Address, checksum

app = Typer()


@app.command()
@runs(open_chain)
async def show(chain: ChainAccess) -> Facts:
    """Show the registry: who owns it, its guardian, the protocol fee and who gets it."""
    return await _facts(_registry(chain))


@app.command()
@runs(open_chain)
async def fee(
    chain: ChainAccess,
    bps: Annotated[int, Argument(min=0, max=1000, help="In hundredths of a per cent.")],
    yes: Yes = False,
) -> Facts:
    """Set the protocol fee, for income that is not accrued yet; signed by the owner's key."""
    registry = _registry(chain)
    changed = await registry.fee_bps() != bps
    if changed:
        await _send(chain, registry.set_protocol_fee(bps), f"Take {bps / 100:g} % of all income?", yes=yes)
    return {**await _facts(registry), "changed": changed}


@app.command("fee-sink")
@runs(open_chain)
async def fee_sink(
    chain: ChainAccess, who: Annotated[Address, Argument(**ADDRESS, help="The address.")], yes: Yes = False
) -> Facts:
    """Say who gets the protocol fee; signed by the owner's key."""
    registry, shown = _registry(chain), checksum(who)
    changed = await registry.fee_sink() != who
    if changed:
        await _send(chain, registry.set_fee_sink(who), f"Let the protocol fee go to {shown}?", yes=yes)
    say(f"What reaches the till without a payee follows chain.fee_sink: set it, and `usufruct till payee {shown}`")
    return {**await _facts(registry), "changed": changed}


def _registry(chain: ChainAccess) -> AssetRegistry:
    return AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)


add_ownership(app, _registry)


async def _facts(registry: AssetRegistry) -> dict[str, object]:
    return {
        "registry": checksum(registry.address),
        **await ownership(registry),
        "guardian": checksum(await registry.guardian()),
        "fee_bps": await registry.fee_bps(),
        "fee_sink": checksum(await registry.fee_sink()),
    }


async def _send(chain: ChainAccess, call: Call, question: str, *, yes: bool) -> None:
    confirm_on_public_chain(chain, question, yes=yes)
    await owner_of(chain).execute(call, f"registry/{call.to}/{token_hex(8)}")
