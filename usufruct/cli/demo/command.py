"""`usufruct demo`: its chapters, what they run on (a chain, an installation, a service to be sold), and their steps."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Protocol

from typer import Argument, Option

from usufruct.app import Installation, open_installation, set_up_devnet
from usufruct.chain.anvil import Anvil
from usufruct.cli.demo import economy_outcome
from usufruct.cli.demo.economy_outcome import EconomyOutcome
from usufruct.cli.demo.economy_story import EconomyStory
from usufruct.cli.demo.outcome import LEASE_SECONDS, Offer, Outcome, choose_service
from usufruct.cli.demo.served_offers import start
from usufruct.cli.demo.story import SETTINGS, Story
from usufruct.cli.support.embedded_chain import fetch_tools
from usufruct.cli.support.extras import missing_extra
from usufruct.cli.support.instance_lock import Publish, hold_instance
from usufruct.cli.support.output import Json, print_json
from usufruct.cli.support.page_links import network_address
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.runner import run
from usufruct.config import (
    ChainConfig,
    Config,
    DatabaseConfig,
    DataConfig,
    GatewayConfig,
    LedgerConfig,
    MarketsConfig,
    write_settings,
)
from usufruct.core import Clock, Conflict
from usufruct.staking import WEEK_SECONDS


class _Shown(Protocol):
    """What a chapter did."""

    def as_json(self) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chapter runs: the folder of its files, None for a temporary one, and the address that pages are at."""

    folder: Path | None
    host: str


class Chapter(StrEnum):
    """What the demo can show."""

    SALE = "sale"
    ECONOMY = "economy"
    MARKETS = "markets"


def demo(
    chapter: Annotated[
        Chapter, Argument(help="sale: a service is sold. economy: airdrop, stakes, a vote. markets: ratings, an index.")
    ] = Chapter.SALE,
    as_json: Json = False,
    folder: Annotated[Path | None, Option(help="Keep the demo's files here instead of a temporary folder.")] = None,
    stay: Annotated[
        bool,
        Option(
            show_default=False, help="Leave the sale or the markets running until Ctrl-C; the default at a terminal."
        ),
    ] = sys.stdout.isatty(),
    phone: Annotated[
        bool,
        Option(
            "--phone",
            help="Listen at this machine's address in its network, and draw a QR code for a phone. Everyone in that "
            "network can then use the demo account and its play money.",
        ),
    ] = False,
) -> None:
    """Show the main job on a local chain: a service is sold, called, metered and paid, its owners collect.

    Example: usufruct demo economy
    """
    progress = Progress(to_stderr=as_json)
    place = Place(folder, host=_network_host() if phone else GatewayConfig().host)
    if chapter is Chapter.ECONOMY:
        outcome: _Shown = run(lambda: _run_economy(progress, place))
    elif chapter is Chapter.MARKETS:
        outcome = run(lambda: _run_markets(progress, place, stay=stay and not as_json))
    else:
        outcome = run(lambda: _run_sale(progress, place, stay=stay and not as_json))
    if as_json:
        print_json(outcome.as_json())


def _network_host() -> str:
    """Return this machine's address in its network; raises Conflict when it has none."""
    if found := network_address():
        return found
    raise Conflict(
        "--phone: this machine has no address in a network, so no phone reaches it; connect it to one, or leave out "
        "--phone",
        code="no_network",
        field="phone",
    )


async def _run_sale(progress: Progress, place: Place, *, stay: bool) -> Outcome:
    """Run the whole story; with `stay`, leave everything running until Ctrl-C."""
    began = Clock().monotonic()
    async with _open(progress, place, Config()) as stage:
        story = Story(progress, stage.installation, stage.chat, stage.embedding, stage.publish)
        stage.stack.push_async_callback(story.stop_gateway)
        await story.go_on_sale()
        await story.ask()
        await story.pay_by_wallet()
        await story.crash()
        await story.settle()
        story.outcome.seconds = Clock().monotonic() - began
        await story.invite(stays=stay)
        if stay:
            await story.stay()
        return story.outcome


