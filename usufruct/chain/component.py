"""What `chain` adds to an installation: the node's health, the outbox, and how far logs were read."""

from functools import partial

from usufruct.chain.access import ChainAccess, Senders
from usufruct.chain.diagnostics import check_contracts, check_gas, check_keys, check_logs, check_node
from usufruct.chain.metrics import LogStreams, gap_metrics, lag_metrics, sender_metrics
from usufruct.chain.roles import Role
from usufruct.core import Job
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic

_OUTBOX_SECONDS = 5.0
_NODE_SECONDS = 2.0


def build(context: Context) -> Component:
    """Build the component."""
    chain = context.get(ChainAccess)
    senders, streams = Senders(chain), LogStreams()
    context.provide(Senders, senders)
    context.provide(LogStreams, streams)

    def node_jobs() -> list[Job]:
        """Probe the node, so that no caller's question has to find out that it is away."""
        return [Job("node", chain.client.probe, _NODE_SECONDS, longest=_NODE_SECONDS)]

    return Component(
        "chain",
        jobs=lambda: [*node_jobs(), Job("outbox", senders.of(Role.CLAIM).advance, _OUTBOX_SECONDS)],
        gateway_jobs=node_jobs,
        metrics={
            "outbox": partial(sender_metrics, senders.opened),
            "chain": partial(lag_metrics, streams),
            "logs": partial(gap_metrics, streams),
        },
        diagnostics=(
            Diagnostic("node", lambda: check_node(chain)),
            Diagnostic("logs", lambda: check_logs(chain), needs=("database", "node")),
            Diagnostic("keys", lambda: check_keys(chain.config)),
            Diagnostic("contracts", lambda: check_contracts(chain), needs=("database", "node")),
            Diagnostic("gas money", lambda: check_gas(chain), needs=("contracts",)),
        ),
    )
