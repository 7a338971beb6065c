"""What shareholders vote on in a trust, and how it is written: frozen values and pure rules."""

from dataclasses import dataclass
from hashlib import sha256

from usufruct.chain import Call, UnreadableAnswer
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.shared import ProposalState
from usufruct.chain.contracts.title_trust import ProposalVotesResult
from usufruct.chain.interface import interface_of
from usufruct.core import Address, Conflict, Invalid, checksum

CONFIGURATION, ENDPOINT = "configuration", "endpoint"
"""Keys of metadata entries that shareholders write."""

_LONGEST_SHOWN = 200
_LONGEST_ADDRESS = 1_000


class NotATrust(Conflict, code="not_a_trust"):
    """An account is no trust of this service: it holds another title, or is another contract or a wallet."""


@dataclass(frozen=True, slots=True)
class TrustFacts:
    """A trust as of now: its terms, and what it holds. Times in seconds, shares in atomic units.

    `holds_title`: the title is here, so shareholders decide. `configuration`: the entry in force, "" for none.
    """

    address: Address
    holds_title: bool
    voting_delay: int
    voting_period: int
    grace_period: int
    threshold: int
    quorum: int
    configuration: str


@dataclass(frozen=True, slots=True)
class TrustProposal:
    """A proposal of a trust, with its votes in atomic shares; times in the chain's seconds."""

    id: int
    proposer: Address
    calls: tuple[Call, ...]
    description: str
    vote_start: int
    vote_end: int
    state: ProposalState
    votes: ProposalVotesResult
    dissolves: bool

    @property
    def words(self) -> list[str]:
        """What it does, one sentence for each call."""
        return [words_of(call) for call in self.calls]


def configuration_entry(document: bytes, published_at: str) -> bytes:
    """Return the metadata entry of a configuration: the hash of its document, and where that is published.

    Raises:
        Invalid: when the address is not one word of printable ASCII.
    """
    plain = published_at.isascii() and published_at.isprintable() and " " not in published_at
    if not (plain and 0 < len(published_at) <= _LONGEST_ADDRESS):
        raise Invalid(
            f"published_at must be one word of at most {_LONGEST_ADDRESS} characters, such as ipfs://... or "
            f"https://example.org/c.json, not {published_at[:80]!r}",
            code="invalid_configuration",
            field="published_at",
        )
    return f"sha256:{sha256(document).hexdigest()} {published_at}".encode()


def words_of(call: Call) -> str:
    """Return what a call of a proposal does, in words; of one that no trust can make its bytes."""
    registry = interface_of(AssetRegistry.__name__)
    function = registry.by_selector.get(call.data[:4]) if registry else None
    try:
        values = function.arguments(call.data) if function else ()
    except UnreadableAnswer:
        values = ()
    match function.name if function else "", values:
        case "setPriceCard", (_, (inputs, outputs, per_call, *_, version)):
            per_million = f"per million {inputs} in and {outputs} out"
            return f"announce price card {version}: {per_million}, {per_call} per call, in atomic units"
        case "setAgentURI", (_, uri):
            return f"point the title to the registration file {_shown(uri)}"
        case "setMetadata", (_, key, content):
            return f"write the entry {_shown(key)}: {_shown(content.decode(errors='replace'))}"
        case "transferFrom", (_, to, _):
            return f"hand the title to {checksum(to)}: the trust ends"
    return f"call {checksum(call.to)} with 0x{call.data[:_LONGEST_SHOWN].hex()}"


def signed_description(text: str, proposer: Address) -> str:
    """Return a description that the trust takes from its proposer alone, so that no other can make and cancel it."""
    return f"{text}\n#proposer={proposer}"


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:_LONGEST_SHOWN])
