"""The benchmark's index in decimals of 40 digits, one asset after the other: what all are compared with."""

from decimal import Decimal, localcontext

from usufruct.connectors.prices import Matrix

COUNT, CAP, RATE = 100, Decimal("0.1"), Decimal("0.001")
_ITERATIONS = 16


def exact_values(close: Matrix, caps: Matrix, decisions: list[int]) -> list[float]:
    """Return the value of each day from the first trade on; costs are solved exactly, not paid from the old value."""
    with localcontext() as context:
        context.prec = 40
        held: dict[int, Decimal] = {}
        value, values = Decimal(1), []
        rows = [each + 1 for each in decisions]
        for at, row in enumerate(rows):
            now = sum((units * Decimal(float(close[row, asset])) for asset, units in held.items()), Decimal(0))
            value = now if held else value
            old = {asset: units * Decimal(float(close[row, asset])) / value for asset, units in held.items()}
            target = weights(caps[decisions[at]].tolist())
            value *= part_left(old, target)
            held = {asset: weight * value / Decimal(float(close[row, asset])) for asset, weight in target.items()}
            values.append(float(value))
            end = rows[at + 1] if at + 1 < len(rows) else len(close)
            values += [
                float(sum(u * Decimal(float(close[day, a])) for a, u in held.items())) for day in range(row + 1, end)
            ]
        return values


def weights(caps: list[float]) -> dict[int, Decimal]:
    """Return the capped weights of the largest assets."""
    top = sorted(range(len(caps)), key=lambda asset: -caps[asset])[:COUNT]
    whole = sum(Decimal(caps[asset]) for asset in top)
    start = {asset: Decimal(caps[asset]) / whole for asset in top}
    shares, fixed = dict(start), set[int]()
    while over := {asset for asset in top if asset not in fixed and shares[asset] > CAP}:
        fixed |= over
        free = sum(start[asset] for asset in top if asset not in fixed)
        room = 1 - CAP * len(fixed)
        shares = {asset: CAP if asset in fixed else start[asset] * room / free for asset in top}
    return shares


def part_left(old: dict[int, Decimal], target: dict[int, Decimal]) -> Decimal:
    """Return the part of the value that is left when fees are paid out of it."""
    left = Decimal(1)
    for _ in range(_ITERATIONS):
        traded = sum(abs(target.get(a, Decimal(0)) * left - old.get(a, Decimal(0))) for a in {*old, *target})
        left = 1 - RATE * traded
    return left
