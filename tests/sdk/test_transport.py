"""Calls over HTTP: paid, billed, in parallel, and everything a gateway may do wrong."""

import asyncio
import logging
import sqlite3
import time

import httpx
import openai
import pytest

from tests.support.waiting import until
from usufruct_client import (
    BadAnswer,
    DepositPending,
    Mistrusted,
    NotAllowed,
    OverBudget,
    OverLimit,
    RefundRefused,
    TermsChanged,
    Wallet,
)

ANSWER = "To be or not to be"
ASK = {"model": "m", "messages": [{"role": "user", "content": "?"}]}


def books(gateway):
    return next(iter(gateway.channels.values()))


def state(connection):
    return next(iter(connection.purse.channels))


def post(connection, **members) -> httpx.Response:
    with connection.client() as client:
        return client.post(connection.base_url + "/chat/completions", json=ASK | members)


def wait_for(true, seconds: float = 60.0) -> None:
    for _ in range(int(seconds * 100)):
        if true():
            return
        time.sleep(0.01)
    raise TimeoutError


def move_salt(source, target) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        new.executemany("INSERT INTO salts VALUES (?, ?)", old.execute("SELECT * FROM salts").fetchall())
    old.close()
    new.close()


def open_ai(connection) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=connection.base_url, api_key=connection.api_key, http_client=connection.client(), max_retries=0
    )


def test_a_call_is_paid_and_its_receipt_kept(gateway, join):
    connection = join()
    assert post(connection, seed=30).json()["choices"][0]["message"]["content"] == ANSWER
    assert post(connection, seed=20).status_code == 200
    channel = state(connection)
    assert (channel.charged, channel.balance, channel.slots) == (50, 1000, {})
    assert books(gateway).vouchers == [100, 130]
    assert list(books(gateway).deposits.values()) == [1000]
    receipts = connection.purse.receipts(channel.id)
    assert [(each.above, each.cumulative) for each in receipts] == [(0, 30), (30, 50)]
    assert connection.purse.disputes == ()
    assert gateway.requests[0]["x-usufruct-limit"] == "100"


def test_the_openai_client_works_unchanged(gateway, join):
    connection = join()
    with open_ai(connection) as client:
        whole = client.chat.completions.create(**ASK, seed=10)
        assert whole.choices[0].message.content == ANSWER
        for usage in (True, False):
            stream = client.chat.completions.create(
                **ASK, seed=15, stream=True, **({"stream_options": {"include_usage": True}} if usage else {})
            )
            assert "".join(c.choices[0].delta.content for c in stream if c.choices) == ANSWER
        assert client.embeddings.create(model="m", input="x").data[0].embedding
    assert state(connection).charged == books(gateway).charged == 10 + 15 + 15 + 40
    assert connection.purse.disputes == ()
    assert len(connection.purse.receipts(state(connection).id)) == 4


@pytest.mark.parametrize("usage", [True, False], ids=["bill before DONE", "bill after DONE"])
async def test_the_async_openai_client_streams(gateway, join, usage):
    connection = join()
    async with openai.AsyncOpenAI(
        base_url=connection.base_url, api_key=connection.api_key, http_client=connection.async_client()
    ) as client:
        stream = await client.chat.completions.create(
            **ASK, seed=15, stream=True, stream_options={"include_usage": usage}
        )
        first = await anext(aiter(stream))
        assert state(connection).promised == 100  # the ceiling, until the bill is there
        said = [first, *[chunk async for chunk in stream]]
    assert "".join(c.choices[0].delta.content for c in said if c.choices) == ANSWER
    assert (state(connection).charged, state(connection).slots) == (15, {})
    assert connection.purse.disputes == ()
    assert len(connection.purse.receipts(state(connection).id)) == 1


async def test_twenty_calls_run_side_by_side_on_one_channel(gateway, join):
    gateway.min_deposit = 3000
    connection = join(budget=10_000)
    async with connection.async_client() as client:
        url = connection.base_url + "/chat/completions"
        await client.post(url, json=ASK | {"seed": 1})
        gateway.together = 20
        answers = await asyncio.gather(
            *(client.post(url, json=ASK | {"seed": n, "stream": n % 2 == 0}) for n in range(20))
        )
    assert [answer.status_code for answer in answers] == [200] * 20
    assert gateway.most_running == 20
    assert len(gateway.channels) == 1
    channel = state(connection)
    assert channel.charged == books(gateway).charged == 1 + sum(range(20))
    assert (channel.slots, channel.doubtful, connection.purse.disputes) == ({}, 0, ())
    receipts = connection.purse.receipts(channel.id)
    assert [each.above for each in receipts[1:]] == [each.cumulative for each in receipts[:-1]]


