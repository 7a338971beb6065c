"""Receipts: read, recover the signer, compare with what was asked, answered and agreed."""

import json
import re
from dataclasses import dataclass

from eth_account.messages import encode_typed_data

from usufruct_client.eip712 import RECEIPT, RECEIPT_DOMAIN
from usufruct_client.members import Members
from usufruct_client.price import PriceCard
from usufruct_client.signing import checksummed, recovered

_INTEGERS = {
    "priceCardVersion": 64,
    "inputTokens": 64,
    "cachedInputTokens": 64,
    "outputTokens": 64,
    "amount": 128,
    "cumulative": 128,
    "time": 64,
}
_HASHES = ("call", "channel", "modelDigest", "requestHash", "responseHash")
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One call's bill as the operator signed it; hashes and addresses in lower case."""

    call: str
    channel: str
    token: str
    asset: int
    price_card_version: int
    model_digest: str
    request_hash: str
    response_hash: str
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    amount: int
    cumulative: int
    time: int
    signature: str
    signer: str
    till: str
    chain_id: int

    @property
    def above(self) -> int:
        """What the channel had been charged before this call."""
        return self.cumulative - self.amount

    def signed_by(self) -> str | None:
        """Return who signed exactly this receipt, in lower case; None for a signature that is none."""
        message = {
            "call": bytes.fromhex(self.call[2:]),
            "channel": bytes.fromhex(self.channel[2:]),
            "token": checksummed(self.token),
            "asset": self.asset,
            "priceCardVersion": self.price_card_version,
            "modelDigest": bytes.fromhex(self.model_digest[2:]),
            "requestHash": bytes.fromhex(self.request_hash[2:]),
            "responseHash": bytes.fromhex(self.response_hash[2:]),
            "inputTokens": self.input_tokens,
            "cachedInputTokens": self.cached_input_tokens,
            "outputTokens": self.output_tokens,
            "amount": self.amount,
            "cumulative": self.cumulative,
            "time": self.time,
        }
        domain = RECEIPT_DOMAIN.data(self.chain_id, checksummed(self.till))
        return recovered(encode_typed_data(domain, RECEIPT.types, message), self.signature)


@dataclass(frozen=True, slots=True)
class Dispute:
    """What a gateway did that was not agreed: `call` is its id where one is known, `at` seconds since 1970."""

    channel: str
    call: str
    what: str
    at: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a receipt is compared with; `response_hash` is None when the whole answer was not read."""

    channel: str
    chain_id: int
    till: str
    token: str
    request_hash: str
    response_hash: str | None
    ceiling: int
    signed: int
    signers: frozenset[str]
    price_card: PriceCard | None = None


def read_receipt(document: object) -> Receipt:
    """Read a receipt's JSON.

    Raises:
        BadAnswer: when a member is missing or malformed; names it.
    """
    members = Members(document, "receipt")
    hashes = {_snake(name): members.hash32(name) for name in _HASHES}
    integers = {_snake(name): members.amount(name, bits) for name, bits in _INTEGERS.items()}
    asset = members.text("asset")
    if not re.fullmatch("0x[0-9a-fA-F]{1,32}", asset):
        asset = members.hash32("asset")  # names the member
    return Receipt(
        **hashes,  # type: ignore[arg-type]
        **integers,  # type: ignore[arg-type]
        token=members.address("token"),
        asset=int(asset, 16),
        signature=members.signature("signature"),
        signer=members.address("signer"),
        till=members.address("till"),
        chain_id=members.amount("chainId", 64),
    )


def faults(receipt: Receipt, agreed: Agreed) -> tuple[str, ...]:
    """Return what is wrong with a receipt, each in a sentence; nothing for one that is in order."""
    found = []
    for name in ("channel", "chain_id", "till", "token", "request_hash", "response_hash"):
        stands, expected = getattr(receipt, name), getattr(agreed, name)
        if expected is not None and stands != expected:
            found.append(f"the receipt's {name} is {stands}, not {expected}")
    if receipt.amount > agreed.ceiling:
        found.append(f"charged {receipt.amount}, above the ceiling of {agreed.ceiling}")
    found += _price_faults(receipt, agreed)
    if receipt.above < 0 or receipt.cumulative > agreed.signed:
        found.append(f"the receipt's cumulative {receipt.cumulative} does not fit: {agreed.signed} was signed in all")
    signer = receipt.signed_by()
    if signer != receipt.signer:
        found.append(f"the receipt's signature is not {receipt.signer}'s")
    elif agreed.signers and signer not in agreed.signers:
        found.append(f"the receipt is signed by {signer}, not by the operator's receipt key")
    return tuple(found)


def _price_faults(receipt: Receipt, agreed: Agreed) -> list[str]:
    """Make the charge again from the receipt's counts and the price card that was quoted."""
    card, counts = agreed.price_card, (receipt.input_tokens, receipt.cached_input_tokens, receipt.output_tokens)
    if receipt.cached_input_tokens > receipt.input_tokens:
        return [f"the receipt says that {counts[1]} of {counts[0]} input tokens were cached"]
    if card is None:
        return []
    if receipt.price_card_version != card.version:
        return [f"charged by price card {receipt.price_card_version}, not by the quoted {card.version}"]
    due = min(agreed.ceiling, card.price_up(*counts))
    if receipt.amount == due:
        return []
    inputs, cached, outputs = counts
    return [f"charged {receipt.amount}; {inputs} in ({cached} cached) and {outputs} out cost {due} by the quoted price"]


def data_member(body: str) -> str:
    """Return the `data` member of an answer as it stands in the text; empty when there is none."""
    decoder = json.JSONDecoder()
    position = _skip(body, _skip(body, 0) + 1)
    while position < len(body) and body[position] == '"':
        name, position = decoder.raw_decode(body, position)
        start = _skip(body, _skip(body, position) + 1)
        _, position = decoder.raw_decode(body, start)
        if name == "data":
            return body[start:position]
        position = _skip(body, _skip(body, position) + 1)
    return ""


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _snake(name: str) -> str:
    return re.sub("([A-Z])", lambda found: "_" + found[1].lower(), name)
