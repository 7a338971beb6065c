"""`usufruct worker`: one worker; as many as you like share a database."""

from usufruct.app import open_installation, show_metrics
from usufruct.cli.support.server_process import Attached, announce_ready, run_server
from usufruct.config import load_config
from usufruct.core.jobs import run_jobs
from usufruct.core.process import Shutdown


def worker(attached: Attached = False) -> None:
    """Follow the chain, claim, deposit, refund, pay what is owed; print one JSON line when ready."""

    async def working(_: Shutdown) -> None:
        async with (
            open_installation(load_config(), wait_for_node=False) as installation,
            show_metrics(installation, "worker"),
        ):
            jobs = installation.jobs()
            announce_ready({"jobs": [job.name for job in jobs]})
            await run_jobs(jobs, installation.board("worker"))

    run_server(working, attached=attached)
