"""A passkey account's keys and deposits over HTTP: signed exactly, by its own passkey, for its own channel."""

import httpx
import pytest

from tests.support.passkeys import SoftwarePasskey, deposit_digest, hexed
from usufruct.accounts.passkeys import operation_hash
from usufruct.accounts.passkeys.api import packed
from usufruct.core import address
from usufruct_client.passkey_wire import UserOperation
from usufruct_client.wire_types import read

pytestmark = pytest.mark.anvil

KEY = {"spendingLimit": "5000000", "days": 30, "assets": [], "label": "phone"}


class Person:
    """Someone who is signed in with a passkey."""

    def __init__(self, world, http: httpx.AsyncClient, secret: int) -> None:
        self.http, self.world = http, world
        self.passkey = SoftwarePasskey(secret, str(http.base_url).removesuffix("/v1/"))
        self.account = ""

    async def enter(self) -> None:
        challenge = bytes.fromhex((await self.http.post("/passkeys/challenge")).json()["challenge"][2:])
        made = await self.http.post("/passkeys", json=self.passkey.create(challenge).body())
        assert made.status_code == 201, made.text
        self.account = address(made.json()["address"])

    async def post(self, request: dict) -> httpx.Response:
        return await self.http.post(request["post"].removeprefix("/v1"), json=request["body"])

    async def send_operation(self, asked: dict) -> httpx.Response:
        """Have the passkey sign an operation that was asked for, and send it."""
        body = asked["body"]
        operation = packed(read(UserOperation, body["operation"], ValueError))
        digest = operation_hash(self.world.installation.chain_id, operation)
        assertion = self.passkey.get(digest).body(credentialId=hexed(self.passkey.credential))
        return await self.http.post("/passkeys/operations", json=body | {"assertion": assertion})

    async def make_key(self) -> dict:
        asked = (await self.http.post("/account/key-requests", json=KEY)).json()
        assert asked["document"] is None
        made = await self.post(asked)
        assert made.status_code == 201, made.text
        return made.json()

    async def signed_deposit(self, channel: str, amount: int, passkey: SoftwarePasskey | None = None) -> dict:
        body = {"channel": channel, "amount": str(amount)}
        asked = await self.http.post("/account/deposit-requests", json=body)
        assert asked.status_code == 200, asked.text
        found = asked.json()
        digest = deposit_digest(found["document"], self.account)
        used = passkey or self.passkey
        found["body"]["assertion"] = used.get(digest).body(credentialId=hexed(used.credential))
        return found


@pytest.fixture
async def person(world, http):
    http.base_url = str(http.base_url).replace("127.0.0.1", "localhost")
    found = Person(world, http, 77)
    await found.enter()
    return found


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


async def test_the_first_deposit_creates_the_account_and_arrives_whole(world, person):
    key = await person.make_key()
    unfunded = await person.signed_deposit(key["channel"], 2_000_000)
    assert code(await person.post(unfunded)) == "account_unfunded"
    assert await world.installation.client.code_at(person.account) == b""
    assert (await person.http.post("/account/play-money")).status_code == 204
    wish = await person.signed_deposit(key["channel"], 2_000_000)
    made = await person.post(wish)
    assert (made.status_code, made.json()["balance"]) == (200, "2000000"), made.text
    assert await world.dollar.balance_of(person.account) == 98_000_000
    again = await person.post(wish)
    assert again.json()["balance"] == "2000000"  # the same deposit, made once
    assert await world.dollar.balance_of(person.account) == 98_000_000
    person.passkey.high_s = True
    more = await person.post(await person.signed_deposit(key["channel"], 500_000))
    assert more.json()["balance"] == "2500000"
    assert await world.installation.client.balance(person.account) >= 0


async def test_a_passkeys_key_keeps_the_limits_it_was_asked_for(person):
    asked = (await person.http.post("/account/key-requests", json=KEY | {"dayLimit": "700000"})).json()
    assert asked["document"] is None, "a passkey account signs deposits alone"
    made = (await person.http.post(asked["post"].removeprefix("/v1"), json=asked["body"])).json()
    assert (made["spendingLimit"], made["dayLimit"]) == ("5000000", "700000")


async def test_another_amount_channel_passkey_or_site_is_refused(world, person, http):
    key, other = await person.make_key(), await person.make_key()
    await person.http.post("/account/play-money")
    channel = key["channel"]
    wish = await person.signed_deposit(channel, 2_000_000)
    wish["body"]["deposit"]["amount"] = "3000000"
    assert code(await person.post(wish)) == "passkey_refused"
    wish, another = (
        await person.signed_deposit(channel, 2_000_000),
        await person.signed_deposit(other["channel"], 200_000),
    )
    wish["body"]["channelConfig"] = another["body"]["channelConfig"]
    assert code(await person.post(wish)) == "passkey_refused"
    stranger = SoftwarePasskey(78, person.passkey.site)
    assert code(await person.post(await person.signed_deposit(channel, 2_000_000, stranger))) == "passkey_refused"
    stranger.credential = person.passkey.credential
    assert code(await person.post(await person.signed_deposit(channel, 2_000_000, stranger))) == "passkey_refused"
    person.passkey.site = "https://evil.example"
    assert code(await person.post(await person.signed_deposit(channel, 2_000_000))) == "passkey_refused"
    assert await world.dollar.balance_of(person.account) == 100_000_000


async def test_a_wallet_signs_for_its_keys_and_no_one_deposits_for_another(world, person, enter):
    key = await person.make_key()
    await person.http.post("/account/play-money")
    wish = await person.signed_deposit(key["channel"], 2_000_000)
    wallet = await world.account()
    async with httpx.AsyncClient(base_url=person.http.base_url, timeout=60) as other:
        await enter(other, wallet)
        assert code(await other.post("/account/passkey-keys", json=KEY)) == "wallet_signs"
        assert code(await other.post("/account/passkey-deposits", json=wish["body"])) == "other_account"
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as no_one:
        assert (await no_one.post("/account/passkey-keys", json=KEY)).status_code == 401
        assert (await no_one.post("/account/passkey-deposits", json=wish["body"])).status_code == 401