async def _run_economy(progress: Progress, place: Place) -> EconomyOutcome:
    """Run the economy chapter on a chain that begins two weeks ago, so that locks count when the first call is paid."""
    began = Clock().monotonic()
    config = Config(platform_token=economy_outcome.TOKEN, governance=economy_outcome.GOVERNANCE)
    async with _open(progress, place, config, starts_at=Clock().now() - 2 * WEEK_SECONDS) as stage:
        story = EconomyStory(progress, stage.installation, stage.anvil, stage.chat, stage.publish)
        stage.stack.push_async_callback(story.stop_gateway)
        await story.claim_airdrop()
        await story.sell()
        await story.divide()
        await story.decide()
        await story.check()
        story.outcome.seconds = Clock().monotonic() - began
        return story.outcome


async def _run_markets(progress: Progress, place: Place, *, stay: bool) -> _Shown:
    """Run the markets chapter, which needs an extra of the package; with `stay`, leave it running until Ctrl-C.

    Raises:
        Conflict: when the extra is not installed.
    """
    began = Clock().monotonic()
    try:
        chapter = import_module("usufruct.cli.demo.markets_story")
    except ModuleNotFoundError as error:
        if (missing := missing_extra("demo markets", error)) is None:
            raise
        raise missing from error
    config = Config(markets=MarketsConfig(api="yes"))
    async with _install(progress, place, config) as (stack, _, installation, publish):
        story = chapter.MarketsStory(progress, installation, publish, kept=place.folder is not None)
        stack.push_async_callback(story.stop_gateway)
        await story.simulate()
        await story.rate()
        await story.backtest()
        await story.serve()
        story.outcome.seconds = Clock().monotonic() - began
        if stay:
            await story.stay()
        shown: _Shown = story.outcome
        return shown


@dataclass(frozen=True, slots=True)
class _Stage:
    """What a chapter runs on; `stack` ends it."""

    stack: AsyncExitStack
    anvil: Anvil
    installation: Installation
    chat: Offer
    embedding: Offer
    publish: Publish


@asynccontextmanager
async def _open(
    progress: Progress, place: Place, settings: Config, starts_at: int | None = None
) -> AsyncIterator[_Stage]:
    """Open an installation with these settings on a chain of its own, and start the built-in service."""
    async with _install(progress, place, settings, starts_at) as (stack, anvil, installation, publish):
        config = installation.config
        with progress.working("starting the built-in service: question answering over this project's own pages"):
            librarian = await start(config, "usufruct_librarian", "--pace", "0.02", "--cache", str(config.data.folder))
            stack.callback(librarian.stop)
        chat, embedding = await choose_service(progress, librarian.ready)
        yield _Stage(stack, anvil, installation, chat, embedding, publish)


@asynccontextmanager
async def _install(
    progress: Progress, place: Place, settings: Config, starts_at: int | None = None
) -> AsyncIterator[tuple[AsyncExitStack, Anvil, Installation, Publish]]:
    """Open an installation with these settings on a chain of its own; the stack ends what runs on it."""
    progress.step("Local chain, test dollars, no account")
    async with AsyncExitStack() as stack:
        folder = place.folder or Path(
            stack.enter_context(TemporaryDirectory(prefix="usufruct-", ignore_cleanup_errors=True))
        )
        folder.mkdir(parents=True, exist_ok=True)
        tools = DataConfig().folder
        await asyncio.to_thread(fetch_tools, progress, tools)
        with progress.working("starting a chain on this machine (anvil)"):
            chain = Anvil(state=folder / "chain.json", data_folder=tools, starts_at=starts_at)
            anvil = await stack.enter_async_context(chain)
        config = replace(
            settings,
            data=DataConfig(folder),
            database=DatabaseConfig(f"sqlite:///{folder / 'usufruct.db'}"),
            chain=ChainConfig(anvil.url, poll_milliseconds=50),
            ledger=LedgerConfig(lease_seconds=LEASE_SECONDS),
            gateway=GatewayConfig(place.host, port=0),
        )
        write_settings(config, folder / SETTINGS)
        with progress.working("deploying the contracts through the deterministic deployer"):
            await set_up_devnet(config)
        publish = stack.enter_context(hold_instance(folder))
        installation = await stack.enter_async_context(open_installation(config))
        yield stack, anvil, installation, publish
