"""Payment by a bearer key: the channel behind it pays, by vouchers its session key signs here."""

from collections.abc import Callable, Sequence

from usufruct.accounts import BearerKey, Keys
from usufruct.chain.keys import KeySigner
from usufruct.core import Hash32, PaymentRequired, value
from usufruct.gateway.model import ServedListing
from usufruct.gateway.order import Order, Price
from usufruct.gateway.payers.base import FundedCall, PayerIdentity, Refused, price_by_balance
from usufruct.payments.pricing import Escrow, VerifiedVoucher, sign_voucher
from usufruct.web import Exchange, Header

_MOST_REMEMBERED = 10_000


class BearerKeyPayments:
    """Takes bearer keys, and signs for them."""

    def __init__(self, keys: Keys, escrow: Escrow) -> None:
        """Take keys and their session keys from `keys`."""
        self._keys = keys
        self._escrow = escrow
        self._signers: dict[str, KeySigner] = {}

    async def authenticate(self, exchange: Exchange) -> "BearerKeyPayer":
        """Return the key's payer.

        Raises:
            Unauthenticated: when the key is missing, mistyped, unknown, expired or revoked.
        """
        key = await self._keys.authenticate(exchange.header(b"authorization"))
        return BearerKeyPayer(PayerIdentity(key.id, key.payer, key.channel), key, self)

    async def voucher_signer(self, key: BearerKey) -> Callable[[int], VerifiedVoucher]:
        """Return what signs a voucher on this key's channel over the amount that is needed."""
        signer = self._signers.get(key.id)
        if signer is None:
            if len(self._signers) >= _MOST_REMEMBERED:
                del self._signers[next(iter(self._signers))]
            signer = self._signers[key.id] = KeySigner(await self._keys.session_key(key))
        return lambda needed: sign_voucher(self._escrow, key.channel, needed, signer)


@value
class BearerKeyPayer:
    """`Payer` with a bearer key."""

    identity: PayerIdentity
    key: BearerKey
    method: BearerKeyPayments

    def check_scope(self, listing: ServedListing) -> None:
        """Refuse a listing that the key is not for."""
        self.key.check_asset(listing.name)

    async def has_funds(self) -> bool:
        """Return true: keys are made for those who can deposit."""
        return True

    def price(self, order: Order, refused: Refused | None = None) -> Price:
        """Return the listing's price, within the caller's own limit and the balance."""
        return price_by_balance(order, refused)

    async def fund_call(self, order: Order, price: Price, call: Hash32) -> FundedCall:
        """Pay from the key's channel, by a voucher of its session key, up to the key's spending limit."""
        sign = await self.method.voucher_signer(self.key)
        limit = self.key.spending_limit
        return FundedCall(order.reservation(call, self.key.channel, price, sign=sign, limit=limit))

    async def response_headers(self, charged: int, total: int, funded: FundedCall | None) -> Sequence[Header]:
        """Return nothing: the bearer reads the receipt's headers."""
        return ()

    async def refusal_headers(self, exchange: Exchange, order: Order, refusal: PaymentRequired) -> Sequence[Header]:
        """Return nothing: a deposit or another key helps, not a header."""
        return ()
