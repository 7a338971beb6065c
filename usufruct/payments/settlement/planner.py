"""What to claim, decided on values alone: nothing here asks the chain or a database."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain import keccak
from usufruct.core import AssetId, Hash32, UsufructError, hash32_from_bytes
from usufruct.payments.ledger import Account, Call, Claim
from usufruct.payments.settlement.model import Member

_FIRST_RETRY = 900
_LAST_RETRY = 86_400


@dataclass(frozen=True, slots=True)
class RefusedClaim:
    """A claim that cannot be sent now, and why; `unpayable` are the assets of it that the till would not pay."""

    claim: Claim
    reason: UsufructError
    unpayable: frozenset[AssetId] = frozenset()


Simulated = tuple[list[list[Claim]], list[RefusedClaim]]
"""Claims that the chain would take, by batch, and those it would not."""


def batch_id(claims: Sequence[Claim]) -> Hash32:
    """Return the id of the batch of exactly these claims; its keys in the outbox contain it."""
    return hash32_from_bytes(keccak(b"".join(bytes.fromhex(claim.id[2:]) for claim in claims)))


def members_of(claims: Sequence[Claim]) -> tuple[Member, ...]:
    """Return claims as members of a batch."""
    return tuple(Member(claim.id, claim.account, claim.split_from, claim.cumulative) for claim in claims)


def is_ahead(account: Account) -> bool:
    """Tell whether the chain has claimed more of an account than our records have split."""
    return account.reading.total_claimed > account.total_split


def divide_unsplit(ahead: Sequence[Account], unsplit: int) -> tuple[list[Account], list[Account]]:
    """Divide accounts claimed elsewhere: those whose money is among the till's `unsplit`, and those paid out before."""
    there: list[Account] = []
    gone: list[Account] = []
    for account in ahead:
        amount = account.reading.total_claimed - account.total_split
        (there if amount <= unsplit else gone).append(account)
        unsplit -= amount if amount <= unsplit else 0
    return there, gone


def first_unpayable(refused: RefusedClaim, calls: Sequence[Call]) -> int | None:
    """Return the cumulative position at which the first call begins that cannot be paid; None if none of `calls` is."""
    for call in calls:
        charge = call.bill.charge if call.bill else 0
        if charge and call.cumulative is not None and call.asset in refused.unpayable:
            return call.cumulative - charge
    return None


def retry_seconds(times: int) -> int:
    """Return how long to wait after a claim was refused `times` times in a row: doubled each time, up to a day."""
    return min(_LAST_RETRY, _FIRST_RETRY << min(times - 1, 10))
