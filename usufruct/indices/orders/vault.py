"""The targets of an index as weights of a vault."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

WHOLE_BPS: Final = 10_000
"""What the weights of a vault sum to: hundredths of a per cent."""


@dataclass(frozen=True, slots=True)
class VaultWeight:
    """A part of a vault in bps; `kind` is "cash" for what is in no asset."""

    kind: Literal["asset", "cash"]
    asset: str
    weight_bps: int

    def as_document(self) -> dict[str, object]:
        """Return the weight as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def vault_weights(targets: Mapping[str, float], cash: float = 0.0) -> list[VaultWeight]:
    """Return targets and cash as whole bps that sum to 10,000 (none without any), by largest remainder.

    Cash is a line of its own, the last. An asset of less than what rounds to 1 bps has no line.
    """
    parts: list[tuple[Literal["asset", "cash"], str, float]] = [("asset", *each) for each in sorted(targets.items())]
    if cash > 0:
        parts.append(("cash", "", cash))
    whole = sum(part for *_, part in parts)
    if whole <= 0:
        return []
    exact = [part / whole * WHOLE_BPS for *_, part in parts]
    found = [int(each) for each in exact]
    ranked = sorted(range(len(parts)), key=lambda at: (found[at] - exact[at], at))
    for at in ranked[: WHOLE_BPS - sum(found)]:
        found[at] += 1
    return [VaultWeight(kind, asset, bps) for (kind, asset, _), bps in zip(parts, found, strict=True) if bps]
