"""Accrues what reaches shares by plain transfer, so that it belongs to who held them when it came.

Our till and passes accrue on the way in. A plain transfer, an x402 `exact` payment or native coin lies un-accrued
until anyone calls `accrue`; until then, a borrower of shares can collect it within one transaction. So a worker looks
at the shares of what this installation sells, and accrues what is worth the gas.
"""

import logging
from dataclasses import dataclass
from secrets import token_hex

from usufruct.assets.listings import Listings
from usufruct.assets.registry_client import RegistryClient
from usufruct.chain import Call, GasOverLimit, Revert, Sender
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address

_log = logging.getLogger(__name__)

_GAS = 110_000
"""What an accrue or a wrap takes at most."""

_GAS_TIMES = 10
"""How many times what the transaction costs native coin has to be worth."""


@dataclass(frozen=True, slots=True)
class Accruer:
    """Accrues for the shares that listings pay to, with any key that can pay for gas; other payees are left alone.

    Worth it are `least` atomic units of `token`, the payment token; of other tokens, one whole unit.
    """

    registry: RegistryClient
    sender: Sender
    listings: Listings
    token: Address
    least: int

    async def run(self) -> int:
        """Accrue what is worth it, and return how many transactions were sent; one under way is not sent again.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        sent = 0
        for payee in dict.fromkeys(await self.listings.payees()):
            if await self.registry.contract.is_shares(payee):
                for call in await self._due(Shares(payee, self.registry.client)):
                    sent += await self._send(call)
        return sent

    async def _due(self, shares: Shares) -> list[Call]:
        """Return the calls that book what has arrived, for each token that is worth it."""
        client = self.registry.client
        gas_price = (await client.head()).base_fee
        native, coin = await shares.wrapped_native(), await client.balance(shares.address)
        due = []
        for income in await self.registry.income(shares, await client.block_number()):
            token, amount = income.token, income.unaccrued
            if token.address == native:
                least = max(1, _GAS * gas_price * _GAS_TIMES)
                if amount + coin >= least:
                    due.append(shares.wrap() if coin else shares.accrue(native))
            elif amount >= (self.least if token.address == self.token else 10**token.decimals):
                due.append(shares.accrue(token.address))
        return due

    async def _send(self, call: Call) -> bool:
        if await self.sender.unfinished(call):
            return False
        try:
            sent = await self.sender.send(call, f"accrue/{call.to}/{token_hex(8)}")
        except (Revert, GasOverLimit) as refusal:
            _log.warning("%s cannot accrue now: %s", call.to, refusal.message)
            return False
        _log.info("%s accrues what arrived by itself", call.to, extra={"key": sent.key})
        return True
