"""What a stranger tries with what they can read on the chain, and what it would cost the operator: none of it pays."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import orjson
import pytest
from eth_abi import decode
from eth_utils import to_checksum_address
from x402.http.clients import x402HttpxClient
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig

from tests.support import x402_installation as worlds
from tests.support import x402_payer as hands
from tests.support.waiting import until
from usufruct.accounts import KeyDomain, KeyTerms, key_digest
from usufruct.chain import keccak
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.keys import KeySigner
from usufruct.core import Clock, address
from usufruct.gateway import Endpoint, Operator
from usufruct.payments.settlement import Claimer, Deposits
from usufruct.payments.settlement.model import on_chain
from usufruct.web import read_document
from usufruct.web.errors import MalformedBody
from usufruct_client import wire

request, decoded, DOLLAR = worlds.request, worlds.decoded, worlds.DOLLAR
ROWS = "(((address,address,address,address,address,uint40,bytes32),uint128),bytes,uint128)[]"
MEMBERS = ("payer", "payerAuthorizer", "receiver", "receiverAuthorizer", "token")

pytestmark = pytest.mark.anvil


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    async with worlds.x402_installation(devnet_template, tmp_path) as opened:
        await opened.sell("chat")
        yield opened


@pytest.fixture
async def cooling(devnet_template, tmp_path) -> AsyncIterator[object]:
    """The same as it comes: refunds on request cool down for a day."""
    async with worlds.x402_installation(devnet_template, tmp_path, cooling_seconds=86_400) as opened:
        await opened.sell("chat")
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


def header(payment) -> dict[str, str]:
    return {"PAYMENT-SIGNATURE": base64.b64encode(orjson.dumps(payment)).decode()}


async def published(world, accepted, **more) -> dict:
    """Claim what is charged, and return the payment a stranger makes of the claim's calldata."""
    (batch,) = await world.installation.get(Claimer).run(everything=True)
    sent = await world.installation.client.ask("eth_getTransactionByHash", batch.hash)
    data = bytes.fromhex(sent["input"][2:])
    start = 4 + int.from_bytes(data[4:36], "big")
    claim = data[start + 32 :][: int.from_bytes(data[start : start + 32], "big")]
    ((config, most), signature, _) = decode([ROWS], claim[4:])[0][0]
    written = dict(zip(MEMBERS, map(to_checksum_address, config[:5]), strict=True))
    written |= {"withdrawDelay": config[5], "salt": "0x" + config[6].hex()}
    channel = (await world.channels())[0].reading.id
    voucher = {"channelId": channel, "maxClaimableAmount": str(most), "signature": "0x" + signature.hex()}
    payload = {"type": "voucher", "channelConfig": written, "voucher": voucher} | more
    return {"x402Version": 2, "accepted": accepted, "payload": payload}


async def ask(world, http, payment, body=None) -> httpx.Response:
    return await http.post(f"{world.url}/chat/completions", json=body or request(), headers=header(payment))


async def test_a_voucher_that_a_claim_published_buys_nothing_and_learns_nothing(world, http):
    victim = await hands.HandPayer.make(world)
    assert (await victim.fill(http, request(max_tokens=1_000))).status_code == 200
    charged = (await world.ledger.account(victim.channel)).charged
    accepted = await victim.price(http, request())
    stolen = await published(world, accepted)
    newest = victim.voucher(DOLLAR // 2)
    assert (await ask(world, http, victim.payment(accepted, newest))).status_code == 200
    charged = (await world.ledger.account(victim.channel)).charged

    for body in (request(), request(max_tokens=1_000)):
        priced = stolen | {"accepted": await victim.price(http, body)}
        refused = await ask(world, http, priced, body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "voucher_published")
        extra = decoded(refused.headers["payment-required"])["accepts"][0]["extra"]
        assert "voucherState" not in extra
        assert "channelState" not in extra
        assert newest["signature"] not in refused.text
    assert (await world.ledger.account(victim.channel)).charged == charged


async def test_the_channel_behind_a_key_takes_no_vouchers_from_outside(world, http):
    account = await world.account(10)
    signer, installation = KeySigner(bytes(account.key)), world.installation
    terms = KeyTerms(signer.address, 5 * DOLLAR, Clock().now() + 3_600)
    proof = signer.sign(key_digest(installation.get(KeyDomain), terms, 1))
    wish = {"payer": terms.payer, "spendingLimit": str(terms.spending_limit), "expiresAt": terms.expires_at}
    wish |= {"assets": [], "label": "", "nonce": "1", "signature": "0x" + proof.hex()}
    made = (await http.post(f"{world.url}/keys", json=wish)).json()
    payer = hands.HandPayer(world, account, ChannelConfig.from_dict(made["channelConfig"]))
    filled = {"channelConfig": made["channelConfig"], "deposit": payer.deposit(DOLLAR)}
    assert (await http.post(f"{world.url}/deposits", json=filled)).status_code == 200
    bearer = {"authorization": f"Bearer {made['key']}"}
    url = f"{world.url}/chat/completions"
    assert (await http.post(url, json=request(max_tokens=1_000), headers=bearer)).status_code == 200

    accepted = await payer.price(http, request())
    stolen = await published(world, accepted)
    refused = await ask(world, http, stolen)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "channel_refused")
    stolen["payload"]["type"] = "refund"
    assert (await http.get(url, headers=header(stolen))).status_code == 402
    assert (await world.ledger.account(made["channel"])).free > 0


