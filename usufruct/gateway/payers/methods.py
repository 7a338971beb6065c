"""The payment methods of one gateway."""

from dataclasses import dataclass

from usufruct.core import value
from usufruct.gateway.payers.base import Payer
from usufruct.gateway.payers.bearer_key import BearerKeyPayments
from usufruct.gateway.payers.pass_grant import PassGrantPayments
from usufruct.gateway.payers.x402 import X402Payments
from usufruct.web import Exchange


@value
class Unpaid:
    """A request without payment, which `x402` refuses with a quote."""

    x402: X402Payments


@dataclass(frozen=True, slots=True)
class PaymentMethods:
    """What is taken here: bearer keys, and pass grants and x402 where there are any."""

    bearer_keys: BearerKeyPayments
    pass_grants: PassGrantPayments | None = None
    x402: X402Payments | None = None

    async def identify(self, exchange: Exchange) -> Payer | Unpaid:
        """Identify the payer.

        Raises:
            Unauthenticated: when the credentials are wrong, or are missing where no quote is given.
            UsufructError: for credentials that are wrong in another way.
        """
        if self.x402 is not None:
            payer = await self.x402.authenticate(exchange)
            if payer is not None:
                return payer
            if self.x402.is_unpaid(exchange):
                return Unpaid(self.x402)
        if self.pass_grants is not None:
            holder = await self.pass_grants.authenticate(exchange)
            if holder is not None:
                return holder
        return await self.bearer_keys.authenticate(exchange)
