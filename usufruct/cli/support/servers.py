"""What `usufruct serve` and `usufruct worker` run; loads no library of the command line (decision 0075)."""

from collections.abc import Callable, Mapping

from usufruct.app import open_installation, serve, show_metrics
from usufruct.cli.support.server_process import announce_ready, run_server
from usufruct.config import load_config
from usufruct.core.jobs import run_jobs
from usufruct.core.process import Shutdown, spare_collector


def run_gateway(*, attached: bool) -> None:
    """Serve the gateway of the configured installation until the process is asked to end."""

    async def serving(shutdown: Shutdown) -> None:
        async with open_installation(load_config(), wait_for_node=False) as installation:
            spare_collector()
            await serve(installation, lambda url: announce_ready({"url": url}), shutdown)

    run_server(serving, attached=attached)


def run_worker(*, attached: bool) -> None:
    """Run the jobs of the configured installation until the process is asked to end."""

    async def working(_: Shutdown) -> None:
        async with (
            open_installation(load_config(), wait_for_node=False) as installation,
            show_metrics(installation, "worker"),
        ):
            jobs = installation.jobs()
            announce_ready({"jobs": [job.name for job in jobs]})
            await run_jobs(jobs, installation.board("worker"))

    run_server(working, attached=attached)


SERVERS: Mapping[str, Callable[..., None]] = {"serve": run_gateway, "worker": run_worker}
"""By command; each takes `attached`."""