async def test_a_stranger_refunds_nobody_and_parts_are_not_dust(world, http):
    victim = await hands.HandPayer.make(world)
    assert (await victim.fill(http, request())).status_code == 200
    url = f"{world.url}/chat/completions"
    accepted = decoded((await http.get(url)).headers["payment-required"])["accepts"][0]
    stolen = await published(world, accepted, type="refund")
    free = (await world.ledger.account(victim.channel)).free
    refused = await http.get(url, headers=header(stolen))
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "refund_too_soon")
    dust = await http.get(url, headers=header(victim.payment(accepted, victim.voucher(3), type="refund", amount="1")))
    assert (dust.status_code, dust.json()["error"]["code"]) == (402, "refund_too_small")
    assert (await world.ledger.account(victim.channel)).free == free


async def test_money_that_goes_in_and_out_costs_the_operator_little(cooling, http):
    payer = await hands.HandPayer.make(cooling, dollars=1)
    url = f"{cooling.url}/chat/completions"
    deposit = {"channelConfig": payer.config.to_dict(), "deposit": payer.deposit(100_000)}
    assert (await http.post(f"{cooling.url}/deposits", json=deposit)).status_code == 200
    accepted = decoded((await http.get(url)).headers["payment-required"])["accepts"][0]
    refused = await http.get(url, headers=header(payer.payment(accepted, payer.voucher(0), type="refund")))
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (402, "refund_too_soon")
    assert 0 < int(error["details"]["seconds"]) <= 86_400


async def test_one_dollar_stands_behind_one_deposit(world, http):
    """Eight authorizations over the same dollar, handed in before any is mined: one is sent, and none reverts."""
    payer = await hands.HandPayer.make(world, dollars=1)
    client, relayer = world.installation.client, world.gateway.get(Deposits)._sender.address
    before = await client.nonce(relayer)
    await world.devnet.set_automine(on=False)

    async def one() -> int:
        other = hands.HandPayer(world, payer.account, replace(payer.config, salt="0x" + secrets.token_hex(32)))
        content = {"channelConfig": other.config.to_dict(), "deposit": other.deposit(DOLLAR)}
        return (await http.post(f"{world.url}/deposits", json=content)).status_code

    asking = [asyncio.create_task(one()) for _ in range(8)]
    await until(world.ledger.pending_deposits)
    early, _ = await asyncio.wait(asking, timeout=1)
    assert 200 not in {each.result() for each in early}
    await world.devnet.mine()
    await world.devnet.set_automine(on=True)
    assert sorted(await asyncio.gather(*asking)) == [200] + [402] * 7
    assert await client.nonce(relayer) == before + 1


async def test_a_wallet_whose_signature_burns_gas_is_not_paid_for(world, http):
    payer = await hands.HandPayer.make(world, dollars=1)
    burner = address("0x" + "c0ffee" * 6 + "c0ff")
    magic = keccak(b"isValidSignature(bytes32,bytes)")[:4].hex()
    burn = f"620249f05b60019003806004577f{magic}" + "00" * 28 + "60005260206000f3"  # counts down, then says yes
    await world.devnet.set_code(burner, bytes.fromhex(burn))
    owner = world.installation.sender(worlds.signer_of(worlds.Role.OWNER, world.installation.config))
    await owner.execute(world.dollar.mint(burner, DOLLAR), "mint/burner")
    payer.config = replace(payer.config, payer=burner)
    before = await world.installation.client.nonce(world.gateway.get(Deposits)._sender.address)
    content = {"channelConfig": payer.config.to_dict(), "deposit": payer.deposit(100_000)}
    refused = await http.post(f"{world.url}/deposits", json=content)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "deposit_refused")
    assert "gas" in refused.json()["error"]["message"]
    assert await world.installation.client.nonce(world.gateway.get(Deposits)._sender.address) == before
    assert await world.ledger.pending_deposits() == []


