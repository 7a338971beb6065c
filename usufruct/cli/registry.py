"""Decide, as its owner, about the registry of all services: owner, protocol fee, who gets it."""

from secrets import token_hex
from typing import Annotated

import typer

from usufruct.chain import Call, ChainAccess, open_chain
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.keys import Role, signer_of
from usufruct.cli.support.command import Facts, runs
from usufruct.cli.support.output import say
from usufruct.cli.support.ownership import NewOwner, Yes, confirm_on_public_chain, hand_over, ownership, take_over
from usufruct.cli.support.wallet_option import Wallet
from usufruct.config import Config
from usufruct.core import address, checksum

app = typer.Typer()


@app.command()
@runs(open_chain)
async def show(chain: ChainAccess) -> Facts:
    """Show the registry: who owns it, its guardian, the protocol fee and who gets it."""
    return await _facts(_registry(chain))


@app.command()
@runs(open_chain)
async def fee(
    chain: ChainAccess,
    bps: Annotated[int, typer.Argument(min=0, max=1000, help="In hundredths of a per cent.")],
    yes: Yes = False,
) -> Facts:
    """Set the protocol fee, for income that is not accrued yet; signed by the owner's key."""
    registry = _registry(chain)
    changed = await registry.fee_bps() != bps
    if changed:
        await _send(chain, registry.set_protocol_fee(bps), f"Take {bps / 100:g} % of all income?", yes=yes)
    return {**await _facts(registry), "changed": changed}


@app.command("fee-sink")
@runs()
async def fee_sink(config: Config, who: Annotated[str, typer.Argument(help="The address.")], yes: Yes = False) -> Facts:
    """Say who gets the protocol fee; signed by the owner's key."""
    sink = address(who, "who")
    async with open_chain(config) as chain:
        registry = _registry(chain)
        changed = await registry.fee_sink() != sink
        if changed:
            question = f"Let the protocol fee go to {checksum(sink)}?"
            await _send(chain, registry.set_fee_sink(sink), question, yes=yes)
        say(f"What reaches the till without a payee follows chain.fee_sink: set it, and `usufruct till payee {who}`")
        return {**await _facts(registry), "changed": changed}


@app.command()
@runs()
async def transfer(config: Config, to: NewOwner, yes: Yes = False) -> Facts:
    """Name the registry's next owner, who then accepts; signed by the owner's key."""
    owner = address(to, "to")
    async with open_chain(config) as chain:
        return await hand_over(chain, _registry(chain), owner, yes=yes)


@app.command()
@runs(open_chain)
async def accept(chain: ChainAccess, wallet: Wallet, yes: Yes = False) -> Facts:
    """Become the registry's owner, with the wallet that was named."""
    return await take_over(chain, _registry(chain), wallet, yes=yes)


def _registry(chain: ChainAccess) -> AssetRegistry:
    return AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)


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
    await chain.sender(signer_of(Role.OWNER, chain.config)).execute(call, f"registry/{call.to}/{token_hex(8)}")