async def test_the_first_calls_wait_for_one_deposit_and_later_ones_for_the_next(gateway, join):
    gateway.pending_times, gateway.deposits_first = 2, 2
    connection = join()
    async with connection.async_client() as client:
        url = connection.base_url + "/chat/completions"
        answers = await asyncio.gather(*(client.post(url, json=ASK | {"seed": 5}) for _ in range(15)))
    assert {answer.status_code for answer in answers} == {200}
    assert list(books(gateway).deposits.values()) == [1000, 1000]
    assert (state(connection).charged, state(connection).balance) == (75, 2000)


async def test_vouchers_that_overtake_each_other_are_signed_again(gateway, join):
    connection = join()
    post(connection, seed=0)
    gateway.together, gateway.overtaken = 2, {100: 2}
    async with connection.async_client() as client:
        url = connection.base_url + "/chat/completions"
        answers = await asyncio.gather(*(client.post(url, json=ASK | {"seed": 1}) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert books(gateway).vouchers == [100, 200, 200]  # that of 100 was refused in between, and signed again as 200
    assert len(gateway.requests) == 2 + 2 * 2 + 1
    assert (state(connection).charged, state(connection).doubtful) == (2, 0)


def test_an_abandoned_stream_counts_in_full_until_the_gateway_says_less(gateway, join):
    gateway.hang = True
    connection = join(limit=500, multiplier=1)
    stream = ASK | {"stream": True, "seed": 30}
    with connection.client() as client, client.stream("POST", connection.base_url + "/x", json=stream) as answer:
        assert next(answer.iter_bytes())
    channel = state(connection)
    assert (channel.charged, channel.doubtful, channel.slots, channel.balance) == (100, 100, {}, 500)
    gateway.hang = False
    wait_for(lambda: books(gateway).reserved == 0)
    assert books(gateway).charged == 30
    gateway.ceiling = 470  # fits into the 500 because 30 were charged, and not 100
    assert post(connection, seed=10).status_code == 200
    assert books(gateway).vouchers == [100, 500]
    assert len(books(gateway).deposits) == 1
    gateway.ceiling = 480  # 40 charged: does not fit
    assert post(connection, seed=10).status_code == 200
    assert state(connection).charged == books(gateway).charged == 50
    assert state(connection).doubtful == 0
    assert connection.purse.disputes == ()


def test_a_stream_that_ends_without_a_bill_is_disputed(gateway, join, caplog):
    connection = join()
    with connection.client() as client:
        gateway.spoil_receipt = {"call": "0x00"}
        assert client.post(connection.base_url + "/x", json=ASK | {"stream": True}).text.endswith("\n\n")
    assert state(connection).charged == 100
    assert "receipt.call must be 0x and 64 hex digits" in connection.purse.disputes[0].what
    assert "dispute: " in caplog.text


def test_another_process_used_the_channel_and_the_gateway_proves_it(gateway, join, tmp_path, wallet):
    first = join(store=tmp_path / "a.db")
    post(first, seed=30)
    (tmp_path / "b.db").write_bytes(b"")
    second = join(store=tmp_path / "b.db")
    move_salt(tmp_path / "a.db", tmp_path / "b.db")
    assert post(second, seed=20).status_code == 200  # it knew of no money and no charge: deposit, corrective, voucher
    assert post(first, seed=5).status_code == 200  # it knew of 30, not of 50
    assert state(first).charged == books(gateway).charged == 55
    assert first.purse.disputes == second.purse.disputes == ()


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({"channel_state": {"chargedCumulativeAmount": "5001"}}, "more than was ever signed: 5001 of 100"),
        ({"voucher_state": {"signedMaxClaimable": "9000"}}, "did not sign"),
        ({"voucher_state": {"signature": "0x" + "11" * 64 + "1b"}}, "did not sign"),
        ({"channel_state": {"channelId": "0x" + "22" * 32}}, "not 0x"),
    ],
)
def test_numbers_that_we_never_signed_are_not_believed(gateway, join, lie, says):
    connection = join()
    post(connection, seed=0)
    books(gateway).charged = 50
    for name, value in lie.items():
        setattr(gateway, name, value)
    before = state(connection)
    with pytest.raises(Mistrusted, match=says):
        post(connection)
    assert state(connection).charged == before.charged == 0
    assert state(connection).slots == {}
    assert len(books(gateway).vouchers) == 1


