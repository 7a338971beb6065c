"""The JSON documents of deals: sales of tokens at a fixed price, to which higher levels come earlier and with more.

Amounts are atomic units: of the sale token, or of the payment token. Times are Unix seconds.
"""

from typing import Annotated, Literal

from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.wire import SigningRequest, Token
from usufruct_client.wire_types import AddressText, Count, Document, HashText, Seconds, Uint256, Wish, whole

_Bps = Annotated[int, whole(10_000)]
_Level = Annotated[int, whole(10)]

DealPhase = Literal["selling", "failed", "succeeded", "cancelled"]
DealAction = Literal["subscribe", "refund", "claim"]
DealObstacle = Literal["closed", "notAdmitted", "notOpen", "notAllowed", "windowOver", "soldOut", "capReached", ""]


class DealLevelFacts(Document):
    """What a level may do in a deal. `cap`: the most that an account may pay in; 0: not admitted."""

    level: _Level
    threshold: Uint256
    cap: Uint256
    opens_at: Seconds


class DealFacts(Document):
    """`GET /v1/deals/{id}`: a deal and how it stands.

    `hard_cap`: the price of all that is for sale; `soft_cap`: the least to be paid in, or all payments go back.
    `policy`: the contract that decides who may subscribe. `paid`: by `accounts` accounts; `accepted`: what of it buys
    tokens if the sale ended now.
    """

    id: HashText
    phase: DealPhase
    issuer: AddressText
    sale_token: Token
    payment_token: Token
    policy: AddressText | None
    for_sale: Uint256
    hard_cap: Uint256
    soft_cap: Uint256
    opens_at: Seconds
    closes_at: Seconds
    cliff_days: Count
    vesting_days: Count
    fee_bps: _Bps
    paid: Uint256
    accepted: Uint256
    accounts: Count
    levels: list[DealLevelFacts]


class DealList(Document):
    """`GET /v1/deals`: the deals that the installation shows, the newest first."""

    room: AddressText
    deals: list[DealFacts]


class DealAccountFacts(Document):
    """`GET /v1/deals/{id}/accounts/{account}`: what an account has in a deal, and may do there.

    `level`: by the deal's thresholds. `left`: what it may still pay in. `obstacle`: why it cannot now; empty: it can.
    While the deal sells, `allocation` and `refundable` are what it would get if the sale ended now.
    """

    account: AddressText
    level: _Level
    score: Uint256
    cap: Uint256
    opens_at: Seconds
    left: Uint256
    obstacle: DealObstacle
    paid: Uint256
    allocation: Uint256
    claimed: Uint256
    claimable: Uint256
    refundable: Uint256


class DealWish(Wish):
    """`POST /v1/deals/{id}/calls`: what an account wants to do in a deal.

    `subscribe` needs `amount`, and may say what the account has `paid` as far as it knows: another sum is refused, so
    that a page that is out of date pays nothing a second time. `refund` and `claim` pay `to`, by default the account.
    """

    account: AddressText
    action: DealAction
    amount: Uint256 | None = None
    paid: Uint256 | None = None
    to: AddressText | None = None


class DealRequest(Document):
    """What does it: a passkey signs `request`, one operation that is made once; a wallet sends `transactions` in order.

    A request is only for the account that is signed in with a passkey.
    """

    request: SigningRequest | None
    transactions: list[ExchangeTransaction]
