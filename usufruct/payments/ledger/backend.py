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
from typing import Generic, TypeVar

from usufruct.payments.ledger.sql_statements import FaultHook, Work
from usufruct.payments.ledger.working_set import Needs, WorkingSet
from usufruct.store import DatabaseUnavailable

T = TypeVar("T")

_log = logging.getLogger(__name__)

LARGEST_GROUP = 256
ATTEMPTS = 5


class Contended(DatabaseUnavailable):
    """Another process holds the rows; the transaction was rolled back and may be tried again."""

    def __init__(self) -> None:
        super().__init__("the ledger's rows are contended; try again")


class Queued(Generic[T]):
    """A verb on its way: `result` is what its caller gets, `commit` ends when that is durable."""

    def __init__(self, name: str, *, early: bool = False) -> None:
        """Queue a verb; with `early` its result is given once applied, else once durable."""
        loop = asyncio.get_running_loop()
        self.name = name
        self.result: asyncio.Future[T] = loop.create_future()
        self.commit: asyncio.Future[None] = loop.create_future()
        self._early = early
        self._value: T | None = None
        self._error: Exception | None = None

    def keep(self, value: T | None, error: Exception | None = None) -> None:
        """Keep the result, or what was raised, until it may be given."""
        self._value, self._error = value, error

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
        for future in (self.result, self.commit):
            if not future.done():
                future.set_exception(error)
                future.exception()  # looks at it: a caller that left does not, and asyncio would complain

    @property
    def failure(self) -> BaseException | None:
        """Why nothing of the verb was kept; None if it was, or while that is open."""
        return self.commit.exception() if self.commit.done() and not self.commit.cancelled() else None

    def _give(self) -> None:
        if not self.result.done():
            self.result.set_result(self._value)  # type: ignore[arg-type]  # what was kept, None where T is


class Decision(Queued[T]):
    """A hot verb: pure, over a working set."""

    def __init__(self, name: str, needs: Needs, decide: Callable[[WorkingSet], T], *, early: bool = False) -> None:
        """Queue `decide`, which reads the rows that `needs` names."""
        super().__init__(name, early=early)
        self.needs = needs
        self._decide = decide

    def attempt(self, work: WorkingSet) -> None:
        """Decide, and keep what comes of it."""
        try:
            self.keep(self._decide(work))
        except Exception as error:
            self.keep(None, error)


class Alone(Queued[T]):
    """A verb that runs statements, alone in a transaction."""

    def __init__(self, name: str, work: Work[T]) -> None:
        super().__init__(name)
        self.work = work


class Backend(ABC):
    """Runs verbs on one database."""

    def __init__(self, faults: FaultHook) -> None:
        """Start the writer; `faults` receives the name of every point a crash may come at."""
        self.commits = 0
        """Transactions that this process has made durable."""
        self._faults = faults
        self._closed = False
        self._queue: deque[Queued[object]] = deque()
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._serve(), name="ledger-writer")

    def write(self, verb: Queued[T]) -> "asyncio.Future[T]":
        """Queue a verb and return its result to come.

        Raises:
            DatabaseUnavailable: after `close`.
        """
        if self._closed:
            raise DatabaseUnavailable("the ledger is closed: this process is shutting down; ask another one")
        self._queue.append(verb)  # type: ignore[arg-type]  # the queue only tells each verb to give its own result
        self._wake.set()
        return verb.result

    @abstractmethod
    async def read(self, work: Work[T]) -> T:
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
    async def _run(self, name: str, work: Work[T]) -> T:
        """Run the statements of the verb `name`."""

    @abstractmethod
    async def _commit(self) -> None:
        """Make the transaction durable."""

    @abstractmethod
    async def _rollback(self) -> None:
        """Undo the transaction, if there is one."""

    # The writer

    async def _serve(self) -> None:
        """Take what is queued, a transaction at a time, until the ledger is closed and the queue is empty."""
        while self._queue or not self._closed:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            group = self._next_group()
            try:
                await self._settle(group)
            except Exception as error:  # a fault of ours; no caller may wait for it for good
                await self._abandon(group, error)

    def _next_group(self) -> list[Queued[object]]:
        """Take the verbs of the next transaction: one that runs alone, or the hot ones at the head of the queue."""
        group = [self._queue.popleft()]
        if isinstance(group[0], Alone):
            return group
        while self._queue and len(group) < LARGEST_GROUP and not isinstance(self._queue[0], Alone):
            group.append(self._queue.popleft())
        return group

    async def _abandon(self, group: Sequence[Queued[object]], error: Exception) -> None:
        for verb in group:
            verb.fail(error)
        try:
            await self._rollback()
        except Exception:  # the writer must live: what is left of the transaction fails the next ones, until it is gone
            _log.exception("a transaction of the ledger could not be undone")

    async def _settle(self, group: Sequence[Queued[object]]) -> None:
        for _ in range(ATTEMPTS):
            try:
                changed = await self._apply(group)
            except Contended:
                await self._rollback()
                continue
            except Exception as error:  # a refusal, the schema, the driver, or a fault of ours in one verb
                await self._rollback()
                await self._again(group, error)
                return
            if changed:
                await self._commit_group(group)
            else:
                await self._rollback()
                for verb in group:
                    verb.tell_durable()
            return
        for verb in group:
            verb.fail(Contended())

    async def _apply(self, group: Sequence[Queued[object]]) -> bool:
        """Run the verbs and write their changes; tell whether there are any."""
        await self._begin()
        if isinstance(alone := group[0], Alone):
            alone.keep(await self._run(alone.name, alone.work))
            return True
        decisions = [verb for verb in group if isinstance(verb, Decision)]
        work = await self._load([decision.needs for decision in decisions])
        for decision in decisions:
            self._faults(f"{decision.name}.0")
            decision.attempt(work)
        if work.changed:
            await self._store(work)
        return work.changed

    async def _again(self, group: Sequence[Queued[object]], error: Exception) -> None:
        """Run a group one by one after one of its verbs spoilt the transaction; a single one has failed.

        A database that is unavailable to two verbs in a row fails the rest at once: each would wait as long for it.
        """
        if len(group) == 1:
            group[0].fail(error)
            return
        last: BaseException | None = None
        for number, verb in enumerate(group):
            await self._settle([verb])
            before, last = last, verb.failure
            if isinstance(before, DatabaseUnavailable) and isinstance(last, DatabaseUnavailable):
                for other in group[number + 1 :]:
                    other.fail(last)
                return

    async def _commit_group(self, group: Sequence[Queued[object]]) -> None:
        for verb in group:
            verb.tell_applied()
        self._faults("commit.before")
        try:
            await self._commit()
        except Exception as error:
            for verb in group:
                verb.fail(error)
            await self._rollback()
            return
        self.commits += 1
        self._faults("commit.after")
        for verb in group:
            verb.tell_durable()
