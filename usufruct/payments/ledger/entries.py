"""Double entry: every movement of money is one row with two sides, so that the books cannot be out of balance.

Five sub-accounts for each account::

    escrow --deposit--> available --reserve--> reserved --meter--> charged --claim and split--> paid
           <--withdraw--          <--release--

`escrow` is the chain's side: the account's balance below zero. Movements into `charged` and `paid` name
the asset. Rows are never changed or removed; triggers in the schema see to it.
"""

from usufruct.core import AssetId, Hash32, asset_to_bytes, id_to_bytes
from usufruct.payments.ledger.statements import Money, Statements


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
        name = None if asset is None else asset_to_bytes(asset)
        await db.rows(
            "INSERT INTO entries (account_id, call_id, asset, debit, credit, amount, at) "
            "VALUES ($1, $2, $3, $4, $5, $6, {now})",
            id_to_bytes(account),
            None if call is None else id_to_bytes(call),
            name,
            debit,
            credit,
            Money(amount),
        )
