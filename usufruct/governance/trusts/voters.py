"""Calls of shareholders of this site to their trusts: of a wallet or a passkey in the browser, or the demo account."""

from usufruct.accounts.passkeys import RelayedCalls
from usufruct.assets import RegistryClient
from usufruct.chain import Call, ChainAccess, UnreadableAnswer, keccak
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.title_trust import TitleTrust
from usufruct.chain.interface import interface_of
from usufruct.chain.keys import KeySigner
from usufruct.core import ZERO_ADDRESS, Address, AssetId, Conflict, Denied, Hash32, Invalid, NotFound
from usufruct.governance.errors import InvalidVote
from usufruct.governance.model import calls_of, unsigned_description
from usufruct.governance.proposal_documents import support_of
from usufruct.governance.trusts.model import TrustProposal
from usufruct.governance.trusts.service import TitleTrusts
from usufruct.governance.voters import HoldsPasskey, hand_over
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.trust_documents import TrustWish

_LONGEST_CALL = 32_768
"""Bytes of calldata of an execution that the relayer pays for: a proposal's calls, as they were proposed."""


class ShareVoters:
    """Returns the transactions by which a signed-in account decides about a service."""

    def __init__(
        self,
        trusts: TitleTrusts,
        registry: RegistryClient,
        chain: ChainAccess,
        holds_passkey: HoldsPasskey,
        demo: KeySigner | None,
    ) -> None:
        """`demo` signs for a local chain's demo account, whose transactions are sent here."""
        self.trusts = trusts
        self.registry = registry
        self.holds_passkey = holds_passkey
        self._chain = chain
        self._demo = demo

    async def transaction(self, account: Address, asset: AssetId, wish: TrustWish) -> ExchangeTransaction:
        """Return the transaction of a wish; it was sent where the account is the demo account.

        Raises:
            NotATrust, UnknownProposal, InvalidVote, Conflict: when it cannot be done now; the code says why.
        """
        return await self.hand_over(account, await self._call(account, asset, wish), wish.action)

    async def hand_over(self, account: Address, call: Call, verb: str) -> ExchangeTransaction:
        """Return a call as the account's transaction; the demo account's is sent here, and awaited."""
        return await hand_over(self._chain, self._demo, account, call, f"trust/{verb}")

    async def _call(self, account: Address, asset: AssetId, wish: TrustWish) -> Call:
        if wish.action == "delegate":
            await self.trusts.of(asset)
            return (await self.registry.shares(asset)).delegate(account)
        standing = await self._proposal(asset, wish.proposal)
        if wish.action == "execute":
            return self.trusts.plan_execution(standing)
        if wish.support is None:
            raise InvalidVote("`support` is missing; it is for, against or abstain", field="support")
        return await self.trusts.plan_vote(account, standing, support_of(wish.support), wish.reason)

    async def _proposal(self, asset: AssetId, proposal: Hash32 | None) -> TrustProposal:
        if proposal is None:
            raise InvalidVote("`proposal` is missing; it is the id of a proposal", field="proposal")
        return await self.trusts.proposal(asset, int(proposal, 16))


class ShareVotersCalls(RelayedCalls):
    """Allows passkey accounts to propose, vote, execute what passed, and let themselves vote with their shares."""

    def __init__(self, trusts: TitleTrusts, registry: RegistryClient) -> None:
        """Ask `trusts` which votes count."""
        self._trusts = trusts
        self._registry = registry
        self._execution = TitleTrust(ZERO_ADDRESS).execute([], [], [], bytes(32), value=0).data[:4]

    async def pays_for(self, account: Address, call: Call) -> bool:
        """Tell whether the relayer pays: proposals and votes that count, executions that are due, one's delegation."""
        if call.data == Shares(ZERO_ADDRESS).delegate(account).data:
            return await self._holds_shares(account, call.to)
        asset = await self._trusts.held_at(call.to)
        if asset is None or len(call.data) > _LONGEST_CALL:
            return False
        try:
            return call == await self._expected(account, asset, call)
        except (Conflict, Denied, Invalid, NotFound, UnreadableAnswer, ValueError):
            return False

    async def _expected(self, account: Address, asset: AssetId, call: Call) -> Call | None:
        """Return the call that this one has to be; raises where it cannot be made now."""
        if call.data[:4] == self._execution:
            number = int.from_bytes(keccak(call.data[4:]))  # an id is the hash of what is executed
            return self._trusts.plan_execution(await self._trusts.proposal(asset, number))
        interface = interface_of(TitleTrust.__name__)
        function = interface.by_selector.get(call.data[:4]) if interface else None
        if function is None or function.name not in ("castVote", "castVoteWithReason", "propose"):
            return None
        if function.name == "propose":
            *parts, text = function.arguments(call.data)
            calls = calls_of(parts)
            if any(each.to != self._registry.contract.address for each in calls):  # the trust takes no others
                return None
            return await self._trusts.plan_proposal(account, asset, calls, unsigned_description(text, account))
        number, support, *reason = function.arguments(call.data)
        standing = await self._trusts.proposal(asset, number)
        return await self._trusts.plan_vote(account, standing, support, *reason)

    async def _holds_shares(self, account: Address, place: Address) -> bool:
        """Tell whether an account holds shares of a service that its shareholders decide about."""
        if not await self._registry.contract.is_shares(place):
            return False
        return await Shares(place, self._registry.client).balance_of(account) > 0
