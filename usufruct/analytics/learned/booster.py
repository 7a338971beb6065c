"""LightGBM (G. Ke and others, NeurIPS 2017), used so that the same rows and seed give the same bytes.

The library is loaded when it is first needed: it takes seconds, and 100 MB with what it brings.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.learned.errors import LightGbmMissing, ModelDamaged
from usufruct.analytics.learned.features import FEATURES
from usufruct.analytics.learned.plan import TrainingPlan

Rows = NDArray[np.float32]


class Booster:
    """Trees that give a row of features a score; larger means a higher expected rank."""

    def __init__(self, trees: Any) -> None:
        self._trees = trees

    @property
    def text(self) -> str:
        """The trees in LightGBM's text format."""
        return str(self._trees.model_to_string(num_iteration=-1))

    @property
    def importance(self) -> Mapping[str, float]:
        """How much each feature lowered the squared error of the training rows, as a part of all of it."""
        gains = self._trees.feature_importance("gain")
        whole = float(gains.sum()) or 1.0
        return {name: float(gain) / whole for name, gain in zip(FEATURES, gains, strict=True)}

    def score(self, rows: Rows) -> NDArray[np.float64]:
        """Return the score of each row."""
        if not len(rows):
            return np.empty(0)
        return np.asarray(self._trees.predict(rows, num_threads=1), dtype=np.float64)

    def contributions(self, rows: Rows) -> NDArray[np.float64]:
        """Return by how much each feature moved the score of each row (Shapley values, Lundberg and Lee 2017)."""
        if not len(rows):
            return np.empty((0, len(FEATURES)))
        return np.asarray(self._trees.predict(rows, num_threads=1, pred_contrib=True), dtype=np.float64)[:, :-1]


def fit(rows: Rows, labels: NDArray[np.float64], plan: TrainingPlan) -> Booster:
    """Fit trees to rows of features and their labels, by squared error."""
    lightgbm = load_lightgbm()
    parameters = {
        "objective": "regression",
        "num_leaves": plan.leaves,
        "learning_rate": plan.learning_rate,
        "min_data_in_leaf": plan.least_rows_of_leaf,
        "max_bin": 63,
        "feature_fraction": 0.7,
        "lambda_l2": 1.0,
        "seed": plan.seed,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(
        rows, labels, feature_name=list(FEATURES), params={"verbosity": -1, "max_bin": 63}, free_raw_data=True
    )
    return Booster(lightgbm.train(parameters, data, plan.trees))


def read_booster(text: str, name: str) -> Booster:
    """Read trees from LightGBM's text format; `name` is the file's.

    Raises:
        ModelDamaged: when it is not such a text, or its features are not ours.
    """
    lightgbm = load_lightgbm()
    try:
        trees = lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise ModelDamaged(f"{name} is not a model of LightGBM: {error}; train again") from error
    if tuple(trees.feature_name()) != FEATURES:
        raise ModelDamaged(f"{name} has other features than model.json says; train again")
    return Booster(trees)


def load_lightgbm() -> Any:
    """Load the library.

    Raises:
        LightGbmMissing: when what it needs of the operating system is missing.
    """
    try:
        import lightgbm
    except OSError as error:
        raise LightGbmMissing(
            f"LightGBM cannot be loaded: {error}; install OpenMP's runtime, libgomp1 on Debian, libomp on macOS"
        ) from error
    return lightgbm
