"""The free endpoints by the client library, against the gateway's own readers and checks."""

import json
from dataclasses import replace

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from tests.support.deposit_documents import receive_authorization
from usufruct.accounts import KeyDomain, KeyTerms, key_digest, list_digest, revoke_digest, timed_signer
from usufruct.chain import TokenFacts
from usufruct.chain.keys import recover_signer
from usufruct.core import Address, ChainId, Clock, Hash32
from usufruct.payments.pricing import Escrow
from usufruct.payments.pricing import channel_id as gateways_channel_id
from usufruct.payments.settlement import DepositAuthorization
from usufruct.payments.settlement.api import read_channel_digest
from usufruct.payments.settlement.merkle import merkle_proof, merkle_root
from usufruct.payments.settlement.operator_terms import operator_terms
from usufruct_client import (
    BadAnswer,
    DepositPending,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    Invalid,
    NotAllowed,
    TradePending,
    channel_id,
    new_channel,
    proof_headers,
    proves,
)
from usufruct_client.eip712_messages import DEPOSIT, EXCHANGE, PERMIT, SIGNED_LISTING, Domain
from usufruct_client.gateway import MOST_PAGES, TRIES
from usufruct_client.receipt import ReceiptProof
from usufruct_client.trade import Goods, TradingVenue, authorization_nonce, purchase_message, purchase_salt
from usufruct_client.trade_documents import OfferFacts, PurchaseFacts, SignedOffer, SignedPurchase
from usufruct_client.wire import ChannelProof, DepositWish, KeyWish, SignedWish
from usufruct_client.wire_types import read

PAYER = Account.from_key("0x" + "21" * 32)
WHO = Address(PAYER.address.lower())
CHAIN, TILL = ChainId(31337), Address("0x" + "71" * 20)
TOKEN = TokenFacts(Address("0x" + "70" * 20), "A Dollar", "AUD", 6, "1")
TERMS = operator_terms(CHAIN, TILL, TOKEN, 100_000, Address("0x" + "72" * 20))
DOMAIN = KeyDomain(CHAIN, TILL)
OF = new_channel(TERMS, WHO)
CHANNEL = channel_id(OF, CHAIN)
KEY = {
    "id": "key_01",
    "payer": WHO,
    "channel": CHANNEL,
    "session": WHO,
    "spendingLimit": "5",
    "expiresAt": 1_800_000_000,
    "assets": ["m"],
    "label": "",
    "createdAt": 1,
}
MONEY = {"channelConfig": OF.as_json(), "balance": "9", "totalClaimed": "0", "withdrawAt": 0}
USE = {"charged": "1", "reserved": "2", "free": "6", "chargedToday": "1", "lastCallAt": 9}


class Scripted:
    """Answers what it is told to, in turn, the last again and again; keeps what it was asked."""

    def __init__(self, *answers: object) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def content(self, at: int = -1) -> object:
        return json.loads(self.asked[at].content)


def at(*answers: object) -> tuple[Gateway, Scripted]:
    server = Scripted(*answers)
    return Gateway("http://here/v1/", httpx.MockTransport(server), pause_seconds=0), server


def refusal(status: int, code: str, **details: object) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "no", "details": details}})


def refuse(message: str, name: str) -> Exception:
    return AssertionError(f"{name}: {message}")


def test_terms_are_those_that_the_gateway_publishes():
    gateway, server = at(TERMS.as_json() | {"invented": 1})
    assert gateway.terms() == TERMS
    assert str(server.asked[0].url) == "http://here/v1/terms"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("chainId", str(1 << 64)),
        ("chainId", 1),
        ("withdrawDelay", 1 << 40),
        ("leastDeposit", str(1 << 128)),
        ("leastDeposit", 1),
        ("till", "0x12"),
        ("receiptSigner", None),
        ("token", {}),
        ("token", TERMS.as_json()["token"] | {"decimals": 400}),
    ],
)
def test_malformed_terms_are_refused_by_member(member, value):
    gateway, _ = at(TERMS.as_json() | {member: value})
    with pytest.raises(BadAnswer) as refused:
        gateway.terms()
    assert str(refused.value.details["member"]).startswith(member)


