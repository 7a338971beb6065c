"""What a package adds to an installation (a component), and the context that it is built from.

`app/components.py` lists the packages' `build` functions. A service is provided under its type, or under a Protocol
that a lower package declares for what it needs of a higher one, and is made when it is first asked for: so the order
of the list does not matter, and a process never opens a key that only another process needs.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from prometheus_client import Metric

from usufruct.core.diagnostics import Diagnostic
from usufruct.core.errors import Faulty
from usufruct.core.jobs import Job
from usufruct_client.identifiers import Address

__all__ = ["Check", "Component", "Context", "DeployStep", "Reading"]

T = TypeVar("T")

Check = Callable[[], Awaitable[object]]
"""Returns when a part works, and raises when it does not."""

Reading = Callable[[], Awaitable[Iterable[Metric]]]
"""Reads metrics at each scrape."""


class Context:
    """Services by type. Each component has a separate view, with its name for error messages."""

    def __init__(self, component: str = "app", shared: "Context | None" = None) -> None:
        """Share the services of another context, if one is given."""
        self.component = component
        self.closing: AsyncExitStack = shared.closing if shared else AsyncExitStack()
        self._services: dict[type, object] = shared._services if shared else {}
        self._makers: dict[type, Callable[[], object]] = shared._makers if shared else {}

    def view(self, component: str) -> "Context":
        """Return this context as one component sees it."""
        return Context(component, self)

    def provide(self, kind: type[T], service: T) -> None:
        """Offer a service under its type."""
        self._services[kind] = service

    def provide_later(self, kind: type[T], make: Callable[[], T]) -> None:
        """Offer a service that is made when it is first asked for."""
        self._makers[kind] = make

    def get(self, kind: type[T]) -> T:
        """Return the service of a type.

        Raises:
            Faulty: when no component provides it.
        """
        if kind not in self._services:
            if kind not in self._makers:
                raise Faulty(
                    f"component {self.component} needs {kind.__module__}.{kind.__qualname__}, which no component "
                    "provides; add one that does to app/components.py",
                    code="service_missing",
                    component=self.component,
                    service=kind.__qualname__,
                )
            self._services[kind] = self._makers[kind]()
        return cast(T, self._services[kind])

    async def close(self) -> None:
        """Close what services registered with `closing`, the newest first."""
        await self.closing.aclose()


@dataclass(frozen=True, slots=True)
class DeployStep:
    """One transaction of the owner: what it does, at which address, the gas it takes (0: it is done), and how."""

    what: str
    at: Address
    gas: Callable[[], Awaitable[int]]
    take: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Component:
    """What one package adds to an installation; everything is optional but the name.

    `start` runs once when the installation is opened, before any service is used. `routes` and `gateway_jobs` are made
    by each gateway process, `jobs` by each worker: only a worker may open the claim key. `readiness` must pass before a
    gateway takes calls. `exposed_headers` are those of its answers that a page in a browser may read.
    """

    name: str
    routes: Callable[[], Sequence[Any]] = tuple
    """`web.Route`s; `core` stands below `web`."""
    exposed_headers: Sequence[str] = ()
    jobs: Callable[[], Sequence[Job]] = tuple
    gateway_jobs: Callable[[], Sequence[Job]] = tuple
    metrics: Mapping[str, Reading] = field(default_factory=dict)
    readiness: Mapping[str, Check] = field(default_factory=dict)
    diagnostics: Sequence[Diagnostic] = ()
    deploy_steps: Callable[[], Sequence[DeployStep]] = tuple
    start: Check | None = None
