"""What can be wrong with a wish about a lock; the contract's own refusals keep their messages."""

from usufruct.core import Invalid


class InvalidStake(Invalid, code="invalid_stake"):
    """A wish that cannot be carried out as it is written; names the field."""
