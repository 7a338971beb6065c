"""What can go wrong between us and the database, in our words."""

from sqlalchemy.exc import DontWrapMixin

from usufruct.core import Conflict, Faulty, Invalid, Unavailable


class AmountOutOfRange(Invalid, DontWrapMixin):
    """Not an integer from 0 to 2**256 - 1."""

    code = "amount_out_of_range"


class AmountArithmetic(Faulty):
    """A statement asked the database to calculate with money; amounts are calculated in Python only."""

    code = "amount_arithmetic"


class InvalidDatabaseUrl(Invalid):
    """A database URL of a kind this package does not open."""

    code = "invalid_database_url"


class ConstraintViolated(Conflict):
    """A unique key, foreign key or check of the schema refused a row."""

    code = "constraint_violated"
    outward = "this contradicts what is stored already; ask again"


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or stayed locked for longer than the busy timeout."""

    code = "database_unavailable"
    outward = "the gateway cannot reach its database now; try again"


class SchemaOutdated(Unavailable):
    """The database has not been migrated to what this version needs."""

    code = "schema_outdated"
