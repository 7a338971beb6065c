"""The receipt of one call: what was asked, answered, counted and charged, signed by the operator.

Signed as EIP-712 under the till's address, so that any wallet library and the chain itself can check it. Its digest is
what is anchored: see `merkle`.
"""

from collections.abc import Mapping
from hashlib import sha256

from usufruct.chain import MessageHasher
from usufruct.chain.keys import recover_signer
from usufruct.core import Address, AssetId, ChainId, Denied, Hash32, Invalid, format_asset, value
from usufruct.payments.pricing.usage import CountedBy
from usufruct.payments.pricing.vouchers import DigestSigner
from usufruct.web import read_document
from usufruct_client import wire
from usufruct_client.eip712 import RECEIPT
from usufruct_client.lines import Line, Unit

_RECEIPT = MessageHasher(RECEIPT)


class InvalidReceipt(Invalid):
    """A document that cannot be read as a receipt."""

    code = "invalid_receipt"


class WrongReceiptSigner(Denied):
    """A receipt that the operator did not sign."""

    code = "wrong_receipt_signer"


@value
class Receipt:
    """One call's bill. `amount` and `cumulative` are atomic units of `token`; `time` is seconds since 1970.

    `account` is the channel or the pass credits that paid. `amount` is what `lines` add up to, or `ceiling` if that is
    lower. `cumulative` is what the account has been charged in all, this call included: receipts of an account tile its
    spending without gap or overlap.
    """

    call: Hash32
    account: Hash32
    token: Address
    asset: AssetId
    price_card_version: int
    model_digest: Hash32
    request_hash: Hash32
    response_hash: Hash32
    lines: tuple[Line, ...]
    counted_by: CountedBy
    ceiling: int
    amount: int
    cumulative: int
    time: int


def content_hash(content: bytes) -> Hash32:
    """Return the SHA-256 by which receipts name requests and answers."""
    return Hash32("0x" + sha256(content).hexdigest())


def receipt_digest(receipt: Receipt, chain_id: ChainId, till: Address) -> bytes:
    """Return what the operator signs and the chain anchors: 32 bytes."""
    return _RECEIPT.digest(
        chain_id,
        till,
        receipt.call,
        receipt.account,
        receipt.token,
        receipt.asset,
        receipt.price_card_version,
        receipt.model_digest,
        receipt.request_hash,
        receipt.response_hash,
        receipt.lines,
        receipt.counted_by.value,
        receipt.ceiling,
        receipt.amount,
        receipt.cumulative,
        receipt.time,
    )


def sign_receipt(receipt: Receipt, chain_id: ChainId, till: Address, signer: DigestSigner) -> bytes:
    """Sign a receipt: 65 bytes; the same receipt and key give the same signature."""
    return signer.sign(receipt_digest(receipt, chain_id, till))


def verify_receipt(receipt: Receipt, chain_id: ChainId, till: Address, signature: bytes, operator: Address) -> None:
    """Check that `operator` signed exactly this receipt.

    Raises:
        InvalidSignature: for a malformed signature.
        WrongReceiptSigner: when another key signed, or any field differs from what was signed.
    """
    signer = recover_signer(receipt_digest(receipt, chain_id, till), signature)
    if signer != operator:
        raise WrongReceiptSigner(
            f"the signature is not {operator}'s over this receipt: a field was changed, or another key signed",
            signer=signer,
            expected=operator,
        )


@value
class ReceiptDocument:
    """A receipt as it travels: what was signed, for which chain and till, by whom, and the signature."""

    receipt: Receipt
    chain_id: ChainId
    till: Address
    signer: Address
    signature: bytes

    def as_json(self) -> dict[str, object]:
        """Return what `wire.Receipt` describes; written by hand, since every call does it (decision 0027)."""
        receipt = self.receipt
        return {
            "call": receipt.call,
            "account": receipt.account,
            "token": receipt.token,
            "asset": format_asset(receipt.asset),
            "priceCardVersion": str(receipt.price_card_version),
            "modelDigest": receipt.model_digest,
            "requestHash": receipt.request_hash,
            "responseHash": receipt.response_hash,
            "lines": [
                {"unit": unit, "quantity": str(quantity), "price": str(price), "per": str(per), "amount": str(amount)}
                for unit, quantity, price, per, amount in receipt.lines
            ],
            "countedBy": receipt.counted_by.value,
            "ceiling": str(receipt.ceiling),
            "amount": str(receipt.amount),
            "cumulative": str(receipt.cumulative),
            "time": str(receipt.time),
            "signature": "0x" + self.signature.hex(),
            "signer": self.signer,
            "till": self.till,
            "chainId": str(self.chain_id),
        }

    def verify(self) -> None:
        """Check the signature; whether `signer` is the operator's receipt key is for the reader to know.

        Raises:
            InvalidSignature, WrongReceiptSigner: as `verify_receipt`.
        """
        verify_receipt(self.receipt, self.chain_id, self.till, self.signature, self.signer)


def read_receipt(document: Mapping[str, object]) -> ReceiptDocument:
    """Read a receipt from what `as_json` makes of it.

    Raises:
        InvalidReceipt: when a member is missing or malformed; names it.
    """
    read = read_document(wire.Receipt, document, InvalidReceipt)
    receipt = Receipt(
        call=read.call,
        account=read.account,
        token=read.token,
        asset=AssetId(read.asset),
        price_card_version=read.price_card_version,
        model_digest=read.model_digest,
        request_hash=read.request_hash,
        response_hash=read.response_hash,
        lines=tuple(Line(Unit(each.unit), each.quantity, each.price, each.per, each.amount) for each in read.lines),
        counted_by=CountedBy(read.counted_by),
        ceiling=read.ceiling,
        amount=read.amount,
        cumulative=read.cumulative,
        time=read.time,
    )
    return ReceiptDocument(receipt, ChainId(read.chain_id), read.till, read.signer, read.signature)
