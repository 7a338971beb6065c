"""Making, finding, listing and revoking keys, on both databases."""

import asyncio
import secrets
from dataclasses import replace

import pytest
from sqlalchemy import text

from tests.support.fake_clock import FakeClock
from tests.support.refusal import refused
from usufruct.accounts import (
    InvalidProof,
    KeyDomain,
    KeyLimits,
    Keys,
    KeyTerms,
    key_digest,
)
from usufruct.accounts.keys import FRESH_SECONDS
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, ChainId, Hash32, Invalid
from usufruct.store import Seal

PAYER, STRANGER = KeySigner(bytes(31) + b"\x01"), KeySigner(bytes(31) + b"\x02")
DOMAIN = KeyDomain(ChainId(31337), Address("0x" + "77" * 20))
SEAL = Seal(b"a secret of some length", "session keys")
TERMS = KeyTerms(PAYER.address, 1_000, 1_800_003_600, frozenset({"b", "a"}), "laptop")


class Opened:
    """Stands in for the payments package: names channels, and remembers for whom."""

    def __init__(self):
        self.channels = {}
        self.rich = set()

    async def open(self, payer, session):
        channel = Hash32("0x" + secrets.token_hex(32))
        self.channels[channel] = payer, session
        return channel

    async def can_deposit(self, payer):
        return payer in self.rich


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def opened():
    return Opened()


@pytest.fixture
def keys(database, clock, opened):
    return Keys(database, SEAL, clock, DOMAIN, opened, KeyLimits(most_waiting=3))


def proof(terms=TERMS, nonce=1, signer=PAYER, domain=DOMAIN):
    return nonce, signer.sign(key_digest(domain, terms, nonce))


async def test_a_key_is_a_channel_of_its_payer_with_a_session_key_of_its_own(keys, opened):
    new, other = await keys.create(TERMS, *proof()), await keys.create(TERMS, *proof(nonce=2))
    found = await keys.authenticate(f"Bearer {new.text}")
    assert found == new.key
    assert opened.channels[new.key.channel] == (PAYER.address, new.key.session)
    assert KeySigner(await keys.session_key(new.key)).address == new.key.session != other.key.session
    assert (found.payer, found.spending_limit, found.assets, found.label) == (
        PAYER.address,
        1_000,
        {"a", "b"},
        "laptop",
    )
    assert new.text not in repr(new)


async def test_nothing_secret_is_stored(keys, database):
    new = await keys.create(TERMS, *proof())
    session = await keys.session_key(new.key)
    async with database.snapshot() as unit:
        row = (await unit.rows(text("SELECT * FROM bearer_keys")))[0]
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert session not in stored
    assert bytes.fromhex(new.text[3:67]) not in stored
    assert new.text.encode() not in stored


async def test_only_the_payers_signature_over_these_terms_makes_a_key(keys):
    elsewhere = replace(DOMAIN, till=Address("0x" + "88" * 20))
    for wrong in (
        proof(signer=STRANGER),
        proof(terms=replace(TERMS, spending_limit=999)),
        proof(domain=elsewhere),
        (2, proof()[1]),
        (-1, proof()[1]),
        (1, b"short"),
    ):
        with pytest.raises(InvalidProof):
            await keys.create(TERMS, *wrong)
    assert await keys.store.list(PAYER.address) == []


async def test_a_proof_makes_one_key_even_when_shown_twice_at_once(keys):
    made = await asyncio.gather(*(keys.create(TERMS, *proof()) for _ in range(3)), return_exceptions=True)
    assert sorted(getattr(one, "code", "made") for one in made) == ["made", "proof_used", "proof_used"]
    with refused("proof_used"):
        await keys.create(TERMS, *proof())
    assert len(await keys.store.list(PAYER.address)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"spending_limit": 0}, "spending_limit"),
        ({"spending_limit": 1 << 128}, "spending_limit"),
        ({"expires_at": 1_800_000_000}, "expires_at"),
        ({"expires_at": 1 << 63}, "expires_at"),
        ({"label": "x" * 101}, "label"),
        ({"assets": frozenset({"a\nb"})}, "assets"),
        ({"assets": frozenset({""})}, "assets"),
    ],
)
async def test_terms_no_key_can_have(keys, change, field):
    terms = replace(TERMS, **change)
    with pytest.raises(Invalid) as caught:
        await keys.create(terms, *proof(terms))
    assert (caught.value.code, caught.value.details["field"]) == ("invalid_key_terms", field)


async def test_keys_are_listed_newest_first_and_only_to_their_payer(keys, clock):
    first = await keys.create(TERMS, *proof())
    clock.advance(1)
    second = await keys.create(TERMS, *proof(nonce=2))
    assert list(await keys.store.list(PAYER.address)) == [second.key, first.key]
    assert list(await keys.store.list(STRANGER.address)) == []


async def test_revoking_is_immediate_final_and_the_payers_own(keys, clock):
    new = await keys.create(TERMS, *proof())
    await keys.authenticate(f"Bearer {new.text}")
    with refused("key_not_found"):
        await keys.revoke(STRANGER.address, new.key.id)
    await keys.authenticate(f"Bearer {new.text}")
    revoked = await keys.revoke(PAYER.address, new.key.id)
    with refused("key_revoked"):
        await keys.authenticate(f"Bearer {new.text}")
    clock.advance(10)
    assert await keys.revoke(PAYER.address, new.key.id) == revoked


