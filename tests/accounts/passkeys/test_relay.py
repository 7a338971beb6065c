"""The relayer sends what an owner signed, once, within bounds; everything else is refused before it costs anything."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from tests.accounts.passkeys.conftest import BOUNDS, DOLLAR, LIMITS, OWNER, as_json
from tests.support.devnet import Devnet
from tests.support.passkeys import SoftwarePasskey
from usufruct.accounts.passkeys import GasLimits, OperationRefused, RelayLimited, operation_hash
from usufruct.accounts.passkeys.relay_store import RelayState
from usufruct.accounts.passkeys.webauthn import RelyingParty
from usufruct.chain import Call
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.contracts.entry_point import EntryPoint
from usufruct.chain.entry_point import ENTRY_POINT
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import ZERO_ADDRESS, PaymentRequired
from usufruct.core.networks import DEVNET_CHAIN_ID

pytestmark = pytest.mark.anvil

THIEF = DEVNET_ADDRESSES[6]


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


async def relayer_coins(world) -> int:
    return await world.client.balance(DEVNET_ADDRESSES[8])


async def test_an_operation_is_sent_once_and_the_account_needs_no_coin(world):
    person = await world.owner(11)
    operation = person.operation(world.dollar.transfer(OWNER, 3 * DOLLAR))
    before = await world.dollar.balance_of(OWNER)
    sent = await person.send(operation)
    assert (sent.status_code, sent.json()["state"]) == (200, "succeeded")
    coins = await relayer_coins(world)
    again = await person.send(operation)
    assert again.json() == sent.json()
    assert await relayer_coins(world) == coins
    assert await world.dollar.balance_of(OWNER) == before + 3 * DOLLAR
    assert await world.client.balance(person.account) == 0
    found = await person.http.get(f"/operations/{sent.json()['hash']}")
    assert found.json() == sent.json()
    assert sent.json()["hash"] == "0x" + (await hash_on_chain(world, operation)).hex()
    stranger = await world.owner(12)
    assert code(await stranger.http.get(f"/operations/{sent.json()['hash']}")) == "operation_unknown"
    assert code(await stranger.send(operation)) == "other_account"
    await person.http.delete("/sessions/current")
    assert (await person.send(operation)).status_code == 401


async def test_an_operation_that_was_signed_twice_is_sent_once(world):
    person = await world.owner(31)
    before = await world.dollar.balance_of(OWNER)
    first = person.operation(world.dollar.transfer(OWNER, DOLLAR))
    digest = operation_hash(DEVNET_CHAIN_ID, first)
    second = replace(first, signature=person.passkey.sign(world.contracts.verifier, digest))
    assert first.signature != second.signature
    answers = await asyncio.gather(*(person.send(each) for each in (first, second) * 2))
    assert [each.status_code for each in answers] == [200] * 4, [each.text for each in answers]
    assert len({each.json()["transaction"] for each in answers}) == 1
    assert await world.dollar.balance_of(OWNER) == before + DOLLAR


async def hash_on_chain(world, operation) -> bytes:
    return await EntryPoint(ENTRY_POINT, world.client).get_user_op_hash(operation)


async def test_a_high_s_is_made_low_for_the_chain(world):
    person = await world.owner(13)
    person.passkey.high_s = True
    assert (await person.pay()).json()["state"] == "succeeded"


async def test_what_is_wrong_with_an_operation_is_refused_before_the_node_is_asked(world):
    person, coins = await world.owner(14), await relayer_coins(world)
    pay, wallet = world.dollar.transfer(OWNER, 1), world.wallet(person)
    creation = await world.passkeys.creation(person.account)
    own, itself = wallet.add_signers([]).data, wallet.execute(bytes(32), b"", value=0)
    batches = [
        (),
        [pay] * 9,
        [Call(THIEF, pay.data)],
        [replace(pay, value=1)],
        [world.dollar.mint(THIEF, 1)],
        [Call(ZERO_ADDRESS, own)],
        [itself],
        [BatchSettlement(SETTLEMENT).multicall([])],
        [world.dollar.approve(THIEF, 1), itself],
    ]
    changed = [
        ("invalid_operation", {"init_code": bytes.fromhex(creation.to[2:]) + creation.data}),
        ("invalid_operation", {"paymaster_and_data": bytes(52)}),
        ("invalid_operation", {"gas_fees": bytes(31) + b"\x01"}),
        ("invalid_operation", {"pre_verification_gas": 1}),
        ("invalid_operation", {"account_gas_limits": GasLimits(700_001, 1).packed()}),
        ("invalid_operation", {"account_gas_limits": GasLimits(1, 1_000_001).packed()}),
        ("invalid_operation", {"account_gas_limits": b"\xff" * 32}),
        ("invalid_operation", {"call_data": b""}),
        ("invalid_operation", {"call_data": wallet.execute(bytes(32), b"", value=0).data}),
        ("invalid_operation", {"call_data": person.operation(pay).call_data + bytes(32)}),
        *(("call_not_relayed", {"call_data": person.operation(*calls).call_data}) for calls in batches),
    ]
    for wanted, changes in changed:
        answer = await person.send(person.operation(pay, **changes))
        assert (answer.status_code in (400, 403), code(answer)) == (True, wanted), changes
    for signature in (b"", b"\x01" * 65, bytes(2_000)):
        assert code(await person.send(replace(person.operation(pay), signature=signature))) == "invalid_operation"
    person.passkey.flags = 0x01
    assert code(await person.pay()) == "passkey_unverified"
    person.passkey.flags, site = 0x05, person.passkey.site
    person.passkey.site = "https://evil.example"
    assert code(await person.pay()) == "passkey_refused"
    person.passkey.site = site
    assert await relayer_coins(world) == coins


async def test_nothing_can_be_changed_after_it_was_signed(world):
    person = await world.owner(15)
    operation = person.operation(world.dollar.transfer(OWNER, 1))
    for changes in (
        {"nonce": operation.nonce + (1 << 64)},
        {"call_data": person.operation(world.dollar.transfer(THIEF, 9)).call_data},
        {"account_gas_limits": GasLimits(1, 1).packed()},
    ):
        assert code(await person.send(replace(operation, **changes))) == "passkey_refused"


async def test_neither_the_relayer_nor_a_stranger_moves_funds_or_adds_a_signer(world):
    person, thief = await world.owner(16), await world.owner(17)
    wallet, stolen = world.wallet(person), SoftwarePasskey(18, person.passkey.site)
    signer = stolen.signer(world.contracts.verifier)
    for call in (world.dollar.transfer(THIEF, DOLLAR), wallet.add_signers([signer])):
        operation = person.operation(call)
        digest = operation_hash(DEVNET_CHAIN_ID, operation)
        forged = replace(operation, signature=thief.passkey.sign(world.contracts.verifier, digest))
        with pytest.raises(OperationRefused, match="AA24"):
            await world.relay.send(forged, RelyingParty(person.passkey.site))
        inside = wallet.execute(b"\x01" + bytes(31), b"", value=0)
        for sender in (DEVNET_ADDRESSES[8], OWNER, THIEF):
            with pytest.raises(Exception, match="AccountUnauthorized"):
                await world.client.call(inside, sender=sender)
    with pytest.raises(Exception, match="AccountUnauthorized"):
        await world.client.call(wallet.add_signers([signer]), sender=DEVNET_ADDRESSES[8])
    assert await world.dollar.balance_of(person.account) == 10 * DOLLAR
    assert list(await wallet.get_signers(0, 8)) == [person.passkey.signer(world.contracts.verifier)]


async def test_what_the_chain_would_refuse_costs_nothing(world):
    person, coins = await world.owner(19), await relayer_coins(world)
    poor = await person.pay(11 * DOLLAR)
    assert (poor.status_code, code(poor)) == (409, "operation_refused")
    assert "ERC20InsufficientBalance" in poor.json()["error"]["message"]
    assert code(await person.pay(limits=GasLimits(1_000, 500_000))) == "operation_refused"
    nonce = person.operation(world.dollar.transfer(OWNER, 1))
    assert (await person.send(nonce)).status_code == 200
    person.operations -= 1
    again = person.operation(world.dollar.transfer(OWNER, 2))
    coins = await relayer_coins(world)
    assert code(await person.send(again)) == "operation_refused"  # the nonce of another operation
    assert await relayer_coins(world) == coins


async def test_an_operation_that_fails_on_the_chain_is_told_counted_and_stopped(world):
    """Griefing: it passes the simulation, and by the time it is mined its money has gone."""
    person, devnet = await world.owner(20), Devnet(world.client)
    for round_ in range(3):
        world.relay.store.reserve, kept = (
            _after(world.relay.store.reserve, _emptied(world, person)),
            world.relay.store.reserve,
        )
        answer = await person.pay(10 * DOLLAR - round_)
        world.relay.store.reserve = kept
        assert (answer.json()["state"], "ERC20InsufficientBalance" in answer.json()["reason"]) == ("failed", True)
        await devnet.send_as(OWNER, world.dollar.mint(person.account, 10 * DOLLAR))
    spent, count = await world.relay.store.spent(world.clock.now())
    assert count == 4  # the creation, and three failures
    assert spent > 0
    stopped = await person.pay()
    assert (stopped.status_code, code(stopped)) == (429, "relay_failures")
    world.clock.advance(86_401)
    await person.sign_in()
    assert (await person.pay()).json()["state"] == "succeeded"


def _after(reserve, first):
    async def reserved(*arguments, **options):
        await first()
        return await reserve(*arguments, **options)

    return reserved


def _emptied(world, person):
    async def empty() -> None:
        held = await world.dollar.balance_of(person.account)
        await Devnet(world.client).set_balance(person.account, 10**18)
        await Devnet(world.client).send_as(person.account, world.dollar.transfer(THIEF, held))

    return empty


async def until_limited(relay, people, world, limits=LIMITS) -> tuple[list, RelayLimited]:
    """Have people pay in turn until the relayer refuses; return what was sent, and the refusal."""
    results = []
    for round_ in range(60):
        person = people[round_ % len(people)]
        operation = person.operation(world.dollar.transfer(OWNER, 1), limits=limits)
        try:
            results.append(await relay().send(operation, RelyingParty(person.passkey.site)))
        except RelayLimited as refusal:
            return results, refusal
    raise AssertionError("the relayer pays without end")


async def test_an_account_spends_so_much_gas_a_day_and_a_restart_forgets_nothing(world):
    person = await world.owner(21)
    used = 217_769
    most = replace(BOUNDS, account_gas=used + 2 * (LIMITS.verification + LIMITS.calls + 100_000))
    site = RelyingParty(person.passkey.site)
    results, refusal = await until_limited(lambda: world.new_relay(most), [person], world)  # as after a restart
    assert "in 24 hours" in refusal.message
    assert len(results) >= 2
    assert all(each.state is RelayState.SUCCEEDED and each.gas < 200_000 for each in results)
    world.clock.advance(86_401)
    await world.new_relay(most).send(person.operation(world.dollar.transfer(OWNER, 1)), site)


async def test_many_accounts_together_spend_so_many_coins_a_day(world):
    people = [await world.owner(30 + each) for each in range(3)]
    spent, _ = await world.relay.store.spent(world.clock.now())
    coins = await relayer_coins(world)
    bounds = replace(BOUNDS, account_gas=10**9, total_gwei=spent + 4_000_000)
    results, refusal = await until_limited(lambda: world.new_relay(bounds), people, world)
    assert refusal.code == "relay_spent"
    assert len({each.account for each in results}) > 1
    assert coins - await relayer_coins(world) <= 4_000_000 * 10**9


async def test_only_accounts_of_the_factory_are_served(world):
    """Another contract's checks could burn whatever gas they are given."""
    person = await world.owner(42)
    code_of_account = await world.client.code_at(person.account)
    for other in (code_of_account[:-1] + b"\xff", b"\x00", b"\xef\x01\x00" + bytes(20)):
        await world.devnet.set_code(person.account, other)
        refused = await person.pay()
        assert (code(refused), "another contract" in refused.json()["error"]["message"]) == ("operation_refused", True)
    await world.devnet.set_code(person.account, code_of_account)
    assert (await person.pay()).json()["state"] == "succeeded"


async def test_an_account_without_money_is_not_created_at_the_operators_cost(world):
    person, coins = world.person(40), await relayer_coins(world)
    await person.make_wallet()
    with pytest.raises(PaymentRequired, match="smallest deposit"):
        await world.passkeys.ensure_exists(person.account, world.relay, world.funds)
    assert code(await person.pay()) == "operation_refused"  # there is no account yet
    creation = await world.passkeys.creation(person.account)
    for wrong in (replace(creation, to=THIEF), await world.passkeys.creation((await world.owner(41)).account)):
        with pytest.raises(OperationRefused):
            await world.relay.create(person.account, wrong)
    assert not await world.passkeys.exists(person.account)
    assert await relayer_coins(world) < coins  # the other account's creation
    assert as_json(person.operation())["sender"] == person.account
