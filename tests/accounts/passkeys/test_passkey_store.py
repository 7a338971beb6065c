"""How many passkeys anyone can make: of one network, of one account, in a day; however many ask at once."""

import asyncio

import pytest
from sqlalchemy import text

from usufruct.accounts.passkeys.passkey_store import Passkey, PasskeyLimits, PasskeyStore, TooManyPasskeys
from usufruct.core import Address, Hash32

NOW, DAY = 1_800_000_000, 86_400
HERE, THERE = b"h" * 16, b"t" * 16
LIMITS = PasskeyLimits(most_a_day=6, most_of_network=3, most_of_account=5)


def passkey(number, account=None, now=NOW):
    hash_, of = Hash32(f"0x{number:064x}"), Address(f"0x{account or number:040x}")
    return Passkey(hash_, number.to_bytes(2, "big"), b"signer", of, True, "", now)


@pytest.fixture
def store(database):
    return PasskeyStore(database)


async def outcomes(*adding):
    results = await asyncio.gather(*adding, return_exceptions=True)
    return sorted(getattr(each, "code", "made") for each in results)


async def test_no_two_pass_the_number_of_a_network_together(store):
    made = await outcomes(*(store.add(passkey(each), HERE, LIMITS) for each in range(1, 10)))
    assert made == ["made"] * 3 + ["too_many_network_passkeys"] * 6
    await store.add(passkey(20), THERE, LIMITS)
    await store.add(passkey(21), None, LIMITS)


async def test_no_two_pass_the_number_of_a_day_together(store):
    made = await outcomes(*(store.add(passkey(each), None, LIMITS) for each in range(1, 10)))
    assert made == ["made"] * 6 + ["too_many_passkeys"] * 3
    await store.add(passkey(20, now=NOW + DAY), None, LIMITS)


async def test_no_two_pass_the_number_of_an_account_together(store):
    made = await outcomes(*(store.add(passkey(each, account=7), None, LIMITS) for each in range(1, 10)))
    assert made == ["made"] * 5 + ["too_many_account_passkeys"] * 4


async def test_a_network_is_forgotten_after_a_day(store, database):
    for each in range(1, 4):
        await store.add(passkey(each), HERE, LIMITS)
    with pytest.raises(TooManyPasskeys) as refusal:
        await store.add(passkey(4, now=NOW + DAY - 1), HERE, LIMITS)
    assert refusal.value.details["retry_after"] == 1
    await store.add(passkey(4, now=NOW + DAY), HERE, LIMITS)
    async with database.snapshot() as unit:
        assert len(await unit.rows(text("SELECT * FROM passkey_makers"))) == 1
