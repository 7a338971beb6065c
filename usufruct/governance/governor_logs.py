"""Follows the logs of governance: proposals and votes of the governor, and who was given a role of a contract."""

from typing import Any

from usufruct.chain import Call, ChainAccess, Log, keccak
from usufruct.chain.contracts.asset_registry import AssetRegistry, OwnershipTransferred
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.platform_governor import (
    PlatformGovernor,
    ProposalCanceled,
    ProposalCreated,
    ProposalExecuted,
    ProposalExtended,
    ProposalQueued,
    VoteCast,
    VoteCastWithParams,
)
from usufruct.chain.contracts.platform_timelock import PlatformTimelock, RoleGranted
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.till import ClaimKeySet, PayeeSet, Till
from usufruct.chain.contracts.vote_escrow import DelegateChanged, LockerSet, VoteEscrow
from usufruct.chain.deployment import Deployments
from usufruct.core import ZERO_ADDRESS, Address, Hash32, hash32_from_bytes
from usufruct.governance.model import Proposal
from usufruct.governance.proposal_store import PAYEE_ID, forget_after, put_proposal, put_role, put_step, put_vote
from usufruct.store import Unit

NO_ROLE_ID = Hash32("0x" + "0" * 64)
"""In place of a role's id, for contracts that have one list of accounts; also the timelock's `DEFAULT_ADMIN_ROLE`."""

OWNED_ID = hash32_from_bytes(keccak(b"owned"))
"""Of accounts that a contract was handed to after its deployment; no contract has a role of this id."""

DELEGATE_ID = hash32_from_bytes(keccak(b"delegate"))
"""Of accounts that others let vote for them; no contract has a role of this id."""

_OF_PROPOSALS = (
    ProposalCreated, ProposalExtended, ProposalQueued, ProposalExecuted, ProposalCanceled, VoteCast, VoteCastWithParams,
)  # fmt: skip
PROPOSAL_TOPICS = tuple(event.TOPIC for event in _OF_PROPOSALS)
"""Of what a governor alone says, without roles of other contracts."""

_OF_ROLES = (RoleGranted, LockerSet, ClaimKeySet, DelegateChanged, OwnershipTransferred)


class GovernorLogs:
    """`LogHandler` of one governor, and of the contracts whose roles are given to accounts one by one.

    Texts are read as bytes: any account may vote with a reason that is not UTF-8.
    """

    TOPICS = (*PROPOSAL_TOPICS, *(event.TOPIC for event in _OF_ROLES))

    def __init__(self, governor: Address, registry: Address, with_roles: tuple[Address, ...]) -> None:
        """Of the registry, the first owner is kept: the key that the installation was deployed with."""
        self.addresses = (governor, *with_roles)
        self._registry = registry
        self._governor = governor
        self._with_roles = with_roles

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is of a contract that emits this event."""
        of_roles = log.topics[0] in [event.TOPIC for event in _OF_ROLES]
        return log.address in self._with_roles if of_roles else log.address == self._governor

    async def apply(self, unit: Unit, log: Log) -> None:
        """Take in what the log says."""
        topic, governor = log.topics[0], self._governor
        if topic == ProposalCreated.TOPIC:
            await put_proposal(unit, governor, _proposal(ProposalCreated.raw_values(log), log), log)
        elif topic == VoteCast.TOPIC:
            await put_vote(unit, governor, VoteCast.raw_values(log), log)
        elif topic == VoteCastWithParams.TOPIC:
            await put_vote(unit, governor, VoteCastWithParams.raw_values(log)[:-1], log)
        elif topic == ProposalExtended.TOPIC:
            later = ProposalExtended.decode(log)
            await put_step(unit, governor, _id(later.proposal_id), "extended", later.extended_deadline, log)
        elif topic == ProposalQueued.TOPIC:
            queued = ProposalQueued.decode(log)
            await put_step(unit, governor, _id(queued.proposal_id), "queued", queued.eta_seconds, log)
        elif topic == ProposalExecuted.TOPIC:
            await put_step(unit, governor, _id(ProposalExecuted.decode(log).proposal_id), "executed", 0, log)
        elif topic == ProposalCanceled.TOPIC:
            await put_step(unit, governor, _id(ProposalCanceled.decode(log).proposal_id), "cancelled", 0, log)
        else:
            await self._apply_role(unit, log)

    async def _apply_role(self, unit: Unit, log: Log) -> None:
        role, account = NO_ROLE_ID, ""
        if log.topics[0] == RoleGranted.TOPIC:
            granted = RoleGranted.decode(log)
            role, account = hash32_from_bytes(granted.role), granted.account
        elif log.topics[0] == LockerSet.TOPIC:
            account = LockerSet.decode(log).locker
        elif log.topics[0] == DelegateChanged.TOPIC:
            chosen = DelegateChanged.decode(log)
            role = DELEGATE_ID
            account = chosen.to_delegate if chosen.to_delegate not in (chosen.delegator, ZERO_ADDRESS) else ""
        elif log.topics[0] == ClaimKeySet.TOPIC:
            account = ClaimKeySet.decode(log).key
        elif (owned := OwnershipTransferred.decode(log)).previous_owner != ZERO_ADDRESS:
            role, account = OWNED_ID, owned.new_owner
        elif log.address == self._registry:
            account = owned.new_owner
        if account:
            await put_role(unit, log.address, role, Address(account), log.block_number)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget what blocks after `block` said."""
        await forget_after(unit, self._governor, self._with_roles, block)


