"""`usufruct serve`: one gateway; as many as you like share a database."""

from usufruct.cli.support.server_options import Attached
from usufruct.cli.support.servers import run_gateway


def serve(attached: Attached = False) -> None:
    """Serve the gateway of the configured installation; prints where as one JSON line."""
    run_gateway(attached=attached)
