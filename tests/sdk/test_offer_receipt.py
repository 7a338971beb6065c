"""What a server signs of a 402 and of an answer: checked before money moves, kept when it is in order."""

import json

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_clock import FakeClock
from usufruct.chain.keys import KeySigner
from usufruct.core import Address
from usufruct.payments.x402 import OfferSigner
from usufruct_client import OfferMismatch
from usufruct_client.eip712_messages import DELIVERY_RECEIPT, PAYMENT_OFFER
from usufruct_client.offer_checks import check_offers
from usufruct_client.offer_receipt import PaymentOffer, read_delivery_receipt, read_offers
from usufruct_client.urls import host_of

URL = "https://ai.example.org/v1/chat/completions"
ENTRY = {
    "scheme": "batch-settlement",
    "network": "eip155:8453",
    "amount": "1270",
    "asset": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
}
KEY = KeySigner(b"\x07" * 32)
PAYER = Address("0x857b06519e91e3a54538791bdbb0e22373e36b66")
NOW = 1_800_000_000
ASK = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
STREAM = pytest.mark.parametrize("stream", [False, True])


def signed_offer(entry: dict | None = None, url: str = URL, until: int = NOW + 300) -> dict:
    return {"offer-receipt": OfferSigner(KEY, FakeClock(), 9).offers(url, entry or ENTRY, until)}


def signed_receipt(url: str = URL) -> dict:
    return {"offer-receipt": OfferSigner(KEY, FakeClock(), 9).receipt(url, "eip155:8453", PAYER, NOW)}


def recovered(message, payload: dict, signature: bytes) -> str:
    domain = {"name": message.domain.name, "version": "1", "chainId": 1}
    return Account.recover_message(encode_typed_data(domain, message.types, payload), signature=signature).lower()


def post(connection, **members) -> httpx.Response:
    with connection.client() as client:
        return client.post(connection.base_url + "/chat/completions", json=ASK | members)


def paid_requests(gateway) -> list[dict]:
    return [each for each in gateway.requests if "payment-signature" in each]


def what(connection) -> list[str]:
    return [each.what for each in connection.purse.disputes]


# --- reading


@given(st.text(max_size=40), st.integers(0, 2**128 - 1), st.integers(0, 2**53 - 1))
def test_an_offer_travels_and_comes_back_as_it_is_under_the_signature_it_had(url, amount, until):
    entry = ENTRY | {"amount": str(amount)}
    (offer,) = read_offers(json.loads(json.dumps(signed_offer(entry, url, until))), 0, entry)
    document = offer.as_json()
    assert offer.signed_by() == KEY.address == recovered(PAYMENT_OFFER, document["payload"], offer.signature)
    (again,) = read_offers({"offer-receipt": {"info": {"offers": [document]}}}, 0, entry)
    assert again == offer


@given(st.text(max_size=40))
def test_a_receipt_travels_and_comes_back_as_it_is_under_the_signature_it_had(url):
    receipt = read_delivery_receipt(json.loads(json.dumps(signed_receipt(url))))
    document = receipt.as_json()
    assert receipt.signed_by() == KEY.address == recovered(DELIVERY_RECEIPT, document["payload"], receipt.signature)
    assert read_delivery_receipt({"offer-receipt": {"info": {"receipt": document}}}) == receipt


@pytest.mark.parametrize("left_out", [{"format": "jws"}, {"signature": "0x11"}, {"payload": None}, {"payload": {}}])
def test_another_format_or_shape_is_as_if_it_were_not_there(left_out):
    extensions, answered = signed_offer(), signed_receipt()
    extensions["offer-receipt"]["info"]["offers"][0] |= left_out
    answered["offer-receipt"]["info"]["receipt"] |= left_out
    assert read_offers(extensions, 0, ENTRY) == ()
    assert check_offers((), ENTRY, URL, None, NOW) is None
    assert read_delivery_receipt(answered) is None


