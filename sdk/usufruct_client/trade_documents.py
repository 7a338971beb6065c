"""The JSON documents of trading revenue shares: offers that makers sign, purchases, and what was traded.

Shares and money are in atomic units. A share offer is a signed listing of the exchange, of one ERC-20, sold in parts.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.passkey_wire import PasskeyAssertion
from usufruct_client.wire import SigningRequest
from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    Decimals,
    Document,
    HashText,
    Seconds,
    Signature,
    Uint64,
    Uint128,
    Uint256,
    WalletSignature,
    Wish,
    whole,
)

_Bps = Annotated[int, whole(10_000)]

OfferStateText = Literal["open", "sold", "cancelled", "expired", "uncovered", "fee_raised", "unknown"]


class ShareOfferTerms(Wish):
    """`POST /v1/share-offers/requests`: shares that the signed-in account wants to sell, and the price of all."""

    asset: AssetHex
    amount: Uint128
    price: Uint128
    days: Annotated[int, Field(strict=True, ge=1, le=90)]


class SharesPermit(Wish):
    """ERC-2612: the maker lets the exchange take shares; anyone may send it."""

    value: Uint256
    deadline: Seconds
    signature: Signature


class SignedShareOffer(Wish):
    """`POST /v1/share-offers`: an offer that its maker signed, and a permit where the shares are not approved yet.

    A passkey's answer to the offer comes as `assertion`; `signature` is empty then.
    """

    maker: AddressText
    asset: AssetHex
    amount: Uint128
    price: Uint128
    expiry: Seconds
    max_deduction_bps: _Bps
    nonce: Uint256
    signature: WalletSignature
    permit: SharesPermit | None = None
    assertion: PasskeyAssertion | None = None


class ExchangeTransaction(Document):
    """A transaction that a wallet sends itself; `sent`: it was sent here, for a local chain's demo account."""

    chain_id: Uint64
    to: AddressText
    data: StrictStr
    value: Uint256
    sent: StrictBool


class ShareSaleRequest(Document):
    """What a maker signs to sell: first the permit, where one is needed, then the offer that carries it.

    `approval` does the same as the permit, by a transaction of the maker's. `proceeds`: what the maker gets for all.
    """

    permit: SigningRequest | None
    approval: ExchangeTransaction | None
    offer: SigningRequest
    fee: Uint128
    proceeds: Uint128


class ShareCollection(Document):
    """`POST /v1/shares/{asset}/collection`: the transactions by which a holder collects; none where nothing is due.

    `amount`: the income in the payment token that they pay.
    """

    amount: Uint256
    transactions: list[ExchangeTransaction]


class ShareOfferFacts(Document):
    """A share offer, with all that a purchase on the exchange needs.

    `left` is not sold yet; `available` is how much of it can be bought now: what the maker holds and has approved.
    Both prices are of all `amount`.
    """

    offer: HashText
    asset: AssetHex
    shares: AddressText
    maker: AddressText
    currency: AddressText
    amount: Uint128
    price: Uint128
    left: Uint128
    available: Uint128 | None
    expiry: Seconds
    max_deduction_bps: _Bps
    nonce: Uint256
    signature: WalletSignature
    created_at: Seconds
    state: OfferStateText


class ShareOfferList(Document):
    """`GET /v1/shares/{asset}/offers`: offers that can be filled, the lowest price of a share first.

    `next` is the `after` of the next page.
    """

    offers: list[ShareOfferFacts]
    next: StrictStr | None


class PurchaseWish(Wish):
    """`POST /v1/share-purchases/requests`: shares of an offer, at most at a price.

    `bought`: how much of this offer the buyer has bought as far as they know; another number is refused, so that a page
    that is out of date buys nothing a second time.
    """

    offer: HashText
    amount: Uint128
    max_price: Uint128
    bought: Uint128


class SharePurchaseRequest(Document):
    """What a buyer signs to buy: an ERC-3009 authorization of exactly the price, bound to offer, amount and buyer."""

    request: SigningRequest
    price: Uint128
    fee: Uint128


class SignedPurchase(Wish):
    """`POST /v1/share-purchases`: a signed purchase; the same again is made once."""

    offer: HashText
    buyer: AddressText
    amount: Uint128
    price: Uint128
    valid_before: Seconds
    salt: HashText
    signature: WalletSignature
    assertion: PasskeyAssertion | None = None


class PurchaseFacts(Document):
    """A purchase that was made."""

    offer: HashText
    buyer: AddressText
    amount: Uint128
    price: Uint128
    transaction: HashText | None


class ShareTrade(Document):
    """Shares that changed hands on the exchange; `time` is None until the block's is known."""

    offer: HashText
    maker: AddressText
    buyer: AddressText
    amount: Uint128
    price: Uint128
    fee: Uint128
    time: Seconds | None
    transaction: HashText


class ShareTrades(Document):
    """`GET /v1/shares/{asset}/trades`: the newest first."""

    trades: list[ShareTrade]


class SharesFacts(Document):
    """`GET /v1/shares/{asset}`: what is known of a service's revenue shares.

    `unbooked`: income in the payment token that no one's account was credited with yet; it goes with the shares.
    `traded`: whether the exchange is deployed here.
    """

    asset: AssetHex
    name: StrictStr
    shares: AddressText
    exchange: AddressText
    supply: Uint128
    share_decimals: Decimals
    currency: AddressText
    symbol: StrictStr
    decimals: Decimals
    fee_bps: _Bps
    unbooked: Uint256
    open_transfer: StrictBool
    trades: Count


class HoldingFacts(Document):
    """`GET /v1/shares/{asset}/holders/{holder}`: what an account holds, and its income that was not collected.

    `booked` stays with the account whatever it sells; `pending` counts its part of what is not booked, too.
    """

    holder: AddressText
    amount: Uint128
    booked: Uint256
    pending: Uint256
