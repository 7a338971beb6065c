"""A worker's jobs run side by side; one that fails is begun again, and all tidy up when it is told to stop."""

import asyncio

from usufruct.core.jobs import Job, JobBoard, run_jobs


class Steps:
    """Steps that note what happened to them, and wake whoever waits for that."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.changed = asyncio.Condition()

    async def note(self, event: str) -> None:
        async with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    async def until(self, event: str, times: int) -> None:
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(lambda: self.events.count(event) >= times)

    async def steady(self) -> None:
        await self.note("steady began")
        await asyncio.Event().wait()

    async def failing(self) -> None:
        await self.note("failing began")
        raise RuntimeError("a fault of ours")

    async def close(self) -> None:
        await asyncio.sleep(0)  # tidying up may take a moment
        await self.note("steady tidied up")


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_job_that_fails_is_begun_again_and_the_others_go_on(caplog):
    steps, board = Steps(), JobBoard()
    jobs = [Job("steady", steps.steady, 1, steps.close), Job("failing", steps.failing, 0.01)]
    task = asyncio.create_task(run_jobs(jobs, board))
    await steps.until("failing began", 3)
    assert steps.events.count("steady began") == 1
    assert not task.done()
    await stopped(task)
    assert steps.events[-1] == "steady tidied up"
    failed = [record for record in caplog.records if "failing" in record.getMessage()]
    assert failed[0].exc_info
    assert [(state.name, state.fails, state.code, state.message) for state in board.states] == [
        ("failing", True, "fault", "RuntimeError")
    ]


async def test_it_waits_until_every_job_has_tidied_up():
    steps = Steps()
    task = asyncio.create_task(run_jobs([Job(name, steps.steady, 1, steps.close) for name in ("one", "other")]))
    await steps.until("steady began", 2)
    await stopped(task)
    assert steps.events.count("steady tidied up") == 2
