"""Headers and signatures against the PyPI x402 package; receipts against the gateway's own code."""

import base64
import json
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from x402.http.utils import (
    decode_payment_signature_header,
    encode_payment_required_header,
    encode_payment_response_header,
)
from x402.mechanisms.evm.batch_settlement.client.voucher import sign_voucher as their_voucher
from x402.mechanisms.evm.batch_settlement.constants import (
    ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
    RECEIVE_AUTHORIZATION_TYPES,
)
from x402.mechanisms.evm.batch_settlement.encoding import build_erc3009_deposit_nonce
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig as TheirConfig
from x402.mechanisms.evm.batch_settlement.types import DepositPayload, RefundPayload, VoucherPayload
from x402.mechanisms.evm.batch_settlement.utils import coerce_bytes32, compute_channel_id
from x402.mechanisms.evm.signers import EthAccountSigner
from x402.schemas import PaymentRequired, PaymentRequirements, SettleResponse

from usufruct.core.price_cards import PriceCard
from usufruct.payments.pricing.charges import price_lines
from usufruct.payments.pricing.usage import Usage
from usufruct_client import BadAnswer, Invalid, Wallet
from usufruct_client.answer import AnswerReader, EventReader
from usufruct_client.bill_lines import bill_lines
from usufruct_client.price_card import PriceCard as QuotedCard
from usufruct_client.receipt import read_receipt
from usufruct_client.signing import channel_id, sign_voucher, voucher_signer
from usufruct_client.spending_rules import Rules
from usufruct_client.text import data_member, text_hash
from usufruct_client.wire import ChannelConfig
from usufruct_client.wire_types import read_answer
from usufruct_client.x402 import PaymentPayload, read_required, read_response

SDK = Path(__file__).parents[2] / "sdk"
CHAIN = 31337
addresses = st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())
hashes = st.binary(min_size=32, max_size=32).map(lambda b: "0x" + b.hex())
chains = st.one_of(st.sampled_from([1, 8453, CHAIN]), st.integers(1, 2**53 - 1))
keys = st.integers(1, 2**255).map(lambda n: n.to_bytes(32, "big"))
amounts = st.one_of(st.integers(0, 10**9), st.integers(0, 2**128 - 1))
configs = st.builds(
    ChannelConfig, addresses, addresses, addresses, addresses, addresses, st.integers(0, 2**40 - 1), hashes
)
EXTRA = {
    "receiverAuthorizer": "0x" + "AA" * 20,
    "withdrawDelay": 86400,
    "name": "Test Dollar",
    "version": "1",
    "assetTransferMethod": "eip3009",
    "minDeposit": "500",
    "quote": "1.2.3.ff",
}
ENTRY = {
    "scheme": "batch-settlement",
    "network": f"eip155:{CHAIN}",
    "amount": "100",
    "asset": "0x" + "70" * 20,
    "payTo": "0x" + "AA" * 20,
    "maxTimeoutSeconds": 300,
    "extra": EXTRA,
}


def header(**changes) -> str:
    return document_header({"x402Version": 2, "error": "payment_required", "accepts": [ENTRY | changes]})


def document_header(document) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


@settings(max_examples=100, deadline=None)
@given(config=configs, chain=chains)
def test_channel_ids_are_those_of_x402(config, chain):
    theirs = TheirConfig(*vars(config).values())
    assert channel_id(config, chain) == compute_channel_id(theirs, chain)


@settings(max_examples=60, deadline=None)
@given(channel=hashes, chain=chains, key=keys, amount=amounts)
def test_vouchers_are_those_of_x402_byte_for_byte(channel, chain, key, amount):
    account = Account.from_key(key)
    theirs = their_voucher(EthAccountSigner(account), channel, amount, f"eip155:{chain}")
    signature = bytes.fromhex(theirs.signature[2:])
    assert sign_voucher(account, channel, amount, chain) == signature
    assert Wallet.from_key(key).voucher(channel, amount, chain).as_json() == theirs.to_dict()
    assert voucher_signer(channel, amount, chain, signature) == account.address.lower()
    assert voucher_signer(channel, amount ^ 1, chain, signature) != account.address.lower()


