"""What a caller orders: the request, read, and its price."""

from collections.abc import Callable

from usufruct.core import Address, Hash32, value
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.model import ServedListing
from usufruct.gateway.operations.base import Budget, Work
from usufruct.payments.ledger import IdempotencyKey, Reservation
from usufruct.payments.pricing import Allowance, VerifiedVoucher


@value
class Price:
    """What a call may use and cost (`allowance`), and the price card it is charged by.

    `discount_bps`: what the payer's level has taken off the prices of the card, hundredths of a per cent.
    """

    card: PriceCard
    allowance: Allowance
    discount_bps: int = 0


@value
class CallOrder:
    """A request that is in order: what is asked of which listing, under its price card of now.

    `card` has the prices for the level of `staker`, which has taken `discount_bps` off them. `staker` is None where the
    payer is not known, or has no level that counts.
    """

    listing: ServedListing
    work: Work
    card: PriceCard
    budget: Budget
    request_hash: Hash32
    idempotency: IdempotencyKey | None
    staker: Address | None = None
    discount_bps: int = 0

    def reservation(
        self,
        call: Hash32,
        account: Hash32,
        price: Price,
        *,
        voucher: VerifiedVoucher | None = None,
        sign: Callable[[int], VerifiedVoucher] | None = None,
        limit: int | None = None,
        day_limit: int | None = None,
    ) -> Reservation:
        """Return what the ledger is asked for, paid by a voucher that came or one made by `sign`."""
        return Reservation(
            call=call,
            account=account,
            asset=self.listing.id,
            ceiling=price.allowance.ceiling,
            price_card_version=price.card.version,
            request_hash=self.request_hash,
            voucher=voucher,
            sign=sign,
            limit=limit,
            day_limit=day_limit,
            idempotency=self.idempotency,
        )
