"""Why a learned model is not used."""

from usufruct.core import Conflict, NotFound


class NoModel(NotFound, code="no_model"):
    """No model was trained yet."""


class ModelRefused(Conflict, code="model_refused"):
    """A model that must not be used; its subclasses name the reason."""


class ModelDamaged(ModelRefused, code="model_damaged"):
    """Its files are not those that were written."""


class ModelOutdated(ModelRefused, code="model_outdated"):
    """Its features are not those that this version computes."""


class LightGbmMissing(Conflict, code="lightgbm_missing"):
    """LightGBM cannot be loaded."""


class ModelOfOtherPrices(ModelRefused, code="model_of_other_prices"):
    """It learned from simulated prices and real ones are here, or the other way round."""