@pytest.mark.parametrize("name", ["settlement", "collector"])
def test_nothing_is_deposited_through_other_contracts_than_x402s(name):
    gateway, _ = at(TERMS.as_json() | {name: TILL})
    with pytest.raises(NotAllowed, match=f"{name} is {TILL}"):
        gateway.terms()


def test_a_key_is_asked_for_under_a_signature_that_the_gateway_takes():
    gateway, server = at({"key": "uf_01", **KEY, **MONEY})
    made = gateway.create_key(PAYER, TERMS, 5, 1_800_000_000, {"m", "a"}, "label")
    assert (made.text, made.key.id, made.config) == ("uf_01", "key_01", OF)
    assert "uf_01" not in repr(made)
    wish = read(KeyWish, server.content(), refuse)
    terms = KeyTerms(WHO, 5, 1_800_000_000, frozenset({"m", "a"}), "label")
    assert recover_signer(key_digest(DOMAIN, terms, wish.nonce), wish.signature) == WHO


def test_keys_are_listed_and_revoked_under_signatures_that_the_gateway_takes():
    gateway, server = at({"keys": [KEY]}, KEY | {"revokedAt": 7})
    assert [key.id for key in gateway.list_keys(PAYER, TERMS)] == ["key_01"]
    assert gateway.revoke_key(PAYER, TERMS, "key_01").revoked_at == 7
    listed, revoked = (read(SignedWish, server.content(at), refuse) for at in (0, 1))
    assert recover_signer(list_digest(DOMAIN, WHO, listed.expires_at), listed.signature) == WHO
    digest = revoke_digest(DOMAIN, WHO, "key_01", revoked.expires_at)
    assert recover_signer(digest, revoked.signature) == WHO
    assert server.asked[1].url.path == "/v1/keys/key_01/revoke"


def test_a_bearer_sees_what_the_key_has_spent():
    gateway, server = at({**KEY, **MONEY, **USE, "left": "2"})
    use = gateway.current_key("uf_01")
    assert (use.key.id, use.channel.free, use.left) == ("key_01", 6, 2)
    assert server.asked[0].headers["authorization"] == "Bearer uf_01"


def test_a_payer_sees_a_channel_by_a_proof_that_the_gateway_takes():
    gateway, server = at(USE)
    assert gateway.channel(CHANNEL, proof_headers(PAYER, CHANNEL, TILL, CHAIN)).reserved == 2
    until, _, signature = server.asked[0].headers["x-usufruct-proof"].partition(".")
    proof = ChannelProof(int(until), bytes.fromhex(signature[2:]))
    digest = read_channel_digest(CHAIN, TILL, Hash32(CHANNEL), proof.expires_at)
    assert timed_signer(digest, proof, Clock().now()) == WHO


def deposit(gateway: Gateway, **changes: object) -> int:
    given = {"payer": PAYER, "terms": TERMS, "token": TERMS.token, "into": OF, "amount": 5, "valid_before": 99}
    return gateway.submit_deposit(**given | changes)


def test_the_same_deposit_is_handed_in_until_the_gateway_tells_what_became_of_it():
    gateway, server = at(
        httpx.ConnectError("silence"), httpx.Response(200, text="?"), refusal(503, "deposit_pending"), {**MONEY, **KEY}
    )
    told: list[str] = []
    assert deposit(gateway, notify=told.append) == 9
    assert len(server.asked) == 4
    assert len(told) == 3
    assert len({request.content for request in server.asked}) == 1
    wish = read(DepositWish, server.content(), refuse)
    made = DepositAuthorization.of(wish.channel_config, wish.deposit)
    assert (made.amount, made.valid_before, made.config) == (5, 99, OF)
    channel = gateways_channel_id(Escrow(CHAIN), OF)
    signed = encode_typed_data(full_message=receive_authorization(CHAIN, made, channel, TOKEN))
    assert Account.recover_message(signed, signature=made.signature).lower() == WHO


