"""Payment by a grant of pass credits: the credits that its holder activated for our meter pay."""

from usufruct.core import Denied, Hash32, format_asset, value
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.model import ServedListing
from usufruct.gateway.payers.base import FundedCall, Payer, PayerIdentity
from usufruct.payments.pricing import GRANT_PREFIX, PassGrant, VerifiedVoucher, Voucher, read_grant
from usufruct.payments.settlement import PassAccounts


async def grant_payer(authorization: str, accounts: PassAccounts) -> "PassGrantPayer | None":
    """Return the holder of the credits that the grant in an `Authorization` header is on; None without a grant.

    Raises:
        Unauthenticated: when the grant is not valid here, or not any more.
        Unavailable: when the chain does not say whether its holder's contract signed it.
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text.strip().startswith(GRANT_PREFIX):
        return None
    grant = read_grant(text.strip())
    await accounts.check(grant)
    # Only the holder signs grants; other grants on the same credits are other callers. Credits have a price of their
    # own, so no level counts.
    scope = grant.signature.hex()
    identity = PayerIdentity(grant.holder, grant.holder, accounts.account_of(grant), key_scope=scope)
    return PassGrantPayer(identity, grant, accounts)


@value
class PassGrantPayer(Payer):
    """A payer with a grant."""

    grant: PassGrant
    accounts: PassAccounts

    def check_scope(self, listing: ServedListing) -> None:
        """Refuse every listing but that of the pass's own asset."""
        if listing.id != self.grant.asset:
            raise Denied(
                f"these credits are for asset {format_asset(self.grant.asset)}, and {listing.name} is another: "
                f"{format_asset(listing.id)}",
                code="asset_out_of_scope",
                field="model",
                asset=listing.name,
            )

    async def has_funds(self) -> bool:
        """Tell whether there are credits for the grant here already."""
        return await self.accounts.carries(self.grant)

    async def fund_call(self, order: CallOrder, price: Price, call: Hash32) -> FundedCall:
        """Pay from the credits, after a look at the chain if it is due; the grant takes a voucher's place."""
        account = await self.accounts.ready(self.grant, price.allowance.ceiling)

        def sign(needed: int) -> VerifiedVoucher:
            return VerifiedVoucher(Voucher(account, needed, self.grant.signature))

        return FundedCall(order.reservation(call, account, price, sign=sign, limit=self.grant.limit))