def test_signatures_that_the_chain_would_not_take_are_nobodys():
    account = Account.from_key(b"\x01" * 32)
    good = sign_voucher(account, "0x" + "01" * 32, 5, CHAIN)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(good[32:64])).to_bytes(32, "big")
    for bad in (
        good[:64] + bytes([good[64] - 27]),
        good[:32] + high + bytes([55 - good[64]]),
        good[:64],
        b"\xff" * 64 + b"\x1b",
        bytes(64) + b"\x1b",
    ):
        assert voucher_signer("0x" + "01" * 32, 5, CHAIN, bad) is None


def test_what_x402_writes_is_read():
    written = encode_payment_required_header(
        PaymentRequired(
            error="invalid_batch_settlement_evm_cumulative_amount_mismatch",
            accepts=[
                PaymentRequirements.model_validate({**ENTRY, "scheme": "exact"}),
                PaymentRequirements(**_snake(ENTRY)),
            ],
        )
    )
    required = read_required(written)
    assert required.error == "cumulative_amount_mismatch"
    terms = required.requirements
    assert (terms.chain_id, terms.amount, terms.min_deposit, terms.timeout_seconds) == (CHAIN, 100, 500, 300)
    assert terms.operator == terms.receiver_authorizer == "0x" + "aa" * 20
    assert dict(terms.raw) == ENTRY
    settled = SettleResponse(success=True, transaction="", network="eip155:1", amount="7", extra={"chargedAmount": "7"})
    response = read_response(encode_payment_response_header(settled))
    assert (response.success, response.amount, response.charged, response.transaction) == (True, 7, 7, "")


def test_what_a_gateway_leaves_empty_is_as_if_it_were_left_out():
    optional = ("minDeposit", "channelState", "voucherState", "priceCard")
    offer = {**ENTRY, "extra": ENTRY["extra"] | dict.fromkeys(optional)}
    document = {"x402Version": 2, "error": None, "accepts": [offer]}
    terms = read_required(base64.b64encode(json.dumps(document).encode()).decode()).requirements
    assert (terms.min_deposit, terms.channel_state, terms.voucher_state, terms.price_card) == (0, None, None, None)


def _snake(entry) -> dict:
    names = {"payTo": "pay_to", "maxTimeoutSeconds": "max_timeout_seconds"}
    return {names.get(name, name): value for name, value in entry.items()}


@pytest.mark.parametrize("session", [None, "0x" + "33" * 32])
def test_what_we_write_is_read_by_x402(session):
    wallet = Wallet.from_key("0x" + "21" * 32, voucher_key=session)
    terms = read_required(header()).requirements
    config = wallet.config(terms, "0x" + "44" * 32)
    channel = channel_id(config, CHAIN)
    voucher = wallet.voucher(channel, 100, CHAIN)
    deposit = wallet.deposit(channel, terms, 1000, 1_800_000_300)
    sent = PaymentPayload("deposit", config, voucher, deposit.document())
    payment = decode_payment_signature_header(sent.header(terms))
    assert (payment.x402_version, payment.accepted.model_dump(by_alias=True)) == (2, ENTRY)
    theirs = DepositPayload.from_dict(payment.payload)
    assert theirs.to_dict() == payment.payload
    assert compute_channel_id(theirs.channel_config, CHAIN) == theirs.voucher.channel_id == channel
    assert theirs.deposit.authorization.erc3009_authorization.signature == _their_deposit(channel, deposit)
    plain = decode_payment_signature_header(PaymentPayload("voucher", config, voucher).header(terms)).payload
    assert VoucherPayload.from_dict(plain).to_dict() == plain
    refund = decode_payment_signature_header(PaymentPayload("refund", config, voucher, amount=7).header(terms)).payload
    assert RefundPayload.from_dict(refund).to_dict() == refund
    whole = decode_payment_signature_header(PaymentPayload("refund", config, voucher).header(terms)).payload
    assert "amount" not in whole


