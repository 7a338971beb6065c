"""The payment methods of one gateway."""

from dataclasses import dataclass

from usufruct.core import PaymentRequired
from usufruct.gateway.call_order import CallOrder
from usufruct.gateway.payers.base import Payer
from usufruct.gateway.payers.bearer_key import BearerKeyPayments
from usufruct.gateway.payers.pass_grant import grant_payer
from usufruct.gateway.payers.x402 import X402Payments
from usufruct.payments.settlement import PassAccounts
from usufruct.web import HttpExchange

_NO_KEY = frozenset({"", "bearer", "bearer x402"})
"""`Authorization` of callers without a key: OpenAI's clients must send one, and send this."""


@dataclass(frozen=True, slots=True)
class PaymentMethods:
    """What is taken here: bearer keys, and grants of pass credits and x402 where there are any."""

    bearer_keys: BearerKeyPayments
    pass_grants: PassAccounts | None = None
    x402: X402Payments | None = None

    async def identify(self, exchange: HttpExchange) -> Payer | None:
        """Identify the payer; None for a request without payment, where `refuse_unpaid` can quote a price.

        Raises:
            Unauthenticated: when the credentials are wrong, or are missing where no quote is given.
            UsufructError: for credentials that are wrong in another way.
        """
        authorization = exchange.header(b"authorization")
        if self.x402 is not None:
            if payment := exchange.header(b"payment-signature"):
                return await self.x402.authenticate(payment)
            if authorization.lower() in _NO_KEY:
                return None
        if self.pass_grants is not None and (payer := await grant_payer(authorization, self.pass_grants)):
            return payer
        return await self.bearer_keys.authenticate(authorization)

    async def refuse_unpaid(self, exchange: HttpExchange, order: CallOrder) -> PaymentRequired:
        """Return the refusal of a request without payment; its quote goes out as a header."""
        assert self.x402 is not None, "a request is unpaid only where x402 is taken"
        return await self.x402.refuse_unpaid(exchange, order)
