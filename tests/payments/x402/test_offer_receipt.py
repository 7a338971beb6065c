"""Signed offers and receipts: by the specification's own types, written out here, and eth-account's hashes."""

from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_clock import FakeClock
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, checksum
from usufruct.payments.x402 import OfferSigner

DOMAIN = [("name", "string"), ("version", "string"), ("chainId", "uint256")]
OFFER = [
    *(("version", "uint256"), ("resourceUrl", "string"), ("scheme", "string"), ("network", "string")),
    *(("asset", "string"), ("payTo", "string"), ("amount", "string"), ("validUntil", "uint256")),
]
RECEIPT = [
    *(("version", "uint256"), ("network", "string"), ("resourceUrl", "string")),
    *(("payer", "string"), ("issuedAt", "uint256"), ("transaction", "string")),
]
URL = "https://ai.example.org/v1/chat/completions"
ENTRY = {
    "scheme": "batch-settlement",
    "network": "eip155:8453",
    "amount": "1270",
    "asset": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
    "maxTimeoutSeconds": 600,
    "extra": {"quote": "1.2.3.mark"},
}
PAYER = Address("0x857b06519e91e3a54538791bdbb0e22373e36b66")


class CountingSigner(KeySigner):
    """A key that counts what it signs."""

    __slots__ = ("signed",)

    def __init__(self) -> None:
        super().__init__(b"\x07" * 32)
        self.signed = 0

    def sign(self, digest: bytes) -> bytes:
        self.signed += 1
        return super().sign(digest)


def maker(most: int = 500) -> tuple[OfferSigner, CountingSigner, FakeClock]:
    signer, clock = CountingSigner(), FakeClock()
    return OfferSigner(signer, clock, most), signer, clock


def recovered(kind: str, fields: list[tuple[str, str]], signed: dict) -> str:
    """The signer by eth-account, of exactly the payload as it travels."""
    document = {
        "primaryType": kind,
        "domain": {"name": f"x402 {kind.lower()}", "version": "1", "chainId": 1},
        "types": {
            "EIP712Domain": [{"name": name, "type": of} for name, of in DOMAIN],
            kind: [{"name": name, "type": of} for name, of in fields],
        },
        "message": signed["payload"],
    }
    return Account.recover_message(encode_typed_data(full_message=document), signature=signed["signature"])


def changed(value: object) -> object:
    return value + 1 if isinstance(value, int) else f"{value}0"


@given(st.text(max_size=60), st.integers(0, 2**128 - 1), st.integers(0, 2**53 - 1))
def test_an_offer_promises_the_entry_and_the_quotes_end_and_nothing_of_it_can_be_changed(url, amount, until):
    offers, signer, _ = maker()
    entry = ENTRY | {"amount": str(amount)}
    info = offers.offers(url, entry, until)["info"]
    (offer,) = info["offers"]
    assert (offer["format"], offer["acceptIndex"]) == ("eip712", 0)
    terms = {name: entry[name] for name in ("scheme", "network", "asset", "payTo", "amount")}
    assert offer["payload"] == {"version": 1, "resourceUrl": url, **terms, "validUntil": until}
    assert recovered("Offer", OFFER, offer) == checksum(signer.address)
    for name, value in offer["payload"].items():
        tampered = offer | {"payload": offer["payload"] | {name: changed(value)}}
        assert recovered("Offer", OFFER, tampered) != checksum(signer.address), name


@given(st.text(max_size=60), st.integers(0, 2**53 - 1))
def test_a_receipt_names_the_payer_and_no_transaction_and_nothing_of_it_can_be_changed(url, issued_at):
    offers, signer, _ = maker()
    receipt = offers.receipt(url, "eip155:8453", PAYER, issued_at)["info"]["receipt"]
    assert receipt["format"] == "eip712"
    assert receipt["payload"] == {
        "version": 1,
        "network": "eip155:8453",
        "resourceUrl": url,
        "payer": PAYER,
        "issuedAt": issued_at,
        "transaction": "",
    }
    assert recovered("Receipt", RECEIPT, receipt) == checksum(signer.address)
    for name, value in receipt["payload"].items():
        tampered = receipt | {"payload": receipt["payload"] | {name: changed(value)}}
        assert recovered("Receipt", RECEIPT, tampered) != checksum(signer.address), name


def test_an_offer_and_a_receipt_are_what_the_specifications_schema_says():
    offers, _, _ = maker()
    for extension in (offers.offers(URL, ENTRY, 1), offers.receipt(URL, "eip155:1", PAYER, 1)):
        assert set(extension) == {"info", "schema"}
        (required,) = extension["schema"]["required"]
        assert set(extension["info"]) == {required}


def test_equal_offers_of_one_second_are_signed_once_and_different_ones_up_to_the_bound():
    offers, signer, clock = maker(most=3)
    first = [offers.offers(URL, ENTRY, 300) for _ in range(100)]
    assert signer.signed == 1
    assert all(each == first[0] for each in first)
    more = [offers.offers(URL, ENTRY | {"amount": str(amount)}, 300) for amount in range(100)]
    assert signer.signed == 3
    assert [each is not None for each in more] == [True, True] + [False] * 98
    assert offers.offers(URL, ENTRY, 300) == first[0]

    clock.advance(1)
    assert offers.offers(URL, ENTRY | {"amount": "99"}, 301) is not None
    assert signer.signed == 4


def test_none_are_signed_where_none_are_wanted():
    offers, signer, _ = maker(most=0)
    assert offers.offers(URL, ENTRY, 300) is None
    assert signer.signed == 0
