"""What shareholders do in a trust: make it, give it a title, propose, vote, execute."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from usufruct.assets import SHARE_DECIMALS, Asset, AssetIndexer, Assets, CardChange, RegistryClient, execute_once
from usufruct.chain import Call, ChainAccess, Indexer, Sender, keccak
from usufruct.chain.contracts.title_trust import ProposalCreated, Terms, TitleTrust
from usufruct.chain.deployment import HORIZON_BLOCKS, address_of, deployment_of
from usufruct.core import UINT256_MAX, ZERO_ADDRESS, Address, AssetId, Hash32, Invalid, checksum, format_asset, moment
from usufruct.governance.ballots import check_reason
from usufruct.governance.errors import AlreadyVoted, BelowThreshold, UnknownProposal, VotingClosed, VotingNotOpen
from usufruct.governance.governor_logs import PROPOSAL_TOPICS, GovernorLogs
from usufruct.governance.model import ProposalState, Support, Tally, Vote, parts_of, signed_description
from usufruct.governance.proposal_store import (
    count_proposals,
    has_voted,
    proposal_of,
    proposals_of,
    tallies_of,
    votes_of,
)
from usufruct.governance.proposals import check_proposal
from usufruct.governance.trusts.model import (
    CONFIGURATION,
    NoShares,
    NotATrust,
    NotExecutable,
    TrustFacts,
    TrustProposal,
    TrustTerms,
)
from usufruct.governance.words import grouped

PAGE = 20
"""Proposals on a page of the list."""

MOST_VOTES = 100
"""Of a proposal's votes that are shown, those with the most weight."""


