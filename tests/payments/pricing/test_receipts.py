"""Receipts hash and sign as eth_account does; one changed field is noticed; what the ledger keeps makes them again."""

from dataclasses import fields, replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bills import lines_of
from usufruct.chain.keys import KeySigner, recover_signer
from usufruct.core import UINT128_MAX, UINT256_MAX, Address, AssetId, ChainId, Hash32
from usufruct.payments.ledger.service import Ledger
from usufruct.payments.pricing.receipts import Receipt, ReceiptDocument, receipt_digest, sign_receipt
from usufruct.payments.pricing.usage import CountedBy
from usufruct_client import BadAnswer, read_receipt
from usufruct_client.bill_lines import Line, Unit
from usufruct_client.eip712_messages import RECEIPT, RECEIPT_DOMAIN

hashes = st.binary(min_size=32, max_size=32).map(lambda b: Hash32("0x" + b.hex()))
addresses = st.binary(min_size=20, max_size=20).map(lambda b: Address("0x" + b.hex()))
words = st.integers(0, 2**64 - 1)
amounts = st.integers(0, UINT128_MAX)
prices = st.integers(0, UINT256_MAX)
names = st.from_regex("[a-z][a-z_]{0,30}", fullmatch=True).map(Unit)
receipts = st.builds(
    Receipt,
    hashes,
    hashes,
    addresses,
    amounts.map(AssetId),
    words,
    hashes,
    hashes,
    hashes,
    st.lists(st.builds(Line, names, words, prices, words, prices), max_size=5).map(tuple),
    st.sampled_from(CountedBy),
    amounts,
    amounts,
    amounts,
    words,
)


def independent(receipt: Receipt, chain: int, till: str) -> object:
    """The same receipt for eth_account."""
    values = [getattr(receipt, field.name) for field in fields(Receipt)]
    message = {name: value for (_, name), value in zip(RECEIPT.fields, values, strict=True)}
    message["lines"] = [line._asdict() for line in receipt.lines]
    return encode_typed_data(RECEIPT_DOMAIN.data(chain, till), RECEIPT.types, message)


@settings(max_examples=100, deadline=None)
@given(receipt=receipts, chain=st.integers(1, 2**64), till=addresses)
def test_digests_are_those_of_eth_account(receipt: Receipt, chain: int, till: Address):
    key = b"\x05" * 32
    signed = Account.sign_message(independent(receipt, chain, till), key)
    assert receipt_digest(receipt, ChainId(chain), till) == bytes(signed.message_hash)
    assert recover_signer(bytes(signed.message_hash), bytes(signed.signature)) == Account.from_key(key).address.lower()


@pytest.fixture
def receipt(world) -> Receipt:
    ids = (world.named(i) for i in range(5))
    call, account = next(ids), next(ids)
    counted = CountedBy.UPSTREAM
    return Receipt(
        call, account, world.TOKEN, AssetId(7), 3, *ids, lines_of(123), counted, 200, 123, 1123, 1_800_000_000
    )


def test_a_signed_receipt_verifies_and_a_changed_one_does_not(receipt: Receipt, world):
    signed = receipt_digest(receipt, world.CHAIN, world.TILL)
    assert (
        recover_signer(signed, sign_receipt(receipt, world.CHAIN, world.TILL, world.SESSION)) == world.SESSION.address
    )
    digests = {signed}
    for field in fields(Receipt):
        value = getattr(receipt, field.name)
        if field.name == "lines":
            changed: object = (*value[:-1], value[-1]._replace(amount=122))
        elif field.name == "counted_by":
            changed = CountedBy.SHARE
        else:
            changed = value + 1 if isinstance(value, int) else value[:-1] + ("1" if value[-1] != "1" else "2")
        digests.add(receipt_digest(replace(receipt, **{field.name: changed}), world.CHAIN, world.TILL))
    digests |= {receipt_digest(receipt, ChainId(1), world.TILL), receipt_digest(receipt, world.CHAIN, world.TOKEN)}
    assert len(digests) == len(fields(Receipt)) + 3


async def test_the_ledger_keeps_what_a_receipt_says(ledger: Ledger, world):
    await ledger.observe(world.reading(1000))
    lease = (await world.open_call(ledger, world.reservation("a", 300))).lease
    assert (await ledger.call(lease.call)).receipt(world.TOKEN) is None
    call = await ledger.meter(lease, world.bill(120))
    made = call.receipt(world.TOKEN)
    assert made == Receipt(
        call=lease.call,
        account=lease.account,
        token=world.TOKEN,
        asset=world.ASSETS[0],
        price_card_version=3,
        model_digest=world.named("model"),
        request_hash=world.named("request of a"),
        response_hash=world.named(120),
        lines=world.lines(120),
        counted_by=CountedBy.UPSTREAM,
        ceiling=300,
        amount=120,
        cumulative=120,
        time=made.time,
    )
    assert made.time > 1_700_000_000
    released = (await world.open_call(ledger, world.reservation("b", 300))).lease
    assert (await ledger.release(released, "x")).receipt(world.TOKEN) is None


def document(receipt: Receipt, till: Address) -> dict[str, object]:
    signer = KeySigner(b"\x05" * 32)
    signature = sign_receipt(receipt, ChainId(31337), till, signer)
    return ReceiptDocument(receipt, ChainId(31337), till, signer.address, signature).as_json()


@settings(max_examples=50, deadline=None)
@given(receipt=receipts, till=addresses)
def test_a_receipt_survives_the_journey_as_json(receipt: Receipt, till: Address):
    sent = document(receipt, till)
    read = read_receipt(sent)
    assert read.as_json() == sent
    assert read.digest() == receipt_digest(receipt, ChainId(31337), till)
    assert read.signed_by() == sent["signer"]


@settings(max_examples=30, deadline=None)
@given(receipt=receipts, till=addresses, data=st.data())
def test_any_member_that_is_changed_on_the_way_is_noticed(receipt: Receipt, till: Address, data: st.DataObject):
    sent = document(receipt, till)
    name = data.draw(st.sampled_from(["amount", "cumulative", "ceiling", "time", "chainId"]))
    assert read_receipt({**sent, name: str(int(str(sent[name])) ^ 1)}).signed_by() != sent["signer"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", "1e3"),
        ("amount", 5),
        ("amount", None),
        ("time", "-1"),
        ("signature", "0x12"),
        ("ceiling", "١"),
        ("amount", str(1 << 128)),
        ("lines", {}),
        ("lines", [{"unit": "call", "quantity": "1", "price": "1", "per": "1"}]),
        ("lines", [{"unit": "call", "quantity": str(1 << 64), "price": "1", "per": "1", "amount": "1"}]),
        ("countedBy", "By hand"),
        ("time", "9" * 99),
        ("chainId", str(1 << 256)),
    ],
)
def test_a_document_that_is_no_receipt_is_refused_by_name(receipt: Receipt, name: str, value: object, world):
    good = document(receipt, world.TILL)
    read_receipt(good)
    field = {"lines": "lines|amount|quantity"}.get(name, name)
    with pytest.raises(BadAnswer, match=field):
        read_receipt({**good, name: value})
