"""What the ledger adds to an installation: the books, their numbers, and a check for calls that hang."""

from collections.abc import AsyncIterator

from usufruct.config import Config
from usufruct.core import Clock
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, Finding, bad, good
from usufruct.payments.ledger.metrics import MoneyMetrics
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.store import Database, MasterSecret


def build(context: Context) -> Component:
    """Build the component."""

    def ledger() -> Ledger:
        seal = context.get(MasterSecret).seal("stored answers")
        opened = open_ledger(context.get(Database), context.get(Config).ledger, seal=seal)
        context.closing.push_async_callback(opened.close)
        return opened

    context.provide_later(Ledger, ledger)
    context.provide_later(MoneyMetrics, lambda: MoneyMetrics(context.get(Ledger), context.get(Clock)))
    return Component(
        "ledger",
        metrics={"ledger": lambda: context.get(MoneyMetrics).metrics()},
        diagnostics=(Diagnostic("calls", lambda: check_calls(context.get(Ledger)), services=True),),
    )


async def check_calls(ledger: Ledger) -> AsyncIterator[Finding]:
    """No call hangs whose gateway died."""
    lapsed = await ledger.lapsed()
    if lapsed:
        yield bad("calls", f"{len(lapsed)} open calls have no gateway any more", "run a gateway: it releases them")
    else:
        yield good("calls", "none hangs")