class TitleTrusts:
    """The trusts of one registry's titles. What the contracts would refuse raises their own reverts and is not sent."""

    def __init__(
        self, chain: ChainAccess, registry: RegistryClient, assets: Assets, indexer: AssetIndexer | None = None
    ) -> None:
        """Find titles by `indexer`; without it by one of its own."""
        self._chain = chain
        self._client = chain.client
        self._registry = registry
        self._assets = assets
        self._indexer = indexer or AssetIndexer(chain)
        self._checked: set[tuple[AssetId, Address]] = set()
        self._others: set[tuple[AssetId, Address]] = set()
        self._readers: dict[Address, Indexer] = {}
        self._terms: dict[Address, TrustTerms] = {}

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
            await self.terms(trust),
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

    async def plan_proposal(self, proposer: Address, asset: AssetId, calls: Sequence[Call], description: str) -> Call:
        """Return the call that opens a proposal, which the trust takes from this proposer alone.

        Raises:
            InvalidProposal: without calls or a description.
            BelowThreshold: when the proposer has too few votes.
            NotATrust: as `of`.
        """
        check_proposal(calls, description)
        trust = await self.of(asset)
        votes, threshold = await self.votes_now(asset, proposer), (await self.terms(trust)).threshold
        if votes < threshold:
            raise BelowThreshold(
                f"{checksum(proposer)} has {grouped(votes, SHARE_DECIMALS)} votes; a proposal needs "
                f"{grouped(threshold, SHARE_DECIMALS)}. Shares vote where they were delegated before, by `usufruct "
                "trust delegate`",
                votes=str(votes),
                threshold=str(threshold),
            )
        return self.proposing(trust.address, proposer, calls, description)

    def proposing(self, trust: Address, proposer: Address, calls: Sequence[Call], description: str) -> Call:
        """Return the call that opens a proposal of a trust; nothing is checked."""
        return TitleTrust(trust).propose(*parts_of(calls), signed_description(description, proposer))

    async def propose(
        self, sender: Sender, asset: AssetId, calls: Sequence[Call], description: str
    ) -> tuple[TrustProposal, Hash32]:
        """Open a proposal; return it, and the transaction.

        Raises:
            CallNotAllowed: the trust's refusal; nothing was sent.
            InvalidProposal, BelowThreshold, NotATrust: as `plan_proposal`.
        """
        call = await self.plan_proposal(sender.address, asset, calls, description)
        receipt = await execute_once(sender, call, f"trust/propose/{asset:#x}")
        (event,) = ProposalCreated.among(receipt.logs, call.to)
        return await self.proposal(asset, event.proposal_id), receipt.hash

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
        targets, values, data = parts_of(found.proposal.calls)
        call = trust.execute(targets, values, data, keccak(found.proposal.description), value=0)
        return (await execute_once(sender, call, f"trust/execute/{proposal:#x}")).hash

    async def proposals(self, asset: AssetId, page: int = 1, size: int = PAGE) -> list[TrustProposal]:
        """Return a page of the proposals of the trust that holds an asset's title, the newest first; raises as `of`."""
        trust = await self._read(asset)
        async with self._chain.database.snapshot() as unit:
            found = await proposals_of(unit, trust.address, (page - 1) * size, size)
            tallies = await tallies_of(unit, trust.address, [each.id for each in found])
        terms, now = await self.terms(trust), (await self._client.head()).timestamp
        return [TrustProposal.of(trust.address, each, tallies.get(each.id, Tally()), terms, now) for each in found]

    async def count(self, asset: AssetId) -> int:
        """Return how many proposals the trust has, as far as its logs were read."""
        trust = await self.of(asset)
        async with self._chain.database.snapshot() as unit:
            return await count_proposals(unit, trust.address)

    async def proposal(self, asset: AssetId, number: int) -> TrustProposal:
        """Return a proposal of the trust that holds an asset's title.

        Raises:
            UnknownProposal: when there is none with this id.
        """
        trust = await self._read(asset)
        found, tallies = None, dict[Hash32, Tally]()
        if 0 <= number <= UINT256_MAX:
            proposal = Hash32(f"0x{number:064x}")
            async with self._chain.database.snapshot() as unit:
                found = await proposal_of(unit, trust.address, proposal)
                tallies = await tallies_of(unit, trust.address, [proposal])
        if found is None:
            raise UnknownProposal(
                f"the trust {checksum(trust.address)} has no proposal {str(number)[:80]}; `usufruct trust propose` "
                "prints ids",
                proposal=str(number)[:80],
            )
        terms, now = await self.terms(trust), (await self._client.head()).timestamp
        return TrustProposal.of(trust.address, found, tallies.get(found.id, Tally()), terms, now)

    async def votes(self, standing: TrustProposal) -> list[Vote]:
        """Return the votes about a proposal with the most weight."""
        async with self._chain.database.snapshot() as unit:
            return await votes_of(unit, standing.trust, standing.proposal.id, MOST_VOTES)

    async def has_voted(self, standing: TrustProposal, account: Address) -> bool:
        """Tell whether an account has voted about a proposal."""
        async with self._chain.database.snapshot() as unit:
            return await has_voted(unit, standing.trust, standing.proposal.id, account)

    async def weight(self, standing: TrustProposal, account: Address) -> int:
        """Return an account's votes about a proposal; before the snapshot, those that it would have now."""
        at = standing.proposal.snapshot
        trust = TitleTrust(standing.trust, self._client)
        return await trust.get_votes(account, at if at < standing.now else standing.now - 1)

    async def votes_now(self, asset: AssetId, account: Address) -> int:
        """Return the votes that an account would have in a proposal whose snapshot was now."""
        trust = await self.of(asset)
        return await trust.get_votes(account, (await self._client.head()).timestamp - 1)

    async def check_vote(self, account: Address, standing: TrustProposal, reason: str = "") -> None:
        """Check that an account can vote now.

        Raises:
            VotingNotOpen, VotingClosed, AlreadyVoted, NoShares, InvalidVote: when this vote cannot be cast now.
        """
        check_reason(reason)
        if standing.state is ProposalState.PENDING:
            opens_at = standing.proposal.snapshot
            raise VotingNotOpen(f"voting begins after {moment(opens_at)}", opens_at=opens_at)
        if standing.state is not ProposalState.ACTIVE:
            ended = moment(standing.proposal.deadline)
            raise VotingClosed(f"voting ended at {ended}; the proposal is {standing.state}", state=standing.state.value)
        if await self.has_voted(standing, account):
            raise AlreadyVoted(f"{checksum(account)} has voted about this proposal; a vote cannot be changed")
        if not await self.weight(standing, account):
            raise NoShares(
                f"{checksum(account)} had no votes at {moment(standing.proposal.snapshot)}, by which this proposal "
                "counts: shares vote where they were delegated before, by `usufruct trust delegate`"
            )

    async def plan_vote(self, account: Address, standing: TrustProposal, support: Support, reason: str = "") -> Call:
        """Return the call that votes; raises as `check_vote`."""
        await self.check_vote(account, standing, reason)
        trust = TitleTrust(standing.trust)
        if reason:
            return trust.cast_vote_with_reason(standing.id, support, reason)
        return trust.cast_vote(standing.id, support)

    def plan_execution(self, standing: TrustProposal) -> Call:
        """Return the call that carries out a proposal that passed.

        Raises:
            NotExecutable: when it has not passed, or its time is over.
        """
        if standing.state is not ProposalState.SUCCEEDED:
            raise NotExecutable(
                f"the proposal is {standing.state}; only one that passed is executed", state=standing.state.value
            )
        parts = parts_of(standing.proposal.calls)
        return TitleTrust(standing.trust).execute(*parts, keccak(standing.proposal.description), value=0)

    async def held_at(self, place: Address) -> AssetId | None:
        """Return the asset whose title a trust at this address holds; None for another contract or a wallet."""
        for each in await self._indexer.assets():
            if each.holder == place:
                with suppress(NotATrust):
                    await self._check_trust(each.id, place)
                    return each.id
        return None

    async def terms(self, trust: TitleTrust) -> TrustTerms:
        """Return a trust's terms, which never change; times in seconds, shares in atomic units."""
        if trust.address not in self._terms:
            numbers = await asyncio.gather(
                trust.voting_delay(),
                trust.voting_period(),
                trust.grace_period(),
                trust.proposal_threshold(),
                trust.quorum(0),
            )
            self._terms[trust.address] = TrustTerms(*numbers)
        return self._terms[trust.address]

    async def poll(self) -> None:
        """Read the logs of every trust that holds a title; raises as `AssetIndexer.poll`."""
        for each in await self._indexer.assets():
            holder = each.id, each.holder
            if holder not in self._others:  # a node is asked once about each: titles of wallets are many
                try:
                    await self._catch_up(each, await self._check_trust(*holder))
                except NotATrust:
                    self._others.add(holder)

    async def _read(self, asset: AssetId) -> TitleTrust:
        """Return the trust that holds a title, its logs read up to now."""
        trust = await self.of(asset)
        for each in await self._indexer.assets(asset):
            await self._catch_up(each, trust)
        return trust

    async def _catch_up(self, asset: Asset, trust: TitleTrust) -> None:
        """Read a trust's logs, from the asset's registration on, which is before it; a reorg may move both."""
        if trust.address not in self._readers:
            handler = GovernorLogs(trust.address, ZERO_ADDRESS, ())
            first_block = max(0, asset.block - HORIZON_BLOCKS)
            self._readers[trust.address] = self._chain.log_reader(
                "trust", handler, handler.addresses, PROPOSAL_TOPICS, first_block
            )
        await self._readers[trust.address].catch_up()

    async def _check_trust(self, asset: AssetId, place: Address) -> TitleTrust:
        trust = TitleTrust(place, self._client)
        if (asset, place) in self._checked:
            return trust
        fits = TitleTrust.ARTIFACT.is_runtime(await self._client.code_at(place))
        if fits:
            fits = (await trust.registry(), await trust.asset()) == (self._registry.contract.address, asset)
        if not fits:
            raise NotATrust(
                f"{checksum(place)} is no trust of {format_asset(asset)}; `usufruct trust create` makes one, and "
                "`usufruct trust give` hands the title to it",
                address=place,
            )
        self._checked.add((asset, place))
        return trust
