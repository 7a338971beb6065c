"""A gateway's free endpoints: terms and services, bearer keys, deposits, a channel's numbers, receipts, shares.

Payers prove who they are by EIP-712 signatures; each names one operator on one chain.
"""

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from usufruct_client.clock import wall_seconds
from usufruct_client.eip712_messages import (
    COLLECTOR,
    CREATE_KEY,
    LIST_KEYS,
    READ_CHANNEL,
    RENAME_KEY,
    REVOKE_KEY,
    SETTLEMENT,
    Domain,
    MessageType,
)
from usufruct_client.errors import (
    BadAnswer,
    DepositPending,
    GatewayRefused,
    GatewayUnavailable,
    NotAllowed,
    TradePending,
)
from usufruct_client.http_answer import read_object
from usufruct_client.identifiers import Address, checksum
from usufruct_client.receipt import ReceiptProof
from usufruct_client.signing import Signer, channel_id, random_salt, sign_deposit
from usufruct_client.trade_documents import (
    OfferFacts,
    OfferList,
    PurchaseFacts,
    SharesFacts,
    SignedOffer,
    SignedPurchase,
)
from usufruct_client.urls import gateway_address
from usufruct_client.wire import (
    PROOF_HEADER,
    ChannelConfig,
    ChannelOnChain,
    ChannelUse,
    DepositWish,
    KeyFacts,
    KeyLeft,
    KeyList,
    KeySecret,
    KeyWish,
    ModelCard,
    ModelList,
    RenameWish,
    SignedWish,
    Terms,
    Token,
)
from usufruct_client.wire_types import Uint128, read

PROOF_SECONDS = 300
"""How long a signature that only identifies the caller holds."""

TRIES = 10
"""How often a signature is handed in while its outcome is not known."""

MOST_PAGES = 100
"""Most pages of a list that are read: a gateway could always name a next one."""

TIMEOUT_SECONDS = 90.0
"""Longer than a gateway waits for a deposit."""

Headers = Mapping[str, str]
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `text` is shown this once, `config` is the channel that it pays from."""

    text: str = field(repr=False)
    key: KeyFacts
    config: ChannelConfig


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key, what its channel is charged, and what is left of its limit and of today's, in atomic units."""

    key: KeyFacts
    channel: ChannelUse
    left: Uint128
    left_today: Uint128 | None


