"""Group commit: many verbs, one transaction, one fsync. What both databases share.

Verbs are queued. The writer takes what is queued, reads the rows that it needs, lets each verb decide in memory, writes
all changes, and commits. A verb has two moments:

- *applied*: its changes are written in a transaction that is not committed yet. From here on only the commit can fail,
  which fails every verb of the transaction. `Ledger.open` returns here.
- *durable*: the commit is on disk. Every other verb returns here, and so does every refusal: what a verb of the group
  saw of another's changes is never returned before those are durable.

A transaction that the schema refuses is rolled back, and its verbs run again one by one; none had returned.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from usufruct.payments.ledger.statements import FaultHook, Work
from usufruct.payments.ledger.working_set import Needs, WorkingSet
from usufruct.store import DatabaseUnavailable

T = TypeVar("T")

_log = logging.getLogger(__name__)

LARGEST_GROUP = 256
ATTEMPTS = 5


class Contended(Exception):
    """Another process holds the rows; the transaction was rolled back and may be tried again."""


class Queued(Protocol):
    """A verb that waits for its transaction."""

    def fail(self, error: Exception) -> None:
        """Tell the caller that nothing of the verb was kept."""


class Decision(Generic[T]):
    """A hot verb on its way: pure, over a working set."""

    def __init__(self, name: str, needs: Needs, decide: Callable[[WorkingSet], T], *, early: bool = False) -> None:
        """Queue `decide`; with `early` its result is given once applied, else once durable."""
        loop = asyncio.get_running_loop()
        self.name = name
        self.needs = needs
        self.result: asyncio.Future[T] = loop.create_future()
        self.commit: asyncio.Future[None] = loop.create_future()
        self._decide = decide
        self._early = early
        self._value: T | None = None
        self._error: Exception | None = None

    async def durable(self) -> None:
        """Wait for the commit."""
        await asyncio.shield(self.commit)

    def attempt(self, work: WorkingSet) -> None:
        """Decide; keep the result, or what was raised, until it may be given."""
        self._value, self._error = None, None
        try:
            self._value = self._decide(work)
        except Exception as error:
            self._error = error

    def tell_applied(self) -> None:
        """Give the result to a caller that goes on before the commit."""
        if self._early and self._error is None:
            self._give()

    def tell_durable(self) -> None:
        """Give the result, or the refusal, and say that it is on disk."""
        if self._error is not None:
            self.fail(self._error)
            return
        self._give()
        if not self.commit.done():
            self.commit.set_result(None)

    def fail(self, error: Exception) -> None:
        """Tell the caller that nothing of the verb was kept."""
        _fail(self.result, error)
        _fail(self.commit, error)

    @property
    def failure(self) -> BaseException | None:
        """Why nothing of the verb was kept; None if it was, or while that is open."""
        return self.commit.exception() if self.commit.done() and not self.commit.cancelled() else None

    def _give(self) -> None:
        if not self.result.done():
            self.result.set_result(self._value)  # type: ignore[arg-type]  # set by `attempt`, None where T is


class Alone(Generic[T]):
    """A verb that runs alone in a transaction."""

    def __init__(self, name: str, work: Work[T]) -> None:
        self.name = name
        self.work = work
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def succeed(self, value: T) -> None:
        """Give the result; it is durable."""
        if not self.result.done():
            self.result.set_result(value)

    def fail(self, error: Exception) -> None:
        """Tell the caller that nothing of the verb was kept."""
        _fail(self.result, error)


class Backend(ABC):
    """Runs verbs on one database."""

    def __init__(self, faults: FaultHook) -> None:
        """Start the writer; `faults` receives the name of every point a crash may come at."""
        self.commits = 0
        """Transactions that this process has made durable."""
        self._faults = faults
        self._closed = False
        self._queue: deque[Decision[object] | Alone[object]] = deque()
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._serve(), name="ledger-writer")

    def decide(self, decision: Decision[T]) -> Decision[T]:
        """Queue a hot verb; its futures tell the rest.

        Raises:
            DatabaseUnavailable: after `close`.
        """
        self._put(decision)  # type: ignore[arg-type]  # the queue only tells each verb to give its own result
        return decision

    async def write(self, name: str, work: Work[T]) -> T:
        """Run a verb alone in a transaction and return its result once that is durable."""
        alone = Alone(name, work)
        self._put(alone)  # type: ignore[arg-type]
        return await alone.result

    @abstractmethod
    async def read(self, name: str, work: Work[T]) -> T:
        """Run a verb that only reads, on one moment of the database."""

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        self._closed = True
        self._wake.set()
        await self._task

    # What a database does

    @abstractmethod
    async def _begin(self) -> None:
        """Begin a transaction."""

    @abstractmethod
    async def _load(self, needs: Sequence[Needs]) -> WorkingSet:
        """Lock and read the rows that verbs need."""

    @abstractmethod
    async def _store(self, work: WorkingSet) -> None:
        """Write the changes.

        Raises:
            ConstraintViolated: when the schema refuses one.
        """

    @abstractmethod
    async def _commit(self) -> None:
        """Make the transaction durable."""

    @abstractmethod
    async def _rollback(self) -> None:
        """Undo the transaction, if there is one."""

    @abstractmethod
    async def _run(self, alone: Alone[object]) -> object:
        """Run a verb alone in a transaction, durably."""

    # The writer

    def _put(self, item: Decision[object] | Alone[object]) -> None:
        if self._closed:
            raise DatabaseUnavailable("the ledger is closed: this process is shutting down; ask another one")
        self._queue.append(item)
        self._wake.set()

    async def _serve(self) -> None:
        """Take what is queued, a transaction at a time, until the ledger is closed and the queue is empty."""
        while self._queue or not self._closed:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            first = self._queue[0]
            group = self._next_group()
            try:
                if isinstance(first, Alone):
                    self._queue.popleft()
                    await self._settle(first)
                else:
                    await self._settle_group(group)
            except Exception as error:  # a fault of ours; no caller may wait for it for good
                await self._abandon([first, *group], error)

    def _next_group(self) -> "list[Decision[object]]":
        """Take the hot verbs at the head of the queue; those on one call go into different transactions."""
        group: list[Decision[object]] = []
        while self._queue and len(group) < LARGEST_GROUP:
            head = self._queue[0]
            if isinstance(head, Alone):
                break
            group.append(head)
            self._queue.popleft()
        return group

    async def _abandon(self, items: Sequence[Queued], error: Exception) -> None:
        for item in items:
            item.fail(error)
        try:
            await self._rollback()
        except Exception:  # the writer must live: what is left of the transaction fails the next ones, until it is gone
            _log.exception("a transaction of the ledger could not be undone")

    async def _settle(self, alone: Alone[object]) -> None:
        for _ in range(ATTEMPTS):
            try:
                alone.succeed(await self._run(alone))
                self.commits += 1
            except Contended:
                continue
            except Exception as error:
                alone.fail(error)
            return
        alone.fail(_contended())

    async def _settle_group(self, group: "list[Decision[object]]") -> None:
        for _ in range(ATTEMPTS):
            try:
                changed = await self._apply(group)
            except Contended:
                await self._rollback()
                continue
            except Exception as error:  # the schema, the driver, or a fault of ours in one verb
                await self._rollback()
                await self._again(group, error)
                return
            if changed:
                await self._commit_group(group)
            else:
                await self._rollback()
                for decision in group:
                    decision.tell_durable()
            return
        for decision in group:
            decision.fail(_contended())

    async def _apply(self, group: "list[Decision[object]]") -> bool:
        """Run the verbs and write their changes; tell whether there are any."""
        await self._begin()
        work = await self._load([decision.needs for decision in group])
        for decision in group:
            self._faults(f"{decision.name}.0")
            decision.attempt(work)
        if work.changed:
            await self._store(work)
        return work.changed

    async def _again(self, group: "list[Decision[object]]", error: Exception) -> None:
        """Run a group one by one after one of its verbs spoilt the transaction; a single one has failed.

        A database that is unavailable to two verbs in a row fails the rest at once: each would wait as long for it.
        """
        if len(group) == 1:
            group[0].fail(error)
            return
        last: BaseException | None = None
        for number, decision in enumerate(group):
            await self._settle_group([decision])
            before, last = last, decision.failure
            if isinstance(before, DatabaseUnavailable) and isinstance(last, DatabaseUnavailable):
                for other in group[number + 1 :]:
                    other.fail(last)
                return

    async def _commit_group(self, group: "list[Decision[object]]") -> None:
        for decision in group:
            decision.tell_applied()
        self._faults("commit.before")
        try:
            await self._commit()
        except Exception as error:
            for decision in group:
                decision.fail(error)
            await self._rollback()
            return
        self.commits += 1
        self._faults("commit.after")
        for decision in group:
            decision.tell_durable()


def _fail(future: "asyncio.Future[T]", error: Exception) -> None:
    """Give an error to who waits, and look at it: a caller that left does not, and asyncio would complain."""
    if not future.done():
        future.set_exception(error)
        future.exception()


def _contended() -> DatabaseUnavailable:
    return DatabaseUnavailable("the ledger's rows are contended; try again")
