"""The JSON documents of trade: offers that makers sign, purchases, and what was traded.

Goods are revenue shares of a service, circulating credits of one of its plans (`plan`), or the service's title. Goods
and money are in atomic units. An offer is a signed listing of the exchange: of one ERC-20 or ERC-1155, sold in parts;
or of a title, alone or with `more`, sold as a whole.
"""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.passkey_wire import PasskeyAssertion
from usufruct_client.price_card import PriceCard
from usufruct_client.wire import SigningRequest
from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    Decimals,
    Document,
    HashText,
    PlanHex,
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


class BundledGoods(Wish):
    """Goods of the same service that are sold together with its title; `price` is their part of the offer's."""

    amount: Uint128
    price: Uint128
    plan: PlanHex | None = None


Bundle = Annotated[list[BundledGoods], Field(max_length=8)]
"""What is sold together with a title."""


class OfferWish(Wish):
    """`POST /v1/offers/requests`: goods that the signed-in account wants to sell, and the price of all.

    Of a title the amount is 1, and `more` is sold with it.
    """

    asset: AssetHex
    amount: Uint128
    price: Uint128
    days: Annotated[int, Field(strict=True, ge=1, le=90)]
    plan: PlanHex | None = None
    title: StrictBool = False
    more: Bundle = field(default_factory=list)


class SharesPermit(Wish):
    """ERC-2612: the maker lets the exchange take shares; anyone may send it."""

    value: Uint256
    deadline: Seconds
    signature: Signature


class SignedOffer(Wish):
    """`POST /v1/offers`: an offer that its maker signed, and a permit where shares are not approved yet.

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
    plan: PlanHex | None = None
    title: StrictBool = False
    more: Bundle = field(default_factory=list)
    permit: SharesPermit | None = None
    assertion: PasskeyAssertion | None = None


class ExchangeTransaction(Document):
    """A transaction that a wallet sends itself; `sent`: it was sent here, for a local chain's demo account."""

    chain_id: Uint64
    to: AddressText
    data: StrictStr
    value: Uint256
    sent: StrictBool


class SaleRequest(Document):
    """What a maker signs to sell: first the permit, where one is needed, then the offer that carries it.

    `approvals` do the same as the permit, by transactions of the maker's; without a permit they come first. Of the
    price of all, `fee` goes to the exchange, `royalty` to the holders of the service's shares, `proceeds` to the maker.
    """

    permit: SigningRequest | None
    approvals: list[ExchangeTransaction]
    offer: SigningRequest
    fee: Uint128
    royalty: Uint128
    proceeds: Uint128


class ShareCollection(Document):
    """`POST /v1/shares/{asset}/collection`: the transactions by which a holder collects; none where nothing is due.

    `amount`: the income in the payment token that they pay.
    """

    amount: Uint256
    transactions: list[ExchangeTransaction]


class OfferFacts(Document):
    """An offer, with all that a purchase on the exchange needs; `token` is the contract of what is sold.

    `left` is not sold yet; `available` is how much of it can be bought now: what the maker holds and has approved.
    `price` is of all `amount` and of `more`, which is sold with a title.
    """

    offer: HashText
    asset: AssetHex
    plan: PlanHex | None
    title: StrictBool
    more: list[BundledGoods]
    token: AddressText
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


class OfferList(Document):
    """`GET /v1/shares/{asset}/offers`, the same of `passes` and `titles`: those not over, the lowest price first.

    The price is that of a unit; of a title's offer, the whole. `GET /v1/offers` lists those of all services, the newest
    first. `next` is the `after` of the next page.
    """

    offers: list[OfferFacts]
    next: StrictStr | None


class HeldShares(Document):
    """An account's revenue shares of a service; `pending`: income in the payment token that it has not collected."""

    asset: AssetHex
    name: StrictStr
    shares: AddressText
    amount: Uint128
    pending: Uint256


class HeldTitle(Document):
    """A service whose title an account owns."""

    asset: AssetHex
    name: StrictStr


class HeldServiceCredits(Document):
    """An account's prepaid credits of a service, of all plans: `circulating` can be sold, `left` pays for calls.

    `name` is empty where the service is not sold here; `symbol` and `decimals` are those of what a credit counts in.
    """

    asset: AssetHex
    name: StrictStr
    symbol: StrictStr
    decimals: Decimals
    circulating: Uint128
    left: Uint128