async def test_a_channel_that_names_a_victim_as_payer_reads_none_of_their_answers(world, http):
    victim, thief = await hands.HandPayer.make(world), await hands.HandPayer.make(world)
    assert (await victim.fill(http, request())).status_code == 200
    accepted = await victim.price(http, request())
    payment = victim.payment(accepted, victim.voucher(DOLLAR // 2))
    assert (await victim.pay(http, request(), payment, **{"Idempotency-Key": "job-1"})).status_code == 200

    fake = hands.HandPayer(world, thief.account, replace(thief.config, payer=victim.account.address))
    await fill_by_own_collector(world, fake)
    payment = fake.payment(accepted, fake.voucher(DOLLAR // 2))
    answer = await fake.pay(http, request(), payment, **{"Idempotency-Key": "job-1"})
    assert answer.status_code == 200
    assert "x-usufruct-replayed" not in answer.headers
    assert len(await world.ledger.metered(fake.channel)) == 1  # it was served anew, and paid for

    again = await fake.pay(
        http,
        request(max_tokens=7),
        fake.payment(await fake.price(http, request(max_tokens=7)), fake.voucher(DOLLAR // 2)),
        **{"Idempotency-Key": "job-1"},
    )
    assert again.status_code == 422
    assert "call" not in again.json()["error"]["details"]


async def fill_by_own_collector(world, payer) -> None:
    """Put a dollar into a channel by a collector of one's own: it pays, and asks nobody's signature."""
    pays = bytes.fromhex("63a9059cbb60e01b5f52336004526044356024525f5f60445f5f6024355af100")
    collector = address("0x" + "c011ec70" * 5)
    await world.devnet.set_code(collector, pays)
    owner = world.installation.sender(worlds.signer_of(worlds.Role.OWNER, world.installation.config))
    await owner.execute(world.dollar.mint(collector, DOLLAR), "mint/collector")
    config = read_document(wire.ChannelConfig, payer.config.to_dict(), MalformedBody)
    settlement = BatchSettlement(world.installation.get(Operator).escrow.contract, world.installation.client)
    sender = address(payer.account.address)
    await world.devnet.set_balance(sender, 10**18)
    await world.devnet.send_as(sender, settlement.deposit(on_chain(config), DOLLAR, collector, b""))


@pytest.mark.parametrize("rpc", [True, False], ids=["with RPC", "without RPC"])
async def test_stock_clients_go_on_after_each_claim(world, rpc):
    """What a claim publishes is the call's own voucher, which the client does not show again."""
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=rpc)), timeout=30) as client:
        for streamed in (False, False, True, False, True, True, False):
            answer = await world.ask(client, stream=streamed)
            assert answer.status_code == 200, answer.text
            assert len(await world.installation.get(Claimer).run(everything=True)) == 1
    channel = await world.channel_of(account)
    assert channel.charged == channel.total_split
    assert len(await world.bills(account)) == 7


@pytest.mark.parametrize("rpc", [True, False], ids=["with RPC", "without RPC"])
async def test_a_stock_client_whose_next_voucher_is_a_published_one_is_asked_for_another(world, rpc):
    """After a whole call it signs what was charged plus the next ceiling: here just what the claim showed to all."""
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=rpc)), timeout=30) as client:
        assert (await world.ask(client, max_tokens=50)).status_code == 200
        (bill,) = await world.bills(account)
        await world.installation.get(Claimer).run(everything=True)
        shorter = {"max_tokens": 50 - bill.bill.charge // 3}
        assert bill.bill.charge % 3 == 0, "the card asks 3 for each text token of output"

        refused = await world.ask(client, **shorter)
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "voucher_published")
        served = await world.ask(client, **shorter)
        assert served.status_code == 200, served.text
    channel = await world.channel_of(account)
    assert channel.voucher.max_claimable == bill.ceiling + 1
    assert len(await world.bills(account)) == 2


async def hang_up(world, payer, body, payment) -> None:
    """Ask, and leave when the upstream has the question and before there is any answer."""
    asked = len(world.upstream.requests)

    async def is_free() -> bool:
        return (await world.ledger.account(payer.channel)).reserved == 0

    async with httpx.AsyncClient(timeout=600) as impatient:
        asking = asyncio.create_task(payer.pay(impatient, body, payment))
        await until(lambda: len(world.upstream.requests) > asked)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await until(is_free)


