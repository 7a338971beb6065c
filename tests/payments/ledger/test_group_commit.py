"""The writer that both databases share outlives whatever a database does to it."""

import asyncio
from collections.abc import Sequence

import pytest

from usufruct.core import Hash32
from usufruct.payments.ledger.backend import Backend, Contended, Decision
from usufruct.payments.ledger.sql_statements import Work, no_faults
from usufruct.payments.ledger.working_set import Needs, WorkingSet
from usufruct.store import DatabaseUnavailable

NOTHING = Needs(Hash32("0x" + "00" * 32), Hash32("0x" + "00" * 32))


class Broken(Backend):
    """A database that fails, and cannot undo either, while it is `broken`."""

    broken = True

    def _fail(self) -> None:
        if self.broken:
            raise OSError("the disk is gone")

    async def read(self, work: Work[object]) -> object:
        raise NotImplementedError

    async def _begin(self) -> None:
        self._fail()

    async def _load(self, needs: Sequence[Needs]) -> WorkingSet:
        return WorkingSet(now=1)

    async def _store(self, work: WorkingSet) -> None:
        raise NotImplementedError

    async def _commit(self) -> None:
        raise NotImplementedError

    async def _rollback(self) -> None:
        self._fail()

    async def _run(self, name: str, work: Work[object]) -> object:
        raise NotImplementedError


async def test_a_transaction_that_cannot_be_undone_does_not_end_the_writer():
    backend = Broken(no_faults)
    with pytest.raises(OSError, match="the disk is gone"):
        await backend.write(Decision("first", NOTHING, lambda work: 1))
    backend.broken = False
    async with asyncio.timeout(60):
        assert await backend.write(Decision("second", NOTHING, lambda work: 2)) == 2
        await backend.close()


class Away(Broken):
    """A database that is away, so many times; `begun` counts transactions."""

    def __init__(self, times: int) -> None:
        super().__init__(no_faults)
        self.broken, self._times, self.begun = False, times, 0

    async def _begin(self) -> None:
        self.begun += 1
        if self.begun <= self._times:
            raise DatabaseUnavailable("nothing answers")


@pytest.mark.parametrize(("times", "begun", "kept"), [(1, 11, 10), (3, 3, 0)])
async def test_a_group_is_tried_one_by_one_only_while_the_database_answers(times, begun, kept):
    backend = Away(times)
    group = [backend.write(Decision(str(number), NOTHING, lambda work: 1)) for number in range(10)]
    async with asyncio.timeout(60):
        results = await asyncio.gather(*group, return_exceptions=True)
    assert [result for result in results if result == 1] == [1] * kept
    assert {type(result) for result in results} == {int if kept else DatabaseUnavailable}
    assert backend.begun == begun
    async with asyncio.timeout(60):
        assert await backend.write(Decision("later", NOTHING, lambda work: 2)) == 2
        await backend.close()


class Contested(Broken):
    """A database that refuses every commit: another process took the rows meanwhile."""

    broken = False

    async def _store(self, work: WorkingSet) -> None:
        pass

    async def _commit(self) -> None:
        raise Contended


async def test_rows_that_are_taken_by_another_process_at_the_commit_are_an_unavailable_database():
    backend = Contested(no_faults)
    verb = Decision("open", NOTHING, lambda work: work.keys_freed.append(NOTHING.account), early=True)
    await backend.write(verb)
    with pytest.raises(DatabaseUnavailable, match="contended"):
        await verb.commit
    await backend.close()
