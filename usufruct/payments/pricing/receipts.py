"""The receipt of one call: what was asked, answered, counted and charged, signed by the operator.

Signed as EIP-712 under the till's address, so that any wallet library and the chain itself can check it. Its digest is
what is anchored: see `merkle`.
"""

from usufruct.core import Address, AssetId, ChainId, Hash32, format_asset, value
from usufruct.payments.pricing.usage import CountedBy
from usufruct.payments.pricing.vouchers import DigestSigner
from usufruct_client.bill_lines import Line
from usufruct_client.eip712_messages import RECEIPT
from usufruct_client.typed_data import MessageHasher

_RECEIPT = MessageHasher(RECEIPT)


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


@value
class ReceiptDocument:
    """A receipt as it travels: what was signed, for which chain and till, by whom, and the signature."""

    receipt: Receipt
    chain_id: ChainId
    till: Address
    signer: Address
    signature: bytes

    def as_json(self) -> dict[str, object]:
        """Return what the client's `Receipt` describes; written by hand, as every call does it (decision 0027)."""
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