class Gateway:
    """One gateway; `url` is its address without `/v1`. One thread at a time may use it."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None, pause_seconds: float = 1.0) -> None:
        """Speak to the gateway at `url`, with or without `/v1`; a deposit is repeated after `pause_seconds`.

        Raises:
            Invalid: when `url` is not the address of a gateway.
        """
        self.url = gateway_address(url)
        self._client = httpx.Client(transport=transport, timeout=TIMEOUT_SECONDS)
        self._pause_seconds = pause_seconds

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def terms(self) -> Terms:
        """Return the operator's terms for channels.

        Raises:
            NotAllowed: when deposits would go through other contracts than x402's: a collector takes what was signed.
        """
        terms = self._document(Terms, self._ask("GET", "/v1/terms"))
        for name, found, expected in (
            ("settlement", terms.settlement, SETTLEMENT),
            ("collector", terms.collector, COLLECTOR),
        ):
            if found != expected:
                raise NotAllowed(f"{name} is {found}, not x402's {expected}; deposit nothing", field=name)
        return terms

    def services(self) -> list[ModelCard]:
        """Return the services on offer, with their prices."""
        return self._document(ModelList, self._ask("GET", "/v1/models")).data

    def create_key(
        self,
        payer: Signer,
        terms: Terms,
        limit: int,
        expires_at: int,
        assets: Collection[str] = (),
        label: str = "",
        day_limit: int | None = None,
    ) -> NewKey:
        """Make a key that may spend up to `limit` in all and `day_limit` a day (UTC), for some services or all.

        Nothing is deposited yet.
        """
        nonce = secrets.randbits(256)
        grant = {"spendingLimit": limit, "dayLimit": day_limit or 0, "expiresAt": expires_at}
        named = {"payer": checksum(payer.address), **grant, "assets": "\n".join(sorted(assets)), "label": label}
        signature = _sign(payer, CREATE_KEY, terms.till, terms.chain_id, **named, nonce=nonce)
        wish = KeyWish(_address(payer), limit, expires_at, frozenset(assets), label, nonce, signature, day_limit)
        made = self._ask("POST", "/v1/keys", wish.as_json())
        secret, key = self._document(KeySecret, made), self._document(KeyFacts, made)
        return NewKey(secret.key, key, self._document(ChannelOnChain, made).channel_config)

    def list_keys(self, payer: Signer, terms: Terms) -> list[KeyFacts]:
        """Return the payer's keys, newest first."""
        return self._document(KeyList, self._ask("POST", "/v1/keys/list", _signed_wish(payer, LIST_KEYS, terms))).keys

    def rename_key(self, payer: Signer, terms: Terms, key_id: str, label: str) -> KeyFacts:
        """Give a key another name, which only its payer sees."""
        until, signature = _timed_signature(payer, RENAME_KEY, terms, id=key_id, label=label)
        wish = RenameWish(_address(payer), label, until, signature)
        return self._document(KeyFacts, self._ask("POST", f"/v1/keys/{key_id}/rename", wish.as_json()))

    def revoke_key(self, payer: Signer, terms: Terms, key_id: str) -> KeyFacts:
        """Revoke a key: it stops at once, and its unused money comes back to the payer."""
        wish = _signed_wish(payer, REVOKE_KEY, terms, id=key_id)
        return self._document(KeyFacts, self._ask("POST", f"/v1/keys/{key_id}/revoke", wish))

    def current_key(self, bearer: str) -> KeyUse:
        """Return what a key's bearer may know of it."""
        found = self._ask("GET", "/v1/keys/current", headers=bearer_headers(bearer))
        left = self._document(KeyLeft, found)
        return KeyUse(self._document(KeyFacts, found), self._document(ChannelUse, found), left.left, left.left_today)

    def submit_deposit(
        self,
        payer: Signer,
        terms: Terms,
        token: Token,
        into: ChannelConfig,
        amount: int,
        valid_before: int,
        notify: Callable[[str], None] = lambda line: None,
    ) -> int:
        """Sign a deposit of `amount` and hand it in until the gateway tells what became of it; return the balance.

        `token` is what the payer agreed to pay in. The gateway pays for gas. The same signature is handed in again,
        never another: it can be made until `valid_before`. `notify` is called with the reason for each repetition.

        Raises:
            NotAllowed: when the channel is not the payer's to this operator in that token; nothing is signed.
            GatewayRefused: when the deposit cannot be made.
            DepositPending: when the gateway does not tell what became of it.
        """
        if token != terms.token:
            raise NotAllowed(f"the gateway describes its token as {terms.token}, and {token} was agreed")
        parties, expected = (into.payer, into.receiver, into.token), (_address(payer), terms.till, token.address)
        if parties != expected:
            raise NotAllowed(
                "the channel has payer {}, receiver {} and token {}, not ".format(*parties)
                + "{}, {} and {}; pay nothing into it".format(*expected)
            )
        channel = channel_id(into, terms.chain_id)
        domain = Domain(token.name, token.version).data(terms.chain_id, token.address)
        made = sign_deposit(payer, channel, domain, amount, valid_before)
        wish = DepositWish(into, made.document()).as_json()
        answer = self._hand_in(
            ChannelOnChain, "/v1/deposits", wish, "deposit", lambda refused: refused.reason == "deposit_pending", notify
        )
        if answer is not None:
            return answer.balance
        raise DepositPending(
            f"a signed deposit into channel {channel} may still be made until {valid_before} (seconds since 1970); "
            "look at the channel before you pay again",
            channel=channel,
        )

    def channel(self, channel: str, headers: Headers) -> ChannelUse:
        """Return a channel's numbers to those it belongs to; `headers`: see `bearer_headers` and `proof_headers`."""
        return self._document(ChannelUse, self._ask("GET", f"/v1/channels/{channel}", headers=headers))

    def receipt(self, call: str, bearer: str) -> dict[str, Any]:
        """Return the receipt of a call as it travels; `read_receipt` reads it."""
        receipt = self._ask("GET", f"/v1/receipts/{call}", headers=bearer_headers(bearer)).get("receipt")
        if not isinstance(receipt, dict):
            raise BadAnswer(f"{self.url}: receipt must be an object", member="receipt")
        return receipt

    def anchor_proof(self, call: str) -> ReceiptProof:
        """Return the proof that the receipt of a call is under a root; that the root is anchored, the chain shows."""
        return self._document(ReceiptProof, self._ask("GET", f"/v1/proofs/{call}"))

    def shares(self, asset: str) -> SharesFacts:
        """Return what is known of the revenue shares of an asset: `0x` and 32 hex digits."""
        return self._document(SharesFacts, self._ask("GET", f"/v1/shares/{asset}"))

    def share_offers(self, asset: str) -> list[OfferFacts]:
        """Return the offers of an asset's shares that are not over, the lowest price of a share first."""
        return self._offers(f"/v1/shares/{asset}/offers")

    def credit_offers(self, asset: str) -> list[OfferFacts]:
        """Return the offers of credits of an asset's plans that are not over, the lowest price of a credit first."""
        return self._offers(f"/v1/passes/{asset}/offers")

    def title_offers(self, asset: str) -> list[OfferFacts]:
        """Return the offers of an asset's title, alone or in a bundle, that are not over, the lowest price first."""
        return self._offers(f"/v1/titles/{asset}/offers")

    def _offers(self, path: str) -> list[OfferFacts]:
        found: list[OfferFacts] = []
        after = ""
        for _ in range(MOST_PAGES):
            page = self._document(OfferList, self._ask("GET", f"{path}?after={quote(after)}"))
            found += page.offers
            if not page.next:
                break
            after = page.next
        return found

    def offer(self, offer: str) -> OfferFacts:
        """Return an offer as it is now."""
        return self._document(OfferFacts, self._ask("GET", f"/v1/offers/{offer}"))

    def publish_offer(
        self, signed: SignedOffer, offer: str, notify: Callable[[str], None] = lambda line: None
    ) -> OfferFacts:
        """Publish a signed offer, whose id is `offer`; hand it in again until the outcome is known.

        Raises:
            GatewayRefused: when it cannot be published.
            TradePending: when the outcome is not known after all tries.
        """
        found = self._hand_in(OfferFacts, "/v1/offers", signed.as_json(), "offer", _later, notify)
        if found is None:
            raise TradePending(
                f"{self.url} does not tell whether offer {offer} is published; look at the list of offers before you "
                "sign another",
                offer=offer,
            )
        return found

    def submit_purchase(
        self, signed: SignedPurchase, notify: Callable[[str], None] = lambda line: None
    ) -> PurchaseFacts:
        """Submit a signed purchase; hand it in again until the outcome is known. It is made once.

        Raises:
            GatewayRefused: when it cannot be made.
            TradePending: when the outcome is not known after all tries.
        """
        found = self._hand_in(PurchaseFacts, "/v1/purchases", signed.as_json(), "purchase", _later, notify)
        if found is None:
            raise TradePending(
                f"a signed purchase of offer {signed.offer} may still be made until {signed.valid_before} (seconds "
                "since 1970); look at what you hold before you buy again",
                offer=signed.offer,
            )
        return found

    def _hand_in(
        self,
        kind: type[Kind],
        path: str,
        content: Mapping[str, object],
        what: str,
        waits: Callable[[GatewayRefused], bool],
        notify: Callable[[str], None],
    ) -> Kind | None:
        """Post what was signed until the outcome is known; return None when it is not known after all tries.

        `waits`: whether a refusal means that the outcome is still open.
        """
        for _ in range(TRIES):
            try:
                return self._document(kind, self._ask("POST", path, content))
            except GatewayRefused as refused:
                if not waits(refused):
                    raise
                notify(f"the {what} is on its way; asking again")
            except (GatewayUnavailable, BadAnswer) as silence:
                notify(f"{silence.message}. The same {what} is handed in again")
            time.sleep(self._pause_seconds)
        return None

    def _document(self, kind: type[Kind], content: object) -> Kind:
        return read(kind, content, lambda message, name: BadAnswer(f"{self.url}: {message}", member=name))

    def _ask(
        self, method: str, path: str, content: Mapping[str, object] | None = None, headers: Headers | None = None
    ) -> dict[str, Any]:
        """Return the JSON object that the gateway answers.

        Raises:
            GatewayRefused: when it refuses; has its code and its numbers.
            GatewayUnavailable: when nothing answers.
            BadAnswer: when the answer is not one of a gateway.
        """
        try:
            answer = self._client.request(method, self.url + path, json=content, headers=headers)
        except httpx.HTTPError as fault:
            raise GatewayUnavailable(
                f"{self.url} does not answer ({type(fault).__name__}); check that it runs and that the address is right"
            ) from fault
        return read_object(answer)