def test_silence_to_the_end_tells_what_may_still_come_of_a_deposit():
    gateway, _ = at(httpx.ConnectError("silence"))
    with pytest.raises(DepositPending, match=f"channel {CHANNEL} may still be made until 99"):
        deposit(gateway)
    gateway, server = at(refusal(402, "deposit_refused"))
    with pytest.raises(GatewayRefused, match="deposit_refused: no"):
        deposit(gateway)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"token": replace(TERMS.token, decimals=0)},
        {"into": replace(OF, token=TILL)},
        {"into": replace(OF, receiver=WHO)},
        {"into": replace(OF, payer=TILL)},
    ],
)
def test_nothing_is_signed_for_another_token_or_channel_than_was_agreed(changes):
    gateway, server = at(MONEY)
    with pytest.raises(NotAllowed):
        deposit(gateway, **changes)
    assert server.asked == []


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_proof_leads_from_a_receipt_to_the_root_of_its_batch(count):
    digests = [bytes([number]) * 32 for number in range(count)]
    root, siblings = merkle_root(digests), merkle_proof(digests, count - 1)
    hexed = [Hash32("0x" + each.hex()) for each in (*siblings, root)]
    word = Hash32("0x" + "11" * 32)
    document = ReceiptProof(word, word, hexed[:-1], hexed[-1], count, word, 7)
    gateway, _ = at(document.as_json())
    proof = gateway.anchor_proof(word)
    assert proves(proof, digests[-1])
    assert not proves(proof, word[2:].encode()[:32])


def test_what_goes_wrong_names_the_gateway_and_the_member():
    gateway, _ = at(httpx.ConnectError("silence"))
    with pytest.raises(GatewayUnavailable, match="http://here does not answer"):
        gateway.terms()
    for answer in (httpx.Response(200, text="<html>"), httpx.Response(500, json={"error": "?"}), [1]):
        with pytest.raises(BadAnswer, match="here"):
            at(answer)[0].terms()
    with pytest.raises(BadAnswer, match="till is missing"):
        at({name: value for name, value in TERMS.as_json().items() if name != "till"})[0].terms()
    with pytest.raises(BadAnswer, match="receipt must be an object"):
        at({"receipt": 5})[0].receipt(CHANNEL, "uf_01")
    with pytest.raises(GatewayRefused) as refused:
        at(refusal(402, "over_budget", needed="5"))[0].services()
    assert (refused.value.status, refused.value.reason, refused.value.numbers) == (402, "over_budget", {"needed": "5"})


@pytest.mark.parametrize("url", ["ftp://x", "http://[::1", "http://", "http://x:0", "http://u:p@x", "http://x/?a=b"])
def test_what_is_not_the_address_of_a_gateway_is_refused(url):
    with pytest.raises(Invalid, match="not the address of a gateway"):
        Gateway(url)


VENUE = TradingVenue(CHAIN, Address("0x" + "e1" * 20), Goods(7, Address("0x" + "e2" * 20)), TOKEN.address)
OFFER = SignedOffer(WHO, 7, 3_000, 100, 1_800_000_000, 250, 5, bytes(65))
HASH = VENUE.offer_hash(OFFER)
FACTS = OfferFacts(
    HASH,
    OFFER.asset,
    None,
    False,
    [],
    VENUE.goods.token,
    WHO,
    VENUE.currency,
    OFFER.amount,
    OFFER.price,
    OFFER.amount,
    OFFER.amount,
    OFFER.expiry,
    OFFER.max_deduction_bps,
    OFFER.nonce,
    bytes(65),
    1,
    "open",
)


def signer_of_document(document: dict[str, object], signature: bytes) -> str:
    return Account.recover_message(encode_typed_data(full_message=document), signature=signature).lower()


