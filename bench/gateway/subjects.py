"""What is measured: an address to call, how to call it, and the processes whose CPU counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil

Headers = Callable[[str], list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One program under measurement.

    `headers` of a body: the variants that calls go through in turn. `database`: processes of a database server that
    work for it now, beside its own. `commits`: how many durable commits it has made so far, if it can tell.
    """

    name: str
    url: str
    processes: tuple[psutil.Process, ...]
    headers: Headers = lambda _: [{}]
    database: Callable[[], tuple[psutil.Process, ...]] = tuple
    commits: Callable[[], int] | None = None
    models: Mapping[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> tuple[psutil.Process, ...]:
        """The processes whose CPU and writes count."""
        return self.processes + self.database()


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A peer that could not be measured, and why."""

    name: str
    reason: str