def bearer_headers(bearer: str) -> Headers:
    """Return the header that shows a bearer key."""
    return {"authorization": f"Bearer {bearer}"}


def proof_headers(signer: Signer, channel: str, till: str, chain_id: int) -> Headers:
    """Return the header by which a channel's payer, or its payer authorizer, may see its numbers."""
    until = wall_seconds() + PROOF_SECONDS
    proof = _sign(signer, READ_CHANNEL, till, chain_id, channel=bytes.fromhex(channel[2:]), expiresAt=until)
    return {PROOF_HEADER: f"{until}.0x{proof.hex()}"}


def new_channel(terms: Terms, payer: str, payer_authorizer: str = "") -> ChannelConfig:
    """Return a new channel of `payer` to the operator; `payer_authorizer` signs vouchers, by default the payer."""
    return ChannelConfig(
        payer=Address(payer.lower()),
        payer_authorizer=Address((payer_authorizer or payer).lower()),
        receiver=terms.till,
        receiver_authorizer=terms.till,
        token=terms.token.address,
        withdraw_delay=terms.withdraw_delay,
        salt=random_salt(),
    )


def check_channel(channel: str, config: ChannelConfig, payer: str, terms: Terms) -> None:
    """Refuse a channel that is not the payer's own by the operator's terms, or has another id than `channel`.

    Raises:
        NotAllowed: names the member that differs.
    """
    for name, found, expected in (
        ("payer", config.payer, payer.lower()),
        ("receiver", config.receiver, terms.till),
        ("receiver authorizer", config.receiver_authorizer, terms.till),
        ("token", config.token, terms.token.address),
        ("withdraw delay", config.withdraw_delay, terms.withdraw_delay),
        ("id", channel, channel_id(config, terms.chain_id)),
    ):
        if found != expected:
            raise NotAllowed(f"the channel's {name} is {found}, not {expected}; pay nothing into it", field=name)


def _later(refused: GatewayRefused) -> bool:
    return refused.status == HTTPStatus.SERVICE_UNAVAILABLE


def _signed_wish(payer: Signer, kind: MessageType, terms: Terms, **more: str) -> dict[str, Any]:
    return SignedWish(_address(payer), *_timed_signature(payer, kind, terms, **more)).as_json()


def _timed_signature(payer: Signer, kind: MessageType, terms: Terms, **more: str) -> tuple[int, bytes]:
    """Return until when a signature without a nonce holds, and the signature."""
    until = wall_seconds() + PROOF_SECONDS
    message = {"payer": checksum(payer.address), **more, "expiresAt": until}
    return until, _sign(payer, kind, terms.till, terms.chain_id, **message)


def _sign(signer: Signer, kind: MessageType, till: str, chain_id: int, **message: object) -> bytes:
    assert kind.domain is not None
    return bytes(signer.sign_typed_data(kind.domain.data(chain_id, till), kind.types, message).signature)


def _address(signer: Signer) -> Address:
    return Address(signer.address.lower())
