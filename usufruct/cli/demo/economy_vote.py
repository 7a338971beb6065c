"""A proposal's way: said and simulated, proposed, voted for, queued and executed, each at the first possible time."""

from collections.abc import Sequence
from secrets import token_hex

from usufruct.chain import Call, ChainAccess, Sender
from usufruct.chain.anvil import Anvil
from usufruct.core import Hash32
from usufruct.governance import Proposals, StandingProposal, proposal_id, sentence, signed_description, support_of


class Vote:
    """One proposal on a chain whose time can be moved."""

    def __init__(self, anvil: Anvil, chain: ChainAccess, calls: Sequence[Call], description: str) -> None:
        self._anvil = anvil
        self._proposals = Proposals(chain)
        self._calls = calls
        self._description = description
        self._id: Hash32 | None = None

    @property
    def id(self) -> Hash32:
        """Return the proposal's id, once it was proposed."""
        if self._id is None:
            raise LookupError("the proposal has no id before it was proposed")
        return self._id

    async def words(self) -> list[str]:
        """Return what the calls do, a sentence for each."""
        return [sentence(each) for each in await self._proposals.explain(self._calls)]

    async def succeeds(self) -> bool:
        """Tell whether the calls would go through if the timelock made them now."""
        return (await self._proposals.simulate(self._calls)).succeeds

    async def propose(self, proposer: Sender) -> None:
        """Propose it, and wait until votes are counted."""
        await self._send(proposer, await self._proposals.propose(proposer.address, self._calls, self._description))
        self._id = proposal_id(self._calls, signed_description(self._description, proposer.address).encode())
        await self._anvil.jump_to((await self._standing()).proposal.snapshot + 1)

    async def vote(self, voters: Sequence[Sender]) -> None:
        """Let all vote for it, and wait until voting has ended."""
        for voter in voters:
            await self._send(
                voter, await self._proposals.vote(voter.address, await self._standing(), support_of("for"))
            )
        await self._anvil.jump_to((await self._standing()).proposal.deadline + 1)

    async def execute(self, sender: Sender) -> None:
        """Queue it, wait for the timelock, and execute it; anyone may do both."""
        await self._send(sender, self._proposals.queue(await self._standing()))
        await self._anvil.jump_to((await self._standing()).proposal.eta)
        await self._send(sender, self._proposals.execute(await self._standing()))

    async def _standing(self) -> StandingProposal:
        return await self._proposals.find(self.id)

    async def _send(self, sender: Sender, call: Call) -> None:
        await sender.execute(call, f"demo/vote/{token_hex(8)}")
