"""A job that fails is tried again with back-off, and its state is told without secrets."""

import asyncio

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.core import Invalid, Unavailable
from usufruct.core.jobs import Job, JobBoard, JobState, run_job


async def nothing() -> None:
    pass


@pytest.mark.parametrize("every", [0.01, 1, 5, 60, 600])
def test_a_job_fails_repeatedly_within_a_minute_however_rarely_it_is_due(every: float):
    job = Job("any", nothing, every)
    assert job.pause(0) == every
    assert job.pause(1) <= 20
    pauses = [job.pause(failures) for failures in range(1, 100)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= 60


def test_a_job_may_have_to_be_tried_as_often_as_ever():
    assert Job("leases", nothing, 10, longest=10).pause(50) == 10


async def test_a_board_tells_since_when_and_how_often_and_forgets_when_it_goes_well():
    clock = FakeClock(1_000)
    board = JobBoard(clock=clock)
    await board.failed("watch", Unavailable("node.example does not answer"))
    assert not board.states[0].fails, "once is not repeatedly"
    clock.advance(7)
    await board.failed("watch", Invalid("another thing"))
    assert board.states == [JobState("watch", 1_000, 2, 2, "invalid", "another thing")]
    assert board.states[0].fails
    await board.succeeded("watch")
    assert board.states == [JobState("watch", None, 0, 2)]


async def test_what_a_fault_says_is_no_ones_business():
    board = JobBoard()
    await board.failed("claim", ValueError("postgresql://user:secret@host"))
    assert (board.states[0].code, board.states[0].message) == ("fault", "ValueError")


class Reports(JobBoard):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[JobState] = []
        self.repeatedly = asyncio.Event()

    async def write(self, state: JobState) -> None:
        self.written.append(state)
        if state.fails:
            self.repeatedly.set()


async def test_every_step_is_reported_and_closing_comes_last():
    reports, closed = Reports(), []

    async def step() -> None:
        if reports.written:
            raise Unavailable("away")

    async def close() -> None:
        closed.append(True)

    task = asyncio.create_task(run_job(Job("any", step, 0.001, close), reports))
    async with asyncio.timeout(60):
        await reports.repeatedly.wait()
    assert closed == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert closed == [True]
    assert [state.failures for state in reports.written[:3]] == [0, 1, 2]


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_job_that_is_stopped_finishes_its_step_within_a_bound(stubborn: bool):
    begun, go_on, ends = asyncio.Event(), asyncio.Event(), []

    async def step() -> None:
        begun.set()
        try:
            await go_on.wait()
            ends.append("step")
        except asyncio.CancelledError:
            ends.append("cut")
            raise

    async def close() -> None:
        ends.append("closed")

    running = asyncio.create_task(run_job(Job("any", step, 1, close=close, finish=0.05 if stubborn else 600)))
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    assert ends == []
    if not stubborn:
        go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 60)
    assert ends == ["cut" if stubborn else "step", "closed"]
