"""Calls of stakers with a passkey that the relayer pays for: all that changes a lock, and the approval before it."""

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.chain import Call
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import ZERO_ADDRESS, Address


class StakersCalls(RelayedCalls):
    """Allows the verbs of one escrow, and approvals of that escrow as the spender of the platform token."""

    def __init__(self, escrow: Address, token: Address) -> None:
        """Allow what a staker does with `token` in `escrow`."""
        contract, none = VoteEscrow(escrow), ZERO_ADDRESS
        verbs = (
            contract.lock(0, 0),
            contract.increase(0),
            contract.extend(0),
            contract.start_renewal(),
            contract.stop_renewal(),
            contract.withdraw(none),
            contract.exit_early(0, none),
            contract.claim(none),
            contract.claim_penalties(none),
            contract.delegate(none),
        )
        self._escrow = escrow
        self._verbs = frozenset(call.data[:4] for call in verbs)
        self._token = token
        self._approval = PlatformToken(token).approve(escrow, 0).data[:36]

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call; the contracts check that its sender may make it."""
        if call.to == self._escrow:
            return call.data[:4] in self._verbs
        return call.to == self._token and call.data[:36] == self._approval