def test_the_gateways_true_numbers_are_answered_once(gateway, join):
    connection = join()
    post(connection, seed=0)
    books(gateway).charged = 50
    assert post(connection, seed=10).status_code == 200
    assert (state(connection).charged, books(gateway).vouchers) == (60, [100, 150])


CARD = {
    "version": "1",
    "unit": "text_token",
    "inputPerMillion": "0",
    "outputPerMillion": "20000000",
    "cachedInputBps": 0,
    "perCall": "0",
}
"""Makes 40 of the one token in and two out that the fake gateway's receipts say."""

LINE = {"unit": "output_text_token", "quantity": "2", "price": "20000000", "per": "1000000", "amount": "40"}
ROUNDING = {"unit": "rounding", "quantity": "1", "price": "1", "per": "1", "amount": "1"}


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        ({"overcharge": 70}, "above the ceiling of 100"),
        ({"spoil_receipt": {"amount": "41"}}, "signature is not"),
        ({"spoil_receipt": {"requestHash": "0x" + "00" * 32}}, "request_hash"),
        ({"spoil_receipt": {"responseHash": "0x" + "00" * 32}}, "response_hash"),
        ({"spoil_receipt": {"till": "0x" + "00" * 20}}, "till"),
        ({"spoil_receipt": {"cumulative": "999999"}}, "does not fit"),
        ({"spoil_receipt": {"amount": None}}, "receipt.amount must be"),
        (
            {"spoil_receipt": {"time": str(2**64)}},
            "receipt.time must be a whole number as text, from 0 to 18446744073709551615",
        ),
        ({"spoil_receipt": {"ceiling": "39"}}, "charged 40; the lines come to 40, the ceiling is 39"),
        ({"spoil_receipt": {"lines": []}}, "charged 40; the lines come to 0"),
        ({"spoil_receipt": {"lines": [LINE | {"quantity": "3"}]}}, "3 x 20000000 / 1000000 of output_text_token is"),
        ({"spoil_receipt": {"lines": [LINE, LINE]}}, "two lines of the receipt are of one unit"),
        ({"spoil_receipt": {"lines": [LINE | {"per": "3"}]}}, "per 3, which does not divide 10000000000"),
        ({"spoil_receipt": {"lines": [LINE, ROUNDING]}}, "line of rounding is not what the fractions"),
        (
            {"spoil_receipt": {"lines": [LINE | {"unit": "Token"}]}},
            "receipt.lines.0.unit must be text that matches ^[a-z]",
        ),
        ({"spoil_receipt": {"lines": "2"}}, "receipt.lines must be a list"),
        (
            {"billed_by": CARD, "price_card": CARD | {"perCall": "1"}},
            "the receipt's lines come to 40, by the quoted price to 41",
        ),
        (
            {"billed_by": CARD, "price_card": CARD | {"unit": "image"}},
            "the quoted price card has no price for input_text_token, output_text_token",
        ),
        ({"price_card": CARD | {"version": "2"}}, "charged by price card 1, not by the quoted 2"),
        ({"silent": True}, "nothing of what was charged"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_with_a_wrong_bill_is_delivered_and_disputed(gateway, join, caplog, spoilt, says, stream):
    caplog.set_level(logging.WARNING)
    connection = join()
    for name, value in spoilt.items():
        setattr(gateway, name, value)
    assert post(connection, seed=40, stream=stream).status_code == 200
    assert any(says in dispute.what for dispute in connection.purse.disputes)
    assert says in caplog.text
    assert state(connection).charged <= 100
    assert state(connection).slots == {}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_charge_that_the_quoted_price_card_makes_is_in_order(gateway, join, stream):
    connection = join()
    gateway.price_card = gateway.billed_by = CARD
    assert post(connection, seed=40, stream=stream).status_code == 200
    gateway.price_card = gateway.billed_by = CARD | {"perCall": str(10**30)}  # the ceiling is lower
    assert post(connection, seed=100, stream=stream).status_code == 200
    assert connection.purse.disputes == ()


def test_another_receipt_key_is_disputed_unless_it_is_allowed(gateway, join, fake):
    connection = join()
    post(connection)
    gateway.signer = fake.KeySigner(b"\x06" * 32)
    post(connection)
    assert "not by the operator's receipt key" in connection.purse.disputes[0].what
    allowed = join(receipt_signers=[gateway.signer.address.upper().replace("0X", "0x")])
    post(allowed)
    assert allowed.purse.disputes == ()


def test_one_receipt_cannot_bill_two_calls(gateway, join):
    connection = join()
    post(connection, seed=40)
    books(gateway).charged = 20  # the next receipt says 20..60, and 0..40 was billed
    post(connection, seed=40)
    assert "charges units that call" in connection.purse.disputes[0].what


def test_a_pending_deposit_is_sent_again_as_it_was(gateway, join, tmp_path):
    gateway.pending_times = 2
    connection, impatient = (join(store=tmp_path / "channels.db", deposit_seconds=each) for each in (120, 0.3))
    assert post(connection).status_code == 200
    signatures = {each["payment-signature"] for each in gateway.requests if "payment-signature" in each}
    assert len(signatures) == 1
    gateway.pending_times = 10**6
    gateway.ceiling = 100
    books(gateway).balance = 0
    state_before = state(connection)
    connection.purse.empty(type("Paid", (), {"channel": state_before.id}))
    with pytest.raises(DepositPending, match="nothing is paid twice"):
        post(impatient)
    assert state(connection).pending.unsure
    assert state(connection).slots == {}
    gateway.pending_times = 0
    waiting = state(connection).pending.deposit
    assert post(connection).status_code == 200
    assert waiting.salt in books(gateway).deposits
    assert state(connection).pending is None
    assert state(connection).deposited == sum(books(gateway).deposits.values()) == 1000 + waiting.amount


def test_a_deposit_that_was_made_for_a_call_that_was_then_refused_is_not_made_again(gateway, join):
    connection = join()
    gateway.after_deposit = 60
    assert post(connection, seed=0).status_code == 200
    assert list(books(gateway).deposits.values()) == [1000]
    assert (state(connection).balance, state(connection).charged, state(connection).slots) == (1000, 60, {})


def test_a_stale_quote_is_taken_fresh_once(gateway, join):
    connection = join()
    gateway.stale_times = 1
    assert post(connection).status_code == 200
    gateway.stale_times = 2
    assert post(connection).status_code == 402
    assert state(connection).slots == {}
    assert len(books(gateway).deposits) == 1


def test_what_a_gateway_refuses_costs_nothing(gateway, join):
    connection = join()
    gateway.refuse = "channel_withdrawing"
    with open_ai(connection) as client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**ASK)
    assert (caught.value.status_code, caught.value.code) == (402, "channel_withdrawing")
    gateway.refuse = ""
    assert (state(connection).promised, state(connection).balance) == (0, 0)
    assert post(connection, fail=True).status_code == 503
    assert (state(connection).promised, state(connection).balance) == (0, 1000)  # paid in, nothing charged
    assert connection.purse.disputes == ()


