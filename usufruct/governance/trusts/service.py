"""What shareholders do in a trust: make it, give it a title, propose, vote, execute."""

from collections.abc import Sequence

from usufruct.assets import Assets, CardChange, RegistryClient, execute_once
from usufruct.chain import Call, ChainAccess, Sender, keccak
from usufruct.chain.contracts.title_trust import ProposalCreated, Terms, TitleTrust
from usufruct.chain.deployment import address_of, deployment_of
from usufruct.core import Address, AssetId, Hash32, Invalid, checksum, format_asset
from usufruct.governance.errors import UnknownProposal
from usufruct.governance.model import Support, parts_of
from usufruct.governance.trust_model import CONFIGURATION, NotATrust, TrustFacts, TrustProposal, signed_description


class TitleTrusts:
    """The trusts of one registry's titles. What the contracts would refuse raises their own reverts and is not sent."""

    def __init__(self, chain: ChainAccess, registry: RegistryClient, assets: Assets) -> None:
        self._client = chain.client
        self._registry = registry
        self._assets = assets

    async def create(self, sender: Sender, asset: AssetId, terms: Terms) -> Address:
        """Deploy the trust of an asset with these terms, unless it exists; return its address, where no title is yet.

        Raises:
            UnknownAsset: when there is no such asset.
            TermOutOfBounds: the contract's refusal of a term; nothing was sent.
        """
        await self._registry.asset(asset)
        creation = TitleTrust.deploy(self._registry.contract.address, asset, terms)
        place = address_of(TitleTrust, creation)
        if await self._client.code_at(place):
            return place
        await self._client.create(creation, sender=sender.address)
        await sender.execute(deployment_of(TitleTrust, creation), f"trust/create/{place}")
        return place

    async def give(self, sender: Sender, asset: AssetId, place: Address) -> Hash32:
        """Hand the sender's title to a trust of this asset; from then on shareholders decide. Return the transaction.

        Raises:
            NotATrust: when the address is no trust, or another asset's: the title could never come back from there.
            Denied: when the sender does not hold the title.
        """
        await self._check_trust(asset, place)
        await self._registry.managed(sender.address, asset)
        call = self._registry.contract.safe_transfer_from(sender.address, place, asset)
        return (await execute_once(sender, call, f"trust/give/{asset:#x}")).hash

    async def of(self, asset: AssetId) -> TitleTrust:
        """Return the trust that holds an asset's title.

        Raises:
            NotATrust: when the title is held by a wallet or another contract.
        """
        await self._registry.asset(asset)
        holder = await self._registry.contract.owner_of(asset)
        return await self._check_trust(asset, holder)

    async def show(self, asset: AssetId, place: Address | None = None) -> TrustFacts:
        """Return the trust that holds an asset's title, or the one at an address, as of now; raises as `of`."""
        trust = await self.of(asset) if place is None else await self._check_trust(asset, place)
        registry = self._registry.contract
        return TrustFacts(
            trust.address,
            await registry.owner_of(asset) == trust.address,
            await trust.voting_delay(),
            await trust.voting_period(),
            await trust.grace_period(),
            await trust.proposal_threshold(),
            await trust.quorum(0),
            (await registry.get_metadata(asset, CONFIGURATION)).decode(errors="replace"),
        )

    async def plan_price(self, asset: AssetId, change: CardChange) -> Call:
        """Return the call by which a trust announces another price card; it fails if another card came before it.

        Raises:
            InvalidAsset: for a card no call could be charged by, or one that is announced or in force.
            NotATrust: as `of`.
        """
        trust = await self.of(asset)
        planned = await self._assets.plan_price(trust.address, asset, change)
        if planned.call is None:
            raise Invalid("price: this card is announced already", code="nothing_to_change", field="price")
        return planned.call

    def plan_entry(self, asset: AssetId, key: str, value: bytes) -> Call:
        """Return the call that writes a metadata entry."""
        return self._registry.contract.set_metadata(asset, key, value)

    def plan_uri(self, asset: AssetId, uri: str) -> Call:
        """Return the call that points the title to another registration file."""
        return self._registry.contract.set_agent_uri(asset, uri)

    async def plan_dissolution(self, asset: AssetId, to: Address) -> Call:
        """Return the call that hands the title to an account; it is alone in its proposal, and needs 2/3 of all shares.

        Raises:
            NotATrust: as `of`.
        """
        trust = await self.of(asset)
        return self._registry.contract.transfer_from(trust.address, to, asset)

    async def propose(
        self, sender: Sender, asset: AssetId, calls: Sequence[Call], description: str
    ) -> tuple[TrustProposal, Hash32]:
        """Open a proposal; return it, and the transaction.

        Raises:
            GovernorInsufficientProposerVotes, CallNotAllowed: the trust's refusals; nothing was sent.
        """
        trust, text = await self.of(asset), signed_description(description, sender.address)
        targets, values, data = parts_of(calls)
        receipt = await execute_once(sender, trust.propose(targets, values, data, text), f"trust/propose/{asset:#x}")
        (event,) = ProposalCreated.among(receipt.logs, trust.address)
        return await self._proposal(trust, event), receipt.hash

    async def vote(self, sender: Sender, asset: AssetId, proposal: int, support: Support, reason: str = "") -> Hash32:
        """Cast all votes that the sender had at the proposal's snapshot; return the transaction."""
        trust = await self.of(asset)
        call = trust.cast_vote(proposal, support)
        if reason:
            call = trust.cast_vote_with_reason(proposal, support, reason)
        return (await execute_once(sender, call, f"trust/vote/{proposal:#x}")).hash

    async def delegate(self, sender: Sender, asset: AssetId, to: Address) -> Hash32:
        """Let an account vote with the sender's shares, at snapshots from now on; return the transaction."""
        shares = await self._registry.shares(asset)
        return (await execute_once(sender, shares.delegate(to), f"trust/delegate/{asset:#x}")).hash

    async def execute(self, sender: Sender, asset: AssetId, proposal: int) -> Hash32:
        """Carry out a proposal that passed, which anyone may; return the transaction.

        Raises:
            UnknownProposal: when the trust has none with this id.
            GovernorUnexpectedProposalState: when it has not passed, or its time is over.
        """
        trust = await self.of(asset)
        found = await self.proposal(asset, proposal)
        targets, values, data = parts_of(found.calls)
        call = trust.execute(targets, values, data, keccak(found.description.encode()), value=0)
        return (await execute_once(sender, call, f"trust/execute/{proposal:#x}")).hash

    async def proposal(self, asset: AssetId, proposal: int) -> TrustProposal:
        """Return a proposal of the trust that holds an asset's title.

        Raises:
            UnknownProposal: when there is none with this id.
        """
        trust = await self.of(asset)
        snapshot = await trust.proposal_snapshot(proposal)
        if not snapshot:
            raise UnknownProposal(
                f"the trust {checksum(trust.address)} has no proposal {proposal}; `usufruct trust propose` prints ids",
                proposal=str(proposal),
            )
        made_at = snapshot - await trust.voting_delay()
        first, after = await self._block_since(made_at), await self._block_since(made_at + 1)
        last = max(first, after - 1)
        logs = await self._client.logs(first, last, addresses=[trust.address], topics=(ProposalCreated.TOPIC,))
        event = next(each for each in ProposalCreated.among(logs, trust.address) if each.proposal_id == proposal)
        return await self._proposal(trust, event)

    async def _proposal(self, trust: TitleTrust, event: ProposalCreated) -> TrustProposal:
        calls = zip(event.targets, event.calldatas, event.values, strict=True)
        return TrustProposal(
            event.proposal_id,
            event.proposer,
            tuple(Call(target, data, value) for target, data, value in calls),
            event.description,
            event.vote_start,
            event.vote_end,
            await trust.state(event.proposal_id),
            await trust.proposal_votes(event.proposal_id),
            await trust.is_dissolution(event.proposal_id),
        )

    async def _check_trust(self, asset: AssetId, place: Address) -> TitleTrust:
        trust = TitleTrust(place, self._client)
        fits = TitleTrust.ARTIFACT.is_runtime(await self._client.code_at(place))
        if fits:
            fits = (await trust.registry(), await trust.asset()) == (self._registry.contract.address, asset)
        if not fits:
            raise NotATrust(
                f"{checksum(place)} is no trust of {format_asset(asset)}; `usufruct trust create` makes one, and "
                "`usufruct trust give` hands the title to it",
                address=place,
            )
        return trust

    async def _block_since(self, time: int) -> int:
        """Return the first block that is not older than a time; one after the newest if all are."""
        low, high = 0, await self._client.block_number() + 1
        while low < high:
            middle = (low + high) // 2
            header = await self._client.header(middle)
            if header is not None and header.timestamp < time:
                low = middle + 1
            else:
                high = middle
        return low
