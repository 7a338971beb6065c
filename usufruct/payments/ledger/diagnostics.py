"""Check of the call ledger."""

from collections.abc import AsyncIterator

from usufruct.core.diagnostics import Finding, bad, good
from usufruct.payments.ledger.service import Ledger


async def check_calls(ledger: Ledger) -> AsyncIterator[Finding]:
    """No call hangs whose gateway died."""
    lapsed = await ledger.lapsed()
    if lapsed:
        yield bad("calls", f"{len(lapsed)} open calls have no gateway any more", "run a gateway: it releases them")
    else:
        yield good("calls", "none hangs")
