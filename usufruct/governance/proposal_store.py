"""The tables of proposals, votes and their sums, and of accounts that were given a role: what the contracts' logs said.

A row keeps the block of its log, so that a block that goes takes its rows with it.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from usufruct.chain import Call, Log, keccak
from usufruct.core import Address, Hash32, hash32_from_bytes
from usufruct.governance.model import Proposal, Support, Tally, Vote
from usufruct.store import AddressColumn, Amount, HashColumn, Unit, metadata

_proposals = Table(
    "proposals",
    metadata,
    Column("governor", AddressColumn, nullable=False),
    Column("id", HashColumn, nullable=False),
    Column("proposer", AddressColumn, nullable=False),
    Column("calls", LargeBinary, nullable=False),  # JSON: target, wei, calldata
    Column("description", LargeBinary, nullable=False),  # as on the chain, not always UTF-8
    Column("snapshot", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),  # without an extension
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("transaction", HashColumn, nullable=False),
    PrimaryKeyConstraint("governor", "id"),
)

_steps = Table(
    "proposal_steps",
    metadata,
    Column("governor", AddressColumn, nullable=False),
    Column("proposal_id", HashColumn, nullable=False),
    Column("kind", String(10), nullable=False),  # extended, queued, executed, cancelled
    Column("time", BigInteger, nullable=False),  # the later deadline, or when it can be executed; else 0
    Column("block", BigInteger, nullable=False),
    Column("transaction", HashColumn, nullable=False),
    PrimaryKeyConstraint("governor", "proposal_id", "kind"),
)

_votes = Table(
    "proposal_votes",
    metadata,
    Column("governor", AddressColumn, nullable=False),
    Column("proposal_id", HashColumn, nullable=False),
    Column("voter", AddressColumn, nullable=False),
    Column("support", Integer, nullable=False),
    Column("weight", Amount, nullable=False),
    Column("reason", LargeBinary, nullable=False),  # as on the chain, cut
    Column("block", BigInteger, nullable=False),
    Column("transaction", HashColumn, nullable=False),
    PrimaryKeyConstraint("governor", "proposal_id", "voter"),
)

_tallies = Table(
    "proposal_tallies",  # a row for each proposal with votes, so that a list of proposals reads no votes
    metadata,
    Column("governor", AddressColumn, nullable=False),
    Column("proposal_id", HashColumn, nullable=False),
    Column("in_favour", Amount, nullable=False),
    Column("against", Amount, nullable=False),
    Column("abstained", Amount, nullable=False),
    PrimaryKeyConstraint("governor", "proposal_id"),
)

_roles = Table(
    "role_candidates",  # accounts that ever were given a role; whether they still hold it, the chain says
    metadata,
    Column("contract", AddressColumn, nullable=False),
    Column("role", HashColumn, nullable=False),
    Column("account", AddressColumn, nullable=False),
    Column("block", BigInteger, nullable=False),
    PrimaryKeyConstraint("contract", "role", "account"),
)

PAYEE_ID = hash32_from_bytes(keccak(b"payee"))
"""Of accounts that a till was told to pay; no contract has a role of this id."""

_ID_LENGTH = 66

_LONGEST_REASON = 2_000
"""Bytes of a voter's reason that are kept: any account may vote, also with no votes."""


async def put_proposal(unit: Unit, governor: Address, proposal: Proposal, log: Log) -> None:
    """Store a new proposal."""
    calls = [[call.to, str(call.value), call.data.hex()] for call in proposal.calls]
    names = ("id", "proposer", "description", "snapshot", "deadline", "transaction")
    row = {name: getattr(proposal, name) for name in names}
    place = {"block": log.block_number, "position": log.index}
    await unit.change(insert(_proposals).values(governor=governor, calls=orjson.dumps(calls), **row, **place))


async def put_step(unit: Unit, governor: Address, proposal: Hash32, kind: str, time: int, log: Log) -> None:
    """Store what became of a proposal."""
    row = {"governor": governor, "proposal_id": proposal, "kind": kind, "time": time}
    await unit.change(insert(_steps).values(**row, block=log.block_number, transaction=log.transaction_hash))


async def put_vote(unit: Unit, governor: Address, values: Sequence[Any], log: Log) -> None:
    """Store a vote, and count it: voter, proposal, support, weight and reason, as the log has them."""
    voter, number, support, weight, reason = values
    proposal = Hash32(f"0x{number:064x}")
    row = {"governor": governor, "proposal_id": proposal, "voter": voter, "support": support, "weight": weight}
    place = {"block": log.block_number, "transaction": log.transaction_hash}
    await unit.change(insert(_votes).values(**row, reason=reason[:_LONGEST_REASON], **place))
    known = await tallies_of(unit, governor, [proposal])
    votes = Tally.of([(Support(support), weight)])
    if proposal in known:
        await _set_tally(unit, governor, proposal, known[proposal] + votes)
    else:
        of_it = {"governor": governor, "proposal_id": proposal}
        await unit.change(insert(_tallies).values(**of_it, **_sums(votes)))


async def put_role(unit: Unit, contract: Address, role: Hash32, account: Address, block: int) -> None:
    """Store that an account was given a role; the first time counts."""
    key = {"contract": contract, "role": role, "account": account}
    if await unit.row(select(_roles.c.block).filter_by(**key)) is None:
        await unit.change(insert(_roles).values(**key, block=block))