def test_text_that_no_one_can_have_signed_is_signed_by_no_one():
    extensions, answered = signed_offer(), signed_receipt()
    extensions["offer-receipt"]["info"]["offers"][0]["payload"]["resourceUrl"] = "\ud800"
    answered["offer-receipt"]["info"]["receipt"]["payload"]["resourceUrl"] = "\ud800"
    (offer,) = read_offers(extensions, 0, ENTRY)
    assert offer.signed_by() is None
    assert read_delivery_receipt(answered).signed_by() is None


def test_another_version_is_as_if_it_were_not_there():
    extensions = signed_offer()
    extensions["offer-receipt"]["info"]["offers"][0]["payload"]["version"] = 2
    assert read_offers(extensions, 0, ENTRY) == ()


shapes = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.just("\ud800") | st.just("eip712"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("offer-receipt", "info", "offers", "receipt", "format", "payload", "signature")), inner
        )
    ),
    max_leaves=12,
)


@given(shapes)
def test_no_shape_breaks_the_reader(extensions):
    for each in (
        extensions,
        {"offer-receipt": {"info": extensions}},
        {"offer-receipt": {"info": {"offers": [extensions]}}},
    ):
        assert read_offers(each, 0, ENTRY) == ()
        assert read_delivery_receipt(each) is None


# --- offers are checked before anything is signed


@given(st.sampled_from(["scheme", "network", "asset", "payTo", "amount", "resourceUrl", "validUntil"]))
def test_no_field_of_an_offer_can_be_another(name):
    extensions = signed_offer()
    payload = extensions["offer-receipt"]["info"]["offers"][0]["payload"]
    payload[name] = payload[name] + 1 if name == "validUntil" else payload[name] + "0"
    offers = read_offers(extensions, 0, ENTRY)
    with pytest.raises(OfferMismatch) as refused:
        check_offers(offers, ENTRY, URL, [KEY.address], NOW)
    assert refused.value.details == {"field": "signature" if name == "validUntil" else name}
    assert refused.value.code == "offer_mismatch"


def test_the_offer_that_fits_is_found_among_several():
    mine, other = signed_offer(), signed_offer(ENTRY | {"amount": "5"})
    offers = [each["offer-receipt"]["info"]["offers"][0] for each in (other, mine)]
    found = read_offers({"offer-receipt": {"info": {"offers": offers}}}, 0, ENTRY)
    assert check_offers(found, ENTRY, URL, None, NOW).payload.amount == "1270"


def test_offers_of_other_schemes_bind_nothing_here():
    other = signed_offer(ENTRY | {"scheme": "exact"})
    other["offer-receipt"]["info"]["offers"][0]["acceptIndex"] = 1
    assert read_offers(other, 0, ENTRY) == ()


def test_an_offer_holds_to_its_last_second():
    offers = read_offers(signed_offer(until=NOW), 0, ENTRY)
    assert check_offers(offers, ENTRY, URL, None, NOW) == offers[0]
    with pytest.raises(OfferMismatch, match="clock right") as refused:
        check_offers(offers, ENTRY, URL, None, NOW + 1)
    assert refused.value.details == {"field": "validUntil"}
    endless = read_offers(signed_offer(until=0), 0, ENTRY)
    assert check_offers(endless, ENTRY, URL, None, NOW) == endless[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "1"),
        ("payTo", "0x" + "72" * 20),
        ("asset", "0x" + "73" * 20),
        ("resourceUrl", "https://other.example/v1"),
    ],
)
def test_what_a_402_asks_beyond_its_own_offer_is_not_paid(gateway, join, field, value):
    gateway.offers, gateway.spoil_offer = True, {field: value}
    connection = join()
    with pytest.raises(OfferMismatch, match=f"the signed offer's {field} is"):
        post(connection)
    assert paid_requests(gateway) == []
    assert connection.purse.channels == ()


def test_an_offer_by_another_key_than_is_allowed_is_not_paid(gateway, join, fake):
    gateway.offers, gateway.offer_signer = True, KEY
    connection = join(receipt_signers=[fake.OPERATOR.address])
    with pytest.raises(OfferMismatch, match=f"signed by {KEY.address}, which is not in receipt_signers"):
        post(connection)
    assert paid_requests(gateway) == []


