"""What a training does: how far it looks ahead, when it fits again, and what its trees may be."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

import orjson

from usufruct.core import Invalid

DELAY_DAYS: Final = 1
"""A signal is known at the end of a day, and traded at the close of the day after."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Parameters of a training; the same plan, prices and libraries give the same model, to the byte.

    Every `horizon_days` there is one decision: training and evaluation use these days alone, so that no two labels
    overlap. The model is fitted again every `refit_weeks`, from all days before (`window_days` 0) or from the last
    `window_days`; the first time after `first_days`. `cost` is lost at each trade, as a part of what is traded.

    Raises:
        Invalid: when a parameter is out of its bounds.
    """

    horizon_days: int = 7
    refit_weeks: int = 13
    window_days: int = 0
    first_days: int = 365
    folds: int = 5
    embargo_days: int = 7
    cost: float = 0.001
    seed: int = 1
    trees: int = 60
    leaves: int = 15
    learning_rate: float = 0.05
    least_rows_of_leaf: int = 100

    def __post_init__(self) -> None:
        for name, least, most in (
            ("horizon_days", 1, 90),
            ("refit_weeks", 1, 260),
            ("window_days", 0, 20_000),
            ("first_days", 90, 20_000),
            ("folds", 2, 20),
            ("embargo_days", 0, 365),
            ("cost", 0.0, 0.1),
            ("seed", 0, 2**31 - 1),
            ("trees", 1, 2_000),
            ("leaves", 2, 255),
            ("learning_rate", 0.001, 1.0),
            ("least_rows_of_leaf", 1, 100_000),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise Invalid(
                    f"{name} of a training must be from {least} to {most}, not {value}",
                    code="invalid_training",
                    field=name,
                )
        if 0 < self.window_days < self.first_days:
            raise Invalid(
                f"window_days of a training must be 0 (all days) or at least first_days, {self.first_days}, "
                f"not {self.window_days}",
                code="invalid_training",
                field="window_days",
            )

    @property
    def span_days(self) -> int:
        """Days from a decision until its label is known."""
        return DELAY_DAYS + self.horizon_days

    @property
    def hash(self) -> str:
        """The SHA-256 of all parameters."""
        return hashlib.sha256(orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)).hexdigest()
