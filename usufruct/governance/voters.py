"""Calls of the governor by accounts of this site: of a wallet or a passkey in the browser, or the demo account."""

from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Any

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.chain import Call, ChainAccess, UnreadableAnswer
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.interface import Function, interface_of
from usufruct.chain.keys import KeySigner
from usufruct.core import Address
from usufruct.governance.errors import InvalidVote
from usufruct.governance.proposal_documents import support_of
from usufruct.governance.proposals import Proposals
from usufruct_client.governance_documents import ProposalWish
from usufruct_client.trade_documents import ExchangeTransaction

MayVote = Callable[[Address, int, str], Awaitable[bool]]
"""Tells whether an account can vote about a proposal, by its number, with a reason."""

HoldsPasskey = Callable[[Address], Awaitable[bool]]
"""Tells whether an account is a passkey account of this site."""


class Voters:
    """Returns the transactions by which a signed-in account goes on with a proposal."""

    def __init__(
        self, proposals: Proposals, chain: ChainAccess, holds_passkey: HoldsPasskey, demo: KeySigner | None
    ) -> None:
        """`demo` signs for a local chain's demo account, whose transactions are sent here."""
        self.proposals = proposals
        self.holds_passkey = holds_passkey
        self._chain = chain
        self._demo = demo

    async def transaction(self, account: Address, proposal: str, wish: ProposalWish) -> ExchangeTransaction:
        """Return the transaction of a wish; it was sent where the account is the demo account.

        Raises:
            UnknownProposal, InvalidVote, Conflict, Denied: when it cannot be done now; the code says why.
        """
        call = await self._call(account, proposal, wish)
        sent = self._demo is not None and account == self._demo.address
        if self._demo is not None and sent:
            await self._chain.sender(self._demo).execute(call, f"gov/{wish.action}/{call.to}/{token_hex(8)}")
        return ExchangeTransaction(self._chain.chain_id, call.to, f"0x{call.data.hex()}", call.value, sent=sent)

    async def _call(self, account: Address, proposal: str, wish: ProposalWish) -> Call:
        standing = await self.proposals.find(proposal)
        match wish.action:
            case "vote":
                if wish.support is None:
                    raise InvalidVote("`support` is missing; it is for, against or abstain", field="support")
                return await self.proposals.vote(account, standing, support_of(wish.support), wish.reason)
            case "queue":
                return self.proposals.queue(standing)
            case "execute":
                return self.proposals.execute(standing)
            case "cancel":
                return await self.proposals.cancel(account, standing)


class VotersCalls(RelayedCalls):
    """Allows passkey accounts to vote, and to queue and execute what passed; contracts check that they may."""

    def __init__(self, governor: Address, may_vote: MayVote) -> None:
        """Allow these functions of one governor; `may_vote` tells whether a vote counts."""
        contract, none = PlatformGovernor(governor), bytes(32)
        steps = (
            contract.queue([], [], [], none),
            contract.execute([], [], [], none, value=0),
            contract.cancel([], [], [], none),
        )
        self._governor = contract
        self._steps = frozenset(call.data[:4] for call in steps)
        self._may_vote = may_vote

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call: of votes, for those that count and have a reason of our length."""
        if call.to != self._governor.address:
            return False
        if call.data[:4] in self._steps:
            return True
        vote = _vote_of(call)
        if vote is None:
            return False
        function, (proposal, _, *reason) = vote
        more = function.call(call.to, vote[1]).data != call.data  # bytes that say nothing, and cost
        return not more and await self._may_vote(account, proposal, *(reason or ("",)))


def _vote_of(call: Call) -> tuple[Function, tuple[Any, ...]] | None:
    """Return the function of a vote and its arguments; None for another call."""
    interface = interface_of(PlatformGovernor.__name__)
    function = interface.by_selector.get(call.data[:4]) if interface else None
    if function is None or function.name not in ("castVote", "castVoteWithReason"):
        return None
    try:
        return function, function.arguments(call.data)
    except UnreadableAnswer:
        return None
