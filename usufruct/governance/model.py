"""Proposals, votes, and the rules by which the governor tells where a proposal stands.

Votes are Staking Scores in atomic units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any
from unicodedata import category

from usufruct.chain import Call
from usufruct.core import Address, Hash32

MOST_TITLE = 200
CUT = "…"
"""Marks a text of which the end is not shown."""

_MOST_DIGITS = 78

_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode's categories of what steers a terminal or turns the direction of text."""


class ProposalState(StrEnum):
    """Where a proposal stands; the contract's own states, by the same names."""

    PENDING = "pending"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    DEFEATED = "defeated"
    SUCCEEDED = "succeeded"
    QUEUED = "queued"
    EXPIRED = "expired"
    EXECUTED = "executed"


OPEN_STATES = frozenset((ProposalState.PENDING, ProposalState.ACTIVE, ProposalState.SUCCEEDED, ProposalState.QUEUED))
"""Those in which a proposal may still be executed one day."""


class Support(IntEnum):
    """What a vote says; the numbers are the contract's."""

    AGAINST = 0
    FOR = 1
    ABSTAIN = 2


@dataclass(frozen=True, slots=True)
class Vote:
    """One account's vote; `reason` is its own text."""

    voter: Address
    support: Support
    weight: int
    reason: str
    transaction: Hash32


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes so far."""

    in_favour: int = 0
    against: int = 0
    abstained: int = 0

    @classmethod
    def of(cls, votes: Sequence[tuple[Support, int]]) -> "Tally":
        """Count votes by what they say."""
        sums = {support: sum(weight for each, weight in votes if each is support) for support in Support}
        return cls(sums[Support.FOR], sums[Support.AGAINST], sums[Support.ABSTAIN])

    def __add__(self, other: "Tally") -> "Tally":
        """Return these votes with others."""
        return Tally(self.in_favour + other.in_favour, self.against + other.against, self.abstained + other.abstained)

    def __sub__(self, other: "Tally") -> "Tally":
        """Return these votes without others, which are among them."""
        return Tally(self.in_favour - other.in_favour, self.against - other.against, self.abstained - other.abstained)

    @property
    def counted(self) -> int:
        """Votes that count for the quorum."""
        return self.in_favour + self.abstained

    def passes(self, quorum: int) -> bool:
        """Tell whether the proposal passes with these votes."""
        return self.counted >= quorum and self.in_favour > self.against


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was proposed, and what the governor's logs say of it since. Times are Unix seconds.

    `description` is that of the transaction, not always UTF-8: its hash is part of the id. `snapshot`: when votes are
    counted by; `deadline`: the last second of voting, an extension included; `eta`: from when on what was queued can
    be executed, 0 before.
    """

    id: Hash32
    proposer: Address
    calls: tuple[Call, ...]
    description: bytes
    snapshot: int
    deadline: int
    transaction: Hash32
    eta: int = 0
    executed: Hash32 | None = None
    cancelled: Hash32 | None = None

    @property
    def number(self) -> int:
        """The id as the contract takes it."""
        return int(self.id, 16)

    @property
    def written(self) -> str:
        """The description as its proposer wrote it, without the line that names them for the contract."""
        return unsigned_description(self.description.decode(errors="replace"), self.proposer)

    @property
    def text(self) -> str:
        """The description for people."""
        return harmless(self.written)

    @property
    def title(self) -> str:
        """The description's first line, without Markdown's heading signs."""
        lines = (line.strip().lstrip("#").strip() for line in self.text.splitlines())
        first = next(filter(None, lines), "")
        return cut(first, MOST_TITLE)

    def state(self, tally: Tally, quorum: int, now: int, grace_seconds: int) -> ProposalState:
        """Return where the proposal stands at a time of the chain; `quorum` is that of its snapshot."""
        if self.executed:
            return ProposalState.EXECUTED
        if self.cancelled:
            return ProposalState.CANCELLED
        if now <= self.snapshot:
            return ProposalState.PENDING
        if now <= self.deadline:
            return ProposalState.ACTIVE
        if not tally.passes(quorum):
            return ProposalState.DEFEATED
        if now > (self.eta or self.deadline) + grace_seconds:
            return ProposalState.EXPIRED
        return ProposalState.QUEUED if self.eta else ProposalState.SUCCEEDED


def signed_description(text: str, proposer: Address) -> str:
    """Return a description that the contract takes from its proposer alone, so that no other can make and cancel it.

    OpenZeppelin's `Governor` reads the address at the end, which is a part of the proposal's id.
    """
    return f"{text}\n#proposer={proposer}"


def unsigned_description(text: str, proposer: Address) -> str:
    """Return what the proposer wrote, without the line that names them; the text itself where it has none."""
    start = len(text) - len(signed_description("", proposer))
    named = start > 0 and text[start:].lower() == signed_description("", proposer)
    return text[:start] if named else text


def harmless(text: str) -> str:
    """Return a stranger's text without characters that steer how it is shown; lines and tabs stay."""
    return "".join(sign for sign in text if sign in "\n\t" or category(sign) not in _STEERING)


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; one that is longer is cut, and ends with the mark of it."""
    return text if len(text) <= most else text[: most - 1] + CUT


def parts_of(calls: Sequence[Call]) -> tuple[list[Address], list[int], list[bytes]]:
    """Return calls as a governor takes them: targets, values, calldata."""
    return [each.to for each in calls], [each.value for each in calls], [each.data for each in calls]


def calls_of(parts: Sequence[Sequence[Any]]) -> list[Call]:
    """Return the calls of targets, values and calldata, which are as many each."""
    return [Call(to, data, value) for to, value, data in zip(*parts, strict=True)]


def id_text(text: str) -> str:
    """Return a proposal's id as 0x and hex digits; other tools show it as a decimal number. Checks nothing else."""
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return f"0x{int(text):064x}"
    return text.lower()