class AccountHoldings(Document):
    """`GET /v1/account/holdings`: what the signed-in account holds of all services that are sold here.

    `offers`: its own that are open. `pending` of shares and the sum of it are in `symbol`. `more`: there is more of
    shares, credits or offers than this lists.
    """

    account: AddressText
    symbol: StrictStr
    decimals: Decimals
    pending: Uint256
    shares: list[HeldShares]
    titles: list[HeldTitle]
    credits: list[HeldServiceCredits]
    offers: list[OfferFacts]
    more: StrictBool


class PurchaseWish(Wish):
    """`POST /v1/purchases/requests`: a part of an offer, at most at a price; `amount` is 0 for the offer of a title.

    `bought`: how much of this offer the buyer has bought as far as they know; another number is refused, so that a page
    that is out of date buys nothing a second time.
    """

    offer: HashText
    amount: Uint128
    max_price: Uint128
    bought: Uint128


class PurchaseRequest(Document):
    """What a buyer signs to buy: an ERC-3009 authorization of exactly the price, bound to offer, amount and buyer."""

    request: SigningRequest
    price: Uint128
    fee: Uint128
    royalty: Uint128


class SignedPurchase(Wish):
    """`POST /v1/purchases`: a signed purchase; the same again is made once. `amount` is 0 for the offer of a title."""

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


class TradeFacts(Document):
    """Goods that changed hands on the exchange; `time` is None until the block's is known.

    `amount` is 0 for an offer of a title: all of it was sold.
    """

    offer: HashText
    plan: PlanHex | None
    maker: AddressText
    buyer: AddressText
    amount: Uint128
    price: Uint128
    fee: Uint128
    royalty: Uint128
    time: Seconds | None
    transaction: HashText


class TradeList(Document):
    """`GET /v1/shares/{asset}/trades`, the same of `passes` and `titles`: the newest first."""

    trades: list[TradeFacts]


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


class PassPlanFacts(Document):
    """A plan of prepaid credits: packages of `credits` for `price` of `token`, and what buyers of credits must know.

    One credit pays one atomic unit of a call's charge. `expiry`: from when on credits are void, 0: never. `open`:
    packages can be bought now. `refundable_at`: from when on circulating credits can be given back for what the plan
    sold them for, 0: now. `about_calls`: how many typical calls a package pays, and what one costs: `call_price`
    through the plan, in its token; `usual_call_price` without it, in the currency of credits. Null where calls are free
    or not measured in text tokens.
    """

    plan: PlanHex
    token: AddressText
    symbol: StrictStr
    decimals: Decimals
    price: Uint128
    credits: Uint128
    expiry: Seconds
    open: StrictBool
    refundable_at: Seconds
    about_calls: Uint128 | None
    call_price: Uint256 | None
    usual_call_price: Uint256 | None


class PassesFacts(Document):
    """`GET /v1/passes/{asset}`: the plans of a service, the newest last.

    `passes`: the contract of the credits. `royalty_bps`: what the holders of the service's shares get of a resale.
    """

    asset: AssetHex
    name: StrictStr
    passes: AddressText
    exchange: AddressText
    credit_symbol: StrictStr
    credit_decimals: Decimals
    currency: AddressText
    symbol: StrictStr
    decimals: Decimals
    fee_bps: _Bps
    royalty_bps: _Bps
    trades: Count
    plans: list[PassPlanFacts]


class CreditsFacts(Document):
    """A holder's credits of one plan: `circulating` ones can be sold, those `activated` for a meter cannot.

    `left`: of activated ones, what calls can still use here; others were used and are not burned yet.
    """

    plan: PlanHex
    meter: AddressText
    circulating: Uint256
    activated: Uint256
    left: Uint256


class PassHolding(Document):
    """`GET /v1/passes/{asset}/holders/{holder}`: what an account holds of each of a service's plans."""

    holder: AddressText
    credits: list[CreditsFacts]


class TitleFacts(Document):
    """`GET /v1/titles/{asset}`: a service's title, who owns it, and what its owner has announced.

    A new price holds `notice_seconds` after its owner announced it. `next_price` holds from `next_price_from` on; both
    are null where none is announced. `retires_at`: when the service ends, 0: no end is announced. `royalty_bps`: what
    the holders of the service's shares get of a resale of title and credits.
    """

    asset: AssetHex
    name: StrictStr
    registry: AddressText
    exchange: AddressText
    owner: AddressText
    shares: AddressText
    passes: AddressText
    price: PriceCard
    next_price: PriceCard | None
    next_price_from: Seconds | None
    price_symbol: StrictStr
    price_decimals: Decimals
    notice_seconds: Seconds
    retires_at: Seconds
    currency: AddressText
    symbol: StrictStr
    decimals: Decimals
    fee_bps: _Bps
    royalty_bps: _Bps
    trades: Count