def _their_deposit(channel: str, deposit) -> str:
    account = Account.from_key("0x" + "21" * 32)
    domain = {"name": "Test Dollar", "version": "1", "chainId": CHAIN, "verifyingContract": ENTRY["asset"]}
    message = {
        "from": account.address,
        "to": ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
        "value": deposit.amount,
        "validAfter": 0,
        "validBefore": deposit.valid_before,
        "nonce": coerce_bytes32(build_erc3009_deposit_nonce(channel, deposit.salt)),
    }
    signer = EthAccountSigner(account)
    return "0x" + signer.sign_typed_data(domain, RECEIVE_AUTHORIZATION_TYPES, "ReceiveWithAuthorization", message).hex()


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("?", "PAYMENT-REQUIRED must be base64 of JSON"),
        (document_header([]), "PAYMENT-REQUIRED must be an object"),
        (document_header({"x402Version": 1, "accepts": []}), "x402Version must be 2"),
        (document_header({"x402Version": 2}), "accepts is missing"),
        (document_header({"x402Version": 2, "accepts": {}}), "accepts must be a list"),
        (document_header({"x402Version": 2, "accepts": []}), "offers no batch-settlement"),
        (header(scheme="exact"), "offers no batch-settlement"),
        (header(network="solana:1"), "network must be eip155"),
        (header(network="eip155:0"), "network must be eip155"),
        (header(amount=100), r"accepts\[0\].amount must be a whole number"),
        (header(amount="-1"), "amount"),
        (header(amount=str(2**128)), "from 0 to 340282366920938463463374607431768211455"),
        (header(amount="１"), "amount"),
        (header(asset="0x12"), "asset must be an address"),
        (header(maxTimeoutSeconds=True), "maxTimeoutSeconds must be a whole number"),
        (header(maxTimeoutSeconds=1 << 255), "from 0 to 86400"),
        (header(extra=None), "extra.receiverAuthorizer is missing"),
        (header(extra=EXTRA | {"assetTransferMethod": "permit2"}), "assetTransferMethod must be 'eip3009'"),
        (header(extra=EXTRA | {"withdrawDelay": 2**40}), "withdrawDelay"),
        (header(extra=EXTRA | {"name": ""}), "extra.name must be text"),
        (
            header(extra=EXTRA | {"channelState": {"channelId": "0x1"}}),
            "channelState.channelId must be 0x and 64 hex digits",
        ),
        (header(extra=EXTRA | {"voucherState": {"signedMaxClaimable": "1", "signature": "0x"}}), "65 bytes"),
    ],
)
def test_a_malformed_402_is_named(written, says):
    with pytest.raises(BadAnswer, match=says):
        read_required(written)


def test_a_malformed_response_is_named():
    for document, says in (
        ({"success": 1, "transaction": ""}, "success must be true or false"),
        ({"success": True}, "transaction is missing"),
        ({"success": True, "transaction": "", "extra": {"chargedAmount": 7}}, "chargedAmount must be"),
    ):
        with pytest.raises(BadAnswer, match=says):
            read_response(document_header(document))


def test_receipts_are_those_of_the_gateway(fake):
    gateway = fake.FakeGateway()
    books = fake.Books()
    document = gateway._receipt("0x" + "12" * 32, books, books.reserve(40), 40, "34" * 32, "said")
    receipt = read_receipt(document)
    assert read_receipt(receipt.as_json()) == receipt
    assert receipt.signed_by() == receipt.signer == fake.OPERATOR.address
    assert receipt.above == 0
    for name in (
        "asset",
        "price_card_version",
        "ceiling",
        "amount",
        "cumulative",
        "time",
    ):
        assert replace(receipt, **{name: getattr(receipt, name) + 1}).signed_by() != receipt.signer
    for name in document:
        with pytest.raises(BadAnswer, match=name):
            read_receipt({**document, name: None})
    with pytest.raises(BadAnswer, match=r"receipt\.countedBy"):
        read_receipt({**document, "countedBy": "Sampled!"})
    signature = document["signature"]
    for loose in (signature + " ", f"0x {signature[2:]}", signature[:4] + "\n" + signature[4:], signature[2:]):
        with pytest.raises(BadAnswer, match=r"receipt\.signature"):
            read_receipt({**document, "signature": loose})


def test_a_receipt_may_be_counted_in_a_way_that_is_newer_than_the_client(fake):
    gateway, books = fake.FakeGateway(), fake.Books()
    gateway.counted_by = SimpleNamespace(value="sampled_twice")
    document = gateway._receipt("0x" + "12" * 32, books, books.reserve(40), 40, "34" * 32, "said")
    receipt = read_receipt(document)
    assert (receipt.counted_by, receipt.signed_by()) == ("sampled_twice", receipt.signer)


