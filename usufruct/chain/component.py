"""What `chain` adds to an installation: the node's health, the outbox, and how far logs were read."""

from collections.abc import Sequence

from usufruct.chain.access import ChainAccess, Senders
from usufruct.chain.client import ChainHead
from usufruct.chain.deployment import DeploySite, public_contracts
from usufruct.chain.diagnostics import check_contracts, check_gas, check_keys, check_keystores, check_logs, check_node
from usufruct.chain.keys import Role
from usufruct.chain.metrics import LogStreams, gap_metrics, lag_metrics, sender_metrics
from usufruct.config import Config
from usufruct.core import Clock
from usufruct.core.components import Component, Context, DeployStep
from usufruct.core.diagnostics import Diagnostic
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet

_OUTBOX_SECONDS = 5.0
_NODE_SECONDS = 2.0
_HEAD_SECONDS = 1.0


def build(context: Context) -> Component:
    """Build the component."""
    streams = LogStreams()
    context.provide(LogStreams, streams)
    context.provide_later(Senders, lambda: Senders(context.get(ChainAccess)))

    def head() -> ChainHead:
        seconds = min(_HEAD_SECONDS, 2 * context.get(Config).chain.poll_milliseconds / 1000)
        return ChainHead(context.get(ChainAccess).client, seconds, context.get(Clock))

    context.provide_later(ChainHead, head)

    def node_jobs() -> list[Job]:
        """Probe the node, so that no caller's question has to find out that it is away."""
        return [Job("node", context.get(ChainAccess).client.probe, _NODE_SECONDS, longest=_NODE_SECONDS)]

    def jobs() -> list[Job]:
        return [*node_jobs(), Job("outbox", context.get(Senders).of(Role.CLAIM).advance, _OUTBOX_SECONDS)]

    def deploy_steps() -> Sequence[DeployStep]:
        site = context.get(DeploySite)
        return public_contracts(site) if is_devnet(site.chain_id) else ()

    return Component(
        "chain",
        jobs=jobs,
        gateway_jobs=node_jobs,
        metrics={
            "outbox": lambda: sender_metrics(context.get(Senders).opened),
            "chain": lambda: lag_metrics(streams),
            "logs": lambda: gap_metrics(streams),
        },
        diagnostics=(
            Diagnostic("node", lambda: check_node(context.get(ChainAccess))),
            Diagnostic("logs", lambda: check_logs(context.get(ChainAccess)), needs=("database", "node")),
            Diagnostic("keys", lambda: check_keys(context.get(Config))),
            Diagnostic("keys", lambda: check_keystores(context.get(Config)), slow=True),
            Diagnostic("contracts", lambda: check_contracts(context.get(ChainAccess)), needs=("database", "node")),
            Diagnostic("gas money", lambda: check_gas(context.get(ChainAccess)), needs=("contracts",)),
        ),
        deploy_steps=deploy_steps,
    )
