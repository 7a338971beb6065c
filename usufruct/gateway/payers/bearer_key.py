"""Payment by a bearer key: the channel behind it pays, by vouchers its session key signs here."""

from collections.abc import Callable

from usufruct.accounts import BearerKey, Keys
from usufruct.chain.keys import KeySigner
from usufruct.core import Hash32, value
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.model import ServedListing
from usufruct.gateway.payers.base import FundedCall, Payer, PayerIdentity
from usufruct.payments.pricing import Escrow, VerifiedVoucher, sign_voucher

_MOST_REMEMBERED = 10_000


class BearerKeyPayments:
    """Takes bearer keys, and signs for them."""

    def __init__(self, keys: Keys, escrow: Escrow) -> None:
        """Take keys and their session keys from `keys`."""
        self._keys = keys
        self._escrow = escrow
        self._signers: dict[str, KeySigner] = {}

    async def authenticate(self, authorization: str) -> "BearerKeyPayer":
        """Return the payer of the key in an `Authorization` header.

        Raises:
            Unauthenticated: when the key is missing, mistyped, unknown, expired or revoked.
        """
        key = await self._keys.authenticate(authorization)
        return BearerKeyPayer(PayerIdentity(key.id, key.payer, key.channel, staker=key.payer), key, self)

    async def voucher_signer(self, key: BearerKey) -> Callable[[int], VerifiedVoucher]:
        """Return what signs a voucher on this key's channel over the amount that is needed."""
        signer = self._signers.get(key.id)
        if signer is None:
            if len(self._signers) >= _MOST_REMEMBERED:
                del self._signers[next(iter(self._signers))]
            signer = self._signers[key.id] = KeySigner(await self._keys.session_key(key))
        return lambda needed: sign_voucher(self._escrow, key.channel, needed, signer)


@value
class BearerKeyPayer(Payer):
    """A payer with a bearer key."""

    key: BearerKey
    method: BearerKeyPayments

    def check_scope(self, listing: ServedListing) -> None:
        """Refuse a listing that the key is not for."""
        self.key.check_asset(listing.name)

    async def has_funds(self) -> bool:
        """Return true: keys are made for those who can deposit."""
        return True

    async def fund_call(self, order: CallOrder, price: Price, call: Hash32) -> FundedCall:
        """Pay from the key's channel, by a voucher of its session key, up to the key's limits."""
        key, sign = self.key, await self.method.voucher_signer(self.key)
        return FundedCall(
            order.reservation(call, key.channel, price, sign=sign, limit=key.spending_limit, day_limit=key.day_limit)
        )