prices = st.integers(0, 2**128 - 1)
counts = st.integers(0, 2**20)


@given(
    st.builds(PriceCard, prices, prices, prices, counts, st.integers(1, 2**63), st.integers(0, 10_000)),
    st.tuples(counts, counts, counts),
)
def test_a_quoted_price_card_makes_the_gateways_charge(card, usage):
    quoted = read_answer(QuotedCard, json.loads(json.dumps(card.as_json())))
    used = Usage(usage[0] + usage[1], usage[2], usage[1]).quantities
    assert bill_lines(used, quoted.rates) == price_lines(used, card)


@pytest.mark.parametrize("member", PriceCard(1, 2, 3, 4, 5).as_json())
def test_a_malformed_price_card_is_named(member):
    with pytest.raises(BadAnswer, match=f"priceCard.{member} must be"):
        read_answer(QuotedCard, PriceCard(1, 2, 3, 4, 5).as_json() | {member: -1}, "priceCard")


values = st.recursive(
    st.none() | st.text(max_size=5) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.text(st.characters() | st.sampled_from("\ud83d\ude00a"), max_size=8))
def test_halves_of_characters_are_hashed_as_browsers_encode_them(text):
    units = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert text_hash(text) == "0x" + sha256(units.encode()).hexdigest()


@given(before=values, data=values, after=values, indent=st.sampled_from([None, 1]))
def test_the_data_member_is_cut_out_as_it_stands(before, data, after, indent):
    inner = json.dumps(data, separators=(",", " :  "))
    body = f'{{"a" : {json.dumps(before, indent=indent)},\n "data":{inner} , "b": {json.dumps(after)}}}'
    assert data_member(body) == inner
    assert data_member(json.dumps({"a": before, "b": after})) == ""


@pytest.mark.parametrize("body", [b'{"data": ["\xed\xa0\x80"]}', '{"data": [1]}'.encode("utf-16")])
def test_an_answer_that_is_not_utf8_is_read_to_its_end(body):
    reader = AnswerReader({})
    reader.feed(body)
    assert reader.end() == b""
    assert isinstance(reader.read_text(), str)


@given(st.data(), st.sampled_from([b"\n", b"\r\n"]))
def test_a_stream_says_the_same_however_it_is_cut(data, end):
    events = [
        b'data: {"choices":[{"delta":{"content":"\xc3\xa9a"}}]}',
        b": keep-alive",
        b'event: x\ndata:{"choices":[{"delta":{"content":"b"}}],\ndata:"usage":null}'.replace(b"\n", end),
        b"data: nonsense",
        b"data: [DONE]",
        b'data: {"choices":[],"usufruct":{"call":"0x1"}}',
    ]
    stream = b"".join(event + end + end for event in events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = EventReader()
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:stop])
    assert (reader.text, reader.done, reader.bill) == ("éab", True, {"call": "0x1"})


DEEP = """
import sys
limit = sys.getrecursionlimit()
from usufruct_client import BadAnswer
from usufruct_client.answer import AnswerReader, EventReader
from usufruct_client.x402 import read_required
import base64
assert sys.getrecursionlimit() == limit
deep = b"[" * 200_000
whole = AnswerReader({})
whole.feed(deep)
assert whole.read_text() == ""
EventReader().feed(b"data: " + deep + bytes((10, 10)))
try:
    read_required(base64.b64encode(deep).decode())
except BadAnswer:
    print("stands")
"""


def test_deep_json_does_not_end_the_process():
    done = subprocess.run(
        [sys.executable, "-c", DEEP], capture_output=True, text=True, env={"PYTHONPATH": str(SDK)}, check=False
    )
    assert done.stdout == "stands\n", (done.returncode, done.stderr)


def test_an_address_with_a_wrong_character_is_refused_before_anything_is_signed():
    mistyped = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dd"
    with pytest.raises(BadAnswer, match="checksum"):
        read_required(header(payTo=mistyped))
    for field in ("tokens", "operators", "receipt_signers"):
        with pytest.raises(Invalid, match=f"{field} holds '{mistyped}'.*copy it again"):
            Rules(1, 1, **{field: [mistyped]})
