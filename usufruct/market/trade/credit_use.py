"""What a holder does with credits: activate them for calls, make a key that pays with them, give unused ones back."""

from usufruct.accounts.passkeys import PasskeySite
from usufruct.assets import Passes, PassPlan
from usufruct.chain import Call
from usufruct.core import UINT128_MAX, Address, Clock, checksum
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.market.signing_requests import Request
from usufruct.market.trade.errors import InvalidGrant, OtherMeter
from usufruct.payments.pricing import PassGrant, PassTerms, check_grant_terms
from usufruct.payments.settlement import PassAccounts
from usufruct_client.eip712_messages import PASS_GRANT, PASSES
from usufruct_client.pass_documents import GrantWish, SignedGrant
from usufruct_client.typed_data import MessageHasher, domain_separator, message_values

GRANTS = "/v1/pass-grants"

_DAY = 86_400
_EMPTY = bytes(65)
_GRANT = MessageHasher(PASS_GRANT)


class CreditUse:
    """The verbs of a holder of credits that calls use here. Questions to the chain raise `Unavailable`."""

    def __init__(
        self, passes: Passes, terms: PassTerms, accounts: PassAccounts, clock: Clock, passkeys: PasskeyBuyer | None
    ) -> None:
        """Take credits under `terms`; `accounts` checks grants."""
        self.terms = terms
        self._passes = passes
        self._accounts = accounts
        self._clock = clock
        self._passkeys = passkeys

    async def activation(self, holder: Address, plan: PassPlan, amount: int) -> Call:
        """Return the call by which a holder activates credits: from then on only calls use them.

        Raises:
            Conflict: when the holder has fewer that circulate, activations are paused, or the service has no meter.
            OtherMeter: when they would pay for calls at another gateway.
        """
        await self._passes.check_not_paused()
        meter, call = await self._passes.activation(holder, plan, amount)
        if meter != self.terms.meter:
            message = f"the service's meter is {meter}, and this gateway's is {self.terms.meter}: activated credits "
            raise OtherMeter(f"{message}would not pay for calls here; ask the service's owner", field="plan")
        return call

    async def refund(self, holder: Address, plan: PassPlan) -> tuple[int, list[Call]]:
        """Return what a holder gets back of a plan now, for all unused credits, and the calls that do it.

        Raises:
            Conflict: when there are none, or not yet; says from when on.
        """
        due = await self._passes.refunds_due(holder, plan)
        return sum(plan.refund_down(amount) for amount, _ in due), [call for _, call in due]

    def grant_request(self, holder: Address, wish: GrantWish) -> Request:
        """Return what a holder signs so that a key may use the activated credits of a plan.

        Raises:
            Invalid: for a limit of 0.
        """
        limit, until = UINT128_MAX if wish.limit is None else wish.limit, self._clock.now() + wish.days * _DAY
        check_grant_terms(limit, until)
        signed = SignedGrant(wish.plan, holder, limit, until, _EMPTY)
        message = self._message(signed)
        return Request(
            PASS_GRANT, self.terms.contract, self.terms.chain_id, message, GRANTS, signed.as_json(), ["signature"]
        )

    async def grant(self, signed: SignedGrant, site: PasskeySite | None) -> PassGrant:
        """Return a key of what a holder signed; nothing of it is kept.

        Raises:
            Invalid: for terms that no key can have.
            Unauthenticated: when its holder did not sign this, or its time is over.
        """
        check_grant_terms(signed.limit, signed.expires_at)
        signature = await self._signature(signed, site)
        grant = PassGrant(signed.plan, signed.holder, signed.limit, signed.expires_at, signature)
        await self._accounts.check(grant)
        return grant

    async def _signature(self, signed: SignedGrant, site: PasskeySite | None) -> bytes:
        if signed.assertion is None:
            return signed.signature
        if self._passkeys is None or site is None:
            raise InvalidGrant("there are no passkey accounts here; sign with a wallet", field="assertion")
        separator = domain_separator(PASSES, self.terms.chain_id, self.terms.contract)
        contents = _GRANT.struct_hash(*message_values(PASS_GRANT, self._message(signed)))
        return await self._passkeys.signature(signed.holder, (PASS_GRANT, separator, contents), signed.assertion, site)

    def _message(self, signed: SignedGrant) -> dict[str, object]:
        meter = checksum(self.terms.meter)
        return {"pass": signed.plan, "meter": meter, "limit": signed.limit, "expiresAt": signed.expires_at}
