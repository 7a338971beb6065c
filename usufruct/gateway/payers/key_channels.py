"""The channels behind bearer keys."""

from collections.abc import Awaitable, Callable

from usufruct.core import Address, Hash32
from usufruct.gateway.operator_profile import Operator
from usufruct.payments.ledger import new_id
from usufruct.payments.pricing import ChannelConfig
from usufruct.payments.settlement import ChannelRegistry

WalletReader = Callable[[Address], Awaitable[bool]]
"""Tells whether a wallet holds as much of the operator's token as the smallest deposit."""


class KeyChannels:
    """Opens the channel a new bearer key pays from; fulfils `accounts.Channels`."""

    def __init__(self, channels: ChannelRegistry, operator: Operator, wallets: WalletReader | None = None) -> None:
        """Open channels to `operator`'s till; without `wallets`, no balance is known."""
        self._channels = channels
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
        return await self._channels.open_empty(config)
