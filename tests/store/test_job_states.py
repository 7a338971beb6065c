"""A process's job states are read by another, as long as the process runs."""

from sqlalchemy import text

from tests.support.fake_clock import FakeClock
from usufruct.core.jobs import JobState
from usufruct.store import Database, DatabaseJobBoard, reported_jobs


async def test_another_process_reads_which_jobs_fail(database: Database):
    worker, gateway = DatabaseJobBoard(database, "worker"), DatabaseJobBoard(database, "gateway")
    failing = JobState("watch", 1_000, 3, 9, "rpc_unavailable", "node.example does not answer")
    await worker.write(JobState("watch"))
    await worker.write(failing)
    await gateway.write(JobState("leases"))
    found = {process.split("-")[0]: state for process, state in await reported_jobs(database)}
    assert found == {"worker": failing, "gateway": JobState("leases")}
    await worker.write(JobState("watch", None, 0, 9))
    await gateway.close()
    [(_, only)] = await reported_jobs(database)
    assert only == JobState("watch", None, 0, 9)


async def test_what_goes_well_is_written_now_and_then_only(database: Database):
    clock = FakeClock()
    reports = DatabaseJobBoard(database, "worker", clock)

    async def seen_at() -> int:
        async with database.snapshot() as unit:
            return (await unit.row(text("SELECT seen_at FROM job_states")))[0]

    await reports.write(JobState("watch"))
    await database.run(lambda connection: connection.execute(text("UPDATE job_states SET seen_at = seen_at - 100")))
    before = await seen_at()
    clock.advance(1)
    await reports.write(JobState("watch"))
    assert await seen_at() == before
    clock.advance(60)
    await reports.write(JobState("watch"))
    assert await seen_at() >= before + 100


async def test_a_process_that_died_is_forgotten(database: Database):
    await DatabaseJobBoard(database, "worker").write(JobState("watch", 1_000, 3, 3, "x", "y"))
    await database.run(lambda connection: connection.execute(text("UPDATE job_states SET seen_at = seen_at - 400")))
    assert await reported_jobs(database) == []


async def test_a_database_that_is_away_stops_no_job(database: Database, caplog):
    reports = DatabaseJobBoard(database, "worker")
    await database.run(lambda connection: connection.execute(text("DROP TABLE job_states")))
    await reports.write(JobState("watch"))
    assert "not written down" in caplog.text
