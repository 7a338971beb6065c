"""What a worker runs for the money: follow the chain, finish deposits, claim and burn, refund, give signs of life."""

from functools import partial

from usufruct.core import forever
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.owed import Owed
from usufruct.payments.settlement.pass_accounts import PassKeeper
from usufruct.payments.settlement.refunds import Refunds
from usufruct.payments.settlement.watcher import Watcher


async def watch(watcher: Watcher, *, poll_seconds: float = 1.0) -> None:
    """Follow the settlement contract for ever."""
    await forever("watch", watcher.poll, poll_seconds)


async def claim_due(claimer: Claimer, requests: ClaimRequests, *, poll_seconds: float = 5.0) -> None:
    """Claim what is due or asked for, until cancelled; then let another process claim."""
    try:
        await forever("claim", partial(requests.serve, claimer), poll_seconds)
    finally:
        await claimer.release()


async def deposit_due(deposits: Deposits, *, poll_seconds: float = 5.0) -> None:
    """Bring deposits to their end that nobody waits for any more, for ever."""
    await forever("deposit", deposits.run, poll_seconds)


async def owed_due(owed: Owed, *, poll_seconds: float = 60.0) -> None:
    """Pay payees what their token refused to pay once, for ever; lets another process do it when it is stopped."""
    try:
        await forever("owed", owed.run, poll_seconds)
    finally:
        await owed.release()


async def sign_due(keeper: PassKeeper, *, poll_seconds: float = 600.0) -> None:
    """Give signs of life for pass credits that rest, for ever."""
    await forever("sign", keeper.run, poll_seconds)


async def refund_due(refunds: Refunds, *, poll_seconds: float = 60.0) -> None:
    """Give unused money back, for ever."""
    await forever("refund", refunds.run, poll_seconds)
