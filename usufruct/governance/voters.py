"""Calls of the governor by accounts of this site: of a wallet or a passkey in the browser, or the demo account."""

from collections.abc import Awaitable, Callable
from secrets import token_hex

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.chain import Call, ChainAccess
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.keys import KeySigner
from usufruct.core import Address
from usufruct.governance.errors import InvalidVote
from usufruct.governance.proposal_documents import support_of
from usufruct.governance.proposals import Proposals
from usufruct_client.governance_documents import ProposalWish
from usufruct_client.trade_documents import ExchangeTransaction

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

    def __init__(self, governor: Address) -> None:
        """Allow these functions of one governor."""
        contract, none = PlatformGovernor(governor), bytes(32)
        verbs = (
            contract.cast_vote(0, 0),
            contract.cast_vote_with_reason(0, 0, ""),
            contract.queue([], [], [], none),
            contract.execute([], [], [], none, value=0),
            contract.cancel([], [], [], none),
        )
        self._governor = governor
        self._verbs = frozenset(call.data[:4] for call in verbs)

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays for a call."""
        return call.to == self._governor and call.data[:4] in self._verbs
