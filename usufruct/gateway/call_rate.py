"""How many calls a payer may make in a minute: the operator's usual quota, larger by the payer's staking level."""

from collections.abc import Awaitable, Callable

from usufruct.core import Clock
from usufruct.core.minute_rate import MinuteRate
from usufruct.core.price_cards import WHOLE_BPS
from usufruct.gateway.errors import TooManyCalls
from usufruct.gateway.payers.base import PayerIdentity
from usufruct.payments.pricing import PayerBenefits


class CallRate:
    """Counts the calls of each payer in this replica, in the minute that their first call begins."""

    def __init__(self, usual: int, benefits: PayerBenefits, clock: Clock) -> None:
        """Let a payer without a level make `usual` calls a minute."""
        self._usual = usual
        self._benefits = benefits
        self._rate = MinuteRate(clock)

    async def count(self, payer: PayerIdentity, has_funds: Callable[[], Awaitable[bool]]) -> None:
        """Count a call that is about to be made; `has_funds` as the payer's.

        Raises:
            TooManyCalls: when the payer has made as many in this minute as their level allows.
        """
        account, staker, quota = payer.abuse_account, payer.staker, WHOLE_BPS
        if staker is not None:
            quota = (await self._benefits.of(staker, funded=await has_funds())).quota_bps
        most = self._usual * quota // WHOLE_BPS
        wait = self._rate.count(account, most)
        if wait:
            raise TooManyCalls(
                f"you may make {most} calls a minute; ask again in {wait} s, or stake for a higher level",
                most=most,
                retry_after=wait,
            )
