"""What the staking levels of payers take off the prices of services whose sellers give that."""

from collections.abc import Awaitable, Callable, Sequence

from usufruct.assets import Listing
from usufruct.core import Address
from usufruct.payments.pricing import NoLevels, PayerBenefits


class LevelPrices:
    """Discounts by level: a level's own, up to the most that the seller of a listing gives."""

    def __init__(self, benefits: PayerBenefits | None = None) -> None:
        """Ask `benefits` for the levels of payers; without it there are none."""
        self._benefits = benefits or NoLevels()

    @property
    def every_discount(self) -> Sequence[int]:
        """What the levels 1 to 10 take off, whatever a seller gives; empty where no levels are known."""
        return self._benefits.discounts

    async def discount_bps(
        self, listing: Listing, staker: Address | None, has_funds: Callable[[], Awaitable[bool]] | None = None
    ) -> int:
        """Return what a payer's level takes off a listing's prices now, hundredths of a per cent; 0 for an unknown one.

        The chain's node is waited for as `PayerBenefits.of` says, and only where the listing gives a discount. Without
        `has_funds` the payer is only named by a request that pays nothing.
        """
        most = listing.level_discount_bps
        if not most or staker is None:
            return 0
        funded = has_funds is not None and await has_funds()
        return min(most, (await self._benefits.of(staker, funded=funded)).discount_bps)

    def discounts(self, listing: Listing) -> Sequence[int]:
        """Return what each of the levels 1 to 10 takes off a listing's prices; empty where none takes anything."""
        found = [min(listing.level_discount_bps, each) for each in self._benefits.discounts]
        return found if any(found) else []
