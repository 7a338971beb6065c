"""The published rule by which reviews are flagged, on what this installation knows. Flagged reviews weigh nothing."""

from dataclasses import dataclass

from usufruct.core import Address

LEAST_SHARE_BPS = 100
MOST_EQUAL_TEXTS = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a review when it is written.

    `owners` are the service's payee and the owner of its title; `shares_bps` is the payer's part of its revenue shares.
    `reviewed_owners`: the owners of this service have reviewed a service that pays this payer. `equal_texts`: other
    reviews here with the same text. `funded`: an owner sent the payer money before a deposit. `owners_pay`: an owner
    has paid for calls of a service that pays this payer.
    """

    payer: Address
    owners: frozenset[Address]
    shares_bps: int = 0
    reviewed_owners: bool = False
    equal_texts: int = 0
    funded: bool = False
    owners_pay: bool = False


def flags_of(evidence: Evidence) -> tuple[str, ...]:
    """Return why a review does not count, in the order of the rule; nothing for one that does."""
    rule = {
        "own_service": evidence.payer in evidence.owners,
        "shareholder": evidence.shares_bps >= LEAST_SHARE_BPS,
        "funded": evidence.funded,
        "mutual": evidence.reviewed_owners,
        "mutual_paying": evidence.owners_pay,
        "repeated_text": evidence.equal_texts >= MOST_EQUAL_TEXTS,
    }
    return tuple(name for name, applies in rule.items() if applies)