def test_words_of_a_proxy_leave_the_charge_open(gateway, join):
    connection = join()
    gateway.raw_status = 502
    assert post(connection).status_code == 502
    assert (state(connection).charged, state(connection).doubtful) == (100, 100)
    assert state(connection).pending.unsure


def test_limits_hold_before_anything_is_signed(gateway, join, fake):
    with pytest.raises(OverLimit, match="up to 100, over the limit of 99") as caught:
        post(join(limit=99))
    assert caught.value.details == {"amount": 100, "limit": 99}
    with pytest.raises(OverBudget, match="500 is needed"):
        post(join(budget=499))
    with open_ai(join(limit=99)) as client, pytest.raises(OverLimit):
        client.chat.completions.create(**ASK)
    assert not any("payment-signature" in each for each in gateway.requests)
    connection = join()
    post(connection)
    gateway.terms = {"payTo": "0x" + "99" * 20}
    with pytest.raises(TermsChanged, match="operator 0x9999"):
        post(connection)


def test_a_gateway_does_not_choose_the_token(gateway, join):
    with pytest.raises(NotAllowed, match=r'tokens=\["0x7070'):
        post(join(tokens=None))
    connection = join()
    post(connection)
    gateway.terms = {"asset": "0x" + "99" * 20}
    with pytest.raises(NotAllowed, match=r"token 0x9999.*allows 0x7070"):
        post(connection)
    assert sum("payment-signature" in each for each in gateway.requests) == 1


