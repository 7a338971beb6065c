"""The JSON documents about a buyer's deposits: what is left of them, and how it comes back.

Amounts are in atomic units, times in seconds since 1970.
"""

from typing import Literal

from pydantic import StrictBool, StrictStr

from usufruct_client.passkey_wire import CallFacts
from usufruct_client.wire import SigningRequest
from usufruct_client.wire_types import Count, Document, HashText, Seconds, Uint128, Wish


class RefundFacts(Document):
    """A refund that the operator sends: asked for, done, or refused by the chain with nothing moved."""

    state: Literal["requested", "done", "failed"]
    amount: Uint128
    requested_at: Seconds
    arrives_by: Seconds
    transaction: HashText | None


class WithdrawalFacts(Document):
    """A withdrawal that was announced on the chain, without the operator: `amount` can be taken from `finish_from`."""

    amount: Uint128
    announced_at: Seconds
    finish_from: Seconds
    can_finish: StrictBool


class DepositFacts(Document):
    """A key's deposit: paid in and not taken back, spent by calls, reserved by running ones, and what is left.

    `refund_from`: when the operator gives `withdrawable` back on request. `returns_at`: when it comes back unasked,
    None where it is too little for its gas. `withdraw_delay`: seconds that a withdrawal without the operator waits.
    """

    channel: HashText
    key_id: StrictStr
    label: StrictStr
    paid_in: Uint128
    spent: Uint128
    reserved: Uint128
    withdrawable: Uint128
    refund_from: Seconds
    returns_at: Seconds | None
    withdraw_delay: Seconds
    refund: RefundFacts | None
    withdrawal: WithdrawalFacts | None


class DepositList(Document):
    """`GET /v1/account/deposits`: the deposits of the signed-in account, of its newest key first."""

    symbol: StrictStr
    decimals: Count
    deposits: list[DepositFacts]


class ChannelWish(Wish):
    """Names the channel that a deposit is in."""

    channel: HashText


class WithdrawalStep(Document):
    """The next step of a withdrawal without the operator: to announce it, or to finish what is announced.

    A wallet sends `call` on the chain; a passkey signs `request` instead.
    """

    step: Literal["announce", "finish"]
    chain_id: Count
    call: CallFacts | None
    request: SigningRequest | None
