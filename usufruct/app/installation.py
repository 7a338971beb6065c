"""One installation: its components, built from one context and folded into what a gateway or a worker runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

from prometheus_client import CollectorRegistry

from usufruct import __version__
from usufruct.app.components import build_components, start_components
from usufruct.chain import ChainAccess, Client, open_chain, open_chain_later
from usufruct.chain.contracts.till import Till
from usufruct.chain.deployment import Deployments
from usufruct.chain.escrow import check_settlement
from usufruct.config import Config, check_operator
from usufruct.core import Clock
from usufruct.core.components import Component, Context
from usufruct.core.jobs import Job, JobBoard, jobs_running
from usufruct.store import Database, DatabaseJobBoard, MasterSecret
from usufruct.web import Health, Metrics, Router, WriteLimit, job_metrics, openapi_route
from usufruct.web.ui import Pages

T = TypeVar("T")

_DEVNET_SECRET = b"a devnet's secrets are known to everybody"


@asynccontextmanager
async def open_context(chain: ChainAccess) -> AsyncIterator[Context]:
    """Give a context with what every component may use; what was built from it is closed in the end."""
    context = Context()
    context.provide(Config, chain.config)
    context.provide(ChainAccess, chain)
    context.provide(Client, chain.client)
    context.provide(Deployments, chain.deployments)
    context.provide(Database, chain.database)
    context.provide(Clock, Clock())
    context.provide(CollectorRegistry, CollectorRegistry())
    secret = chain.config.data.secret.reveal().encode() or _DEVNET_SECRET
    context.provide(MasterSecret, MasterSecret(secret))
    try:
        yield context
    finally:
        await context.close()


@dataclass(frozen=True)
class Installation(ChainAccess):
    """The components of one installation, opened and ready."""

    context: Context
    components: Sequence[Component]

    def get(self, kind: type[T]) -> T:
        """Return a component's public service by its type."""
        return self.context.get(kind)

    def jobs(self) -> list[Job]:
        """Return what a worker does again and again for this installation; it needs the claim key, gateways do not."""
        return [job for component in self.components for job in component.jobs()]

    def gateway_jobs(self) -> list[Job]:
        """Return what each gateway does beside its calls."""
        return [job for component in self.components for job in component.gateway_jobs()]

    @cached_property
    def metrics(self) -> Metrics:
        """Return this process's numbers: what it counts, and what it reads when it is scraped."""
        readings = {name: read for component in self.components for name, read in component.metrics.items()}
        return Metrics(readings, self.get(CollectorRegistry))

    def board(self, role: str) -> JobBoard:
        """Return where a process keeps how its jobs do: its metrics show it, and the database tells `doctor`."""
        board = DatabaseJobBoard(self.database, role)
        self.metrics.add("jobs", partial(job_metrics, board, self.get(Clock)))
        return board

    @cached_property
    def health(self) -> Health:
        """Return what answers `/healthz` and `/readyz`."""
        board = self.gateway_board
        checks = {name: check for component in self.components for name, check in component.readiness.items()}
        return Health(checks, lambda: {s.name: s.code for s in board.states if s.failures})

    @cached_property
    def gateway_board(self) -> JobBoard:
        """Return where this gateway keeps how its jobs do."""
        return self.board("gateway")

    def router(self) -> Router:
        """Return the gateway's HTTP application."""
        limit = WriteLimit(self.config.gateway.writes_per_minute, self.get(Clock))
        routes = [limit.limited(route) for component in self.components for route in component.routes()]
        lifespan = partial(jobs_running, self.gateway_jobs(), self.gateway_board)
        public = [*routes, *self.health.routes]
        return Router(
            [*public, openapi_route(public, __version__)],
            lifespan=lifespan,
            error_page=self.get(Pages).error_page,
        )


@asynccontextmanager
async def open_installation(config: Config, *, wait_for_node: bool = True) -> AsyncIterator[Installation]:
    """Open the database, the node and everything between them; closed in the opposite order.

    Without `wait_for_node` the installation is opened although no node answers: what needs none works, and the rest
    works from the moment when one does.

    Raises:
        RpcUnavailable: when the node does not answer and is waited for, or when the token was never read from it.
        NotDeployed, Conflict, Faulty: when the chain is not ready for this installation.
        InvalidSetting: when the configuration is not one to run an installation with.
    """
    check_operator(config)
    opening = open_chain(config) if wait_for_node else open_chain_later(config)
    async with opening as chain, open_context(chain) as context:
        if wait_for_node:
            await check_settlement(chain.client, chain.chain_id)
        chain.deployments.address(Till)
        components = build_components(context)
        await start_components(components)
        yield Installation(chain.config, chain.database, chain.client, chain.deployments, context, components)
