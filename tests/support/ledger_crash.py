"""A program that dies: runs one scripted load again and again, each time killed (SIGKILL) one point later.

    python -m tests.support.ledger_crash DATABASE_URL

Each run has a channel of its own and prints one JSON line: the point it died at, and the steps that had returned.
The last line is the run that nobody killed. A process is forked for each run, so that death is real and start-up is not
paid every time.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module

from tests.support.ledger_samples import bill, channel, named, open_call, reading, reservation
from usufruct.config import LedgerConfig
from usufruct.core import UsufructError
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.store import Seal, open_database

SEAL = Seal(b"a secret of these tests", "stored answers")


async def steps(ledger: Ledger, name: str, done: Callable[[str], None], *, again: bool = False) -> None:
    """The load: calls metered, released and answered, a claim, a refund. `again` passes over what is done already."""

    async def step(title: str, verb: Callable[[], object]) -> object:
        try:
            result = await verb()
        except UsufructError:
            if not again:
                raise
            result = None
        done(title)
        return result

    def ask(call: str, ceiling: int, promise: int, key: str | None = None) -> Callable[[], object]:
        return lambda: open_call(ledger, reservation(f"{name}/{call}", ceiling, name, promise=promise, key=key))

    async def lease(call: str) -> object:
        return (await ledger.call(named(f"{name}/{call}"))).lease

    await step("observe", lambda: ledger.observe(reading(1000, name)))
    await step("open a", ask("a", 300, 300))
    a = await lease("a")
    await step("open b", ask("b", 200, 500, f"{name} key"))
    b = await lease("b")
    await step("meter a", lambda: ledger.meter(a, bill(120)))
    await step("meter b", lambda: ledger.meter(b, bill(80), b"answer"))
    await step("open c", ask("c", 100, 900))
    c = await lease("c")
    await step("release c", lambda: ledger.release(c, "upstream_failed"))
    await step("plan claim", lambda: ledger.plan_claim(named(f"{name}/claim"), channel(name)))
    claims = [claim for claim in await ledger.pending_claims() if claim.account == channel(name)]
    for claim in claims:
        await step("send claim", lambda claim=claim: ledger.send_claim(claim, "tx"))
        await step("confirm claim", lambda claim=claim: ledger.confirm_claim(claim))
    await step("plan refund", lambda: ledger.plan_refund(channel(name), 1, 500, "tx"))
    after = reading(500, name, block=2, claimed=200)
    await step("finish refund", lambda: ledger.finish_refund(channel(name), 1, after))


async def run(url: str, name: str, fatal: int | None, report: int) -> None:
    """Run the load in this process; die at point number `fatal`, after writing its name to the pipe `report`."""
    passed = 0

    def point(where: str) -> None:
        nonlocal passed
        if passed == fatal:
            os.write(report, f"died {where}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    database = open_database(url)
    ledger = open_ledger(database, LedgerConfig(), seal=SEAL, faults=point)
    await steps(ledger, name, lambda title: os.write(report, f"done {title}\n".encode()) and None)
    await ledger.close()
    await database.close()


def forked(url: str, name: str, fatal: int | None) -> dict[str, object]:
    """Run the load in a process of its own and tell what came of it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(run(url, name, fatal, writer))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        lines = [line.split(" ", 1) for line in pipe.read().splitlines()]
    status = os.waitpid(child, 0)[1]
    return {
        "name": name,
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "exit": os.waitstatus_to_exitcode(status),
        "died": next((text for kind, text in lines if kind == "died"), None),
        "done": [text for kind, text in lines if kind == "done"],
    }


def main(url: str) -> None:
    """Kill the load at every point it has, then let it live."""
    if url.startswith("postgresql"):
        import_module("usufruct.store.postgres")
        import_module("usufruct.payments.ledger.postgres")
    fatal = 0
    while True:
        outcome = forked(url, f"run {fatal}", fatal)
        print(json.dumps(outcome), flush=True)  # noqa: T201 - the report
        if not outcome["killed"]:
            break
        fatal += 1


if __name__ == "__main__":
    main(sys.argv[1])
