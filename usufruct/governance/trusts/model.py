"""What shareholders vote on in a trust, and how it is written: frozen values and pure rules."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from usufruct.assets import SUPPLY
from usufruct.chain import Call, UnreadableAnswer
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.interface import interface_of
from usufruct.core import ZERO_ADDRESS, Address, AssetId, Conflict, Invalid, checksum, divide_up
from usufruct.core.price_cards import PriceUnit
from usufruct.governance.model import CUT, Proposal, ProposalState, Tally, cut
from usufruct.governance.words import grouped

CONFIGURATION, ENDPOINT = "configuration", "endpoint"
"""Keys of metadata entries that shareholders write."""

_LONGEST_SHOWN = 1_200
"""Of a text: more than a configuration's entry has."""
_LONGEST_ADDRESS = 1_000
_DIGEST = re.compile("[0-9a-fA-F]{64}")
_DISSOLUTION = AssetRegistry(ZERO_ADDRESS).transfer_from(ZERO_ADDRESS, ZERO_ADDRESS, AssetId(0)).data[:4]


class NotATrust(Conflict, code="not_a_trust"):
    """An account is no trust of this service: it holds another title, or is another contract or a wallet."""


class NoShares(Conflict, code="no_shares_at_snapshot"):
    """The account had no votes at the snapshot: no shares, or none that were delegated."""


class NotExecutable(Conflict, code="not_executable"):
    """Only a proposal that passed is executed, within the grace period."""


@dataclass(frozen=True, slots=True)
class TrustTerms:
    """What is fixed with a trust. Times in seconds, shares in atomic units."""

    voting_delay: int
    voting_period: int
    grace_period: int
    threshold: int
    quorum: int


@dataclass(frozen=True, slots=True)
class TrustFacts:
    """A trust as of now: its terms, and what it holds.

    `holds_title`: the title is here, so shareholders decide. `configuration`: the entry in force, "" for none.
    """

    address: Address
    holds_title: bool
    terms: TrustTerms
    configuration: str


@dataclass(frozen=True, slots=True)
class TrustProposal:
    """A proposal of a trust as it stands at `now`, a time of the chain; votes are atomic shares.

    `quorum`: the votes that it needs, those for a dissolution in favour alone.
    """

    trust: Address
    proposal: Proposal
    state: ProposalState
    tally: Tally
    quorum: int
    now: int
    expires_at: int

    @classmethod
    def of(cls, trust: Address, proposal: Proposal, tally: Tally, terms: TrustTerms, now: int) -> "TrustProposal":
        """Return where a proposal of a trust with these terms stands."""
        grace, quorum = terms.grace_period, terms.quorum
        if ends_trust(proposal):
            in_favour, needed = Tally(tally.in_favour), divide_up(2 * SUPPLY, 3)
            state = proposal.state(in_favour, needed, now, grace)
            return cls(trust, proposal, state, tally, needed, now, proposal.deadline + grace)
        state = proposal.state(tally, quorum, now, grace)
        return cls(trust, proposal, state, tally, quorum, now, proposal.deadline + grace)

    @property
    def executable(self) -> bool:
        """Whether it can be executed now: a trust has no queue."""
        return self.state is ProposalState.SUCCEEDED

    @property
    def id(self) -> int:
        """The id as the contract has it."""
        return self.proposal.number

    @property
    def dissolves(self) -> bool:
        """Whether it hands the title on."""
        return ends_trust(self.proposal)

    @property
    def counted(self) -> int:
        """Votes that count for the quorum."""
        return self.tally.in_favour if self.dissolves else self.tally.counted

    @property
    def words(self) -> list[str]:
        """What it does, one sentence for each call."""
        return [words_of(call) for call in self.proposal.calls]


def ends_trust(proposal: Proposal) -> bool:
    """Tell whether a proposal hands the title on; the trust takes such a call only alone."""
    return any(call.data[:4] == _DISSOLUTION for call in proposal.calls)


def configuration_entry(document: bytes, published_at: str) -> bytes:
    """Return the metadata entry of a configuration: the hash of its document, and where that is published.

    Raises:
        Invalid: when the address is not one word of printable ASCII.
    """
    return hashed_configuration(sha256(document).hexdigest(), published_at)


def hashed_configuration(digest: str, published_at: str) -> bytes:
    """Return the entry of a configuration whose document has this SHA-256, in hex; raises as `configuration_entry`."""
    plain = published_at.isascii() and published_at.isprintable() and " " not in published_at
    if not (plain and 0 < len(published_at) <= _LONGEST_ADDRESS):
        raise Invalid(
            f"published_at must be one word of at most {_LONGEST_ADDRESS} characters, such as ipfs://... or "
            f"https://example.org/c.json, not {published_at[:80]!r}",
            code="invalid_configuration",
            field="published_at",
        )
    if not _DIGEST.fullmatch(digest):
        raise Invalid(
            f"the configuration's SHA-256 must be 64 hex digits, not {digest[:80]!r}; `sha256sum FILE` prints it",
            code="invalid_configuration",
            field="configuration_hash",
        )
    return f"sha256:{digest.lower()} {published_at}".encode()


def words_of(call: Call) -> str:
    """Return what a call of a proposal does, in words; with its bytes where the words do not say all of it."""
    registry = interface_of(AssetRegistry.__name__)
    function = registry.by_selector.get(call.data[:4]) if registry else None
    data = f"0x{call.data.hex()}"
    try:
        told = _told(function.name, function.arguments(call.data)) if function else ""
    except UnreadableAnswer:
        told = ""
    if not told:
        return f"WARNING: what this does is not known: call {checksum(call.to)} with {data}"
    return f"{told}; its end is cut here, the call has all: {data}" if CUT in told else told


def _told(function: str, values: tuple[Any, ...]) -> str:
    match function, values:
        case "setPriceCard", (_, (inputs, outputs, per_call, cached, unit, window, version)):
            unit_name = list(PriceUnit)[unit].plural if unit < len(PriceUnit) else f"units of kind {unit}"
            return (
                f"announce price card {version}: per million {unit_name} {inputs} in and {outputs} out, input from a "
                f"cache at {grouped(cached, 2)} % of that, {per_call} per call, in atomic units of the service's "
                f"payment token; context window: {f'{window} {unit_name}' if window else 'none'}"
            )
        case "setAgentURI", (_, uri):
            return f"point the title to the registration file {shown_text(uri)}"
        case "setMetadata", (_, key, content):
            return f"write the entry {shown_text(key)}: {shown_text(text_of(content))}"
        case "transferFrom", (_, to, _):
            return f"hand the title to {checksum(to)}: the trust ends"
    return ""


def text_of(content: bytes) -> str:
    """Return an entry as text, or its bytes in hex where it is none."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"0x{content.hex()}"


def shown_text(text: str) -> str:
    """Return a text as it is shown: cut where it is long, and without characters that are not printable."""
    return cut("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text), _LONGEST_SHOWN)
