"""A devnet with everything deployed, made once; each file of tests changes a copy of its own."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.support.devnet import Devnet, devnet_client
from usufruct.app import set_up_devnet
from usufruct.chain.anvil import Anvil
from usufruct.config import load_config

_STATE = "anvil.json"
_HOUR = 3_600


class DevnetTemplate:
    """The data folder of an installation, its chain's state among it; no process runs on it."""

    def __init__(self, folder: Path, *, made: bool = False) -> None:
        """`made`: the folder holds an installation already, whose chain was stopped."""
        self._folder = folder
        if not made:
            asyncio.run(self._deploy())

    @asynccontextmanager
    async def running(self, folder: Path, hardfork: str | None = None) -> AsyncIterator[Anvil]:
        """Run a copy of the chain, with the data in `folder`, while the block does."""
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)
        state = folder / _STATE
        async with (
            Anvil(state=state, state_interval_seconds=_HOUR, hardfork=hardfork) as anvil,
            devnet_client(anvil.url) as client,
        ):
            await Devnet(client).mine()  # the newest block of the state is as old as the template
            yield anvil

    @contextmanager
    def copy(self, folder: Path) -> Iterator[Anvil]:
        """Do the same outside an event loop."""
        with asyncio.Runner() as runner:
            running = self.running(folder)
            anvil = runner.run(running.__aenter__())
            try:
                yield anvil
            finally:
                runner.run(running.__aexit__(None, None, None))

    async def _deploy(self) -> None:
        async with Anvil(state=self._folder / _STATE, state_interval_seconds=_HOUR) as anvil:
            folder = str(self._folder)
            settings = {"chain_rpc_url": anvil.url, "chain_poll_milliseconds": "20", "data_folder": folder}
            settings |= {"chain_node_seconds": "60"}
            await set_up_devnet(load_config({f"USUFRUCT_{name.upper()}": each for name, each in settings.items()}))
