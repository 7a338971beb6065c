"""The rules of deals as the contract `DealRoom` computes them: levels, windows, allotment, vesting.

A window is named by the lowest level that was open while it ran. So windows with a higher number came earlier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from usufruct.core import DAY_SECONDS, ZERO_ADDRESS, Address, Hash32

TOP_LEVEL = 10
LEAST_FOR_SALE = 10**9
MOST_AMOUNT = 2**96 - 1
MOST_SALE_SECONDS = 90 * DAY_SECONDS
MOST_VESTING_DAYS = 3_650
MOST_FEE_BPS = 500

_BPS = 10_000


class Phase(StrEnum):
    """Where a deal is in its life; a cancelled one has failed before any payment."""

    SELLING = "selling"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class DealLevel:
    """What a level may do in a deal.

    `threshold`: the least Staking Score; `cap`: the most that an account may pay in, 0: not admitted; `opens_at`: from
    when it may subscribe, Unix seconds.
    """

    threshold: int
    cap: int
    opens_at: int

    def is_open(self, now: int) -> bool:
        """Tell whether the level may subscribe at a time before the sale ends."""
        return bool(self.cap) and self.opens_at <= now


@dataclass(frozen=True, slots=True)
class DealTerms:
    """What was fixed when a deal was created; amounts are atomic units, `levels` those of 0 to 10.

    `hard_cap`: the price of all that is for sale; `soft_cap`: the least to be paid in, or the deal fails. Vesting
    begins at `closes_at`, Unix seconds; nothing can be claimed before `cliff_days`, all after `vesting_days`.
    """

    sale_token: Address
    payment_token: Address
    policy: Address
    for_sale: int
    hard_cap: int
    soft_cap: int
    closes_at: int
    cliff_days: int
    vesting_days: int
    levels: Sequence[DealLevel]

    @property
    def has_policy(self) -> bool:
        """Whether a contract decides who may subscribe."""
        return self.policy != ZERO_ADDRESS

    @property
    def opens_at(self) -> int:
        """When the first level may subscribe."""
        return self.levels[TOP_LEVEL].opens_at

    def level_of(self, score: int) -> int:
        """Return the highest level, 0 to 10, whose threshold a score reaches."""
        return sum(score >= each.threshold for each in self.levels[1:])

    def window_at(self, now: int) -> int | None:
        """Return the window that runs at a time before the sale ends; None: no level is open yet."""
        return next((number for number, each in enumerate(self.levels) if each.is_open(now)), None)


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal; `fee_bps`: the platform's part of the proceeds, hundredths of a per cent."""

    id: Hash32
    issuer: Address
    terms: DealTerms
    fee_bps: int
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """What was paid into a window, and into those before it; `accounts`: how many paid into it."""

    before: int
    paid: int
    accounts: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What an account gets for what it paid: tokens in all, and money back."""

    allocation: int
    refund: int


@dataclass(frozen=True, slots=True)
class DealState:
    """A deal at a time; `windows` by number, those into which something was paid."""

    deal: Deal
    windows: Mapping[int, Window]
    now: int

    @property
    def paid(self) -> int:
        """What was paid in by all accounts."""
        return sum(each.paid for each in self.windows.values())

    @property
    def accounts(self) -> int:
        """How many accounts paid in: each pays into one window."""
        return sum(each.accounts for each in self.windows.values())

    @property
    def phase(self) -> Phase:
        """Where the deal is in its life."""
        if self.deal.cancelled:
            return Phase.CANCELLED
        if self.now < self.deal.terms.closes_at:
            return Phase.SELLING
        return Phase.FAILED if self.paid < self.deal.terms.soft_cap else Phase.SUCCEEDED

    @property
    def accepted(self) -> int:
        """What of the payments buys tokens: nothing of a deal under its soft cap."""
        terms = self.deal.terms
        return 0 if self.paid < terms.soft_cap else min(self.paid, terms.hard_cap)

    @property
    def is_sold_out(self) -> bool:
        """Whether a window that begins now gets nothing."""
        running = self.deal.terms.window_at(self.now)
        return running is not None and self.window(running).before >= self.deal.terms.hard_cap

    def window(self, number: int) -> Window:
        """Return a window: an empty one comes after all that was paid in earlier ones."""
        if number in self.windows:
            return self.windows[number]
        return Window(sum(each.paid for other, each in self.windows.items() if other > number), 0)

    def result_of(self, paid: int, number: int) -> Result:
        """Return what an account that paid into a window gets, if the sale ended now."""
        if self.paid < self.deal.terms.soft_cap:
            return Result(0, paid)
        return self.result_if_taking_place(paid, number)

    def result_if_taking_place(self, paid: int, number: int) -> Result:
        """Return what an account that paid into a window gets, whether the soft cap is reached or not."""
        window = self.window(number)
        return Result(allocation_down(self.deal.terms, window, paid), excess_down(self.deal.terms, window, paid))

    def after_payment(self, number: int, amount: int) -> "DealState":
        """Return the state after one more payment into a window, of an account that has paid before or not."""
        known = self.window(number)
        paid = Window(known.before, known.paid + amount, known.accounts)
        return DealState(self.deal, {**self.windows, number: paid}, self.now)


def accepted(terms: DealTerms, window: Window) -> int:
    """Return what a deal accepts of a window's payments: windows are filled in the order of time."""
    return min(window.paid, max(terms.hard_cap - window.before, 0))


