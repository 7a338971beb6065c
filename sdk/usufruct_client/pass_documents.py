"""The JSON documents of prepaid credits: packages that are bought, credits that are activated, granted and given back.

Credits and money are in atomic units. One credit pays one atomic unit of a call's charge.
"""

from typing import Annotated

from pydantic import Field, StrictStr

from usufruct_client.passkey_wire import PasskeyAssertion
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.wire import SigningRequest
from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Document,
    HashText,
    PlanHex,
    Seconds,
    Uint128,
    Uint256,
    WalletSignature,
    Wish,
)


class PackageWish(Wish):
    """`POST /v1/passes/{asset}/packages`: packages of a plan for the signed-in account, at most at a price for all.

    `bought`: how many credits of this plan the buyer has bought in packages as far as they know; another number is
    refused, so that a page that is out of date buys nothing a second time.
    """

    plan: PlanHex
    packages: Uint128
    max_price: Uint128
    bought: Uint256


class PackageRequest(Document):
    """What a buyer does to buy packages: the account lets the contract take exactly the price, and buys.

    A passkey signs `request`, one operation of both calls, which is made once; a wallet sends `transactions`, in this
    order.
    """

    price: Uint128
    credits: Uint256
    request: SigningRequest | None
    transactions: list[ExchangeTransaction]


class ActivationWish(Wish):
    """`POST /v1/passes/{asset}/activation`: how many of the signed-in account's credits its calls shall use."""

    plan: PlanHex
    amount: Uint256


class CreditsRefundWish(Wish):
    """`POST /v1/passes/{asset}/refund`: all unused credits of a plan that the signed-in account can give back now."""

    plan: PlanHex


class PassTransactions(Document):
    """Transactions of a holder of credits, in this order. `amount`: what they pay back; 0 for an activation."""

    amount: Uint256
    transactions: list[ExchangeTransaction]


class GrantWish(Wish):
    """`POST /v1/pass-grants/requests`: a key that pays with the signed-in account's activated credits of a plan.

    `limit`: the most that all such keys of these credits may be charged, over their whole life; null: all that is
    activated, now or later.
    """

    plan: PlanHex
    limit: Uint128 | None
    days: Annotated[int, Field(strict=True, ge=1, le=365)]


class SignedGrant(Wish):
    """`POST /v1/pass-grants`: a grant that its holder signed. A passkey's answer comes as `assertion`."""

    plan: PlanHex
    holder: AddressText
    limit: Uint128
    expires_at: Seconds
    signature: WalletSignature
    assertion: PasskeyAssertion | None = None


class GrantSecret(Document):
    """A key that pays with activated credits: a secret that is kept nowhere here. `account`: what receipts name."""

    key: StrictStr
    asset: AssetHex
    plan: PlanHex
    account: HashText
    limit: Uint128
    expires_at: Seconds
