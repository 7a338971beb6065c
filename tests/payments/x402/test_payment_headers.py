"""x402's headers against the PyPI package: what it writes we read as it is, what we write it reads as it is."""

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from x402.extensions.payment_identifier import append_payment_identifier_to_extensions, extract_payment_identifier
from x402.http.utils import (
    decode_payment_required_header,
    decode_payment_response_header,
    encode_payment_signature_header,
)
from x402.mechanisms.evm.batch_settlement import types as theirs
from x402.mechanisms.evm.batch_settlement.client.config import parse_announced_min_deposit
from x402.mechanisms.evm.batch_settlement.errors import __dict__ as their_errors
from x402.schemas import PaymentPayload, PaymentRequirements

from usufruct.chain import TokenFacts
from usufruct.core import Address, ChainId, Hash32, PaymentRequired, UsufructError
from usufruct.payments.ledger.records import Account
from usufruct.payments.pricing.vouchers import ChannelConfig
from usufruct.payments.settlement.operator_terms import ChannelRefused, operator_terms
from usufruct.payments.x402 import errors as names
from usufruct.payments.x402.errors import MalformedPayment
from usufruct.payments.x402.payment import PaymentKind, read_payment
from usufruct.payments.x402.requirements import Requirements
from usufruct.web import read_document

CHAIN = ChainId(31337)
TERMS = operator_terms(
    CHAIN,
    till=Address("0x" + "7a" * 20),
    token=TokenFacts(Address("0x" + "dc" * 20), "Test Dollar", "tUSD", 6, "1"),
    least_deposit=100_000,
    receipts=Address("0x" + "5e" * 20),
)
WANTED = Requirements(TERMS)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex()))
hashes = st.binary(min_size=32, max_size=32).map(lambda raw: Hash32("0x" + raw.hex()))
amounts = st.integers(0, 2**128 - 1)
configs = st.builds(
    ChannelConfig,
    payer=addresses,
    payer_authorizer=addresses,
    receiver=addresses,
    receiver_authorizer=addresses,
    token=addresses,
    withdraw_delay=st.integers(0, 2**40 - 1),
    salt=hashes,
)
identifiers = st.from_regex("[A-Za-z0-9_-]{16,128}", fullmatch=True)


def their_config(config: ChannelConfig) -> theirs.ChannelConfig:
    return theirs.ChannelConfig.from_dict(config.as_json())


def header_of(payload, amount: int, extensions=None) -> str:
    accepted = PaymentRequirements.model_validate(WANTED.requirements(amount, "1.2.3.mark"))
    return encode_payment_signature_header(
        PaymentPayload(payload=payload.to_dict(), accepted=accepted, extensions=extensions)
    )


@given(configs, amounts, amounts, st.binary(min_size=65, max_size=65), identifiers)
def test_a_voucher_of_theirs_is_read_as_it_is(config, amount, most, signature, identifier):
    payload = theirs.VoucherPayload()
    payload.channel_config = their_config(config)
    payload.voucher = theirs.VoucherFields("0x" + "0c" * 32, str(most), "0x" + signature.hex())
    declared = decode_payment_required_header(required(amount)).extensions
    extensions = append_payment_identifier_to_extensions(declared, identifier)
    read = read_payment(header_of(payload, amount, extensions), WANTED.network)
    assert (read.kind, read.amount, read.quote) == (PaymentKind.VOUCHER, amount, "1.2.3.mark")
    assert (read.config, read.identifier) == (config, identifier)
    assert (read.voucher.channel, read.voucher.max_claimable) == ("0x" + "0c" * 32, most)
    assert read.voucher.signature == signature


@given(configs, amounts, hashes, st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1), st.binary(max_size=99))
def test_a_deposit_of_theirs_is_read_as_it_is(config, amount, salt, after, before, signature):
    payload = theirs.DepositPayload()
    payload.channel_config = their_config(config)
    payload.voucher = theirs.VoucherFields("0x" + "0c" * 32, "7", "0x" + "11" * 65)
    authorization = theirs.Erc3009Authorization(str(after), str(before), salt, "0x" + signature.hex())
    payload.deposit = theirs.DepositFields(str(amount), theirs.DepositAuthorization(authorization))
    read = read_payment(header_of(payload, 7), WANTED.network).deposit
    assert (read.config, read.amount) == (config, amount)
    assert (read.valid_after, read.valid_before, read.salt) == (after, before, int(salt, 16))
    assert read.signature == signature


@given(configs, st.none() | st.integers(1, 2**128 - 1))
def test_a_refund_of_theirs_is_read_as_it_is(config, amount):
    payload = theirs.RefundPayload()
    payload.channel_config = their_config(config)
    payload.voucher = theirs.VoucherFields("0x" + "0c" * 32, "7", "0x" + "11" * 65)
    payload.amount = None if amount is None else str(amount)
    read = read_payment(header_of(payload, 0), WANTED.network)
    assert (read.kind, read.refund) == (PaymentKind.REFUND, amount)