def allocation_down(terms: DealTerms, window: Window, paid: int) -> int:
    """Return the tokens for `paid` of a window's payments: the same part of it for all, at the deal's price."""
    if not paid:
        return 0
    return paid * accepted(terms, window) * terms.for_sale // (window.paid * terms.hard_cap)


def excess_down(terms: DealTerms, window: Window, paid: int) -> int:
    """Return the excess of `paid` of a window's payments."""
    return paid * (window.paid - accepted(terms, window)) // window.paid if paid else 0


def vested_down(terms: DealTerms, allocation: int, now: int) -> int:
    """Return what of an allocation has vested at a time."""
    elapsed = now - terms.closes_at
    if elapsed < terms.cliff_days * DAY_SECONDS or elapsed < 0:
        return 0
    duration = terms.vesting_days * DAY_SECONDS
    return allocation if elapsed >= duration else allocation * elapsed // duration


def fee_down(proceeds: int, fee_bps: int) -> int:
    """Return the platform's part of proceeds."""
    return proceeds * fee_bps // _BPS


class Obstacle(StrEnum):
    """Why an account cannot pay into a deal now."""

    CLOSED = "closed"
    NOT_ADMITTED = "notAdmitted"
    NOT_OPEN = "notOpen"
    NOT_ALLOWED = "notAllowed"
    WINDOW_OVER = "windowOver"
    SOLD_OUT = "soldOut"
    CAP_REACHED = "capReached"


@dataclass(frozen=True, slots=True)
class DealPart:
    """What an account has in a deal and may do there; amounts are atomic units.

    `level`: by the deal's thresholds and the account's `score` at the start of the running week. `window`: the one it
    paid into, None while it has paid nothing. While the deal sells, `allocation` and `refundable` are what it would get
    if the sale ended now. `held`: its payment tokens. `allowed`: whether the deal's policy lets it subscribe.
    """

    account: Address
    score: int
    level: int
    window: int | None
    paid: int
    allocation: int
    claimed: int
    claimable: int
    refundable: int
    held: int
    allowed: bool

    def left(self, terms: DealTerms) -> int:
        """Return what the account's level may still pay in."""
        return max(terms.levels[self.level].cap - self.paid, 0)


def obstacle(state: DealState, part: DealPart) -> Obstacle | None:
    """Return why an account cannot pay into a deal now; None: it can."""
    terms = state.deal.terms
    level, running = terms.levels[part.level], terms.window_at(state.now)
    if state.phase is not Phase.SELLING:
        return Obstacle.CLOSED
    if not level.cap:
        return Obstacle.NOT_ADMITTED
    if not level.is_open(state.now):
        return Obstacle.NOT_OPEN
    if not part.allowed:
        return Obstacle.NOT_ALLOWED
    if part.window is not None and part.window != running:
        return Obstacle.WINDOW_OVER
    if state.is_sold_out:
        return Obstacle.SOLD_OUT
    return None if part.left(terms) else Obstacle.CAP_REACHED
