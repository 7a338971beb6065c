"""Calls of stakers with a passkey that the relayer pays for: changes of a lock, and claims of airdrops into one."""

from collections.abc import Sequence

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.chain import Call, Client, Revert
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import ZERO_ADDRESS, Address

_AMOUNT = slice(4, 36)
"""The first argument of a call."""


class StakersCalls(RelayedCalls):
    """Allows the verbs of one escrow, its approval to take platform tokens, and claims of airdrops into its locks."""

    def __init__(
        self, escrow: Address, token: Address, client: Client, least: int, airdrops: Sequence[Address] = ()
    ) -> None:
        """Allow what a staker does with `token` in `escrow`; `least` units of revenue are worth their gas.

        `airdrops`: contracts from which entries are claimed into locks.
        """
        contract, none = VoteEscrow(escrow), ZERO_ADDRESS
        self._claim = contract.claim(none).data[:4]
        self._lock = contract.lock(0, 0).data[:4]
        verbs = (
            contract.increase(0),
            contract.extend(0),
            contract.start_renewal(),
            contract.stop_renewal(),
            contract.withdraw(none),
            contract.exit_early(0, none),
            contract.claim_penalties(none),
            contract.delegate(none),
            contract.reinvest(none, 0, 0),
        )
        self._escrow = escrow
        self._verbs = frozenset(call.data[:4] for call in verbs) | {self._claim, self._lock}
        self._token = PlatformToken(token, client)
        self._approval = self._token.approve(escrow, 0).data[:36]
        self._client = client
        self._least = least
        self._airdrops = frozenset(airdrops)
        self._claim_and_lock = Airdrop(none).claim_and_lock(0, 0, 0, []).data[:4]

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call; the contracts check that its sender may make it."""
        if call.to == self._escrow:
            return call.data[:4] in self._verbs
        if call.to in self._airdrops:
            return call.data[:4] == self._claim_and_lock
        return call.to == self._token.address and call.data[:36] == self._approval

    async def earns(self, account: Address, call: Call) -> bool:
        """Tell whether a call claims an amount of revenue that is worth the gas."""
        if call.to != self._escrow or call.data[:4] != self._claim:
            return False
        try:
            paid = await self._client.call(call, sender=account)
        except Revert:
            return False
        return int.from_bytes(paid, "big") >= self._least

    async def justifies_creation(self, account: Address, call: Call) -> bool:
        """Tell whether a call locks tokens that the account holds, or its open entry of an airdrop."""
        if call.to in self._airdrops and call.data[:4] == self._claim_and_lock:
            return await self._succeeds(account, call)
        if call.to != self._escrow or call.data[:4] != self._lock:
            return False
        amount = int.from_bytes(call.data[_AMOUNT], "big")
        return 0 < amount <= await self._token.balance_of(account)

    async def _succeeds(self, account: Address, call: Call) -> bool:
        try:
            await self._client.call(call, sender=account)
        except Revert:
            return False
        return True