async def forget_after(unit: Unit, governor: Address, contracts: Sequence[Address], block: int) -> None:
    """Forget what blocks that are gone said of a governor, and of contracts with roles."""
    gone = (_votes.c.governor == governor, _votes.c.block > block)
    votes: dict[Hash32, list[tuple[Support, int]]] = {}
    for row in await unit.rows(select(_votes.c.proposal_id, _votes.c.support, _votes.c.weight).where(*gone)):
        votes.setdefault(row.proposal_id, []).append((Support(row.support), row.weight))
    known = await tallies_of(unit, governor, list(votes))
    for proposal, lost in votes.items():
        await _set_tally(unit, governor, proposal, known[proposal] - Tally.of(lost))
    for table in (_votes, _steps, _proposals):
        await unit.change(delete(table).where(table.c.governor == governor, table.c.block > block))
    of_logs = _roles.c.contract.in_(contracts), _roles.c.role != PAYEE_ID  # payees have a stream of their own
    await unit.change(delete(_roles).where(*of_logs, _roles.c.block > block))


async def count_proposals(unit: Unit, governor: Address) -> int:
    """Return how many proposals a governor has."""
    row = await unit.row(select(func.count()).select_from(_proposals).where(_proposals.c.governor == governor))
    return int(row[0]) if row else 0


async def proposals_of(unit: Unit, governor: Address, offset: int, most: int) -> list[Proposal]:
    """Return a governor's proposals, the newest first."""
    newest = select(_proposals).where(_proposals.c.governor == governor)
    newest = newest.order_by(_proposals.c.block.desc(), _proposals.c.position.desc()).offset(offset).limit(most)
    rows = await unit.rows(newest)
    query = select(_steps).where(_steps.c.governor == governor, _steps.c.proposal_id.in_([row.id for row in rows]))
    steps: dict[Hash32, dict[str, Row[Any]]] = {}
    for step in await unit.rows(query):
        steps.setdefault(step.proposal_id, {})[step.kind] = step
    return [_proposal(row, steps.get(row.id, {})) for row in rows]


async def proposal_of(unit: Unit, governor: Address, proposal: Hash32) -> Proposal | None:
    """Return one proposal; None when the governor has none with this id."""
    row = await unit.row(select(_proposals).where(_proposals.c.governor == governor, _proposals.c.id == proposal))
    if row is None:
        return None
    steps = await unit.rows(select(_steps).where(_steps.c.governor == governor, _steps.c.proposal_id == proposal))
    return _proposal(row, {step.kind: step for step in steps})


async def proposal_ids(unit: Unit, governor: Address, beginning: str) -> list[Hash32]:
    """Return the ids of a governor's proposals that begin so, two at most; `beginning` is 0x and hex digits."""
    first, last = (Hash32(beginning.ljust(_ID_LENGTH, digit)) for digit in "0f")
    query = select(_proposals.c.id).where(_proposals.c.governor == governor, _proposals.c.id.between(first, last))
    return [row.id for row in await unit.rows(query.limit(2))]


async def tallies_of(unit: Unit, governor: Address, proposals: Sequence[Hash32]) -> dict[Hash32, Tally]:
    """Return the votes about proposals, as they were counted when they came in; those without votes are left out."""
    if not proposals:
        return {}
    query = select(_tallies).where(_tallies.c.governor == governor, _tallies.c.proposal_id.in_(proposals))
    return {row.proposal_id: Tally(row.in_favour, row.against, row.abstained) for row in await unit.rows(query)}


async def votes_of(unit: Unit, governor: Address, proposal: Hash32, most: int) -> list[Vote]:
    """Return the votes about a proposal, those with the most weight first."""
    query = select(_votes).where(_votes.c.governor == governor, _votes.c.proposal_id == proposal)
    rows = await unit.rows(query.order_by(_votes.c.weight.desc(), _votes.c.voter).limit(most))
    return [
        Vote(row.voter, Support(row.support), row.weight, row.reason.decode(errors="replace"), row.transaction)
        for row in rows
    ]


async def has_voted(unit: Unit, governor: Address, proposal: Hash32, voter: Address) -> bool:
    """Tell whether an account has voted about a proposal."""
    mine = {"governor": governor, "proposal_id": proposal, "voter": voter}
    return await unit.row(select(_votes.c.block).filter_by(**mine)) is not None


async def role_candidates(unit: Unit, contract: Address, role: Hash32) -> list[Address]:
    """Return the accounts that ever were given a role."""
    query = select(_roles.c.account).where(_roles.c.contract == contract, _roles.c.role == role)
    return [row.account for row in await unit.rows(query.order_by(_roles.c.account))]


async def _set_tally(unit: Unit, governor: Address, proposal: Hash32, tally: Tally) -> None:
    of_it = (_tallies.c.governor == governor, _tallies.c.proposal_id == proposal)
    await unit.change(update(_tallies).where(*of_it).values(_sums(tally)))


def _sums(tally: Tally) -> dict[str, int]:
    return {"in_favour": tally.in_favour, "against": tally.against, "abstained": tally.abstained}


def _proposal(row: Row[Any], steps: dict[str, Row[Any]]) -> Proposal:
    calls = tuple(Call(Address(to), bytes.fromhex(data), int(value)) for to, value, data in orjson.loads(row.calls))
    extended, queued, executed, cancelled = map(steps.get, ("extended", "queued", "executed", "cancelled"))
    return Proposal(
        row.id,
        row.proposer,
        calls,
        row.description,
        row.snapshot,
        extended.time if extended else row.deadline,
        row.transaction,
        queued.time if queued else 0,
        executed.transaction if executed else None,
        cancelled.transaction if cancelled else None,
    )
