"""What the demo runs on: its own chain, an installation, a service to be sold; and the order of its steps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from usufruct.app import open_installation, set_up_devnet
from usufruct.chain.anvil import Anvil
from usufruct.cli.demo.outcome import LEASE_SECONDS, Outcome
from usufruct.cli.demo.service import SoldService, choose_service
from usufruct.cli.demo.story import SETTINGS, Starter, Story
from usufruct.cli.support.child_process import Process
from usufruct.cli.support.embedded_chain import fetch_anvil
from usufruct.cli.support.instance_lock import hold_instance
from usufruct.cli.support.progress import Progress
from usufruct.config import (
    ChainConfig,
    Config,
    DatabaseConfig,
    DataConfig,
    GatewayConfig,
    LedgerConfig,
    process_environment,
    write_settings,
)
from usufruct.core import SystemClock


async def run_demo(progress: Progress, folder: Path | None, *, stay: bool) -> Outcome:
    """Run the whole story; with `stay`, leave everything running until Ctrl-C."""
    clock = SystemClock()
    began = clock.monotonic()
    async with AsyncExitStack() as stack:
        place = folder or Path(stack.enter_context(TemporaryDirectory(prefix="usufruct-", ignore_cleanup_errors=True)))
        place.mkdir(parents=True, exist_ok=True)
        story = await stack.enter_async_context(_open(progress, place))
        await story.go_on_sale()
        await story.ask()
        await story.pay_by_wallet()
        await story.crash()
        await story.settle()
        story.outcome.seconds = clock.monotonic() - began
        await story.invite(stays=stay)
        if stay:
            await story.stay()
        return story.outcome


@asynccontextmanager
async def _open(progress: Progress, place: Path) -> AsyncIterator[Story]:
    progress.step("Local chain, test dollars, no account")
    async with AsyncExitStack() as stack:
        tools = DataConfig().folder
        await asyncio.to_thread(fetch_anvil, progress, tools)
        with progress.working("starting a chain on this machine (anvil)"):
            anvil = await stack.enter_async_context(Anvil(state=place / "chain.json", data_folder=tools))
        config = _config(place, anvil.url)
        write_settings(config, place / SETTINGS)
        with progress.working("deploying the contracts through the deterministic deployer"):
            await set_up_devnet(config)
        lock = stack.enter_context(hold_instance(place))
        installation = await stack.enter_async_context(open_installation(config))
        service = await _service(progress, config, place, stack)
        story = Story(progress, installation, service, _starter(config), lock)
        stack.push_async_callback(story.stop_gateway)
        yield story


def _config(place: Path, rpc_url: str) -> Config:
    return Config(
        data=DataConfig(place),
        database=DatabaseConfig(f"sqlite:///{place / 'usufruct.db'}"),
        chain=ChainConfig(rpc_url, poll_milliseconds=50),
        ledger=LedgerConfig(lease_seconds=LEASE_SECONDS),
        gateway=GatewayConfig(port=0),
    )


async def _service(progress: Progress, config: Config, place: Path, stack: AsyncExitStack) -> SoldService:
    with progress.working("starting the built-in service: question answering over this project's own pages"):
        start = _starter(config)
        librarian = await start("usufruct_librarian", "--pace", "0.02", "--cache", str(place))
        stack.callback(librarian.stop)
    return await choose_service(progress, librarian.ready)


def _starter(config: Config) -> Starter:
    """Return what starts our modules as processes of the demo's installation."""

    async def start(module: str, *arguments: str) -> Process:
        log = config.data.folder / f"{module.split('.')[-1]}.log"
        drain = config.gateway.longest_drain if "serve" in arguments else 0.0
        return await asyncio.to_thread(
            Process, module, *arguments, environment=process_environment(config), log=log, drain_seconds=drain
        )

    return start
