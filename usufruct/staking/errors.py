"""What can be wrong with a wish about a lock."""

from usufruct.core import Conflict, Invalid


class InvalidStake(Invalid, code="invalid_stake"):
    """A wish that cannot be carried out as it is written; names the field."""


class StakeOutdated(Conflict, code="stake_outdated"):
    """The lock has changed since the page was made."""


class StakeUnfunded(Conflict, code="stake_unfunded"):
    """The account holds fewer tokens than it wants to lock."""


class StakeRefused(Conflict, code="stake_refused"):
    """The contract would refuse it now; nothing was sent. `reason` says why."""