def required(amount: int) -> str:
    return WANTED.payment_required("https://host/v1/x", "why", WANTED.requirements(amount, "1.2.3.mark")).decode()


@given(amounts)
def test_they_read_what_we_want_as_it_is(amount):
    read = decode_payment_required_header(required(amount))
    (accepted,) = read.accepts
    assert (read.x402_version, read.error, read.resource.url) == (2, "why", "https://host/v1/x")
    assert (accepted.scheme, accepted.network) == ("batch-settlement", "eip155:31337")
    assert (int(accepted.amount), accepted.pay_to.lower(), accepted.asset.lower()) == (
        amount,
        TERMS.till,
        TERMS.token.address,
    )
    extra = theirs.PaymentRequirementsExtra.from_dict(accepted.extra)
    assert extra.receiver_authorizer.lower() == TERMS.till
    assert (extra.withdraw_delay, extra.name, extra.version) == (86_400, "Test Dollar", "1")
    assert extra.asset_transfer_method == "eip3009"
    assert parse_announced_min_deposit(extra.min_deposit, amount) == max(3 * amount, 100_000)


@given(amounts, hashes)
def test_they_read_what_was_charged_as_it_is(charged, transaction):
    answered = decode_payment_response_header(WANTED.payment_response(TERMS.till, charged, transaction, 5).decode())
    assert (answered.success, answered.transaction, answered.amount) == (True, transaction, "5")
    assert answered.extra == {"chargedAmount": str(charged)}
    assert (answered.payer, answered.network) == (TERMS.till, "eip155:31337")


@given(configs)
def test_a_channel_is_written_and_read_back(config):
    assert read_document(ChannelConfig, orjson.loads(orjson.dumps(config.as_json())), MalformedPayment) == config


def test_every_name_of_theirs_that_we_send_is_one_they_know():
    known = {value for name, value in their_errors.items() if name.startswith("ERR_")}
    sent = {names.ERROR_PREFIX + name for name in names._NAMES.values()} | {names.MISMATCH}
    assert sent - known <= {"invalid_batch_settlement_evm_scheme"}
    assert names.ERROR_PREFIX + names._NAMES["wrong_scheme"] in known


def test_their_identifier_is_found_where_they_put_it():
    extensions = append_payment_identifier_to_extensions(decode_payment_required_header(required(1)).extensions)
    payload = theirs.VoucherPayload()
    payload.channel_config = their_config(ChannelConfig(*[TERMS.till] * 5, 1, Hash32("0x" + "00" * 32)))
    payload.voucher = theirs.VoucherFields("0x" + "0c" * 32, "7", "0x" + "11" * 65)
    text = header_of(payload, 1, extensions)
    payment = PaymentPayload.model_validate_json(base64.b64decode(text))
    assert read_payment(text, WANTED.network).identifier == extract_payment_identifier(payment)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw):
    with pytest.raises(MalformedPayment):
        read_payment(base64.b64encode(raw).decode(), WANTED.network)


nested = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("accepted", "payload", "voucher", "type", "extra", "deposit", "channelConfig", "scheme", "network")
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(("x402Version", "accepted", "payload", "extensions")), nested))
def test_no_shape_breaks_the_reader(content):
    with pytest.raises(UsufructError):
        read_payment(base64.b64encode(orjson.dumps(content)).decode(), WANTED.network)


GOOD = {
    "x402Version": 2,
    "accepted": {"scheme": "batch-settlement", "network": "eip155:31337", "amount": "5", "extra": {"quote": "q"}},
    "payload": {
        "type": "refund",
        "channelConfig": ChannelConfig(*[TERMS.till] * 5, 1, Hash32("0x" + "00" * 32)).as_json(),
        "voucher": {"channelId": "0x" + "0c" * 32, "maxClaimableAmount": "7", "signature": "0x" + "11" * 65},
        "amount": "3",
    },
    "extensions": {"payment-identifier": {"info": {"id": "0123456789abcdef"}}},
}


MOST = "payload.voucher.maxClaimableAmount"
IDENTIFIER = "extensions.payment-identifier.info.id"


