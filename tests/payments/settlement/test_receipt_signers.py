"""The record of receipt keys: earlier keys stay known, and only those that this installation wrote down."""

from sqlalchemy import insert

from usufruct.core import Address
from usufruct.payments.settlement.receipt_signers import ReceiptSigners, receipt_signers
from usufruct.store import Stamp

FIRST, SECOND, STRANGER = (Address("0x" + digit * 40) for digit in "123")
STAMP = Stamp(b"a secret of an installation", "receipt keys")


async def test_keys_that_signed_before_stay_known(database):
    first, second = (ReceiptSigners(database, STAMP, key) for key in (FIRST, SECOND))
    assert await first.earlier() == frozenset()
    await first.record()
    await first.record()
    assert (await first.earlier(), await second.earlier()) == (frozenset(), {FIRST})
    await second.record()
    assert await first.signed_before(SECOND), "while gateways are restarted, one by one"
    assert await second.signed_before(FIRST)
    assert not await second.signed_before(STRANGER)


async def test_a_key_that_was_written_into_the_table_counts_nothing(database):
    async with database.transaction() as unit:
        for address, mark in ((STRANGER, STAMP.mark(FIRST.encode())), (SECOND, b"")):
            await unit.change(insert(receipt_signers).values(address=address, mark=mark))
    assert await ReceiptSigners(database, STAMP, FIRST).earlier() == frozenset()
