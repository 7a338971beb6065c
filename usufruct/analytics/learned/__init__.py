"""Learned signals: a model that ranks assets by what came before, judged on days it did not learn from.

docs/protocol/ratings.md has the rules. LightGBM is loaded when a model is trained or read, not before.
"""

from usufruct.analytics.learned.card import NO_ADVICE, Card
from usufruct.analytics.learned.card_text import verdict, write_card
from usufruct.analytics.learned.errors import (
    LightGbmMissing,
    ModelDamaged,
    ModelOfOtherPrices,
    ModelOutdated,
    ModelRefused,
    NoModel,
)
from usufruct.analytics.learned.features import FEATURES, Features, compute_features
from usufruct.analytics.learned.model_files import LearnedModel, current_model, read_card, read_model, write_model
from usufruct.analytics.learned.plan import TrainingPlan
from usufruct.analytics.learned.prediction import LearnedSignals, predict
from usufruct.analytics.learned.training import Training, train

__all__ = [
    "FEATURES",
    "NO_ADVICE",
    "Card",
    "Features",
    "LearnedModel",
    "LearnedSignals",
    "LightGbmMissing",
    "ModelDamaged",
    "ModelOfOtherPrices",
    "ModelOutdated",
    "ModelRefused",
    "NoModel",
    "Training",
    "TrainingPlan",
    "compute_features",
    "current_model",
    "predict",
    "read_card",
    "read_model",
    "train",
    "verdict",
    "write_card",
    "write_model",
]