def test_an_offer_a_permit_and_a_purchase_are_signed_as_wallets_do():
    listing = SIGNED_LISTING.document(EXCHANGE.data(CHAIN, VENUE.exchange), VENUE.listing(OFFER))
    assert signer_of_document(listing, VENUE.sign_offer(PAYER, OFFER)) == WHO
    domain = Domain("Shares of m", "1")
    permit = VENUE.sign_permit(PAYER, domain, 9, 3, 99)
    allowed = {"owner": PAYER.address, "spender": VENUE.exchange, "value": 9, "nonce": 3, "deadline": 99}
    assert signer_of_document(PERMIT.document(domain.data(CHAIN, VENUE.goods.token), allowed), permit.signature) == WHO
    token = Domain(TOKEN.name, TOKEN.version)
    signed = VENUE.sign_purchase(PAYER, token, HASH, OFFER, 1_000, 500, 99)
    assert (signed.price, signed.salt) == (34, purchase_salt(HASH, WHO, 1_000, 500)), "rounded up"
    nonce = authorization_nonce(HASH, 1_000, WHO, signed.salt)
    paid = DEPOSIT.document(token.data(CHAIN, TOKEN.address), purchase_message(WHO, VENUE.exchange, 34, 99, nonce))
    assert signer_of_document(paid, signed.signature) == WHO


def test_a_title_is_paid_for_as_a_whole():
    title = replace(OFFER, amount=1, title=True)
    venue = replace(VENUE, goods=Goods(7, VENUE.goods.token, title=True))
    signed = venue.sign_purchase(PAYER, Domain(TOKEN.name, TOKEN.version), HASH, title, 0, 0, 99)
    assert (signed.amount, signed.price, signed.salt) == (0, OFFER.price, purchase_salt(HASH, WHO, 0, 0))


def test_the_same_offer_and_purchase_are_handed_in_until_the_gateway_tells_what_became_of_them():
    silence = (httpx.ConnectError("silence"), httpx.Response(200, text="?"), refusal(503, "transaction_pending"))
    told: list[str] = []
    gateway, server = at(*silence, FACTS.as_json())
    assert gateway.publish_offer(OFFER, HASH, told.append) == FACTS
    assert read(SignedOffer, server.content(), refuse) == OFFER
    purchase = SignedPurchase(HASH, WHO, 1_000, 34, 99, Hash32("0x" + "55" * 32), bytes(65))
    made = PurchaseFacts(HASH, WHO, 1_000, 34, None)
    gateway, bought = at(*silence, made.as_json())
    assert gateway.submit_purchase(purchase, told.append) == made
    for asked in (server.asked, bought.asked):
        assert len(asked) == 4
        assert len({request.content for request in asked}) == 1
    assert len(told) == 6

    gateway, server = at(httpx.ConnectError("silence"))
    with pytest.raises(TradePending, match=f"offer {HASH} is published"):
        gateway.publish_offer(OFFER, HASH)
    with pytest.raises(TradePending, match="may still be made until 99"):
        gateway.submit_purchase(purchase)
    assert len(server.asked) == 2 * TRIES
    gateway, server = at(refusal(409, "not_enough_left"))
    with pytest.raises(GatewayRefused, match="not_enough_left: no"):
        gateway.submit_purchase(purchase)
    assert len(server.asked) == 1


def test_offers_are_read_to_the_last_page_and_not_without_end():
    page = {"offers": [FACTS.as_json()], "next": "1.0x2&3"}
    gateway, server = at(page, page | {"next": None})
    assert gateway.share_offers("0x07") == [FACTS, FACTS]
    assert [str(each.url) for each in server.asked] == [
        "http://here/v1/shares/0x07/offers?after=",
        "http://here/v1/shares/0x07/offers?after=1.0x2%263",
    ]
    gateway, server = at(page)
    assert len(gateway.credit_offers("0x07")) == MOST_PAGES
    assert str(server.asked[0].url) == "http://here/v1/passes/0x07/offers?after="
    gateway, server = at({"offers": [], "next": None})
    assert gateway.title_offers("0x07") == []
    assert str(server.asked[0].url) == "http://here/v1/titles/0x07/offers?after="
