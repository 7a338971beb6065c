"""`usufruct registry`: what the owner's key decides about the registry of all services."""

from secrets import token_hex
from typing import Annotated

import typer

from usufruct.chain import Call, ChainAccess, Role, open_chain, signer_of
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.cli.support.output import Json, print_facts, say
from usufruct.cli.support.ownership import NewOwner, Yes, confirm_on_public_chain, hand_over, ownership, take_over
from usufruct.cli.support.runner import run
from usufruct.cli.support.wallet_option import Wallet
from usufruct.config import load_config
from usufruct.core import address, checksum

app = typer.Typer(
    help="The registry: who owns it, and what share of income goes to the protocol.", no_args_is_help=True
)


@app.command()
def show(as_json: Json = False) -> None:
    """Show the registry: who owns it, its guardian, the protocol fee and who gets it."""

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            print_facts(await _facts(_registry(chain)), as_json=as_json)

    run(work)


@app.command()
def fee(
    bps: Annotated[int, typer.Argument(min=0, max=1000, help="In hundredths of a per cent.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Set the protocol fee, for income that is not accrued yet; signed by the owner's key."""

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            registry = _registry(chain)
            changed = await registry.fee_bps() != bps
            if changed:
                await _send(chain, registry.set_protocol_fee(bps), f"Take {bps / 100:g} % of all income?", yes=yes)
            print_facts({**await _facts(registry), "changed": changed}, as_json=as_json)

    run(work)


@app.command("fee-sink")
def fee_sink(who: Annotated[str, typer.Argument(help="The address.")], yes: Yes = False, as_json: Json = False) -> None:
    """Say who gets the protocol fee; signed by the owner's key."""
    sink = address(who, "who")

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            registry = _registry(chain)
            changed = await registry.fee_sink() != sink
            if changed:
                question = f"Let the protocol fee go to {checksum(sink)}?"
                await _send(chain, registry.set_fee_sink(sink), question, yes=yes)
            print_facts({**await _facts(registry), "changed": changed}, as_json=as_json)
            say(
                f"What reaches the till without a payee follows chain.fee_sink: set it, and `usufruct till payee {who}`"
            )

    run(work)


@app.command()
def transfer(to: NewOwner, yes: Yes = False, as_json: Json = False) -> None:
    """Name the registry's next owner, who then accepts; signed by the owner's key."""
    owner = address(to, "to")

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            print_facts(await hand_over(chain, _registry(chain), owner, yes=yes), as_json=as_json)

    run(work)


@app.command()
def accept(wallet: Wallet, yes: Yes = False, as_json: Json = False) -> None:
    """Become the registry's owner, with the wallet that was named."""

    async def work() -> None:
        async with open_chain(load_config()) as chain:
            print_facts(await take_over(chain, _registry(chain), wallet, yes=yes), as_json=as_json)

    run(work)


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
