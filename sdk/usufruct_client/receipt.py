"""Receipts: read, recover the signer, compare with what was asked, answered and agreed."""

import json
import re
from dataclasses import dataclass, fields

from usufruct_client.eip712 import RECEIPT, RECEIPT_DOMAIN
from usufruct_client.json_members import Members
from usufruct_client.lines import Line, Unit, bill_lines, charge_faults, quantities_of, total_of
from usufruct_client.price import PriceCard
from usufruct_client.recursion import recursion_limit_kept
from usufruct_client.signing import checksummed, digest_of, recovered

with recursion_limit_kept():
    from eth_account.messages import SignableMessage, encode_typed_data

_INTEGERS = {"priceCardVersion": 64, "ceiling": 128, "amount": 128, "cumulative": 128, "time": 64}
_HASHES = ("call", "account", "modelDigest", "requestHash", "responseHash")
_LINE = {"quantity": 64, "price": 256, "per": 64, "amount": 256}
_WORDS = re.compile("[a-z][a-z0-9_]{0,63}")
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One call's bill as the operator signed it; hashes and addresses in lower case."""

    call: str
    account: str
    token: str
    asset: int
    price_card_version: int
    model_digest: str
    request_hash: str
    response_hash: str
    lines: tuple[Line, ...]
    counted_by: str
    ceiling: int
    amount: int
    cumulative: int
    time: int
    signature: str
    signer: str
    till: str
    chain_id: int

    @property
    def above(self) -> int:
        """What the account had been charged before this call."""
        return self.cumulative - self.amount

    def signed_by(self) -> str | None:
        """Return who signed exactly this receipt, in lower case; None for a signature that is none."""
        return recovered(self._signable(), self.signature)

    def digest(self) -> bytes:
        """Return the 32 bytes that the operator signed, and anchors on the chain."""
        return digest_of(self._signable())

    def _signable(self) -> SignableMessage:
        domain = RECEIPT_DOMAIN.data(self.chain_id, checksummed(self.till))
        message = {name: getattr(self, _snake(name)) for _, name in RECEIPT.fields}
        message["token"] = checksummed(self.token)
        message["lines"] = [line._asdict() for line in self.lines]
        return encode_typed_data(domain, RECEIPT.types, message)

    def as_json(self) -> dict[str, object]:
        """Return what `read_receipt` reads."""
        members = {_camel(field.name): getattr(self, field.name) for field in fields(self)}
        written = {name: str(value) if isinstance(value, int) else value for name, value in members.items()}
        lines = [{**{name: str(value) for name, value in line._asdict().items()}} for line in self.lines]
        return {**written, "asset": f"0x{self.asset:032x}", "lines": lines}


@dataclass(frozen=True, slots=True)
class Dispute:
    """What a gateway did that was not agreed: `call` is its id where one is known, `at` seconds since 1970."""

    channel: str
    call: str
    what: str
    at: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a receipt is compared with; `response_hash` is None when the whole answer was not read.

    `account`, `call` and `charge` are None where they are not known.
    """

    account: str | None
    chain_id: int
    till: str
    token: str
    request_hash: str
    response_hash: str | None
    ceiling: int
    signed: int
    signers: frozenset[str]
    price_card: PriceCard | None = None
    call: str | None = None
    charge: int | None = None


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
        lines=tuple(_read_line(line) for line in members.objects("lines")),
        counted_by=members.matching("countedBy", _WORDS, "a word in lower case"),
        token=members.address("token"),
        asset=int(asset, 16),
        signature=members.signature("signature"),
        signer=members.address("signer"),
        till=members.address("till"),
        chain_id=members.amount("chainId", 64),
    )


def _read_line(line: Members) -> Line:
    unit = Unit(line.matching("unit", _WORDS, "a unit: words in lower case, joined by _"))
    return Line(unit, *(line.amount(name, bits) for name, bits in _LINE.items()))


def faults(receipt: Receipt, agreed: Agreed) -> tuple[str, ...]:
    """Return what is wrong with a receipt, each in a sentence; nothing for one that is in order."""
    found = []
    for name in ("call", "account", "chain_id", "till", "token", "request_hash", "response_hash"):
        stands, expected = getattr(receipt, name), getattr(agreed, name)
        if expected is not None and stands != expected:
            found.append(f"the receipt's {name} is {stands}, not {expected}")
    if agreed.charge not in (None, receipt.amount):
        found.append(f"the receipt's amount is {receipt.amount}, not the {agreed.charge} that the answer names")
    if receipt.amount > agreed.ceiling:
        found.append(f"charged {receipt.amount}, above the ceiling of {agreed.ceiling}")
    found += charge_faults(receipt.lines, receipt.ceiling, receipt.amount) or _price_faults(receipt, agreed.price_card)
    if receipt.above < 0 or receipt.cumulative > agreed.signed:
        found.append(f"the receipt's cumulative {receipt.cumulative} does not fit: {agreed.signed} was signed in all")
    signer = receipt.signed_by()
    if signer != receipt.signer:
        found.append(f"the receipt's signature is not {receipt.signer}'s")
    elif agreed.signers and signer not in agreed.signers:
        found.append(f"the receipt is signed by {signer}, not by the operator's receipt key")
    return tuple(found)


def _price_faults(receipt: Receipt, card: PriceCard | None) -> list[str]:
    """Make the lines again from their quantities and the price card that was quoted."""
    if card is None:
        return []
    if receipt.price_card_version != card.version:
        return [f"charged by price card {receipt.price_card_version}, not by the quoted {card.version}"]
    used = quantities_of(receipt.lines)
    if unpriced := used.keys() - card.rates.keys():
        return [f"the quoted price card has no price for {', '.join(sorted(unpriced))}"]
    due = bill_lines(used, card.rates)
    if receipt.lines == due:
        return []
    return [f"the receipt's lines come to {total_of(receipt.lines)}, by the quoted price to {total_of(due)}"]


def data_member(body: str) -> str:
    """Return the `data` member of an answer as the text has it; empty when there is none."""
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


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub("([A-Z])", lambda found: "_" + found[1].lower(), name)
