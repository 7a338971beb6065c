"""Live prices in a gateway: one look at the file for all readers, each of whom gets the newest values only.

A reader is a set of assets and a flag that something of them changed. Nothing is queued: who reads slowly gets, at
their next turn, the newest price of what changed meanwhile.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from usufruct.analytics.live.model import LiveTable, NoLivePrices, StreamsTaken, TooManyStreams
from usufruct.analytics.live.price_file import LiveReader
from usufruct.core import Clock

_LOOK_SECONDS: Final = 0.5
_RETRY_SECONDS: Final = 30

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams a gateway sends at once, in all and to one network."""

    total: int = 500
    per_network: int = 10


class LiveSubscriber:
    """One reader: what it wants, and whether there is something new for it."""

    __slots__ = ("_ends", "_news", "assets", "left")

    def __init__(self, assets: Collection[str], ends: Callable[[], bool]) -> None:
        self.assets = frozenset(assets)
        self._ends = ends
        self._news = asyncio.Event()
        self.left = False

    def wake(self) -> None:
        """Let the reader look."""
        self._news.set()

    def leave(self) -> None:
        """End it: its client has hung up."""
        self.left = True
        self._news.set()

    @property
    def ends(self) -> bool:
        """Whether its stream shall end now."""
        return self.left or self._ends()

    async def wait(self, seconds: float) -> bool:
        """Wait for something new, at most so long; tell whether there is."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class LivePriceFeed:
    """The newest table, and the readers of its changes."""

    def __init__(self, reader: LiveReader, clock: Clock, limits: StreamLimits | None = None) -> None:
        self._reader = reader
        self._clock = clock
        self._limits = limits or StreamLimits()
        self._subscribers: set[LiveSubscriber] = set()
        self._networks: Counter[str] = Counter()
        self._looking: asyncio.Task[None] | None = None
        self._marks: dict[str, tuple[int, bool]] = {}

    @property
    def table(self) -> LiveTable:
        """Return the newest table; raises NoLivePrices."""
        table = self.newest
        if table is None:
            raise NoLivePrices(
                "this installation has no live prices; set `markets.live_venues`, and run a worker to follow exchanges",
                retry_after=_RETRY_SECONDS,
            )
        return table

    @property
    def now(self) -> int:
        """Wall time in whole seconds since 1970."""
        return self._clock.now()

    @property
    def newest(self) -> LiveTable | None:
        """The newest table, if there is one."""
        return self._reader.current()

    @contextmanager
    def reading(
        self, assets: Collection[str], network: str | None, ends: Callable[[], bool]
    ) -> Iterator[LiveSubscriber]:
        """Wake a reader at each change of one of its assets, while the block runs, or when `ends` returns true.

        Raises:
            TooManyStreams: when its network has as many streams as it may.
            StreamsTaken: when the gateway sends as many streams as it may.
        """
        if len(self._subscribers) >= self._limits.total:
            raise StreamsTaken(
                f"all {self._limits.total} streams are taken; read /v1/markets/prices, or try again later",
                retry_after=_RETRY_SECONDS,
            )
        if network is not None and self._networks[network] >= self._limits.per_network:
            raise TooManyStreams(
                f"your network has {self._limits.per_network} streams open, which is the most; close one, or ask for "
                "several assets in one",
                retry_after=_RETRY_SECONDS,
            )
        subscriber = LiveSubscriber(assets, ends)
        self._subscribers.add(subscriber)
        if network is not None:
            self._networks[network] += 1
        if self._looking is None or self._looking.done():
            self._marks = self._seen()
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            if network is not None:
                self._networks[network] -= 1
                self._networks += Counter()  # forgets networks without a stream
            if not self._subscribers and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def look(self) -> None:
        """Wake the readers of assets whose price changed or became stale, and those that shall end."""
        marks = self._seen()
        changed = {asset for asset, mark in marks.items() if self._marks.get(asset) != mark}
        self._marks = marks
        for each in self._subscribers:
            if each.ends or not changed.isdisjoint(each.assets):
                each.wake()

    def _seen(self) -> dict[str, tuple[int, bool]]:
        table, now = self._reader.current(), self._clock.now()
        if table is None:
            return {}
        return {name: (each.version, table.is_stale(each, now)) for name, each in table.medians.items()}

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                self.look()
            except Exception:
                _log.exception("live prices cannot be read")
