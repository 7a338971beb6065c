"""The embedded chain of an installation on this machine: there when nothing else answers at its address."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from usufruct.chain import Client, RpcUnavailable, entry_point, toolchain
from usufruct.chain.anvil import Anvil
from usufruct.chain.toolchain import ToolMissing
from usufruct.cli.support.progress import Progress
from usufruct.config import Config, DataConfig
from usufruct.core import ChainId, UsufructError
from usufruct.core.networks import DEVNET_CHAIN_ID, REHEARSAL_CHAIN_ID

_STATE = "chain.json"
_BLOCK_SECONDS = {DEVNET_CHAIN_ID: None, REHEARSAL_CHAIN_ID: 1}
"""The chains that this machine can run, and how often each makes a block; None: for each transaction."""


@asynccontextmanager
async def embedded_chain(config: Config, progress: Progress) -> AsyncIterator[Anvil | None]:
    """Run the devnet, or the rehearsal's chain, while the block does; None where there is a node already.

    Its state is kept in the data folder.
    """
    local = config.chain.id in _BLOCK_SECONDS and _is_here(config.chain.rpc_url)
    if not local or await _answers(config.chain.rpc_url):
        yield None
        return
    tools = DataConfig().folder
    await asyncio.to_thread(fetch_tools, progress, tools)
    chain_id = ChainId(config.chain.id)
    async with Anvil(
        state=config.data.folder / _STATE,
        port=urlsplit(config.chain.rpc_url).port,
        data_folder=tools,
        chain_id=chain_id,
        block_seconds=_BLOCK_SECONDS[chain_id],
    ) as anvil:
        progress.say(f"a chain on this machine (anvil), kept in {config.data.folder / _STATE}")
        yield anvil


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _answers(url: str) -> bool:
    async with Client(url, timeout_seconds=5.0) as client:
        try:
            await client.chain_id()
        except RpcUnavailable:
            return False
        return True


def fetch_tools(progress: Progress, tools: Path) -> None:
    """Fetch anvil and the EntryPoint once; without the latter there are no passkey accounts, and all else works."""
    try:
        toolchain.find("anvil", tools)
    except ToolMissing:
        with progress.working(f"fetching anvil {toolchain.VERSION} from npm (40 MB) into {tools}"):
            toolchain.install_anvil(tools)
    if not entry_point.find_artifact(tools):
        try:
            with progress.working(f"fetching {entry_point.PACKAGE} from npm (0.1 MB) into {tools}"):
                entry_point.fetch_artifact(tools)
        except UsufructError as error:
            progress.say(f"passkey accounts are off on this chain: {error.message}")
