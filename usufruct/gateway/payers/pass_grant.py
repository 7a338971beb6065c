"""Callers with a grant of pass credits: the credits that its holder activated for our meter pay."""

from dataclasses import dataclass

from usufruct.accounts import AssetOutOfScope
from usufruct.core import Hash32, format_asset
from usufruct.gateway.call import BODY_BYTES, UNPAID_BYTES, Order, short_body
from usufruct.gateway.model import ServedListing
from usufruct.gateway.payers.bearer_key import Bearer
from usufruct.payments.ledger import Reservation
from usufruct.payments.pricing import GRANT_PREFIX, Allowance, PassGrant, VerifiedVoucher, Voucher, read_grant
from usufruct.payments.settlement import PassAccounts
from usufruct.web import Exchange


class PassGrantPayments:
    """Lets callers with a grant in."""

    def __init__(self, accounts: PassAccounts) -> None:
        """Take grants on `accounts`."""
        self._accounts = accounts

    def payer(self, exchange: Exchange) -> "PassGrantPayer | None":
        """Return who calls; None for those who came without a grant.

        Raises:
            GrantRefused, GrantExpired: for a grant that is no good.
        """
        scheme, _, text = exchange.header(b"authorization").partition(" ")
        if scheme.lower() != "bearer" or not text.strip().startswith(GRANT_PREFIX):
            return None
        grant = read_grant(text.strip())
        self._accounts.check(grant)
        return PassGrantPayer(grant, self._accounts)


@dataclass(frozen=True, slots=True)
class PassGrantPayer(Bearer):
    """`Payer` with a grant."""

    grant: PassGrant
    accounts: PassAccounts

    @property
    def name(self) -> str:
        """The holder of the credits."""
        return self.grant.holder

    @property
    def account(self) -> str:
        """The holder of the credits: only they sign grants."""
        return self.grant.holder

    @property
    def channel(self) -> Hash32:
        """The account that pays."""
        return self.accounts.account_of(self.grant)

    @property
    def scope(self) -> str:
        """The grant: others' grants on the same credits are other callers."""
        return self.grant.signature.hex()

    async def body(self, exchange: Exchange) -> bytes:
        """Read the request; a long one only if there are credits for it here already."""
        if exchange.is_longer(UNPAID_BYTES) and await self.accounts.carries(self.grant):
            return await exchange.body(BODY_BYTES)
        return await short_body(exchange)

    def check_asset(self, asset: ServedListing) -> None:
        """Refuse every asset but the pass's own."""
        if asset.id != self.grant.asset:
            raise AssetOutOfScope(
                f"these credits are for asset {format_asset(self.grant.asset)}, and {asset.name} is another: "
                f"{format_asset(asset.id)}",
                field="model",
                asset=asset.name,
            )

    async def repetition(self, order: Order, call: Hash32) -> Reservation:
        """Ask in the name of the account; the grant was checked."""
        return order.reservation(call, Allowance(0, 0), self.channel)

    async def reservation(self, order: Order, allowance: Allowance, call: Hash32) -> Reservation:
        """Pay from the account; what stands for a voucher there is the grant."""
        account = await self.accounts.ready(self.grant, allowance.ceiling)

        def sign(needed: int) -> VerifiedVoucher:
            return VerifiedVoucher(Voucher(account, needed, self.grant.signature))

        return order.reservation(call, allowance, account, sign=sign, limit=self.grant.limit)
