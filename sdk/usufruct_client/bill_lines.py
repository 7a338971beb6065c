"""The lines of a bill: what each quantity costs, and how they add up to the charge. Integers only.

Each amount is quantity x price / per, rounded down. What the fractions add up to is rounded up once and is a line of
its own, so the lines add up to the exact price rounded up.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, NewType

Unit = NewType("Unit", str)
"""What is counted, as lower-case words joined by `_`: `input_text_token`, `output_image`, `call`."""

INPUT_TEXT_TOKEN = Unit("input_text_token")
CACHED_INPUT_TEXT_TOKEN = Unit("cached_input_text_token")
OUTPUT_TEXT_TOKEN = Unit("output_text_token")
CALL = Unit("call")
ROUNDING = Unit("rounding")

Quantities = Mapping[Unit, int]
"""How much of each unit a call used; no unit is part of another: cached input is not input."""

Rates = Mapping[Unit, tuple[int, int]]
"""Price and per of each unit: `price` atomic units of the payment token for `per` units."""

MILLION = 1_000_000
WHOLE_BPS = 10_000
PRECISION = MILLION * WHOLE_BPS
"""Every `per` divides it."""


class Line(NamedTuple):
    """One line of a bill; `amount` in atomic units of the payment token."""

    unit: Unit
    quantity: int
    price: int
    per: int
    amount: int


def discounted_up(price: int, discount_bps: int) -> int:
    """Return a price less a discount in hundredths of a per cent, rounded up."""
    return -(-price * (WHOLE_BPS - discount_bps) // WHOLE_BPS)


def rates_of(unit: str, input_per_million: int, output_per_million: int, cached_input_bps: int, per_call: int) -> Rates:
    """Return the rates of a price card in `unit`, in the order of a bill's lines; a call is one only if it costs."""
    cached, left = divmod(input_per_million * cached_input_bps, WHOLE_BPS)
    rates = {
        Unit(f"input_{unit}"): (input_per_million, MILLION),
        Unit(f"cached_input_{unit}"): (cached * WHOLE_BPS + left, PRECISION) if left else (cached, MILLION),
        Unit(f"output_{unit}"): (output_per_million, MILLION),
    }
    return rates | {CALL: (per_call, 1)} if per_call else rates


def bill_lines(quantities: Quantities, rates: Rates) -> tuple[Line, ...]:
    """Return the lines of one call: what it used, the call itself, the rounding.

    Raises:
        ValueError: when something was used that has no rate.
    """
    if not quantities.keys() <= rates.keys():
        raise ValueError(f"no price for {', '.join(sorted(quantities.keys() - rates.keys()))}")
    lines, fractions = [], 0
    for unit, (price, per) in rates.items():
        quantity = 1 if unit == CALL else quantities.get(unit, 0)
        if quantity:
            amount, left = divmod(quantity * price, per)
            fractions += left * (PRECISION // per)
            lines.append(Line(unit, quantity, price, per, amount))
    return (*lines, *rounding_line(fractions))


def rounding_line(fractions: int) -> tuple[Line, ...]:
    """Return the line that rounds the fractions up, in parts of `PRECISION`; nothing where there are none."""
    rounding = -(-fractions // PRECISION)
    return (Line(ROUNDING, rounding, 1, 1, rounding),) if rounding else ()


def total_of(lines: Iterable[Line]) -> int:
    """Return what lines add up to: the exact price, rounded up."""
    return sum([line.amount for line in lines])


def quantities_of(lines: Iterable[Line]) -> dict[Unit, int]:
    """Return what a bill's lines say was used."""
    return {line.unit: line.quantity for line in lines if line.unit not in {CALL, ROUNDING}}


def charge_faults(lines: tuple[Line, ...], ceiling: int, amount: int) -> list[str]:
    """Return what does not add up in a receipt's lines and its charge, each in a sentence."""
    found, total = _line_faults(lines), total_of(lines)
    if found or amount == min(total, ceiling):
        return found
    return [f"charged {amount}; the lines come to {total}, the ceiling is {ceiling}"]


def line_text(line: Line, shown: Callable[[int], str] = str) -> str:
    """Write a line in words, with amounts as `shown`: by default in atomic units of the payment token."""
    unit = line.unit.replace("_", " ")
    if line.unit == ROUNDING:
        return f"rounded up: {shown(line.amount)}"
    price = f"{shown(line.price)} per {line.per}" if line.per > 1 else shown(line.price)
    return f"{line.quantity} {unit}{'' if line.quantity == 1 else 's'} at {price}: {shown(line.amount)}"


def quantities_text(lines: Iterable[Line]) -> str:
    """Write what was used, in words."""
    used = quantities_of(lines).items()
    return ", ".join(f"{number} {unit.replace('_', ' ')}{'' if number == 1 else 's'}" for unit, number in used)


def _line_faults(lines: tuple[Line, ...]) -> list[str]:
    units = [line.unit for line in lines]
    if len(set(units)) < len(units):
        return ["two lines of the receipt are of one unit"]
    for line in lines:
        if not line.per or PRECISION % line.per:
            return [f"the receipt's price of {line.unit} is per {line.per}, which does not divide {PRECISION}"]
        if line.amount != line.quantity * line.price // line.per:
            return [f"{line.quantity} x {line.price} / {line.per} of {line.unit} is not {line.amount}"]
    used = tuple(line for line in lines if line.unit != ROUNDING)
    fractions = sum(line.quantity * line.price % line.per * (PRECISION // line.per) for line in used)
    if lines != used + rounding_line(fractions):
        return ["the receipt's line of rounding is not what the fractions of the others add up to"]
    return []
