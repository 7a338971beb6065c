"""`usufruct serve`: one gateway; as many as you like share a database."""

from usufruct.app import open_installation
from usufruct.app import serve as serve_gateway
from usufruct.cli.support.server_process import Attached, announce_ready, run_server
from usufruct.config import load_config
from usufruct.core.process import Shutdown, spare_collector


def serve(attached: Attached = False) -> None:
    """Serve the gateway of the configured installation; prints where as one JSON line."""

    async def serving(shutdown: Shutdown) -> None:
        async with open_installation(load_config(), wait_for_node=False) as installation:
            spare_collector()
            await serve_gateway(installation, lambda url: announce_ready({"url": url}), shutdown)

    run_server(serving, attached=attached)
