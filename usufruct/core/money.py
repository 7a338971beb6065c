"""Money is integers in atomic units. Charges round up, payouts round down, and the direction is in the name."""

from functools import lru_cache

from usufruct.core.errors import Invalid

UINT128_MAX = (1 << 128) - 1
UINT256_MAX = (1 << 256) - 1

_DIGITS = 78


class InvalidAmount(Invalid, code="invalid_amount"):
    """Text that is not an amount of money."""


def divide_up(numerator: int, denominator: int) -> int:
    """Divide two non-negative integers, rounding up, as charges do."""
    return -(-numerator // denominator)


def divide_down(numerator: int, denominator: int) -> int:
    """Divide two non-negative integers, rounding down, as payouts do."""
    return numerator // denominator


def parse_units(text: str, decimals: int, field: str = "amount") -> int:
    """Parse decimal text ("1.25") into atomic units, exactly.

    Raises:
        InvalidAmount: when it is negative, not a plain decimal, or has more digits than `decimals` allow.
    """
    whole, dot, fraction = text.partition(".")
    digits = whole + fraction
    plain = digits.isascii() and digits.isdigit() and bool(whole) and (bool(fraction) or not dot)
    if not plain or len(fraction) > decimals or len(whole) > _DIGITS:
        raise InvalidAmount(
            f"{field} must be a plain decimal with at most {decimals} decimals, such as 1.25, not {text!r}",
            field=field,
            value=text,
            decimals=decimals,
        )
    amount = int(digits + "0" * (decimals - len(fraction)))
    if amount > UINT256_MAX:
        raise InvalidAmount(f"{field} is over 2**256 - 1 atomic units", field=field, value=text)
    return amount


def parse_units_up(text: str, decimals: int, field: str = "amount") -> int:
    """Parse decimal text as `parse_units` does, rounded up where the token has fewer decimals than the text."""
    digits = len(text.partition(".")[2])
    return divide_up(parse_units(text, digits, field) * 10**decimals, 10**digits)


@lru_cache(maxsize=1024)
def format_units(amount: int, decimals: int) -> str:
    """Write atomic units as decimal text without trailing zeros; the inverse of `parse_units`."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, fraction = divmod(amount, 10**decimals)
    tail = f"{fraction:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"