def test_an_offer_that_has_ended_is_not_paid(gateway, join):
    gateway.offers, gateway.offer_seconds = True, -100
    with pytest.raises(OfferMismatch, match="ended at"):
        post(join())
    assert paid_requests(gateway) == []


# --- and kept with the receipt


@STREAM
def test_offer_and_receipt_of_a_call_are_kept(gateway, join, fake, tmp_path, stream):
    gateway.offers = True
    connection = join(store=tmp_path / "channels.db")
    assert post(connection, stream=stream).status_code == 200
    (channel,) = connection.purse.channels
    (ours,) = connection.purse.receipts(channel.id)
    (kept,) = join(store=tmp_path / "channels.db").purse.evidence(channel.id)
    assert kept.call == ours.call
    assert kept.offer.payload.amount == "100"
    assert kept.offer.signed_by() == kept.receipt.signed_by() == fake.OPERATOR.address
    assert kept.receipt.payload.payer == channel.config.payer
    assert connection.purse.disputes == ()


def test_nothing_is_kept_of_a_gateway_that_signs_none(gateway, join):
    connection = join()
    post(connection)
    (channel,) = connection.purse.channels
    assert connection.purse.evidence(channel.id) == ()


@STREAM
@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        ({"payer": "0x" + "99" * 20}, "the x402 receipt's payer is 0x9999"),
        ({"network": "eip155:1"}, "the x402 receipt's network is eip155:1, not eip155:31337"),
        ({"resourceUrl": "https://other.example"}, "the x402 receipt's resourceUrl is https://other.example"),
        ({"issuedAt": 5}, "the x402 receipt's issuedAt is 5"),
        ({"transaction": "0xab"}, "the x402 receipt is signed by 0x"),
    ],
)
def test_a_wrong_receipt_is_disputed_and_ours_stands(gateway, join, spoilt, says, stream):
    gateway.offers, gateway.spoil_delivery = True, spoilt
    connection = join()
    assert post(connection, stream=stream).status_code == 200
    assert any(says in each for each in what(connection))
    (channel,) = connection.purse.channels
    assert len(connection.purse.receipts(channel.id)) == 1
    (kept,) = connection.purse.evidence(channel.id)
    assert spoilt.items() <= kept.receipt.payload.as_json().items(), "it proves what is disputed"


def test_a_receipt_for_another_host_than_was_called_is_disputed(gateway, join):
    gateway.offers, gateway.named_url = True, "https://other.example/v1/chat/completions"
    connection = join()
    assert post(connection).status_code == 200
    assert any("the x402 receipt is for the host other.example, and 127.0.0.1:" in each for each in what(connection))
    (channel,) = connection.purse.channels
    assert len(connection.purse.receipts(channel.id)) == 1


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://AI.example.org/v1", "ai.example.org"),
        ("https://ai.example.org:443", "ai.example.org"),
        ("http://ai.example.org:443", "ai.example.org:443"),
        ("ftp://ai.example.org", ""),
        ("http://ai.example.org:port", ""),
        ("", ""),
    ],
)
def test_a_host_has_its_port_unless_the_scheme_does(url, host):
    assert host_of(url) == host


def test_an_offer_by_another_key_than_the_receipts_is_disputed(gateway, join):
    gateway.offers, gateway.offer_signer = True, KEY
    connection = join()
    assert post(connection).status_code == 200
    assert all(f"is signed by {KEY.address}" in each for each in what(connection))
    assert len(what(connection)) == 2


def test_the_offer_of_a_call_whose_end_was_not_seen_is_kept(gateway, join):
    gateway.offers = gateway.hang = True
    connection = join()
    with connection.client() as client:
        url = connection.base_url + "/chat/completions"
        with client.stream("POST", url, json=ASK | {"stream": True}) as answer:
            next(answer.iter_bytes())
    (channel,) = connection.purse.channels
    (kept,) = connection.purse.evidence(channel.id)
    assert (kept.call, kept.receipt) == ("", None)
    assert isinstance(kept.offer, PaymentOffer)
