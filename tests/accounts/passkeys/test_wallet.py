"""A passkey account's owner adds and removes signers, pays, recovers, leaves; no one else does any of it."""

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from tests.accounts.passkeys.conftest import DOLLAR, OWNER, Person, World
from tests.support.passkeys import SoftwarePasskey, hexed
from usufruct.chain import Call
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address, address

pytestmark = pytest.mark.anvil

DAY = 86_400
STRANGER = DEVNET_ADDRESSES[7]


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


def done(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json()["state"] == "succeeded"


async def another(person: Person, secret: int) -> tuple[SoftwarePasskey, dict[str, object]]:
    """Make another passkey in the person's browser; return it with what the browser answered."""
    passkey = SoftwarePasskey(secret, person.passkey.site)
    return passkey, passkey.create(await person.challenge()).body()


async def state(person: Person) -> dict:
    return (await person.http.get("/account/wallet")).json()


async def recovery_wallet(world: World, account: object) -> Person:
    """Return someone who is signed in with a wallet of their own."""
    guardian = world.person(1)
    asked = (await guardian.http.post("/sessions/challenge", json={"address": account.address.lower()})).json()
    signature = account.sign_message(encode_defunct(text=asked.pop("text"))).signature.hex()
    body = asked | {"signature": "0x" + signature.removeprefix("0x")}
    assert (await guardian.http.post("/sessions", json=body)).status_code == 201
    guardian.account = address(account.address)
    await world.devnet.set_balance(guardian.account, 10**18)
    return guardian


async def send_call(world: World, sender: Address, answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
    call = answer.json()
    await world.devnet.send_as(sender, Call(call["to"], bytes.fromhex(call["data"][2:])))


async def test_an_account_without_money_is_created_for_a_second_signer_or_a_recovery_wallet_alone(world):
    person, guarded = world.person(57), world.person(58)
    for each in (person, guarded):
        await each.make_wallet()
    assert code(await person.do("payments", to=STRANGER, amount="1")) == "account_unfunded"
    assert (await state(person))["exists"] is False
    assert done(await person.do("addresses", address=STRANGER))
    assert done(await guarded.do("recovery", wallet=STRANGER, days=2))
    assert len((await state(person))["signers"]) == 2
    assert (await state(guarded))["recoveryWallet"] == STRANGER


async def test_the_first_change_creates_the_account_and_a_second_passkey_removes_the_lost_one(world):
    person = world.person(51)
    await person.make_wallet()
    before = await state(person)
    assert (before["exists"], len(before["signers"])) == (False, 1)
    second, made = await another(person, 52)
    asked = await person.ask("passkeys", **made, label="phone")
    assert done(await person.http.post("/passkeys/operations", json=person.signed(asked)))
    await world.devnet.send_as(OWNER, world.dollar.mint(person.account, 5 * DOLLAR))
    found = await state(person)
    assert (found["exists"], [each["label"] for each in found["signers"]]) == (True, ["", "phone"])
    assert (await person.sign_in(second)).status_code == 201
    lost = person.passkey.signer(world.contracts.verifier)
    assert done(await person.do("removals", second, signer=hexed(lost)))
    assert code(await person.sign_in()) == "passkey_refused"
    assert code(await person.ask("removals", signer=hexed(second.signer(world.contracts.verifier)))) == "last_signer"
    assert done(await person.do("payments", second, to=STRANGER, amount=str(DOLLAR)))
    assert await world.dollar.balance_of(person.account) == 4 * DOLLAR


async def test_a_recovery_wallet_replaces_lost_passkeys_after_a_delay_that_any_passkey_can_stop(world):
    person, key = await world.owner(53), Account.create()
    assert done(await person.do("recovery", wallet=key.address.lower(), days=2))
    guardian = await recovery_wallet(world, key)
    new, made = await another(guardian, 54)
    started = await guardian.http.post("/recoveries", json={"account": person.account, **made})
    await send_call(world, guardian.account, started)
    assert (await state(person))["recovery"]["since"] > 0
    assert code(await person.sign_in(new)) == "passkey_refused"
    await person.sign_in()
    assert done(await person.do("veto"))
    assert (await state(person))["recovery"] is None

    await send_call(world, guardian.account, started)
    early = await guardian.http.get(f"/recoveries/{person.account}/finish")
    with pytest.raises(Exception, match="DelayNotPassed"):
        await world.client.call(Call(early.json()["to"], bytes.fromhex(early.json()["data"][2:])), sender=STRANGER)
    await world.devnet.pass_time(2 * DAY)
    await send_call(world, STRANGER, await guardian.http.get(f"/recoveries/{person.account}/finish"))
    assert code(await person.sign_in()) == "passkey_refused"
    assert (await person.sign_in(new)).json()["address"] == person.account
    assert done(await person.do("payments", new, to=STRANGER, amount="1"))


async def test_with_a_recovery_wallet_a_removal_is_announced_first_and_can_be_cancelled(world):
    person, key = await world.owner(55), Account.create()
    second, made = await another(person, 56)
    assert done(await person.do("passkeys", **made, label=""))
    assert done(await person.do("recovery", wallet=key.address.lower(), days=1))
    lost = hexed(person.passkey.signer(world.contracts.verifier))
    assert done(await person.do("removals", second, signer=lost))
    assert len((await state(person))["signers"]) == 2
    assert code(await person.ask("removals", signer=lost)) == "delay_not_passed"
    assert done(await person.do("cancellation"))
    assert (await state(person))["change"] is None
    assert done(await person.do("removals", second, signer=lost))
    await world.devnet.pass_time(DAY)
    assert done(await person.do("removals", second, signer=lost))
    assert len((await state(person))["signers"]) == 1


async def test_what_is_signed_can_be_sent_without_this_site(world):
    person = world.person(57)
    await person.make_wallet()
    await world.devnet.send_as(OWNER, world.dollar.mint(person.account, DOLLAR))
    body = person.signed(await person.ask("payments", to=STRANGER, amount="7"))
    exported = await person.http.post("/passkeys/operations/export", json=body)
    assert exported.json()["calls"][0]["to"] == world.contracts.factory
    before, paid = await world.client.balance(DEVNET_ADDRESSES[8]), await world.dollar.balance_of(STRANGER)
    for call in exported.json()["calls"]:
        await world.devnet.send_as(STRANGER, Call(call["to"], bytes.fromhex(call["data"][2:])))
    assert await world.dollar.balance_of(STRANGER) == paid + 7
    assert await world.client.balance(DEVNET_ADDRESSES[8]) == before
    assert code(await person.http.post("/passkeys/operations", json=body)) == "operation_refused"  # it was made


async def test_the_operator_and_strangers_change_nothing(world):
    """What the server prepared is changed, signed by another, or of another account: all refused."""
    person, other = await world.owner(58), await world.owner(59)
    asked = await person.ask("payments", to=STRANGER, amount="7")
    body, more = person.signed(asked), await person.ask("payments", to=STRANGER, amount="9000000")
    changed = body | {"operation": more.json()["body"]["operation"]}
    assert code(await person.http.post("/passkeys/operations", json=changed)) == "passkey_refused"
    thief = SoftwarePasskey(60, person.passkey.site)
    thief.credential = person.passkey.credential
    assert code(await person.http.post("/passkeys/operations", json=person.signed(asked, thief))) == "passkey_refused"
    assert code(await other.http.post("/passkeys/operations", json=body)) == "other_account"
    assert code(await other.http.post("/passkeys/operations/export", json=body)) == "other_account"

    stranger = await recovery_wallet(world, Account.create())
    assert code(await stranger.http.get("/account/wallet")) == "passkey_account_unknown"
    _, made = await another(stranger, 61)
    begun = await stranger.http.post("/recoveries", json={"account": person.account, **made})
    assert (begun.status_code, code(begun)) == (403, "not_recovery_wallet")
    assert code(await stranger.http.get(f"/recoveries/{person.account}/finish")) == "no_recovery"
    await stranger.http.delete("/sessions/current")
    for path in ("/account/wallet/veto", "/recoveries", "/passkeys/operations"):
        assert (await stranger.http.post(path, json={})).status_code == 401
    assert await world.dollar.balance_of(person.account) == 10 * DOLLAR


@pytest.mark.parametrize(
    ("wish", "refused"),
    [
        ({"wallet": "0x12", "days": 7}, "invalid_wallet_request"),
        ({"wallet": STRANGER, "days": 0}, "invalid_delay"),
        ({"wallet": STRANGER, "days": 31}, "invalid_delay"),
    ],
)
async def test_a_recovery_that_no_account_can_have_is_refused(world, wish, refused):
    person = await world.owner(62)
    assert code(await person.ask("recovery", **wish)) == refused
    assert code(await person.ask("recovery", wallet=person.account, days=7)) == "invalid_wallet"
