"""A passkey makes a wallet and signs in: once for each challenge, here, and only while it is a signer."""

import httpx
import pytest
from sqlalchemy import text

from tests.support.passkeys import SoftwarePasskey, hexed
from usufruct.accounts.passkeys.passkey_store import PasskeyLimits
from usufruct.chain import keccak
from usufruct.core import ZERO_ADDRESS

pytestmark = pytest.mark.anvil


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


async def test_a_new_passkey_is_a_wallet_without_a_transaction_and_signs_in_again(world):
    person = world.person(1)
    block = await world.client.block_number()
    assert (await person.make_wallet()).status_code == 201
    factory = world.passkeys._factory
    salt = keccak(person.passkey.credential)
    signers = [person.passkey.signer(world.contracts.verifier)]
    assert person.account == await factory.predict(signers, ZERO_ADDRESS, 0, salt)
    assert await world.client.code_at(person.account) == b""
    assert await world.client.block_number() == block
    assert (await person.http.get("/sessions/current")).json()["address"] == person.account
    await person.http.delete("/sessions/current")
    assert (await person.http.get("/sessions/current")).status_code == 401
    assert (await person.sign_in()).json()["address"] == person.account
    assert (await person.http.get("/sessions/current")).json()["address"] == person.account


async def test_a_challenge_is_good_once_here_and_for_five_minutes(world):
    person = world.person(2)
    made = person.passkey.create(await person.challenge()).body()
    assert (await person.http.post("/passkeys", json=made)).status_code == 201
    assert code(await person.http.post("/passkeys", json=made)) == "passkey_known"

    body = person.passkey.get(await person.challenge()).body(credentialId=hexed(person.passkey.credential))
    assert (await person.http.post("/sessions/passkey", json=body)).status_code == 201
    assert code(await person.http.post("/sessions/passkey", json=body)) == "sign_in_refused"

    late = person.passkey.get(await person.challenge()).body(credentialId=hexed(person.passkey.credential))
    world.clock.advance(301)
    assert code(await person.http.post("/sessions/passkey", json=late)) == "passkey_refused"

    ours = await person.challenge()
    for forged in (bytes(40), ours[:-1] + bytes([ours[-1] ^ 1]), keccak(b"32 bytes, as an operation's hash"), b""):
        body = person.passkey.get(forged).body(credentialId=hexed(person.passkey.credential))
        assert code(await person.http.post("/sessions/passkey", json=body)) == "passkey_refused"


async def test_another_origin_an_unverified_user_and_another_key_are_refused(world):
    person, other = world.person(3), world.person(4)
    assert (await person.make_wallet()).status_code == 201
    assert code(await other.sign_in()) == "passkey_unknown"  # never made here

    stranger = SoftwarePasskey(4, person.passkey.site)
    stranger.credential = person.passkey.credential
    assert code(await person.sign_in(stranger)) == "passkey_refused"

    elsewhere = SoftwarePasskey(3, "https://evil.example")
    assert code(await person.sign_in(elsewhere)) == "passkey_refused"

    person.passkey.flags = 0x01
    assert code(await person.sign_in()) == "passkey_unverified"


async def test_at_an_address_of_numbers_the_remedy_is_named(world):
    person = world.person(5)
    async with httpx.AsyncClient(base_url=world.url.replace("localhost", "127.0.0.1"), timeout=120) as http:
        refused = await http.post("/passkeys/challenge")
    assert code(refused) == "passkey_site"
    assert world.url.removesuffix("/v1") in refused.json()["error"]["message"]
    assert (await person.make_wallet()).status_code == 201


async def test_a_passkey_that_was_removed_signs_in_no_more_and_a_new_one_does(world):
    person = await world.owner(6)
    second = SoftwarePasskey(7, person.passkey.site)
    exchange_made = second.create(await person.challenge())
    wallet, verifier = world.wallet(person), world.contracts.verifier
    kept = await world.passkeys.add(
        Exchange(person.passkey.site), person.account, exchange_made.authenticator_data, exchange_made.client_data, "b"
    )
    assert code(await person.sign_in(second)) == "passkey_refused"  # kept here, not yet a signer on the chain
    assert (await person.send(person.operation(wallet.add_signers([kept.signer])))).json()["state"] == "succeeded"
    assert (await person.sign_in(second)).json()["address"] == person.account
    removed = await person.send(person.operation(wallet.remove_signers([person.passkey.signer(verifier)])))
    assert removed.json()["state"] == "succeeded"
    assert code(await person.sign_in()) == "passkey_refused"
    assert (await person.sign_in(second)).status_code == 201


