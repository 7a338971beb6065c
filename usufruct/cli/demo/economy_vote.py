"""A proposal's way: proposed, voted for, queued and executed, each step at the first time that allows it."""

from collections.abc import Sequence
from secrets import token_hex

from usufruct.chain import Call, Sender, keccak
from usufruct.chain.anvil import Anvil
from usufruct.chain.contracts.platform_governor import PlatformGovernor

_FOR = 1


class Vote:
    """One proposal, which any sender brings forward on a chain whose time can be moved."""

    def __init__(self, anvil: Anvil, governor: PlatformGovernor, calls: Sequence[Call], description: str) -> None:
        self._anvil = anvil
        self._governor = governor
        self._description = description
        self._hash = keccak(description.encode())
        self._what = [call.to for call in calls], [call.value for call in calls], [call.data for call in calls]
        self.id = 0

    async def propose(self, proposer: Sender) -> None:
        """Propose it, and wait until votes are counted."""
        await self._send(proposer, self._governor.propose(*self._what, self._description))
        self.id = await self._governor.get_proposal_id(*self._what, self._hash)
        await self._anvil.jump_to(await self._governor.proposal_snapshot(self.id) + 1)

    async def vote(self, voters: Sequence[Sender]) -> None:
        """Let all vote for it, and wait until voting has ended."""
        for voter in voters:
            await self._send(voter, self._governor.cast_vote(self.id, _FOR))
        await self._anvil.jump_to(await self._governor.proposal_deadline(self.id) + 1)

    async def execute(self, sender: Sender) -> None:
        """Queue it, wait for the timelock, and execute it; anyone may do both."""
        await self._send(sender, self._governor.queue(*self._what, self._hash))
        await self._anvil.jump_to(await self._governor.proposal_eta(self.id))
        await self._send(sender, self._governor.execute(*self._what, self._hash, value=0))

    async def _send(self, sender: Sender, call: Call) -> None:
        await sender.execute(call, f"demo/vote/{token_hex(8)}")
