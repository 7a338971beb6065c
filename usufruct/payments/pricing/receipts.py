"""The receipt of one call: what was asked, answered, counted and charged, signed by the operator.

Signed as EIP-712 under the till's address, so that any wallet library and the chain itself can check it. Its digest is
what is anchored: see `merkle`.
"""

from collections.abc import Mapping
from hashlib import sha256

from usufruct.chain import MessageHasher
from usufruct.core import UINT128_MAX, Address, AssetId, ChainId, Denied, Hash32, Invalid, asset_id, format_asset, value
from usufruct.payments.pricing.signatures import DigestSigner, recover_signer
from usufruct.web import Members
from usufruct_client.eip712 import RECEIPT

_UINT64_MAX = (1 << 64) - 1
_RECEIPT = MessageHasher(RECEIPT)


class InvalidReceipt(Invalid):
    """A document that is no receipt."""

    code = "invalid_receipt"


class WrongReceiptSigner(Denied):
    """A receipt that the operator did not sign."""

    code = "wrong_receipt_signer"


@value
class Receipt:
    """One call's bill. `amount` and `cumulative` are atomic units of `token`; `time` is seconds since 1970.

    `amount` is what the price card of that version makes of the three counts, or the call's ceiling if that is lower;
    `cached_input_tokens` are among `input_tokens`. `cumulative` is what the channel has been charged in all, this call
    included: receipts of a channel tile its spending without gap or overlap.
    """

    call: Hash32
    channel: Hash32
    token: Address
    asset: AssetId
    price_card_version: int
    model_digest: Hash32
    request_hash: Hash32
    response_hash: Hash32
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
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
        receipt.channel,
        receipt.token,
        receipt.asset,
        receipt.price_card_version,
        receipt.model_digest,
        receipt.request_hash,
        receipt.response_hash,
        receipt.input_tokens,
        receipt.cached_input_tokens,
        receipt.output_tokens,
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
        """Return the members as EIP-712 names them, integers as decimal text; `read_receipt` reads it."""
        receipt = self.receipt
        return {
            "call": receipt.call,
            "channel": receipt.channel,
            "token": receipt.token,
            "asset": format_asset(receipt.asset),
            "priceCardVersion": str(receipt.price_card_version),
            "modelDigest": receipt.model_digest,
            "requestHash": receipt.request_hash,
            "responseHash": receipt.response_hash,
            "inputTokens": str(receipt.input_tokens),
            "cachedInputTokens": str(receipt.cached_input_tokens),
            "outputTokens": str(receipt.output_tokens),
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
    members = Members(document, InvalidReceipt)
    receipt = Receipt(
        call=members.hash32("call"),
        channel=members.hash32("channel"),
        token=members.address("token"),
        asset=asset_id(members.text("asset")),
        price_card_version=members.amount("priceCardVersion", _UINT64_MAX),
        model_digest=members.hash32("modelDigest"),
        request_hash=members.hash32("requestHash"),
        response_hash=members.hash32("responseHash"),
        input_tokens=members.amount("inputTokens", _UINT64_MAX),
        cached_input_tokens=members.amount("cachedInputTokens", _UINT64_MAX),
        output_tokens=members.amount("outputTokens", _UINT64_MAX),
        amount=members.amount("amount", UINT128_MAX),
        cumulative=members.amount("cumulative", UINT128_MAX),
        time=members.amount("time", _UINT64_MAX),
    )
    return ReceiptDocument(
        receipt,
        ChainId(members.amount("chainId")),
        members.address("till"),
        members.address("signer"),
        members.signature("signature"),
    )