class PayeeLogs:
    """`LogHandler` of the till's payees. It has a stream of its own: that of governance was read without them."""

    TOPICS = (PayeeSet.TOPIC,)

    def __init__(self, till: Address) -> None:
        """Follow one till."""
        self.addresses = (till,)
        self._till = till

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is the till's."""
        return log.address == self._till

    async def apply(self, unit: Unit, log: Log) -> None:
        """Keep the account; whether it is still paid, the chain says."""
        await put_role(unit, self._till, PAYEE_ID, PayeeSet.decode(log).pay_to, log.block_number)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget nothing: the chain is asked about each account, and one that is no payee does no harm."""


def _proposal(values: tuple[Any, ...], log: Log) -> Proposal:
    number, proposer, targets, amounts, _, data, snapshot, deadline, description = values
    calls = tuple(Call(*each) for each in zip(targets, data, amounts, strict=True))
    return Proposal(_id(number), proposer, calls, description, snapshot, deadline, log.transaction_hash)


def _id(number: int) -> Hash32:
    return Hash32(f"0x{number:064x}")


def has_governor(deployments: Deployments) -> bool:
    """Tell whether the installation was deployed with a governor."""
    return PlatformGovernor.__name__ in deployments.contracts


class GovernorIndexer:
    """Keeps the tables of proposals as the chain has them; several processes may."""

    def __init__(self, chain: ChainAccess) -> None:
        """Each poll reads the newest block: a vote of a moment ago is known when the voter asks again.

        Raises:
            NotDeployed: when the installation has no governor.
        """
        deployments = chain.deployments
        kinds = (AssetRegistry, PlatformTimelock, VoteEscrow, Till, Exchange, Levels, DealRoom, PlatformToken)
        with_roles = [kind for kind in kinds if kind.__name__ in deployments.contracts]
        handler = GovernorLogs(
            deployments.address(PlatformGovernor),
            deployments.address(AssetRegistry),
            tuple(deployments.address(kind) for kind in with_roles),
        )
        first_block = min(deployments.first_block(kind) for kind in (PlatformGovernor, *with_roles))
        self.logs = chain.log_reader("governance", handler, handler.addresses, GovernorLogs.TOPICS, first_block)
        payees = PayeeLogs(deployments.address(Till))
        first_payee = deployments.first_block(Till)
        self.payees = chain.log_reader("payees", payees, payees.addresses, PayeeLogs.TOPICS, first_payee)

    async def poll(self) -> None:
        """Take in what happened since the last time.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            Faulty: when the chain is another one than the stream was read from.
        """
        await self.logs.catch_up()
        await self.payees.catch_up()
