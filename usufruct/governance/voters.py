"""Calls of the governor by accounts of this site: of a wallet or a passkey in the browser, or the demo account."""

from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from typing import Any

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.chain import Call, ChainAccess, UnreadableAnswer
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.interface import Function, interface_of
from usufruct.chain.keys import KeySigner
from usufruct.core import Address
from usufruct.governance.errors import InvalidVote
from usufruct.governance.model import calls_of
from usufruct.governance.proposal_documents import support_of
from usufruct.governance.proposals import Proposals
from usufruct_client.governance_documents import ProposalWish
from usufruct_client.trade_documents import ExchangeTransaction

MayVote = Callable[[Address, int, str], Awaitable[bool]]
"""Tells whether an account can vote about a proposal, by its number, with a reason."""

MayPropose = Callable[[Address, Sequence[Call], str], Awaitable[bool]]
"""Tells whether an account can propose calls with a description."""

_PAID_FOR = ("castVote", "castVoteWithReason", "propose")
_LONGEST_CALL = 32_768
"""Bytes of calldata that the relayer pays for."""

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
        return await self.hand_over(account, await self._call(account, proposal, wish), wish.action)

    async def hand_over(self, account: Address, call: Call, verb: str) -> ExchangeTransaction:
        """Return a call as the account's transaction; the demo account's is sent here, and awaited."""
        return await hand_over(self._chain, self._demo, account, call, f"gov/{verb}")

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


async def hand_over(
    chain: ChainAccess, demo: KeySigner | None, account: Address, call: Call, intent: str
) -> ExchangeTransaction:
    """Return a call as an account's transaction; that of the demo account, if there is one, is sent and awaited."""
    sent = demo is not None and account == demo.address
    if demo is not None and sent:
        await chain.sender(demo).execute(call, f"{intent}/{call.to}/{token_hex(8)}")
    return ExchangeTransaction(chain.chain_id, call.to, f"0x{call.data.hex()}", call.value, sent=sent)


class VotersCalls(RelayedCalls):
    """Allows passkey accounts to propose, vote, and queue and execute what passed; contracts check that they may."""

    def __init__(self, governor: Address, may_vote: MayVote, may_propose: MayPropose) -> None:
        """Allow these functions of one governor; `may_vote` and `may_propose` tell what the contract would take."""
        contract, none = PlatformGovernor(governor), bytes(32)
        steps = (
            contract.queue([], [], [], none),
            contract.execute([], [], [], none, value=0),
            contract.cancel([], [], [], none),
        )
        self._governor = contract
        self._steps = frozenset(call.data[:4] for call in steps)
        self._may_vote = may_vote
        self._may_propose = may_propose

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays: for votes and proposals that count, and are as long as ours."""
        if call.to != self._governor.address:
            return False
        if call.data[:4] in self._steps:
            return True
        found = _function_of(call)
        if found is None or len(call.data) > _LONGEST_CALL:
            return False
        function, arguments = found
        if function.call(call.to, arguments).data != call.data:  # bytes that say nothing, and cost
            return False
        if function.name == "propose":
            *parts, description = arguments
            return len({*map(len, parts)}) == 1 and await self._may_propose(account, calls_of(parts), description)
        proposal, _, *reason = arguments
        return await self._may_vote(account, proposal, *(reason or ("",)))


def _function_of(call: Call) -> tuple[Function, tuple[Any, ...]] | None:
    """Return the function of a vote or a proposal and its arguments; None for another call."""
    interface = interface_of(PlatformGovernor.__name__)
    function = interface.by_selector.get(call.data[:4]) if interface else None
    if function is None or function.name not in _PAID_FOR:
        return None
    try:
        return function, function.arguments(call.data)
    except UnreadableAnswer:
        return None
