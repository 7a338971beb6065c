"""Calls of the governor by accounts of this site: of a wallet or a passkey in the browser, or the demo account."""

from collections.abc import Awaitable, Callable
from secrets import token_hex

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.chain import Call, ChainAccess, UnreadableAnswer, keccak
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.interface import interface_of
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, Conflict, Denied, Invalid, NotFound
from usufruct.governance.errors import InvalidVote
from usufruct.governance.model import Support, calls_of, unsigned_description
from usufruct.governance.proposal_documents import support_of
from usufruct.governance.proposals import Proposals, StandingProposal
from usufruct_client.governance_documents import ProposalWish
from usufruct_client.trade_documents import ExchangeTransaction

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
    """Allows passkey accounts to propose and vote, and to queue, execute and cancel, each once it is possible."""

    def __init__(self, proposals: Proposals) -> None:
        """Ask `proposals` what the governor would take."""
        self._proposals = proposals

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays: for what the governor takes now, in calls of no byte more than ours."""
        if call.to != self._proposals.governor.address or len(call.data) > _LONGEST_CALL:
            return False
        try:
            return call == await self._expected(account, call)
        except (Conflict, Denied, Invalid, NotFound, UnreadableAnswer, ValueError):
            return False

    async def _expected(self, account: Address, call: Call) -> Call | None:
        """Return the call that this one has to be; raises where it cannot be made now."""
        interface = interface_of(PlatformGovernor.__name__)
        function = interface.by_selector.get(call.data[:4]) if interface else None
        if function is None:
            return None
        proposals = self._proposals
        match function.name:
            case "propose":
                *parts, text = function.arguments(call.data)
                return await proposals.propose(account, calls_of(parts), unsigned_description(text, account))
            case "castVote" | "castVoteWithReason":
                number, support, *reason = function.arguments(call.data)
                return await proposals.vote(account, await proposals.find(str(number)), Support(support), *reason)
            case "queue":
                return proposals.queue(await self._step_of(call))
            case "execute":
                return proposals.execute(await self._step_of(call))
            case "cancel":
                return await proposals.cancel(account, await self._step_of(call))
        return None

    async def _step_of(self, call: Call) -> StandingProposal:
        """Return the proposal of a step; its id is the hash of the step's arguments."""
        return await self._proposals.find(f"0x{keccak(call.data[4:]).hex()}")
