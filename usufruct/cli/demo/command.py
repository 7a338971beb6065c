"""`usufruct demo`: what it runs on (a chain, an installation, a service to be sold), and the order of its steps."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from typer import Option

from usufruct.app import open_installation, set_up_devnet
from usufruct.chain.anvil import Anvil
from usufruct.cli.demo.outcome import LEASE_SECONDS, Outcome, choose_service
from usufruct.cli.demo.story import SETTINGS, Story, start
from usufruct.cli.support.embedded_chain import fetch_tools
from usufruct.cli.support.instance_lock import hold_instance
from usufruct.cli.support.output import Json, print_json
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.runner import run
from usufruct.config import ChainConfig, Config, DatabaseConfig, DataConfig, GatewayConfig, LedgerConfig, write_settings
from usufruct.core import Clock


def demo(
    as_json: Json = False,
    folder: Annotated[Path | None, Option(help="Keep the demo's files here instead of a temporary folder.")] = None,
    stay: Annotated[
        bool, Option(show_default=False, help="Leave it running until Ctrl-C; the default at a terminal.")
    ] = sys.stdout.isatty(),
) -> None:
    """Show the main job on a local chain: a service is sold, called, metered and paid, its owners collect."""
    outcome = run(lambda: _run(Progress(to_stderr=as_json), folder, stay=stay and not as_json))
    if as_json:
        print_json(outcome.as_json())


async def _run(progress: Progress, folder: Path | None, *, stay: bool) -> Outcome:
    """Run the whole story; with `stay`, leave everything running until Ctrl-C."""
    clock = Clock()
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
        await asyncio.to_thread(fetch_tools, progress, tools)
        with progress.working("starting a chain on this machine (anvil)"):
            anvil = await stack.enter_async_context(Anvil(state=place / "chain.json", data_folder=tools))
        config = Config(
            data=DataConfig(place),
            database=DatabaseConfig(f"sqlite:///{place / 'usufruct.db'}"),
            chain=ChainConfig(anvil.url, poll_milliseconds=50),
            ledger=LedgerConfig(lease_seconds=LEASE_SECONDS),
            gateway=GatewayConfig(port=0),
        )
        write_settings(config, place / SETTINGS)
        with progress.working("deploying the contracts through the deterministic deployer"):
            await set_up_devnet(config)
        publish = stack.enter_context(hold_instance(place))
        installation = await stack.enter_async_context(open_installation(config))
        with progress.working("starting the built-in service: question answering over this project's own pages"):
            librarian = await start(config, "usufruct_librarian", "--pace", "0.02", "--cache", str(place))
            stack.callback(librarian.stop)
        chat, embedding = await choose_service(progress, librarian.ready)
        story = Story(progress, installation, chat, embedding, publish)
        stack.push_async_callback(story.stop_gateway)
        yield story
