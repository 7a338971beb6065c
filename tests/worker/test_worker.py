"""A worker's jobs run side by side; one that fails is begun again, and all tidy up when it is told to stop."""

import asyncio

from usufruct.worker import work


class Jobs:
    """Jobs that note what happened to them."""

    def __init__(self) -> None:
        self.events: list[str] = []

    async def steady(self) -> None:
        self.events.append("steady began")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # tidying up may take a moment
            self.events.append("steady tidied up")

    async def failing(self) -> None:
        self.events.append("failing began")
        raise RuntimeError("a fault of ours")

    async def ending(self) -> None:
        self.events.append("ending began")


async def until(jobs: Jobs, event: str, times: int) -> None:
    async with asyncio.timeout(5):
        while jobs.events.count(event) < times:
            await asyncio.sleep(0.005)


async def test_a_job_that_fails_is_begun_again_and_the_others_go_on(caplog):
    jobs = Jobs()
    task = asyncio.create_task(
        work({"steady": jobs.steady, "failing": jobs.failing, "ending": jobs.ending}, first_pause=0.01)
    )
    await until(jobs, "failing began", 3)
    await until(jobs, "ending began", 3)
    assert jobs.events.count("steady began") == 1
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert jobs.events[-1] == "steady tidied up"
    failed = [record for record in caplog.records if "failing" in record.getMessage()]
    assert failed[0].exc_info


async def test_pauses_grow(caplog):
    jobs = Jobs()
    task = asyncio.create_task(work({"failing": jobs.failing}, first_pause=0.1))
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert jobs.events.count("failing began") == 3, "after 0, 0.1 and 0.3 seconds"


async def test_it_waits_until_every_job_has_tidied_up():
    jobs = Jobs()
    task = asyncio.create_task(work({"one": jobs.steady, "other": jobs.steady}))
    await until(jobs, "steady began", 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert jobs.events.count("steady tidied up") == 2