async def lose_the_passkeys(world) -> None:
    async with world.chain.database.transaction() as unit:
        await unit.rows(text("DELETE FROM passkeys"))


async def test_after_a_loss_of_the_database_the_wallets_address_brings_its_passkey_back(world):
    person, thief = await world.owner(21), await world.owner(22)
    unborn = world.person(23)
    assert (await unborn.make_wallet()).status_code == 201
    await lose_the_passkeys(world)

    async def with_address(who, account):
        body = who.passkey.get(await who.challenge()).body(credentialId=hexed(who.passkey.credential))
        return await who.http.post("/sessions/passkey", json=body | {"account": account})

    assert code(await person.sign_in()) == "passkey_unknown"
    assert code(await with_address(thief, person.account)) == "passkey_unknown", "not one of its signers"
    assert code(await with_address(person, world.dollar.address)) == "passkey_unknown", "another contract"
    assert code(await with_address(unborn, unborn.account)) == "passkey_unknown", "not created yet"
    entered = await with_address(person, person.account)
    assert (entered.status_code, entered.json()["address"]) == (201, person.account)
    assert (await person.pay()).json()["state"] == "succeeded", "it signs operations again"
    assert (await person.sign_in()).status_code == 201, "and signs in by itself"
    [kept] = await world.passkeys.store.list(person.account)
    assert (kept.first, kept.signer) == (True, person.passkey.signer(world.contracts.verifier))


async def test_a_second_passkey_comes_back_too_and_a_removed_one_does_not(world):
    person = await world.owner(24)
    wallet, verifier = world.wallet(person), world.contracts.verifier
    second = SoftwarePasskey(25, person.passkey.site)
    adding = await person.send(person.operation(wallet.add_signers([second.signer(verifier)])))
    assert adding.json()["state"] == "succeeded"
    removing = await person.send(person.operation(wallet.remove_signers([person.passkey.signer(verifier)])))
    assert removing.json()["state"] == "succeeded"
    await lose_the_passkeys(world)
    body = second.get(await person.challenge()).body(credentialId=hexed(second.credential))
    assert (await person.http.post("/sessions/passkey", json=body | {"account": person.account})).status_code == 201
    [kept] = await world.passkeys.store.list(person.account)
    assert (kept.first, kept.credential) == (False, second.credential)
    body = person.passkey.get(await person.challenge()).body(credentialId=hexed(person.passkey.credential))
    refused = await person.http.post("/sessions/passkey", json=body | {"account": person.account})
    assert code(refused) == "passkey_unknown"


class Exchange:
    """As much of a request as says which site it was sent to."""

    has_public_url = False

    def __init__(self, root: str) -> None:
        self.root = root
        self.scope = {"client": ("127.0.0.1", 1)}


async def test_a_network_makes_so_many_passkeys_a_day_and_is_not_kept_by_its_address(world):
    world.passkeys.limits = PasskeyLimits(most_of_network=2)
    person, other, third = world.person(11), world.person(12), world.person(13)
    for each, forwarded in ((person, "2001:db8::1"), (other, "2001:db8::2"), (third, "2001:db8::3")):
        each.http.headers["x-forwarded-for"] = forwarded
    assert (await person.make_wallet()).status_code == (await other.make_wallet()).status_code == 201
    refused = await third.make_wallet()
    assert (refused.status_code, code(refused)) == (429, "too_many_network_passkeys")
    third.http.headers["x-forwarded-for"] = "2001:db8:0:1::3"
    assert (await third.make_wallet()).status_code == 201
    async with world.chain.database.snapshot() as unit:
        kept = [bytes(row.network) for row in await unit.rows(text("SELECT network FROM passkey_makers"))]
    assert len(kept) == 3
    assert len(set(kept)) == 2
    assert not any(b"2001" in each for each in kept)
