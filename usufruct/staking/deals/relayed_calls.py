"""Calls of subscribers with a passkey that the relayer pays for, in the deals that the installation shows."""

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.chain import Call
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.core import ZERO_ADDRESS, Address, Hash32
from usufruct.staking.deals.deals import Deals

_DEAL = slice(4, 36)
"""Where the deal stands in the data of the room's verbs: it is the first argument of each."""


class SubscribersCalls(RelayedCalls):
    """Allows to pay into shown deals, and to take refunds and tokens out; and to let the deal room take a payment.

    A deal of a stranger could have a token or a policy that burns gas. So other deals, and tokens of other deals, are
    not paid for.
    """

    def __init__(self, deals: Deals) -> None:
        """Ask `deals` what is shown."""
        room = deals.room
        self._deals = deals
        self._room = room.address
        verbs = room.subscribe(bytes(32), 0), room.claim(bytes(32), ZERO_ADDRESS), room.refund(bytes(32), ZERO_ADDRESS)
        self._verbs = frozenset(call.data[:4] for call in verbs)
        self._approval = Erc20(ZERO_ADDRESS).approve(room.address, 0).data[:36]

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call; the contracts check that its sender may make it."""
        if call.to == self._room:
            return call.data[:4] in self._verbs and Hash32(f"0x{call.data[_DEAL].hex()}") in await self._shown()
        return call.data[:36] == self._approval and call.to in (await self._shown()).values()

    async def _shown(self) -> dict[Hash32, Address]:
        """Return the payment tokens of the shown deals, by deal."""
        return {each.id: each.terms.payment_token for each in await self._deals.shown_deals()}
