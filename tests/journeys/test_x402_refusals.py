"""What is no good payment: each refused under its own name, nothing charged, nothing deposited."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import orjson
import pytest
from eth_account import Account
from x402.extensions.bazaar import validate_discovery_extension

from tests.support import x402_installation as worlds
from tests.support import x402_payer as hands
from usufruct.assets import Listings
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.contracts.batch_settlement import ChannelConfig as OnChain
from usufruct.core import Clock, address
from usufruct.gateway import Operator
from usufruct.payments.settlement import Claimer, Deposits, Refunds
from usufruct.payments.settlement.event_watcher import EventWatcher

request, decoded, DOLLAR = worlds.request, worlds.decoded, worlds.DOLLAR
PREFIX = "invalid_batch_settlement_evm_"

pytestmark = pytest.mark.anvil


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    async with worlds.x402_installation(devnet_template, tmp_path) as opened:
        await opened.sell("chat")
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def test_a_price_is_asked_and_promised(world, http):
    asked = await http.post(f"{world.url}/chat/completions", json=request())
    assert asked.json()["error"]["code"] == "payment_required"
    wanted = decoded(asked.headers["payment-required"])
    (accepted,) = wanted["accepts"]
    counted = len(b"What is the question?") + 4 + 8
    assert int(accepted["amount"]) == counted + 50 * 3 + 5
    assert wanted["resource"]["url"] == f"{world.url}/chat/completions"
    assert wanted["error"] == "payment_required"
    declared = wanted["extensions"]["bazaar"]
    assert validate_discovery_extension(declared).valid
    assert declared["info"]["input"]["body"]["model"] == request()["model"]
    assert len(asked.headers["payment-required"]) < 2_800, "proxies keep 4,096 bytes of headers by default"
    assert await world.channels() == []


async def test_refusals_before_any_money_moves(world, http):
    """One wallet after another does one thing wrong; each is told which."""
    body = request()
    other = Account.create()
    cases = {
        "wrong_signer": (lambda p, n: p.voucher(n, signer=other), {}, "voucher_signature"),
        "wrong_signer ": (lambda p, n: p.voucher(n, contract=other.address), {}, "voucher_signature"),
        "invalid_signature": (lambda p, n: spoiled(p.voucher(n), hands.high_s), {}, "voucher_signature"),
        "invalid_signature ": (lambda p, n: spoiled(p.voucher(n), lambda s: s[:-2]), {}, "voucher_signature"),
        "invalid_voucher": (lambda p, n: p.voucher(n, channel="0x" + "ab" * 32), {}, "channel_id_mismatch"),
        "channel_refused": (None, {"receiver": other.address}, "receiver_mismatch"),
        "channel_refused ": (None, {"receiver_authorizer": other.address}, "receiver_authorizer_mismatch"),
        "channel_refused  ": (None, {"token": other.address}, "token_mismatch"),
        "channel_refused   ": (None, {"withdraw_delay": 900}, "withdraw_delay_mismatch"),
        "channel_refused    ": (None, {"payer_authorizer": "0x" + "00" * 20}, ""),
        "deposit_below_minimum": (None, {"deposit": 99_999}, "deposit_below_min_deposit"),
        "deposit_insufficient_funds": (None, {"deposit": 2000 * DOLLAR}, "deposit_transaction_failed"),
        "cumulative_exceeds_balance": (lambda p, n: p.voucher(3 * DOLLAR), {}, "cumulative_exceeds_balance"),
        "cumulative_amount_mismatch": (lambda p, n: p.voucher(n - 1), {}, "cumulative_amount_mismatch"),
    }
    for code, (sign, changes, name) in cases.items():
        amount = changes.pop("deposit", DOLLAR)
        payer = await hands.HandPayer.make(world, **changes)
        accepted = await payer.price(http, body)
        voucher = (sign or (lambda p, n: p.voucher(n)))(payer, int(accepted["amount"]))
        refused = await payer.pay(http, body, payer.payment(accepted, voucher, deposit=payer.deposit(amount)))
        assert refused.status_code == 402, (code, refused.text)
        assert refused.json()["error"]["code"] == code.strip()
        wanted = decoded(refused.headers["payment-required"])
        assert wanted["error"] == (PREFIX + name if name else code.strip())
        assert wanted["accepts"][0]["extra"]["quote"]
        assert "payment-response" not in refused.headers
        assert await world.balance(payer.account) == 1000 * DOLLAR
    assert await world.channels() == []


def spoiled(voucher, change):
    return voucher | {"signature": change(voucher["signature"])}


async def test_what_is_no_payment_is_malformed(world, http):
    payer = await hands.HandPayer.make(world)
    accepted = await payer.price(http, request())
    good = payer.payment(accepted, payer.voucher(1), deposit=payer.deposit(DOLLAR))
    spoils = {
        "payment-signature": ["not base64!", base64.b64encode(b"[1]").decode(), "A" * 20_000],
        "x402Version": [good | {"x402Version": 1}],
        "accepted": [{k: v for k, v in good.items() if k != "accepted"}],
        "accepted.amount": [
            good | {"accepted": accepted | {"amount": 5}},
            good | {"accepted": accepted | {"amount": "-5"}},
        ],
        "payload.type": [good | {"payload": good["payload"] | {"type": "gift"}}],
        "payload.channelConfig": [good | {"payload": good["payload"] | {"channelConfig": None}}],
        "payload.channelConfig.payer": [changed(good, "channelConfig", payer="0x12")],
        "payload.channelConfig.withdrawDelay": [changed(good, "channelConfig", withdrawDelay="86400")],
        "payload.voucher.signature": [changed(good, "voucher", signature="0xzz")],
        "payload.voucher.maxClaimableAmount": [changed(good, "voucher", maxClaimableAmount=str(1 << 128))],
        "payload.deposit.authorization": [changed(good, "deposit", authorization={})],
        "extensions.payment-identifier.info.id": [
            good | {"extensions": {"payment-identifier": {"info": {"required": False, "id": "short"}}}}
        ],
    }
    for field, payments in spoils.items():
        for payment in payments:
            refused = await payer.pay(http, request(), payment)
            error = refused.json()["error"]
            assert (refused.status_code, error["code"]) == (400, "malformed_payment"), (field, refused.text)
            assert str(error["param"]).startswith(field)
    for code, change in (("wrong_network", {"network": "eip155:1"}), ("wrong_scheme", {"scheme": "exact"})):
        refused = await payer.pay(http, request(), good | {"accepted": accepted | change})
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, code)
    assert await world.channels() == []


def changed(payment, member, **values):
    return payment | {"payload": payment["payload"] | {member: payment["payload"][member] | values}}


async def test_replayed_older_and_foreign_vouchers(world, http):
    body = request()
    payer, stranger = await hands.HandPayer.make(world), await hands.HandPayer.make(world)
    accepted = await payer.price(http, body)
    first = payer.voucher(int(accepted["amount"]))
    assert (await payer.fill(http, body)).status_code == 200
    replayed = await payer.pay(http, body, payer.payment(accepted, first))
    assert (replayed.status_code, replayed.json()["error"]["code"]) == (402, "cumulative_amount_mismatch")
    state = decoded(replayed.headers["payment-required"])["accepts"][0]["extra"]
    channel = await world.ledger.account(payer.channel)
    assert state["channelState"]["chargedCumulativeAmount"] == str(channel.charged)
    assert state["voucherState"]["signedMaxClaimable"] == str(channel.voucher.max_claimable)

    older = await payer.pay(http, body, payer.payment(accepted, payer.voucher(1)))
    assert older.json()["error"]["code"] == "cumulative_amount_mismatch"
    foreign = await stranger.pay(http, body, stranger.payment(accepted, payer.voucher(DOLLAR)))
    assert foreign.json()["error"]["code"] == "invalid_voucher"
    empty = await stranger.pay(http, body, stranger.payment(accepted, stranger.voucher(DOLLAR)))
    assert (empty.status_code, empty.json()["error"]["code"]) == (402, "channel_not_found")
    assert len(await world.channels()) == 1  # whoever asks for an empty channel leaves no row
    assert len(await world.ledger.metered(payer.channel)) == 1


async def test_a_deposit_counts_once_and_a_used_one_is_refused(world, http):
    body = request()
    payer = await hands.HandPayer.make(world)
    accepted = await payer.price(http, body)
    deposit, amount = payer.deposit(DOLLAR), int(accepted["amount"])
    first = await payer.pay(http, body, payer.payment(accepted, payer.voucher(amount), deposit=deposit))
    assert first.status_code == 200
    again = await payer.pay(http, body, payer.payment(accepted, payer.voucher(3 * amount), deposit=deposit))
    assert again.status_code == 200  # the same authorization: what it brought is there
    assert await world.balance(payer.account) == 999 * DOLLAR
    for code, spoilt in (
        ("deposit_expired", payer.deposit(DOLLAR, before=Clock().now() - 60)),
        ("deposit_refused", payer.deposit(DOLLAR, value=DOLLAR - 1)),
    ):
        unneeded = await payer.pay(http, body, payer.payment(accepted, payer.voucher(9 * amount), deposit=spoilt))
        assert unneeded.status_code == 200, "the channel has money: the deposit is not even looked at"
        refused = await payer.pay(http, body, payer.payment(accepted, payer.voucher(amount), deposit=spoilt))
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "cumulative_amount_mismatch")
        await world.installation.get(Refunds).refund(payer.channel)
        rest = (await world.ledger.account(payer.channel)).charged
        needed = payer.payment(accepted, payer.voucher(rest + amount), deposit=spoilt)
        refused = await payer.pay(http, body, needed)
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, code)
        refilled = payer.payment(accepted, payer.voucher(rest + amount), deposit=payer.deposit(DOLLAR))
        assert (await payer.pay(http, body, refilled)).status_code == 200


async def test_a_deposit_that_is_not_needed_is_refused_with_numbers_and_made_when_offered_again(world, http):
    """A client that can read the numbers pays by a voucher; one that cannot is not refused for ever."""
    body = request()
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, body)).status_code == 200
    channel = await world.ledger.account(payer.channel)
    accepted = await payer.price(http, body)
    voucher = payer.voucher(channel.charged + int(accepted["amount"]))
    payment = payer.payment(accepted, voucher, deposit=payer.deposit(DOLLAR))

    refused = await payer.pay(http, body, payment)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "deposit_not_needed")
    assert refused.headers["x-should-retry"] == "true"
    answered = decoded(refused.headers["payment-required"])
    assert answered["error"] == "invalid_batch_settlement_evm_cumulative_amount_mismatch"
    state = answered["accepts"][0]["extra"]["channelState"]
    assert (state["balance"], state["chargedCumulativeAmount"]) == (str(DOLLAR), str(channel.charged))
    assert await world.balance(payer.account) == 999 * DOLLAR

    assert (await payer.pay(http, body, payment)).status_code == 200
    assert await world.balance(payer.account) == 998 * DOLLAR


async def test_a_first_deposit_whose_answer_was_lost_is_not_made_again(world, http):
    await world.sell("broken", "error_500")
    payer = await hands.HandPayer.make(world)
    accepted = await payer.price(http, request("broken"))
    voucher = payer.voucher(int(accepted["amount"]))
    lost = await payer.pay(http, request("broken"), payer.payment(accepted, voucher, deposit=payer.deposit(DOLLAR)))
    assert lost.status_code == 502
    again = await payer.fill(http, request())
    assert again.status_code == 200, again.text
    assert decoded(again.headers["payment-response"])["transaction"] == ""
    assert await world.balance(payer.account) == 999 * DOLLAR
    larger = await payer.fill(http, request(), dollars=3)
    assert (larger.status_code, larger.json()["error"]["code"]) == (402, "cumulative_amount_mismatch")


async def test_a_quote_is_for_one_body_one_amount_and_five_minutes(world, http):
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200
    accepted = await payer.price(http, request())
    version, output, expires, mark = accepted["extra"]["quote"].split(".")
    amount = int(accepted["amount"])

    async def refused(body=None, quote="", amount=str(amount)):
        entry = accepted | {"amount": amount, "extra": accepted["extra"] | ({"quote": quote} if quote else {})}
        answer = await payer.pay(http, body or request(), payer.payment(entry, payer.voucher(DOLLAR // 2)))
        assert answer.status_code == 402, answer.text
        assert answer.json()["error"]["code"] == "stale_quote"
        return decoded(answer.headers["payment-required"])["accepts"][0]

    await refused(body=request(max_tokens=51))
    await refused(amount=str(amount - 1))
    await refused(quote=f"{version}.{int(output) + 1}.{expires}.{mark}")
    await refused(quote=f"{version}.{output}.{int(expires) + 60}.{mark}")
    await refused(quote="anything")
    fresh = await refused(quote=f"{version}.{output}.1.{mark}")
    paid = await payer.pay(http, request(), payer.payment(fresh, payer.voucher(DOLLAR // 2)))
    assert paid.status_code == 200


async def test_a_promised_price_holds_when_the_price_changes(world, http):
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200
    accepted = await payer.price(http, request())
    dear = replace(worlds.CARD, input_per_million=900_000_000, output_per_million=900_000_000)
    await world.gateway.get(Listings).price("chat", dear, 0)
    assert int((await payer.price(http, request()))["amount"]) > 100 * int(accepted["amount"])
    paid = await payer.pay(http, request(), payer.payment(accepted, payer.voucher(DOLLAR // 2)))
    assert paid.status_code == 200
    last = (await world.ledger.metered(payer.channel))[-1]
    assert last.price_card_version == 1
    assert last.bill.charge <= int(accepted["amount"])


async def test_a_payment_without_a_quote_limits_its_call_by_its_amount(world, http):
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200
    accepted = await payer.price(http, request())
    plain = accepted | {"amount": "60", "extra": {k: v for k, v in accepted["extra"].items() if k != "quote"}}
    paid = await payer.pay(http, request(), payer.payment(plain, payer.voucher(DOLLAR // 2)))
    assert paid.status_code == 200
    assert (await world.ledger.metered(payer.channel))[-1].ceiling <= 60
    tiny = plain | {"amount": "3"}
    refused = await payer.pay(http, request(), payer.payment(tiny, payer.voucher(DOLLAR // 2)))
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "over_budget")


async def test_a_hundred_calls_at_once_on_one_channel_never_pass_the_deposit(world, http):
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200
    body = request(max_tokens=1_000)
    accepted = await payer.price(http, body)
    payment = payer.payment(accepted, payer.voucher(DOLLAR))
    asks = (http.post, f"{world.url}/chat/completions")
    header = {"PAYMENT-SIGNATURE": base64.b64encode(orjson.dumps(payment)).decode()}
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(timeout=60, limits=limits) as many:
        ended = await asyncio.gather(
            *(many.post(asks[1], json=body, headers=header) for _ in range(400)), return_exceptions=True
        )
    answers = [each for each in ended if isinstance(each, httpx.Response)]
    broken = [each for each in ended if not isinstance(each, httpx.Response)]
    assert not broken, broken[:3]
    codes = {answer.status_code for answer in answers}
    assert codes <= {200, 402, 504}  # 504: a starved machine did not connect to the upstream in time; charged nothing
    assert 200 in codes
    channel = await world.ledger.account(payer.channel)
    assert channel.reserved == 0
    assert channel.charged <= DOLLAR
    assert len(await world.ledger.metered(payer.channel, limit=500)) == 1 + sum(a.status_code == 200 for a in answers)


async def test_a_withdrawing_channel_takes_no_call(world, http):
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200
    config = payer.config.to_dict()
    on_chain = OnChain(
        payer=address(config["payer"]),
        payer_authorizer=address(config["payerAuthorizer"]),
        receiver=config["receiver"],
        receiver_authorizer=config["receiverAuthorizer"],
        token=config["token"],
        withdraw_delay=86_400,
        salt=bytes.fromhex(config["salt"][2:]),
    )
    settlement = BatchSettlement(world.installation.get(Operator).escrow.contract, world.installation.client)
    payer_address = address(payer.account.address)
    await world.devnet.set_balance(payer_address, 10**18)
    await world.devnet.send_as(payer_address, settlement.initiate_withdraw(on_chain, 1_000))
    await world.installation.get(EventWatcher).poll()
    accepted = await payer.price(http, request())
    refused = await payer.pay(http, request(), payer.payment(accepted, payer.voucher(DOLLAR // 2)))
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "channel_withdrawing")


async def test_a_deposit_on_its_way_is_waited_for_and_never_made_twice(world, http):
    world.gateway.get(Deposits).wait_seconds = 0.2  # a minute in earnest
    payer = await hands.HandPayer.make(world)
    accepted = await payer.price(http, request())
    voucher = payer.voucher(int(accepted["amount"]))
    await world.devnet.set_automine(on=False)
    pending = await payer.pay(http, request(), payer.payment(accepted, voucher, deposit=payer.deposit(DOLLAR)))
    assert (pending.status_code, pending.json()["error"]["code"]) == (503, "deposit_pending")
    another = await payer.pay(http, request(), payer.payment(accepted, voucher, deposit=payer.deposit(DOLLAR)))
    assert (another.status_code, another.json()["error"]["code"]) == (503, "deposit_pending")
    await world.devnet.mine()
    await world.devnet.set_automine(on=True)
    world.gateway.get(Deposits).wait_seconds = 60
    third = await payer.pay(http, request(), payer.payment(accepted, voucher, deposit=payer.deposit(DOLLAR)))
    assert third.status_code == 200, third.text
    assert await world.balance(payer.account) == 999 * DOLLAR


async def test_the_same_identifier_is_charged_once(world, http):
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200
    accepted = await payer.price(http, request())
    extensions = {"payment-identifier": {"info": {"required": False, "id": "order_0123456789abcdef"}}}
    payment = payer.payment(accepted, payer.voucher(DOLLAR // 2)) | {"extensions": extensions}
    first, second = [await payer.pay(http, request(), payment) for _ in range(2)]
    assert first.json()["choices"] == second.json()["choices"]
    assert second.headers["x-usufruct-replayed"] == "true"
    assert first.headers["payment-response"] == second.headers["payment-response"]
    assert len(await world.ledger.metered(payer.channel)) == 2
    other = await payer.pay(
        http,
        request(max_tokens=9),
        payer.payment(await payer.price(http, request(max_tokens=9)), payer.voucher(DOLLAR // 2))
        | {"extensions": extensions},
    )
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_an_answered_call_is_answered_again_when_its_quote_is_over(world, http, monkeypatch):
    """To its payer only: a signature of somebody else, or a voucher from the chain, gets nothing."""
    payer, stranger = await hands.HandPayer.make(world), await world.account()
    assert (await payer.fill(http, request())).status_code == 200
    accepted = await payer.price(http, request())
    extensions = {"extensions": {"payment-identifier": {"info": {"required": False, "id": "order_0123456789abcdef"}}}}
    voucher = payer.voucher(DOLLAR // 2)
    payment = payer.payment(accepted, voucher) | extensions
    first = await payer.pay(http, request(), payment)
    assert first.status_code == 200
    late = Clock().now() + 301
    monkeypatch.setattr(Clock, "now", lambda _: late)

    second = await payer.pay(http, request(), payment)
    assert second.status_code == 200, second.text
    assert second.headers["x-usufruct-replayed"] == "true"
    assert first.json()["choices"] == second.json()["choices"]
    assert first.headers["payment-response"] == second.headers["payment-response"]
    by_header = await payer.pay(
        http, request(), payer.payment(accepted, voucher), **{"Idempotency-Key": "order_0123456789abcdef"}
    )
    assert by_header.headers["x-usufruct-replayed"] == "true"
    assert len(await world.ledger.metered(payer.channel)) == 2

    async def refused(payment, body=None) -> tuple[int, str]:
        answer = await payer.pay(http, body or request(), payment)
        assert "choices" not in answer.text
        return answer.status_code, answer.json()["error"]["code"]

    forged = payer.voucher(DOLLAR // 2, signer=stranger)
    assert await refused(payer.payment(accepted, forged) | extensions) == (402, "wrong_signer")
    assert await refused(payer.payment(accepted, voucher)) == (402, "stale_quote"), "nothing is kept under no name"
    assert await refused(payment, request(max_tokens=9)) == (422, "idempotency_key_reused")
    unknown = {"extensions": {"payment-identifier": {"info": {"required": False, "id": "order_never_seen_here"}}}}
    assert await refused(payer.payment(accepted, voucher) | unknown) == (402, "stale_quote")
    nowhere = await hands.HandPayer.make(world)
    assert await refused(nowhere.payment(accepted, nowhere.voucher(5)) | extensions) == (402, "stale_quote")
    await world.installation.get(Claimer).run(everything=True)
    claimed = payer.voucher(int(accepted["amount"]))  # of the first call: it stands in the claim
    assert await refused(payer.payment(accepted, claimed) | extensions) == (402, "voucher_published")


async def test_a_payment_with_its_deposit_is_answered_again_even_when_the_deposit_has_expired(world, http):
    payer = await hands.HandPayer.make(world)
    head = await world.installation.client.head()
    accepted = await payer.price(http, request())
    extensions = {"payment-identifier": {"info": {"required": False, "id": "order_0123456789abcdef"}}}
    deposit = payer.deposit(DOLLAR, before=head.timestamp + 60)
    payment = payer.payment(accepted, payer.voucher(int(accepted["amount"])), deposit=deposit)
    first = await payer.pay(http, request(), payment | {"extensions": extensions})
    await world.devnet.pass_time(120)
    second = await payer.pay(http, request(), payment | {"extensions": extensions})
    assert (first.status_code, second.status_code) == (200, 200), second.text
    assert second.headers["x-usufruct-replayed"] == "true"
    assert first.headers["payment-response"] == second.headers["payment-response"]
    assert await world.balance(payer.account) == 999 * DOLLAR
    assert len(await world.ledger.metered(payer.channel)) == 1


async def test_refund_requests(world, http):
    payer = await hands.HandPayer.make(world)
    url = f"{world.url}/chat/completions"
    assert (await payer.fill(http, request())).status_code == 200
    accepted = decoded((await http.get(url)).headers["payment-required"])["accepts"][0]
    assert accepted["amount"] == "0"

    async def ask(voucher, **more):
        payment = payer.payment(accepted, voucher, type="refund", **more)
        header = base64.b64encode(orjson.dumps(payment)).decode()
        return await http.get(url, headers={"PAYMENT-SIGNATURE": header})

    thief = await ask(payer.voucher(1, signer=Account.create()))
    assert (thief.status_code, thief.json()["error"]["code"]) == (402, "wrong_signer")
    too_much = await ask(payer.voucher(1), amount=str(5 * DOLLAR))
    assert (too_much.status_code, too_much.json()["error"]["code"]) == (402, "refund_too_high")
    some = await ask(payer.voucher(1), amount="20000")
    assert some.status_code == 200
    assert await world.balance(payer.account) == 999 * DOLLAR + 20_000
    rest = await ask(payer.voucher(1))
    assert rest.status_code == 200
    nothing = await ask(payer.voucher(1))
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (402, "nothing_to_refund")
    charged = (await world.ledger.account(payer.channel)).charged
    assert await world.balance(payer.account) == 1000 * DOLLAR - charged


async def test_who_pays_reads_the_receipt_by_the_calls_id(world, http):
    payer = await hands.HandPayer.make(world)
    paid = await payer.fill(http, request())
    shown = await http.get(f"{world.url}/receipts/{paid.headers['x-request-id']}")
    assert shown.json()["receipt"]["account"] == payer.channel
    assert (await http.get(f"{world.url}/receipts/0x{'00' * 32}")).status_code == 404


async def test_a_callers_own_limit_binds_a_promised_price_too(world, http):
    payer = await hands.HandPayer.make(world)
    accepted = await payer.price(http, request())
    payment = payer.payment(accepted, payer.voucher(int(accepted["amount"])), deposit=payer.deposit(DOLLAR))
    refused = await payer.pay(http, request(), payment, **{"x-usufruct-limit": "21"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "over_budget")
    assert int(decoded(refused.headers["payment-required"])["accepts"][0]["amount"]) == int(accepted["amount"])
    assert await world.balance(payer.account) == 1000 * DOLLAR


async def test_while_the_chain_is_away_calls_go_on_and_deposits_wait(world, http):
    """What is promised is promised off the chain; only money that is needed needs it."""
    payer, newcomer = await hands.HandPayer.make(world), await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200
    await world.anvil.stop()
    accepted = await payer.price(http, request())
    voucher = payer.voucher(DOLLAR // 2)
    assert (await payer.pay(http, request(), payer.payment(accepted, voucher))).status_code == 200

    more = payer.payment(accepted, payer.voucher(DOLLAR // 3 * 2), deposit=payer.deposit(DOLLAR))
    first = newcomer.payment(accepted, newcomer.voucher(200), deposit=newcomer.deposit(DOLLAR))
    assert (await payer.pay(http, request(), more)).status_code == 200
    refused = await newcomer.pay(http, request(), first)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "rpc_unavailable"), refused.text
    assert len(await world.ledger.metered(payer.channel)) == 3
    assert await world.ledger.pending_deposits() == []
