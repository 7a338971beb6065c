"""The JSON documents of locks. Amounts are atomic units: of the platform token, and revenue of the revenue token.

Times are Unix seconds, weeks are counted from the Unix epoch. A score is amount x weeks left / 52 at a week's start.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.wire import SigningRequest, Token
from usufruct_client.wire_types import (
    AddressText,
    Count,
    Document,
    Seconds,
    Signature,
    Uint64,
    Uint256,
    WalletSignature,
    Wish,
    whole,
)

_Bps = Annotated[int, whole(10_000)]
_Weeks = Annotated[int, Field(strict=True, ge=1, le=52)]

StakeAction = Literal[
    "lock", "increase", "extend", "renew", "stopRenewal", "withdraw", "exit", "claim", "delegate", "reinvest"
]


class EscrowFacts(Document):
    """`GET /v1/staking`: the contract that locks tokens.

    `revenue`: what waits for the stakers of the running week. While the total score is under `score_floor`, it is
    carried to the next week. `exit_penalty_bps`: lost in an early exit with 52 weeks left; 0: early exits are closed.
    """

    escrow: AddressText
    token: Token
    revenue_token: Token
    week: Count
    week_ends_at: Seconds
    total_score: Uint256
    next_total_score: Uint256
    revenue: Uint256
    score_floor: Uint256
    exit_penalty_bps: _Bps


class StakeFacts(Document):
    """`GET /v1/staking/accounts/{account}`: an account's lock, votes, and what it can claim.

    `ends_at` is 0 without a lock; while the lock renews itself it is when it would end if that stopped now. `score` and
    `votes` are of the running week, `next_score` of the coming one. `exit_penalty`: what an early exit would keep now.
    """

    account: AddressText
    amount: Uint256
    ends_at: Seconds
    renewal_weeks: Count
    ended: StrictBool
    score: Uint256
    next_score: Uint256
    votes: Uint256
    delegate: AddressText
    revenue: Uint256
    penalties: Uint256
    exit_penalty: Uint256
    not_locked: Uint256


class ReinvestmentFacts(Document):
    """`GET /v1/staking/accounts/{account}/reinvestment`: what an account's revenue would buy for its lock now.

    `expected`: by the market; `least`: by the feed's price, less `slippage_bps`; `min_out`: what the page would name as
    the least. `price`: of a whole platform token in the revenue token. It was reported at `price_updated_at` and counts
    for `price_max_age` seconds.
    """

    account: AddressText
    revenue: Uint256
    expected: Uint256
    least: Uint256
    min_out: Uint256
    price: StrictStr
    price_updated_at: Seconds
    price_max_age: Count
    slippage_bps: _Bps


class RevenueWeekFacts(Document):
    """A week that had revenue: `booked` came in for it, `paid` went to its stakers, `carried` is left for later weeks.

    `penalties` of early exits went to the stakers too, in the platform token. `total_score` is that of all locks, and
    `paid_per_thousand` what a score of 1,000 tokens got, rounded down; both are null while the week is not divided.
    """

    week: Count
    starts_at: Seconds
    booked: Uint256
    paid: Uint256
    penalties: Uint256
    carried: Uint256
    total_score: Uint256 | None
    paid_per_thousand: Uint256 | None


class RevenueWeekList(Document):
    """`GET /v1/staking/weeks`: weeks that had revenue, the newest first; `next` is the `after` of the next page."""

    weeks: list[RevenueWeekFacts]
    next: StrictStr | None


class StakeWish(Wish):
    """`POST /v1/staking/calls`: what an account wants to do with its lock.

    `lock` needs `amount` and `weeks`, `increase` needs `amount`, `extend` needs `weeks`, `exit` needs `amount`, the
    most to lose, and `delegate` needs `to`. `withdraw`, `exit` and `claim` pay `to`, by default the account. `reinvest`
    adds what its revenue buys to the lock: at least `amount`, by default the quote's `min_out`.
    """

    account: AddressText
    action: StakeAction
    amount: Uint256 | None = None
    weeks: _Weeks | None = None
    to: AddressText | None = None


class StakeRequestWish(Wish):
    """`POST /v1/staking/requests`: what the signed-in account wants to do with its lock; members as in `StakeWish`.

    `seen`: the mark of the lock as its reader saw it; the wish is refused if the lock has changed since.
    """

    action: StakeAction
    amount: Uint256 | None = None
    weeks: _Weeks | None = None
    to: AddressText | None = None
    seen: StrictStr | None = None


class StakeRequest(Document):
    """What the account signs or sends: one of `operation`, which a passkey signs, `permit`, and `transactions`.

    A wallet signs the permit of the tokens to lock; its answer is the one transaction. The demo account's transactions
    are sent already.
    """

    operation: SigningRequest | None
    permit: SigningRequest | None
    transactions: list[ExchangeTransaction]


class PermittedStake(Wish):
    """`POST /v1/staking/permitted-calls`: a lock or an increase, with the permit (ERC-2612) that the account signed."""

    account: AddressText
    action: Literal["lock", "increase"]
    amount: Uint256
    deadline: Seconds
    signature: Signature
    weeks: _Weeks | None = None


class SignedReinvestment(Wish):
    """A reinvestment that its account signed, for any account to send, once.

    It buys at least `min_out` of the platform token, until `deadline`. `nonce`: the account's next one at the escrow.
    """

    chain_id: Uint64
    escrow: AddressText
    account: AddressText
    reinvestor: AddressText
    min_out: Uint256
    nonce: Uint256
    deadline: Seconds
    signature: WalletSignature


class StakeProjection(Document):
    """`GET /v1/staking/projection`: what a lock made now would be and get, if nothing else changed.

    `weekly_revenue`: the mean of the last `counted_weeks` weeks that end before `until`; null where none was divided
    yet. `weekly_income`: the lock's part of it in its first week. Neither is promised.
    """

    ends_at: Seconds
    first_score: Uint256
    weekly_income: Uint256 | None
    weekly_revenue: Uint256 | None
    counted_weeks: Count
    until: Seconds | None


class StakeCalls(Document):
    """The transactions that do it, in order; none where a claim would pay nothing."""

    transactions: list[ExchangeTransaction]


class LevelFacts(Document):
    """A level: the score that it needs, and what it brings.

    `discount_bps`: what it takes off a price where a seller gives that; `quota_bps`: its part of the usual quota.
    """

    level: Count
    threshold: Uint256
    discount_bps: _Bps
    quota_bps: Count


class LevelList(Document):
    """`GET /v1/staking/levels`: the levels 1 to 10."""

    contract: AddressText
    levels: list[LevelFacts]


class AccountLevelFacts(Document):
    """`GET /v1/staking/levels/{account}`: an account's level by its score of the running week, and what it brings.

    `next_threshold`: the score that the next level needs; None on the highest.
    """

    account: AddressText
    level: Count
    score: Uint256
    discount_bps: _Bps
    quota_bps: Count
    next_threshold: Uint256 | None
