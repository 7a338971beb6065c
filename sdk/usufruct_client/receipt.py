"""Receipts: what one says, who signed it, whether it is what was agreed, and whether it is under an anchored root."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, StrictStr
from pydantic.alias_generators import to_snake
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function, plain_serializer_function_ser_schema

from usufruct_client.bill_lines import Line, Unit, bill_lines, charge_faults, quantities_of, total_of
from usufruct_client.eip712_messages import RECEIPT
from usufruct_client.identifiers import Address, keccak
from usufruct_client.price_card import PriceCard
from usufruct_client.signing import signer_of
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    Document,
    HashText,
    Plain,
    Signature,
    Uint64,
    Uint128,
    Uint256,
    read_answer,
)

_RECEIPT = MessageHasher(RECEIPT)
_SIGNED = tuple(to_snake(name) for _, name in RECEIPT.fields)

_Word = Annotated[StrictStr, Field(pattern="^[a-z][a-z0-9_]{0,63}$")]
"""A word that a newer gateway may have added: an older client still checks the receipt."""


class ReceiptLine(Document):
    """One line of a receipt: `quantity` of a unit at `price` for `per` units; `amount` in atomic units."""

    unit: _Word
    quantity: Uint64
    price: Uint256
    per: Uint64
    amount: Uint256

    def line(self) -> Line:
        """Return it as bills have it."""
        return Line(Unit(self.unit), self.quantity, self.price, self.per, self.amount)


class _LineOfDocument:
    """Reads and writes a `Line` as a `ReceiptLine`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = plain_serializer_function_ser_schema(lambda line: ReceiptLine(*line).as_json())
        return no_info_after_validator_function(ReceiptLine.line, handler(ReceiptLine), serialization=written)


class Receipt(Document):
    """One call's bill under the operator's signature; members as its EIP-712 struct names them."""

    call: HashText
    account: HashText
    token: AddressText
    asset: AssetHex
    price_card_version: Uint64
    model_digest: HashText
    request_hash: HashText
    response_hash: HashText
    lines: tuple[Annotated[Line, _LineOfDocument()], ...]
    counted_by: _Word
    ceiling: Uint128
    amount: Uint128
    cumulative: Uint128
    time: Uint64
    signature: Signature
    signer: AddressText
    till: AddressText
    chain_id: Uint64

    @property
    def above(self) -> int:
        """What the account had been charged before this call."""
        return self.cumulative - self.amount

    def digest(self) -> bytes:
        """Return the 32 bytes that the operator signed, and anchors on the chain."""
        return _RECEIPT.digest(self.chain_id, self.till, *(getattr(self, name) for name in _SIGNED))

    def signed_by(self) -> Address | None:
        """Return who signed exactly this receipt; None for a signature that the chain would not take."""
        return signer_of(self.digest(), self.signature)


class KeptReceipt(Plain):
    """`GET /v1/receipts/{call}`: a receipt, and what it does not hold."""

    receipt: Receipt
    flagged: bool
    reasoning_tokens: Count


class ReceiptProof(Document):
    """`GET /v1/proofs/{call}`: the siblings from a receipt's digest up to an anchored root of `count` receipts."""

    call: HashText
    digest: HashText
    proof: list[HashText]
    root: HashText
    count: Count
    transaction: HashText
    block: Count


def read_receipt(document: object) -> Receipt:
    """Read a receipt's JSON.

    Raises:
        BadAnswer: when a member is missing or malformed; names it.
    """
    return read_answer(Receipt, document, "receipt")


def proves(proof: ReceiptProof, digest: bytes) -> bool:
    """Tell whether a proof leads from a receipt's digest to its root; the chain shows whether that is anchored.

    A leaf is the hash of a digest, a node that of its two children, the smaller first.
    """
    node = keccak(digest)
    for sibling in (bytes.fromhex(each[2:]) for each in proof.proof):
        node = keccak(node + sibling if node < sibling else sibling + node)
    return "0x" + node.hex() == proof.root


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
