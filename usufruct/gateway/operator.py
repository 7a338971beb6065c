"""The operator's side of every payment, and the channels behind bearer keys."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from usufruct.core import Address, Hash32, format_units
from usufruct.payments.ledger import ChannelReading, Ledger, new_id
from usufruct.payments.pricing import ChannelConfig, DigestSigner, Escrow, channel_id

SignedBefore = Callable[[Address], Awaitable[bool]]
"""Tells whether an address is one that signed the operator's receipts before its key was changed."""

WalletReader = Callable[[Address], Awaitable[bool]]
"""Tells whether a wallet holds as much of the operator's token as the smallest deposit."""

LEAST_WITHDRAW_DELAY = 86_400
"""A day, in seconds: time enough to claim what was charged before the payer's money leaves."""


async def _never(_: Address) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is paid, where and in what.

    `till` receives and authorizes for every channel; `token` has `decimals` and is shown as `symbol`; `receipts` signs
    receipts, and `signed_before` knows the keys that did before it.
    """

    escrow: Escrow
    till: Address
    token: Address
    receipts: DigestSigner
    decimals: int = 6
    symbol: str = "USD"
    withdraw_delay: int = LEAST_WITHDRAW_DELAY
    signed_before: SignedBefore = _never

    def shown(self, amount: int) -> str:
        """Write atomic units as whole ones: "0.000123"."""
        return format_units(amount, self.decimals)


class KeyChannels:
    """Opens the channel a new bearer key pays from; fulfils `accounts.Channels`."""

    def __init__(self, ledger: Ledger, operator: Operator, wallets: WalletReader | None = None) -> None:
        """Open channels to `operator`'s till; without `wallets`, nobody is known to hold anything."""
        self._ledger = ledger
        self._operator = operator
        self._wallets = wallets

    async def can_deposit(self, payer: Address) -> bool:
        """Tell whether a payer's wallet holds as much as the smallest deposit."""
        return self._wallets is not None and await self._wallets(payer)

    async def open(self, payer: Address, session: Address) -> Hash32:
        """Name a fresh channel and make it known to the ledger, empty: a deposit on chain fills it."""
        operator = self._operator
        config = ChannelConfig(
            payer=payer,
            payer_authorizer=session,
            receiver=operator.till,
            receiver_authorizer=operator.till,
            token=operator.token,
            withdraw_delay=operator.withdraw_delay,
            salt=new_id(),
        )
        channel = channel_id(operator.escrow, config)
        reading = ChannelReading(channel, operator.escrow.chain_id, config, block=0, balance=0, total_claimed=0)
        await self._ledger.observe(reading)
        return channel
