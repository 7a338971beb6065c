"""Which channels an operator takes calls on: those whose money it can be sure of."""

from dataclasses import dataclass

from usufruct.core import ZERO_ADDRESS, Address, PaymentRequired
from usufruct.payments.pricing import ChannelConfig

LEAST_WITHDRAW_DELAY = 86_400
"""A day, in seconds: time enough to claim what was charged before the payer's money leaves."""


class ChannelRefused(PaymentRequired, code="channel_refused"):
    """A channel that does not meet the operator's terms; names the field."""


@dataclass(frozen=True, slots=True)
class ChannelTerms:
    """`till` must be receiver and receiver's authorizer; `tokens` are the listed ones."""

    till: Address
    tokens: frozenset[Address]

    def check(self, config: ChannelConfig) -> None:
        """Accept a configuration, or say what is wrong with it.

        Raises:
            ChannelRefused: for another receiver, an unlisted token, a short delay, or uncheckable vouchers.
        """
        for field, found, expected in (
            ("receiver", config.receiver, self.till),
            ("receiverAuthorizer", config.receiver_authorizer, self.till),
        ):
            if found != expected:
                raise ChannelRefused(f"{field} must be {expected}, not {found}", field=field, expected=expected)
        if config.token not in self.tokens:
            listed = ", ".join(sorted(self.tokens))
            raise ChannelRefused(f"token {config.token} is not taken here; use one of {listed}", field="token")
        if config.withdraw_delay < LEAST_WITHDRAW_DELAY:
            raise ChannelRefused(
                f"withdrawDelay must be at least {LEAST_WITHDRAW_DELAY} seconds, not {config.withdraw_delay}",
                field="withdrawDelay",
                expected=LEAST_WITHDRAW_DELAY,
            )
        if config.payer_authorizer == ZERO_ADDRESS:
            raise ChannelRefused("payerAuthorizer must be a key that signs, not zero", field="payerAuthorizer")
