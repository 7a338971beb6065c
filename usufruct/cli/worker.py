"""`usufruct worker`: one worker; as many as you like share a database."""

from usufruct.cli.support.server_options import Attached
from usufruct.cli.support.servers import run_worker


def worker(attached: Attached = False) -> None:
    """Follow the chain, claim, deposit, refund, pay what is owed; print one JSON line when ready."""
    run_worker(attached=attached)