def test_a_budget_is_spent_to_the_last_deposit_and_no_further(gateway, join):
    connection = join(budget=900)
    for _ in range(9):
        assert post(connection, seed=100).status_code == 200
    with pytest.raises(OverBudget):
        post(connection, seed=100)
    assert sum(books(gateway).deposits.values()) == books(gateway).charged == 900


def test_a_session_key_signs_vouchers_and_no_deposits(gateway, join):
    wallet = Wallet.from_key("0x" + "21" * 32, voucher_key="0x" + "22" * 32)
    connection = join(wallet=wallet)
    assert post(connection).status_code == 200
    config = state(connection).config
    assert (config.payer, config.payer_authorizer) == (wallet.address, wallet.authorizer)
    assert wallet.address != wallet.authorizer
    books(gateway).charged += 10
    assert post(connection).status_code == 200  # the corrective 402 shows a voucher of the session key
    assert "21" * 32 not in repr(wallet)


async def test_money_comes_back(gateway, join):
    connection = join()
    post(connection, seed=40)
    refund = connection.refund(amount=200)
    assert (refund.amount, refund.transaction) == (200, "0x" + "ab" * 32)
    assert (state(connection).balance, state(connection).deposited) == (800, 1000)
    with pytest.raises(RefundRefused, match="760 is free"):
        connection.refund(amount=761)
    assert (await connection.arefund()).amount == 760
    with pytest.raises(RefundRefused, match="0 is free"):
        connection.refund()
    assert post(connection, seed=1).status_code == 200
    assert state(connection).charged == books(gateway).charged == 41


def test_the_file_is_shared_and_the_channel_remembered(gateway, join, tmp_path):
    post(join(store=tmp_path / "c.db"), seed=10)
    again = join(store=tmp_path / "c.db")
    post(again, seed=10)
    assert len(gateway.channels) == 1
    assert state(again).charged == 20
    assert (tmp_path / "c.db").stat().st_mode & 0o777 == 0o600


def test_other_requests_pass_through(gateway, join, hall):
    connection = join()
    with connection.client() as client:
        assert client.get(hall.url + "/v1/models").status_code == 402  # not a call: we do not pay it
        with pytest.raises(httpx.ConnectError):
            client.post("http://127.0.0.1:1/", json=ASK)
    assert not any("payment-signature" in each for each in gateway.requests)


def test_a_broken_header_is_named(gateway, join):
    connection = join()
    gateway.terms = {"payTo": "nobody"}
    with pytest.raises(BadAnswer, match=r"accepts\[0\].payTo must be an address"):
        post(connection)


async def test_a_call_that_is_given_up_counts_in_full(gateway, join):
    connection = join()
    gateway.held = True
    async with connection.async_client() as client:
        call = asyncio.create_task(client.post(connection.base_url + "/x", json=ASK))
        await until(lambda: gateway.running)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        with pytest.raises(httpx.ReadTimeout):
            await client.post(connection.base_url + "/x", json=ASK, timeout=httpx.Timeout(60, read=5))
    channel = state(connection)
    assert (channel.charged, channel.doubtful, channel.slots) == (200, 200, {})
    assert channel.pending.unsure  # the answer to the first would have said that its deposit is made
    gateway.held = False
    wait_for(lambda: books(gateway).reserved == 0)
    assert post(connection, seed=1).status_code == 200
    assert state(connection).pending is None
    assert state(connection).balance == sum(books(gateway).deposits.values()) == 1000


def test_a_payment_that_never_left_costs_nothing(gateway, join):
    connection = join()

    class Unplugged(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "payment-signature" in request.headers:
                raise httpx.ConnectError("no route")
            return super().handle_request(request)

    with connection.client(Unplugged()) as client, pytest.raises(httpx.ConnectError):
        client.post(connection.base_url + "/x", json=ASK)
    assert (state(connection).promised, state(connection).pending.unsure) == (0, False)
