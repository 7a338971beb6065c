"""Which batches paid whom: those that are final, until the owners of their assets were told."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from usufruct.core import Address, AssetId, Hash32
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement.model import Batch, BatchKind
from usufruct.payments.settlement.store import end_reporting, find_to_report
from usufruct.store import Database

_PAGE = 20


@dataclass(frozen=True, slots=True)
class PaidBatch:
    """A confirmed batch: what each asset's calls were charged, which it paid out, in atomic units of `token`."""

    id: Hash32
    token: Address
    transaction: Hash32 | None
    incomes: Mapping[AssetId, int]


class PaidBatches:
    """The confirmed batches that were not reported; one stays until `reported`, whatever process ends meanwhile."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def to_report(self) -> Sequence[PaidBatch]:
        """Return some batches to report."""
        async with self._database.snapshot() as unit:
            batches = await find_to_report(unit, _PAGE)
        return [PaidBatch(each.id, each.token, each.hash, await self._incomes(each)) for each in batches]

    async def reported(self, batch: Hash32) -> None:
        """Note that a batch was reported."""
        async with self._database.transaction() as unit:
            await end_reporting(unit, batch)

    async def _incomes(self, batch: Batch) -> Mapping[AssetId, int]:
        """Return what the batch paid out for each asset; one that only notes what others paid did not pay."""
        incomes: Counter[AssetId] = Counter()
        for member in batch.members if batch.kind is not BatchKind.NOTED else ():
            for split in await self._ledger.splits_between(member.account_id, member.start, member.end):
                incomes[split.asset] += split.amount
        return incomes
