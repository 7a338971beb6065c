"""What can go wrong between us and the database, in our words."""

from sqlalchemy.exc import DontWrapMixin

from usufruct.core import Conflict, Invalid, Unavailable


class AmountOutOfRange(Invalid, DontWrapMixin, code="amount_out_of_range"):
    """Not an integer from 0 to 2**256 - 1."""


class InvalidDatabaseUrl(Invalid, code="invalid_database_url"):
    """A database URL of a kind this package does not open."""


class ConstraintViolated(Conflict, code="constraint_violated"):
    """A unique key, foreign key or check of the schema refused a row."""

    outward = "this contradicts what is stored already; ask again"


class DatabaseUnavailable(Unavailable, code="database_unavailable"):
    """The database does not answer, or stayed locked for longer than the busy timeout."""

    outward = "the gateway cannot reach its database now; try again"


class SchemaOutdated(Unavailable, code="schema_outdated"):
    """The database has not been migrated to what this version needs."""
