"""`usufruct reconcile`: the books of a restored database, brought to what the chain says."""

from operator import attrgetter

from usufruct.accounts import Keys
from usufruct.app import Installation, open_installation
from usufruct.cli.support.command import Facts, runs
from usufruct.core import Faulty, Hash32
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement import AccountSync, Evidence, SettlementContext, wrong_claimed, wrong_roots

_PAGE = 100
_money = attrgetter("balance", "total_claimed", "withdraw_at")


@runs(open_installation)
async def reconcile(installation: Installation) -> Facts:
    """Read every channel again from the chain; after a restore, before gateways and workers start."""
    channels, changed, wrong = await _read_all(installation)
    evidence = installation.get(Evidence)
    wrong += await installation.get(Ledger).audit(evidence)
    wrong += await wrong_roots(installation.get(SettlementContext))
    wrong += [f"key {key}: its terms are not those it was made with" for key in await installation.get(Keys).altered()]
    if wrong:
        raise Faulty(f"the books do not balance: {'; '.join(wrong)}; restore another backup", code="books_differ")
    facts = {"channels": channels, "changed": changed, "books": "balance"}
    return facts | {"receipts_of_earlier_keys": evidence.signed_earlier}


async def _read_all(installation: Installation) -> tuple[int, int, list[str]]:
    """Return how many channels there are, how many the chain knew more about, and of which it knows less claimed."""
    seen = changed = 0
    wrong: list[str] = []
    after: Hash32 | None = None
    while page := await installation.get(Ledger).account_list(after, _PAGE):
        after, seen = page[-1].reading.id, seen + len(page)
        read = await installation.get(AccountSync).observe(page)
        for old, new in zip(page, read, strict=True):
            changed += _money(old.reading) != _money(new.reading)
        compared = await installation.get(AccountSync).compare(page)
        wrong += [fault for account, now in compared if (fault := wrong_claimed(account, now))]
    return seen, changed, wrong
