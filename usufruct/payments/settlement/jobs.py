"""What a worker does for the money: follow the chain, finish deposits, claim and burn, refund, give signs of life."""

from functools import partial

from usufruct.core.jobs import Job
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deferred_payouts import DeferredPayouts
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct.payments.settlement.pass_accounts import PassHeartbeat
from usufruct.payments.settlement.refunds import Refunds


def watch(watcher: EventWatcher, *, poll_seconds: float = 1.0) -> Job:
    """Return the job that follows the settlement contract."""
    return Job("watch", watcher.poll, poll_seconds)


def claim_due(claimer: Claimer, requests: ClaimRequests, *, poll_seconds: float = 5.0) -> Job:
    """Return the job that claims what is due or asked for; stopped, it lets another process claim."""
    return Job("claim", partial(requests.serve, claimer), poll_seconds, claimer.release)


def deposit_due(deposits: Deposits, *, poll_seconds: float = 5.0) -> Job:
    """Return the job that finishes deposits without a waiting caller."""
    return Job("deposit", deposits.run, poll_seconds)


def owed_due(owed: DeferredPayouts, *, poll_seconds: float = 60.0) -> Job:
    """Return the job that pays payees what their token refused to pay once; stopped, it lets another process do it."""
    return Job("owed", owed.run, poll_seconds, owed.release)


def sign_due(keeper: PassHeartbeat, *, poll_seconds: float = 600.0) -> Job:
    """Return the job that sends the heartbeat which keeps idle pass credits from expiring."""
    return Job("sign", keeper.run, poll_seconds)


def refund_requested(refunds: Refunds, *, poll_seconds: float = 1.0) -> Job:
    """Return the job that sends the refunds that gateways were asked for."""
    return Job("refund_requests", refunds.serve, poll_seconds)


def refund_due(refunds: Refunds, *, poll_seconds: float = 60.0) -> Job:
    """Return the job that gives unused money back."""
    return Job("refund", refunds.run, poll_seconds)
