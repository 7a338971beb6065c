"""Money in a column: 0 to 2**256 - 1, the same on both back ends.

PostgreSQL keeps NUMERIC(78,0), SQLite 32 bytes, big-endian. Both compare and sort as the numbers do, so `=`, `<` and
ORDER BY work in SQL; adding, multiplying and summing do not, and are refused: money is calculated in Python, inside the
write transaction.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import BLOB, ColumnElement, Dialect, Numeric
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator, TypeEngine

from usufruct.core import UINT256_MAX, Faulty
from usufruct.store.errors import AmountOutOfRange

_ALLOWED = {
    operators.eq,
    operators.ne,
    operators.lt,
    operators.le,
    operators.gt,
    operators.ge,
    operators.in_op,
    operators.not_in_op,
    operators.is_,
    operators.is_not,
    operators.asc_op,
    operators.desc_op,
    operators.nulls_first_op,
    operators.nulls_last_op,
}


def check_amount(value: object, field: str = "amount") -> int:
    """Return `value` when it is an amount.

    Raises:
        AmountOutOfRange: when it is not an integer from 0 to 2**256 - 1; names `field`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= UINT256_MAX:
        raise AmountOutOfRange(
            f"{field} must be an integer from 0 to 2**256 - 1 in atomic units, not {value!r}",
            field=field,
            value=str(value),
        )
    return value


def amount_to_blob(value: int) -> bytes:
    """Write an amount as SQLite keeps it: 32 bytes, big-endian; raises as `check_amount`."""
    try:
        return (value if type(value) is int else check_amount(value)).to_bytes(32, "big")
    except OverflowError:
        return check_amount(value).to_bytes(32, "big")  # which says what is wrong


def amount_from_blob(blob: bytes) -> int:
    """Read what `amount_to_blob` wrote."""
    return int.from_bytes(blob, "big")


class Amount(TypeDecorator[int]):
    """The column type for money in atomic units; a Python int on our side."""

    impl = Numeric(78, 0)
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[int]):
        """Lets through what keeps the order of numbers, and no arithmetic."""

        def operate(self, op: operators.OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
            """Build the expression for an allowed operator.

            Raises:
                Faulty: for any other operator.
            """
            if op not in _ALLOWED:
                name = getattr(op, "__name__", str(op))
                message = f"amounts are not calculated in SQL; do {name!r} in Python"
                raise Faulty(message, code="amount_arithmetic", operator=name)
            return super().operate(op, *other, **kwargs)

        reverse_operate = operate

    comparator_factory = Comparator

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose BLOB on SQLite, NUMERIC(78,0) elsewhere."""
        return dialect.type_descriptor(BLOB() if dialect.name == "sqlite" else Numeric(78, 0))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Turn a Python int into what the driver takes."""
        if value is None:
            return None
        return amount_to_blob(value) if dialect.name == "sqlite" else Decimal(check_amount(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Turn what the driver gives into a Python int."""
        if value is None:
            return None
        return amount_from_blob(value) if dialect.name == "sqlite" else int(value)
