"""What is served: listings with their servers, and how their text tokens are counted."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from urllib.parse import urlsplit

from usufruct.assets import InvalidListing, Listing
from usufruct.core import Hash32
from usufruct.gateway.configurations.model import Configuration, FollowedConfiguration
from usufruct.gateway.operations.request_members import FORWARDABLE
from usufruct.http import Reach

_LISTING_FIELDS = [field.name for field in fields(Listing)]


class Endpoint(StrEnum):
    """The operations that every gateway has; a listing names one of them, or one that was registered besides."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that answers for a listing: its address, its own name for the model, and our key for it.

    `output_limit`: by which name it takes the limit of output, where it does not know both. It names no other server.
    `reach`: which addresses it may have, also when its name resolves to others later.
    """

    url: str
    model: str
    api_key: str = field(default="", repr=False)
    output_limit: str = field(default="", compare=False, repr=False)
    reach: Reach = Reach.ANY


@dataclass(frozen=True, slots=True)
class CountingRule:
    """How input is counted before the call, and output when the upstream's own count is missing or not believed.

    `vocabulary`: SHA-256 of a `tokenizers` JSON file kept by the catalogue; empty: every UTF-8 byte counts as one text
    token. `per_message`, `per_request`: text tokens the chat template adds. `tolerance_ppm`: how far the upstream's
    count may pass ours, in millionths; `spare_tokens`: and this many more, for end marks that are never sent.
    `bytes_per_token_ppm`: the UTF-8 bytes that a text token of the upstream had when the listing was added, in
    millionths; 0: not known. `forward`: members of a request that are forwarded and counted where they would be dropped
    otherwise.
    """

    vocabulary: str = ""
    per_message: int = 8
    per_request: int = 16
    tolerance_ppm: int = 100_000
    spare_tokens: int = 8
    forward: frozenset[str] = frozenset()
    bytes_per_token_ppm: int = 0


@dataclass(frozen=True, slots=True)
class ServedListing(Listing):
    """A listing with the servers that answer for it, and the configuration that is in force, if it follows one."""

    upstreams: tuple[Upstream, ...] = ()
    counting: CountingRule = CountingRule()
    followed: FollowedConfiguration | None = None
    configuration: Configuration | None = None

    @classmethod
    def of(
        cls,
        listing: Listing,
        upstreams: tuple[Upstream, ...],
        counting: CountingRule,
        followed: FollowedConfiguration | None = None,
    ) -> "ServedListing":
        """Join a listing with its servers and its configuration."""
        known = {name: getattr(listing, name) for name in _LISTING_FIELDS}
        configuration = followed.configuration(listing.operation) if followed else None
        return cls(**known, upstreams=upstreams, counting=counting, followed=followed, configuration=configuration)

    def model_of(self, upstream: Upstream) -> str:
        """Return the name of the model that a server is asked for."""
        return (self.configuration.model if self.configuration else "") or upstream.model

    @property
    def served_digest(self) -> Hash32:
        """What receipts name as the model: the hash of the configuration in force, or else what the seller names."""
        return self.configuration.digest if self.configuration else self.model_digest


def check_serving(upstreams: tuple[Upstream, ...], counting: CountingRule) -> None:
    """Refuse servers that could not be asked, and a rule that nothing could be counted by.

    Raises:
        InvalidListing: names the field.
    """
    _demand(bool(upstreams), "upstreams", "at least one upstream")
    for upstream in upstreams:
        parts = urlsplit(upstream.url)
        _demand(parts.scheme in {"http", "https"} and bool(parts.hostname), "url", "an http or https address")
        _demand(not parts.username and not parts.password, "url", "an address without user and password")
        name = upstream.model
        _demand(
            bool(name) and name.isprintable() and name == name.strip(), "model", "the upstream's name for the model"
        )
    check_counting(counting)


def check_counting(rule: CountingRule) -> None:
    """Refuse a rule that nothing could be counted by.

    Raises:
        InvalidListing: names the field.
    """
    numbers = (rule.per_message, rule.per_request, rule.tolerance_ppm, rule.spare_tokens, rule.bytes_per_token_ppm)
    _demand(all(0 <= number < 1 << 31 for number in numbers), "counting", "made of numbers from 0 to 2**31 - 1")
    _demand(rule.forward <= FORWARDABLE, "forward", f"made of {', '.join(sorted(FORWARDABLE))}")


def _demand(holds: bool, field: str, rule: str) -> None:
    if not holds:
        raise InvalidListing(f"{field} must be {rule}", field=field)