async def test_nobody_hangs_up_in_somebody_elses_name(world, http):
    """Anybody can open a channel that names a victim as its payer; what is done there is not the victim's."""
    await world.sell("slow", "slow_first_byte")
    victim, thief = await hands.HandPayer.make(world), await hands.HandPayer.make(world)
    assert (await victim.fill(http, request())).status_code == 200
    false = hands.HandPayer(world, thief.account, replace(thief.config, payer=victim.account.address))
    await fill_by_own_collector(world, false)
    accepted = await false.price(http, request("slow"))
    for number in range(5):
        await hang_up(world, false, request("slow"), false.payment(accepted, false.voucher(DOLLAR // 2 + number)))
    refused = await false.pay(http, request("slow"), false.payment(accepted, false.voucher(DOLLAR // 2 + 9)))
    assert refused.json()["error"]["code"] == "abandoned_answers"
    accepted = await victim.price(http, request())
    answer = await victim.pay(http, request(), victim.payment(accepted, victim.voucher(DOLLAR // 3)))
    assert answer.status_code == 200, answer.text


async def test_long_requests_are_read_for_money_that_is_there(world, http):
    payer = await hands.HandPayer.make(world)
    long = request() | {"messages": [{"role": "user", "content": "a" * (3 << 20)}]}
    refused = await http.post(f"{world.url}/chat/completions", json=long)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "unpaid_body_too_large")
    assert "key" in refused.json()["error"]["message"]
    accepted = await payer.price(http, request())
    junk = payer.voucher(10) | {"signature": "0x" + "11" * 64 + "1b"}
    for voucher in (junk, payer.voucher(10)):  # unsigned; and signed, on a channel without money
        answer = await payer.pay(http, long, payer.payment(accepted, voucher))
        assert (answer.status_code, answer.json()["error"]["param"]) == (413, "body")
    assert (await payer.fill(http, request())).status_code == 200
    answer = await payer.pay(http, long, payer.payment(accepted, payer.voucher(DOLLAR // 2)))
    assert answer.json()["error"]["code"] == "over_context", "it was read"


async def test_a_request_of_very_many_parts_stalls_nobody(world, http):
    await world.sell("vectors", endpoint=Endpoint.EMBEDDINGS)
    for path, body in (
        ("embeddings", b'{"model":"vectors","input":[[1]' + b",[1]" * 500_000 + b"]}"),
        ("chat/completions", b'{"model":"chat","messages":[{}' + b",{}" * 600_000 + b"]}"),
    ):
        answer = await http.post(f"{world.url}/{path}", content=body)
        assert answer.status_code == 400
        assert "may have 2048 parts" in answer.json()["error"]["message"]


async def test_who_falls_behind_on_a_strangers_body_raises_its_price_once_and_never_the_charge(world, http):
    """A client that forgot its channel asks without a name, so the next who asks so for the same body is meant."""
    thief, victim = await hands.HandPayer.make(world), await hands.HandPayer.make(world)
    for payer in (thief, victim):
        assert (await payer.fill(http, request())).status_code == 200
    accepted = await victim.price(http, request())
    ordinary = int(accepted["amount"])

    async def fall_behind() -> None:
        low = thief.payment(await thief.price(http, request()), thief.voucher(1))
        assert (await thief.pay(http, request(), low)).json()["error"]["code"] == "cumulative_amount_mismatch"

    await fall_behind()
    known = await victim.pay(http, request(), victim.payment(accepted, victim.voucher(1)))
    assert decoded(known.headers["payment-required"])["accepts"][0]["amount"] == str(ordinary), (
        "of a payer who is known"
    )
    within = {"x-usufruct-limit": str(ordinary)}
    asked = await http.post(f"{world.url}/chat/completions", json=request(), headers=within)
    assert decoded(asked.headers["payment-required"])["accepts"][0]["amount"] == str(ordinary), (
        "within the victim's limit"
    )

    await fall_behind()
    raised = await victim.price(http, request())
    assert int(raised["amount"]) > ordinary
    assert (await victim.price(http, request()))["amount"] == str(ordinary), "once"
    channel = await world.ledger.account(victim.channel)
    voucher = victim.voucher(channel.charged + int(raised["amount"]))
    assert (await victim.pay(http, request(), victim.payment(raised, voucher))).status_code == 200
    first, second = await world.ledger.metered(victim.channel)
    assert first.bill.charge == second.bill.charge
