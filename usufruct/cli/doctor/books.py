"""Checks of rows that were changed in the database, of its newest part."""

from collections.abc import AsyncIterator
from secrets import token_hex

from usufruct.accounts import Keys
from usufruct.app import Installation
from usufruct.cli.doctor.findings import Finding, bad, good
from usufruct.cli.doctor.sample import pages_from, part
from usufruct.payments.settlement import wrong_newest_roots

_CHANNELS = 200
_BATCHES = 20
_SHOWN = 5
_REMEDY = (
    "stop gateways and workers; `usufruct reconcile` checks every row: undo the change, or restore the newest backup "
    "that it accepts"
)


async def check_books(installation: Installation) -> AsyncIterator[Finding]:
    """Find what `reconcile` finds, among the newest calls, channels and batches, and keys while there is time."""
    ledger, side = installation.ledger, installation.chain_side
    evidence = installation.evidence()
    looked = await ledger.spot_check(evidence)
    faults = list(looked.faults[:_SHOWN])
    if len(looked.faults) > _SHOWN:
        faults.append(f"{len(looked.faults) - _SHOWN} more differences were found in calls and channels")
    overstated = await installation.observer.overstated(looked.accounts[:_CHANNELS])
    faults += [
        f"{channel.reading.id}: claimed is {channel.reading.total_claimed}, {claimed} on the chain"
        for channel, claimed in overstated[:_SHOWN]
    ]
    faults += (await wrong_newest_roots(side, _BATCHES))[:_SHOWN]
    seen, altered = await _keys(installation.keys)
    faults += [f"key {key}: its terms are not those it was made with" for key in altered[:_SHOWN]]
    for fault in faults:
        yield bad("books", fault, _REMEDY)
    if not faults:
        ledger_part = "the whole ledger" if looked.whole else "the newest part of the ledger"
        rest = "" if looked.whole else "; `usufruct reconcile` checks all of it"
        earlier = f" ({evidence.signed_earlier} receipts by an earlier key)" if evidence.signed_earlier else ""
        keys = part(seen, await installation.keys.count(), "keys")
        yield good(
            "books", f"{ledger_part} agrees with itself and its signatures{earlier}; {keys} with their terms{rest}"
        )


async def _keys(keys: Keys) -> tuple[int, list[str]]:
    """Return how many keys were looked at, and the ids of those whose terms were changed."""
    seen, altered = 0, []
    async for page in pages_from(f"key_{token_hex(12)}", keys.checked, lambda key: key.id):
        seen += len(page)
        altered += [key.id for key in page if not key.intact]
    return seen, altered
