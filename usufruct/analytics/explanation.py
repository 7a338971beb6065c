"""Why an asset has its grades on a day: every part with its weight, and the digest of all inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from usufruct.analytics.grades import (
    FORMULA,
    FUNDAMENTAL_WEIGHTS,
    INVESTOR_WEIGHTS,
    OVERALL_WEIGHTS,
    PARTS,
    QUANT_WEIGHTS,
    TECHNICAL_WEIGHTS,
    TRADER_WEIGHTS,
    VALUATION_WEIGHTS,
    grade,
    input_digests,
)
from usufruct.connectors.prices import Asset, Panel
from usufruct.core import NotFound

_BLENDS: Final[Mapping[str, Mapping[str, float]]] = {
    "overall": OVERALL_WEIGHTS,
    "trader": TRADER_WEIGHTS,
    "technical": TECHNICAL_WEIGHTS,
    "quantitative": QUANT_WEIGHTS,
    "investor": INVESTOR_WEIGHTS,
    "fundamental": FUNDAMENTAL_WEIGHTS,
    "valuation": VALUATION_WEIGHTS,
}


@dataclass(frozen=True, slots=True)
class PartOfGrade:
    """One part: its value, 0 to 100 or None where it is not known, and its weight in the grade that it is part of."""

    of: str
    name: str
    weight: float
    value: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every part of an asset's grades on a day; the same inputs, named by `inputs`, give the same."""

    asset: Asset
    day: date
    formula: str
    inputs: str
    parts: tuple[PartOfGrade, ...]


def explain(panel: Panel, asset: Asset, day: date | None = None) -> Explanation:
    """Explain the grades of an asset of a panel on a day, by default the last.

    Raises:
        Invalid: when the panel does not have the day.
        NotFound: when the asset is not graded on it.
    """
    day = day or panel.last_day
    known = panel.between(panel.first_day, day)  # what came later has no part in it
    graded = grade(known, parts=PARTS)
    column = panel.column[asset.id]
    values = {name: getattr(graded, name) for name in graded.__slots__ if name != "parts"} | graded.parts
    if np.isnan(values["overall"][-1, column]):
        raise NotFound(
            f"{asset.symbol} has no grade on {day}: that takes 60 days of prices until then, and a price on it",
            code="not_graded",
            asset=asset.id,
        )
    parts = [PartOfGrade("", "overall", 1.0, _known(values["overall"][-1, column]))]
    parts += [
        PartOfGrade(blend, name, weight, _known(values[name][-1, column]))
        for blend, weights in _BLENDS.items()
        for name, weight in weights.items()
    ]
    return Explanation(asset, day, FORMULA, input_digests(known)[-1], tuple(parts))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
