"""`usufruct up`: starts what is missing of an installation, and keeps it running until Ctrl-C."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from usufruct.app import set_up_devnet
from usufruct.chain.anvil import DevnetUnavailable
from usufruct.chain.contracts.till import Till
from usufruct.chain.deployment import Deployments
from usufruct.cli.support.child_process import Child, Process
from usufruct.cli.support.deployment import addresses_of
from usufruct.cli.support.embedded_chain import embedded_chain
from usufruct.cli.support.instance_lock import hold_instance
from usufruct.cli.support.output import Json, print_line
from usufruct.cli.support.page_links import show_page_links
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.server_process import run_until_stopped
from usufruct.config import Config, load_config, process_environment
from usufruct.core import ChainId
from usufruct.core.networks import is_devnet

_LOOK_SECONDS = 0.2
_STEP_SECONDS = 20.0
"""How long a worker may take to finish the steps it is at."""


Place = Mapping[str, Any]
"""Where the things of an installation are, as JSON; its `url` is what OpenAI's clients call their base URL."""

WhenReady = Callable[[Place], Awaitable[None]]


def up(as_json: Json = False) -> None:
    """Start what is missing: chain (on the devnet), contracts, gateway, worker; keep it running until Ctrl-C."""
    progress = Progress(to_stderr=as_json)

    async def run() -> None:
        config = load_config()

        async def tell(place: Place) -> None:
            if as_json:
                print_line(place)
            _tell(progress, place, config.gateway.public_url)

        await bring_up(config, progress, tell)

    run_until_stopped(run)


async def bring_up(config: Config, progress: Progress, when_ready: WhenReady) -> None:
    """Start everything, call `when_ready`, and keep everything running until cancelled; the chain ends last."""
    async with AsyncExitStack() as stack:
        publish = stack.enter_context(hold_instance(config.data.folder))
        anvil = await stack.enter_async_context(embedded_chain(config, progress))
        deployments = await _deployed(config, progress)
        children = _children(config)
        for child in reversed(children):
            stack.push_async_callback(child.stop)
        with progress.working("starting gateway and worker"):
            ends = await asyncio.gather(*(child.start() for child in children), return_exceptions=True)
        for failure in ends:
            if failure is not None:
                raise failure
        place = _place(config, deployments, children)
        publish(place)
        await when_ready(place)
        while anvil is None or anvil.pid is not None:
            if any([await child.look(progress.say) for child in children]):
                publish(_place(config, deployments, children))
            await asyncio.sleep(_LOOK_SECONDS)
        raise DevnetUnavailable("the chain on this machine (anvil) ended; start again: `usufruct up`")


async def _deployed(config: Config, progress: Progress) -> Deployments:
    chain_id = ChainId(config.chain.id)
    if is_devnet(chain_id):
        with progress.working("deploying what is missing of the contracts"):
            return await set_up_devnet(config)
    deployments = Deployments.read(config.data.folder, chain_id)
    deployments.address(Till)
    return deployments


def _children(config: Config) -> list[Child]:
    """Return gateway and worker, in the order in which they end; the gateway keeps the port it got at first."""
    gateway: list[Process] = []

    def serve() -> Process:
        port = urlsplit(gateway[0].ready["url"]).port if gateway else None
        again = replace(config.gateway, port=port or config.gateway.port)
        gateway[:] = [_spawn("serve", replace(config, gateway=again), "gateway")]
        return gateway[0]

    return [Child("gateway", serve), Child("worker", lambda: _spawn("worker", config, "worker"))]


def _spawn(command: str, config: Config, name: str) -> Process:
    log = config.data.folder / f"{name}.log"
    drain = config.gateway.longest_drain if command == "serve" else _STEP_SECONDS
    return Process("usufruct.cli", command, environment=process_environment(config), log=log, drain_seconds=drain)


def _place(config: Config, deployments: Deployments, children: list[Child]) -> Place:
    return {
        "url": str(children[0].process.ready["url"]),
        "rpc_url": config.chain.rpc_url,
        "chain_id": config.chain.id,
        "data_folder": str(config.data.folder),
        "contracts": addresses_of(deployments),
        "processes": {child.name: child.process.pid for child in children},
    }


def _tell(progress: Progress, place: Place, public_url: str) -> None:
    progress.say(f"gateway  {place['url']}")
    progress.say(f"chain    {place['rpc_url']} (id {place['chain_id']})")
    progress.say(f"data     {place['data_folder']} (logs: gateway.log, worker.log)")
    progress.say("sell     usufruct sell --upstream URL --pay-to ADDRESS")
    show_page_links(progress, place["url"], public_url)
    progress.say("stop     Ctrl-C")
