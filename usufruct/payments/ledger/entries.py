"""Double entry: every movement of money is one row with two sides, so that the books cannot be out of balance.

Five accounts for each channel::

    escrow --deposit--> available --reserve--> reserved --meter--> charged --claim and split--> paid
           <--withdraw--          <--release--

`escrow` is the chain's side and stands below zero by what the channel holds. Movements into `charged` and `paid` name
the asset. Rows are never changed or removed; triggers in the schema see to it.
"""

from collections import Counter

from usufruct.core import AssetId, Hash32, asset_to_bytes, id_to_bytes
from usufruct.payments.ledger.backend import Money, Verb, ask
from usufruct.payments.ledger.rows import CHANNEL_COLUMNS, channel_of, money


def move(
    channel: Hash32,
    debit: str,
    credit: str,
    amount: int,
    *,
    call: Hash32 | None = None,
    asset: AssetId | None = None,
) -> Verb[None]:
    """Write one entry: `amount` from the account `debit` to the account `credit`; nothing for an amount of 0."""
    if amount:
        name = None if asset is None else asset_to_bytes(asset)
        yield from ask(
            "INSERT INTO entries (channel_id, call_id, asset, debit, credit, amount, at) "
            "VALUES ($1, $2, $3, $4, $5, $6, {now})",
            id_to_bytes(channel),
            None if call is None else id_to_bytes(call),
            name,
            debit,
            credit,
            Money(amount),
        )


def audit() -> Verb[list[str]]:
    """Compare every channel's numbers with its entries and its calls; return what does not agree, in words."""
    held: dict[bytes, Counter[str]] = {}
    for row in (yield from ask("SELECT channel_id, debit, credit, amount FROM entries")):
        accounts = held.setdefault(row["channel_id"], Counter())
        accounts[row["debit"]] -= money(row["amount"])
        accounts[row["credit"]] += money(row["amount"])
    ceilings: Counter[bytes] = Counter()
    for row in (yield from ask("SELECT channel_id, ceiling FROM calls WHERE state IN ('reserved', 'serving')")):
        ceilings[row["channel_id"]] += money(row["ceiling"])
    findings = []
    for row in (yield from ask(f"SELECT {CHANNEL_COLUMNS} FROM channels")):
        channel = channel_of(row)
        accounts = held.get(row["id"], Counter())
        balance = channel.reading.balance
        for account, expected in (
            ("escrow", -balance),
            ("available", balance - channel.charged - channel.reserved),
            ("reserved", channel.reserved),
            ("charged", channel.charged - channel.total_split),
            ("paid", channel.total_split),
        ):
            if accounts[account] != expected:
                findings.append(
                    f"{channel.reading.id}: {account} is {accounts[account]} by entries, {expected} by rows"
                )
        if (reserved := ceilings[row["id"]]) != channel.reserved:
            findings.append(f"{channel.reading.id}: open calls reserve {reserved}, the row says {channel.reserved}")
    return findings