def changed(path: str, value: object) -> str:
    """The good payment's header with one member changed; None: left out."""
    content = orjson.loads(orjson.dumps(GOOD))
    *outer, last = path.split("/")
    inner = content
    for name in outer:
        inner = inner[name]
    inner[last] = value
    if value is None:
        del inner[last]
    return base64.b64encode(orjson.dumps(content)).decode()


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        ("x402Version", 1, "malformed_payment", "x402Version"),
        ("x402Version", 3, "malformed_payment", "x402Version"),
        ("accepted/scheme", "exact", "wrong_scheme", "accepted.scheme"),
        ("accepted/network", "eip155:1", "wrong_network", "accepted.network"),
        ("accepted/amount", str(1 << 128), "malformed_payment", "accepted.amount"),
        ("accepted/extra/quote", 5, "malformed_payment", "accepted.extra.quote"),
        ("payload/type", "gift", "malformed_payment", "payload.type"),
        ("payload/type", "deposit", "malformed_payment", "payload.deposit"),
        ("payload/amount", str(1 << 128), "malformed_payment", "payload.amount"),
        ("payload/voucher/channelId", "0x0c", "malformed_payment", "payload.voucher.channelId"),
        (
            "payload/voucher/maxClaimableAmount",
            str(1 << 128),
            "malformed_payment",
            "payload.voucher.maxClaimableAmount",
        ),
        ("payload/voucher/signature", "0x" + "11" * 4_097, "malformed_payment", "payload.voucher.signature"),
        ("payload/channelConfig/withdrawDelay", 1 << 40, "malformed_payment", "payload.channelConfig.withdrawDelay"),
        *(
            (
                "extensions/payment-identifier/info/id",
                name,
                "malformed_payment",
                "extensions.payment-identifier.info.id",
            )
            for name in ("x" * 15, "x" * 129, "with space 123456", "ü" * 20)
        ),
    ],
)
def test_a_payment_for_elsewhere_or_out_of_shape_is_refused_by_member(path, value, code, field):
    with pytest.raises(UsufructError) as refused:
        read_payment(changed(path, value), WANTED.network)
    assert (refused.value.code, refused.value.details) == (code, {"field": field})


@pytest.mark.parametrize(
    ("path", "value", "member", "read"),
    [
        ("x402Version", 2, "identifier", "0123456789abcdef"),
        ("extensions", None, "identifier", ""),
        ("extensions/payment-identifier", None, "identifier", ""),
        ("extensions/payment-identifier/info", None, "identifier", ""),
        ("extensions/payment-identifier/info/id", None, "identifier", ""),
        ("extensions/payment-identifier/info/id", "x" * 128, "identifier", "x" * 128),
        ("accepted/extra/quote", "q", "quote", "q"),
        ("accepted/extra/quote", None, "quote", ""),
        ("accepted/extra", None, "quote", ""),
        ("payload/amount", "3", "refund", 3),
        ("payload/amount", None, "refund", None),
        ("payload/type", "voucher", "refund", None),
    ],
)
def test_what_a_payment_may_leave_out(path, value, member, read):
    assert getattr(read_payment(changed(path, value), WANTED.network), member) == read


def test_a_header_may_have_sixteen_thousand_characters():
    content = orjson.dumps(GOOD)
    fits = base64.b64encode(content + b" " * (16_384 * 3 // 4 - len(content))).decode()
    assert len(fits) == 16_384
    assert read_payment(fits, WANTED.network).amount == 5
    longer = base64.b64encode(content + b" " * (16_384 * 3 // 4 - len(content) + 1)).decode()
    for header in (longer, "!" + fits[1:]):
        with pytest.raises(MalformedPayment) as refused:
            read_payment(header, WANTED.network)
        assert refused.value.details == {"field": "payment-signature"}


def test_a_payer_who_must_sign_again_is_told_what_was_spent_and_set_aside(world):
    """Stock clients sign `chargedCumulativeAmount` + the next amount: what is reserved must be in it."""
    channel = Account(
        world.reading(900, claimed=100, withdraw_at=55),
        total_split=100,
        charged=250,
        reserved=40,
        refunding=50,
        voucher=world.voucher(310),
        last_call_at=0,
    )
    extra = theirs.PaymentRequirementsExtra.from_dict(WANTED.requirements(5, channel=channel)["extra"])
    state, voucher = extra.channel_state, extra.voucher_state
    assert (state.channel_id, state.balance) == (world.channel(), "850")
    assert (state.total_claimed, state.charged_cumulative_amount) == ("100", "290")
    assert state.withdraw_requested_at == 55
    assert voucher.signed_max_claimable == "310"
    assert voucher.signature == "0x" + world.voucher(310).signature.hex()


def test_what_is_corrected_by_numbers_has_the_one_name_that_clients_look_at_them_for():
    low = PaymentRequired("", code="wrong_scheme")
    assert names.x402_name(low, corrective=True) == their_errors["ERR_CUMULATIVE_AMOUNT_MISMATCH"]
    unsigned = PaymentRequired("", code="invalid_signature")
    assert names.x402_name(unsigned) == their_errors["ERR_INVALID_VOUCHER_SIGNATURE"]
    delay = ChannelRefused("", field="withdrawDelay")
    assert names.x402_name(delay) == their_errors["ERR_WITHDRAW_DELAY_MISMATCH"]
    assert names.x402_name(ChannelRefused("", field="payerAuthorizer")) == "channel_refused"
    assert names.x402_name(MalformedPayment("")) == "malformed_payment"
