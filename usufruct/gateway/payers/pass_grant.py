"""Payment by a grant of pass credits: the credits that its holder activated for our meter pay."""

from collections.abc import Sequence

from usufruct.accounts import AssetOutOfScope
from usufruct.core import Hash32, PaymentRequired, format_asset, value
from usufruct.gateway.model import ServedListing
from usufruct.gateway.order import Order, Price
from usufruct.gateway.payers.base import FundedCall, PayerIdentity, Refused, price_by_balance
from usufruct.payments.pricing import GRANT_PREFIX, PassGrant, VerifiedVoucher, Voucher, read_grant
from usufruct.payments.settlement import PassAccounts
from usufruct.web import Exchange, Header


class PassGrantPayments:
    """Takes grants on activated pass credits."""

    def __init__(self, accounts: PassAccounts) -> None:
        """Take grants on `accounts`."""
        self.accounts = accounts

    async def authenticate(self, exchange: Exchange) -> "PassGrantPayer | None":
        """Return the holder of the credits; None for a request without a grant.

        Raises:
            GrantRefused, GrantExpired: when the grant is not valid here, or not any more.
        """
        scheme, _, text = exchange.header(b"authorization").partition(" ")
        if scheme.lower() != "bearer" or not text.strip().startswith(GRANT_PREFIX):
            return None
        grant = read_grant(text.strip())
        self.accounts.check(grant)
        account = self.accounts.account_of(grant)
        # Only the holder signs grants; other grants on the same credits are other callers.
        return PassGrantPayer(
            PayerIdentity(grant.holder, grant.holder, account, key_scope=grant.signature.hex()), grant, self.accounts
        )


@value
class PassGrantPayer:
    """`Payer` with a grant."""

    identity: PayerIdentity
    grant: PassGrant
    accounts: PassAccounts

    def check_scope(self, listing: ServedListing) -> None:
        """Refuse every listing but that of the pass's own asset."""
        if listing.id != self.grant.asset:
            raise AssetOutOfScope(
                f"these credits are for asset {format_asset(self.grant.asset)}, and {listing.name} is another: "
                f"{format_asset(listing.id)}",
                field="model",
                asset=listing.name,
            )

    async def has_funds(self) -> bool:
        """Tell whether there are credits for the grant here already."""
        return await self.accounts.carries(self.grant)

    def price(self, order: Order, refused: Refused | None = None) -> Price:
        """Return the listing's price, within the caller's own limit and the credits."""
        return price_by_balance(order, refused)

    async def fund_call(self, order: Order, price: Price, call: Hash32) -> FundedCall:
        """Pay from the credits, after a look at the chain if it is due; the grant takes a voucher's place."""
        account = await self.accounts.ready(self.grant, price.allowance.ceiling)

        def sign(needed: int) -> VerifiedVoucher:
            return VerifiedVoucher(Voucher(account, needed, self.grant.signature))

        return FundedCall(order.reservation(call, account, price, sign=sign, limit=self.grant.limit))

    async def response_headers(self, charged: int, total: int, funded: FundedCall | None) -> Sequence[Header]:
        """Return nothing: the caller reads the receipt's headers."""
        return ()

    async def refusal_headers(self, exchange: Exchange, order: Order, refusal: PaymentRequired) -> Sequence[Header]:
        """Return nothing: more credits help, not a header."""
        return ()