async def test_a_neighbour_learns_of_a_revocation_within_a_second(keys, database, clock, opened):
    neighbour = Keys(database, SEAL, clock, DOMAIN, opened)
    new = await keys.create(TERMS, *proof())
    await neighbour.authenticate(f"Bearer {new.text}")
    await keys.revoke(PAYER.address, new.key.id)
    clock.advance(FRESH_SECONDS)
    with refused("key_revoked"):
        await neighbour.authenticate(f"Bearer {new.text}")


async def test_unknown_and_expired_keys(keys, clock, database, opened):
    stranger = await Keys(database, SEAL, clock, DOMAIN, opened).create(TERMS, *proof())
    async with database.transaction() as unit:
        await unit.rows(text("DELETE FROM bearer_keys"))
    with refused("key_unknown"):
        await keys.authenticate(f"Bearer {stranger.text}")
    with refused("key_not_found"):
        await keys.session_key(stranger.key)
    new = await keys.create(TERMS, *proof(nonce=3))
    clock.advance(3_599)
    await keys.authenticate(f"Bearer {new.text}")
    clock.advance(1)
    with refused("key_expired"):
        await keys.authenticate(f"Bearer {new.text}")


async def test_the_money_of_keys_that_are_over_can_leave(keys, clock):
    made = [
        await keys.create(
            replace(TERMS, expires_at=TERMS.expires_at + i), *proof(replace(TERMS, expires_at=TERMS.expires_at + i), i)
        )
        for i in range(3)
    ]
    assert list(await keys.leaving()) == []
    await keys.revoke(PAYER.address, made[2].key.id)
    assert list(await keys.leaving()) == [made[2].key.channel]
    clock.advance(3_600)
    assert set(await keys.leaving()) == {made[0].key.channel, made[2].key.channel}


async def test_many_at_once_read_the_database_once(keys, database, monkeypatch):
    new = await keys.create(TERMS, *proof())
    reads = []
    snapshot = database.snapshot
    monkeypatch.setattr(database, "snapshot", lambda: reads.append(1) or snapshot())
    await asyncio.gather(*(keys.authenticate(f"Bearer {new.text}") for _ in range(50)))
    assert len(reads) == 1


async def test_scope(keys):
    new = await keys.create(TERMS, *proof())
    new.key.check_asset("a")
    replace(new.key, assets=frozenset()).check_asset("anything")
    with refused("asset_out_of_scope"):
        new.key.check_asset("c")


async def test_strangers_fill_no_table_and_whoever_can_deposit_gets_a_key(keys, opened):
    async def make(signer, nonce=1):
        terms = replace(TERMS, payer=signer.address)
        return await keys.create(terms, *proof(terms, nonce, signer))

    strangers = [KeySigner(bytes(31) + bytes([number])) for number in range(10, 16)]
    first = [await make(signer) for signer in strangers[:3]]
    for signer in strangers[3:]:
        with refused("too_many_waiting_keys", match=signer.address):
            await make(signer)
    assert len(opened.channels) == 3, "a refusal leaves nothing behind"

    opened.rich.add(PAYER.address)
    honest = await make(PAYER)
    with refused("too_many_waiting_keys"):
        await make(PAYER, nonce=2)
    await keys.store.end_waiting(honest.key.id)
    assert (await make(PAYER, nonce=2)).key.payer == PAYER.address

    await keys.store.end_waiting(first[0].key.id)
    assert len(await keys.store.waiting()) == 3
    await keys.remove(first[1].key)
    await keys.remove(first[0].key)  # it has money: it stays
    await keys.authenticate(f"Bearer {first[0].text}")
    with refused("key_unknown"):
        await keys.authenticate(f"Bearer {first[1].text}")
    assert await make(strangers[4])


@pytest.mark.parametrize("key", ["", "key_\0", "key_\n", "key_\ufffd", "x" * 100_000])
async def test_an_id_that_no_key_can_have_is_not_found(keys, key):
    with refused("key_not_found"):
        await keys.revoke(PAYER.address, key)


async def test_no_two_requests_pass_the_number_of_a_payers_keys_together(database, clock, opened):
    keys = Keys(database, SEAL, clock, DOMAIN, opened, KeyLimits(most_live=3))
    results = await asyncio.gather(
        *(keys.create(TERMS, *proof(nonce=each)) for each in range(12)), return_exceptions=True
    )
    assert sorted(getattr(each, "code", "made") for each in results) == ["made"] * 3 + ["too_many_keys"] * 9
    assert await keys.store.live(PAYER.address, clock.now()) == 3


async def test_no_two_requests_pass_the_number_of_waiting_keys_together(keys, opened):
    async def make(number):
        signer = KeySigner(bytes(31) + bytes([number]))
        terms = replace(TERMS, payer=signer.address)
        return await keys.create(terms, *proof(terms, 1, signer))

    results = await asyncio.gather(*map(make, range(10, 22)), return_exceptions=True)
    assert sorted(getattr(each, "code", "made") for each in results) == ["made"] * 3 + ["too_many_waiting_keys"] * 9
    assert await keys.store.count_waiting() == 3
