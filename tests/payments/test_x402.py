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

from usufruct.core import Address, ChainId, Hash32, UsufructError
from usufruct.payments import (
    ChannelConfig,
    MalformedPayment,
    Offer,
    PaymentKind,
    TokenFacts,
    Wanted,
    read_channel_json,
    read_payment,
)
from usufruct.payments.x402 import errors as names
from usufruct.web import Members

CHAIN = ChainId(31337)
OFFER = Offer(
    chain_id=CHAIN,
    till=Address("0x" + "7a" * 20),
    token=TokenFacts(Address("0x" + "dc" * 20), "Test Dollar", "tUSD", 6, "1"),
    withdraw_delay=86_400,
    least_deposit=100_000,
    receipts=Address("0x" + "5e" * 20),
)
WANTED = Wanted(OFFER)
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
    read = read_payment(header_of(payload, amount, extensions), CHAIN)
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
    read = read_payment(header_of(payload, 7), CHAIN).deposit
    assert (read.config, read.amount, read.chain_id) == (config, amount, CHAIN)
    assert (read.valid_after, read.valid_before, read.salt) == (after, before, int(salt, 16))
    assert read.signature == signature


@given(configs, st.none() | st.integers(1, 2**128 - 1))
def test_a_refund_of_theirs_is_read_as_it_is(config, amount):
    payload = theirs.RefundPayload()
    payload.channel_config = their_config(config)
    payload.voucher = theirs.VoucherFields("0x" + "0c" * 32, "7", "0x" + "11" * 65)
    payload.amount = None if amount is None else str(amount)
    read = read_payment(header_of(payload, 0), CHAIN)
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
        OFFER.till,
        OFFER.token.address,
    )
    extra = theirs.PaymentRequirementsExtra.from_dict(accepted.extra)
    assert extra.receiver_authorizer.lower() == OFFER.till
    assert (extra.withdraw_delay, extra.name, extra.version) == (86_400, "Test Dollar", "1")
    assert extra.asset_transfer_method == "eip3009"
    assert parse_announced_min_deposit(extra.min_deposit, amount) == max(amount, 100_000)


@given(amounts, hashes)
def test_they_read_what_was_charged_as_it_is(charged, transaction):
    answered = decode_payment_response_header(WANTED.payment_response(OFFER.till, charged, transaction, 5).decode())
    assert (answered.success, answered.transaction, answered.amount) == (True, transaction, "5")
    assert answered.extra == {"chargedAmount": str(charged)}
    assert (answered.payer, answered.network) == (OFFER.till, "eip155:31337")


@given(configs)
def test_a_channel_is_written_and_read_back(config):
    assert read_channel_json(Members(orjson.loads(orjson.dumps(config.as_json())), MalformedPayment)) == config


def test_every_name_of_theirs_that_we_send_is_one_they_know():
    known = {value for name, value in their_errors.items() if name.startswith("ERR_")}
    sent = {*names._NAMES.values(), *names._FIELD_NAMES.values(), names.MISMATCH}
    assert sent - known <= {"invalid_batch_settlement_evm_scheme"}
    assert names._NAMES["wrong_scheme"] in known


def test_their_identifier_is_found_where_they_put_it():
    extensions = append_payment_identifier_to_extensions(decode_payment_required_header(required(1)).extensions)
    payload = theirs.VoucherPayload()
    payload.channel_config = their_config(ChannelConfig(*[OFFER.till] * 5, 1, Hash32("0x" + "00" * 32)))
    payload.voucher = theirs.VoucherFields("0x" + "0c" * 32, "7", "0x" + "11" * 65)
    text = header_of(payload, 1, extensions)
    payment = PaymentPayload.model_validate_json(base64.b64decode(text))
    assert read_payment(text, CHAIN).identifier == extract_payment_identifier(payment)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw):
    with pytest.raises(MalformedPayment):
        read_payment(base64.b64encode(raw).decode(), CHAIN)


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
        read_payment(base64.b64encode(orjson.dumps(content)).decode(), CHAIN)
