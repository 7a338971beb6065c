"""Double entry: every movement of money is one row with two sides, so that the books cannot be out of balance.

Five sub-accounts for each account::

    escrow --deposit--> available --reserve--> reserved --meter--> charged --claim and split--> paid
           <--withdraw--          <--release--

`escrow` is the chain's side: the account's balance below zero. Movements into `charged` and `paid` name
the asset. Rows are never changed or removed; triggers in the schema see to it.
"""

from collections import Counter

from usufruct.core import Address, AssetId, Hash32, asset_to_bytes, id_to_bytes
from usufruct.payments.ledger.records import Earned
from usufruct.payments.ledger.sql_statements import Money, Statements


async def move(
    db: Statements,
    account: Hash32,
    debit: str,
    credit: str,
    amount: int,
    *,
    call: Hash32 | None = None,
    asset: AssetId | None = None,
) -> None:
    """Write one entry: `amount` from the account `debit` to the account `credit`; nothing for an amount of 0."""
    if amount:
        await db.rows(
            "INSERT INTO entries (account_id, call_id, asset, debit, credit, amount, at) "
            "VALUES ($1, $2, $3, $4, $5, $6, {now})",
            id_to_bytes(account),
            None if call is None else id_to_bytes(call),
            None if asset is None else asset_to_bytes(asset),
            debit,
            credit,
            Money(amount),
        )


async def earnings(db: Statements, token: Address) -> list[Earned]:
    """Return what each asset's calls were charged in a token; it reads every entry once."""
    rows = await db.rows(
        "SELECT asset, debit, credit, {sum}(amount) AS amount FROM entries JOIN accounts ON accounts.id = account_id "
        "WHERE token = $1 AND (asset IS NOT NULL OR credit = 'paid') GROUP BY asset, debit, credit ORDER BY asset",
        id_to_bytes(token),
    )
    books: dict[AssetId | None, Counter[str]] = {}
    for row in rows:
        book, amount = books.setdefault(row.maybe(row.asset, "asset"), Counter()), row.money("amount")
        book[row.text("debit")] -= amount
        book[row.text("credit")] += amount
    return [Earned(asset, book["charged"], book["paid"]) for asset, book in books.items()]
