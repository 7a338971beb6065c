"""The model card (Mitchell and others, 2019): what a model learned from, how it was judged, what lost, its limits.

It holds no time of its making: the same prices, plan and libraries give the same card, to the byte.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from math import isfinite
from typing import Any, Final

import numpy as np

from usufruct.analytics.learned.evaluation import HIGH, LOW, SKILL_T, Outcome, has_skill
from usufruct.analytics.learned.features import FEATURE_HASH, FEATURE_SET, FEATURES
from usufruct.analytics.learned.plan import DELAY_DAYS
from usufruct.analytics.learned.training import Evaluation, Fit, Training

Card = Mapping[str, Any]

NO_ADVICE: Final = "Computed from past prices: it is not advice, and promises nothing. A pattern can be gone tomorrow."
LIMITS: Final = (
    "The signal ranks assets against each other. When all fall, those ranked highest can fall too.",
    "Prices, caps and categories are those known at the training, corrections included.",
    "Cross-validation learns from later days too. Only the walk-forward figures could have been had at the time.",
    "Costs are one rate for all trades, without market impact: small assets cost more, and large amounts move them.",
    "An asset whose prices end is sold at its last price; the column `gone at zero` counts it as worthless.",
    "The best of many trained models looks good by chance alone.",
)
_DIGITS: Final = 6
_MOST_LOSERS: Final = 5


def make_card(training: Training) -> Card:
    """Return the card of a training, as JSON has it."""
    panel, plan, model = training.panel, training.plan, training.walk_forward.model
    fits = [_fit(each) for each in training.fits]
    inputs = panel.digest()
    forward, crossed = model.skill, training.cross_validation.model.skill
    return {
        "hash": _hash(inputs, plan.hash, FEATURE_HASH, *(each["sha256"] for each in fits)),
        "synthetic": panel.synthetic,
        "notice": NO_ADVICE,
        "data": {
            "source": panel.source,
            "quote": panel.quote,
            "assets": len(panel.assets),
            "first_day": str(panel.first_day),
            "last_day": str(panel.last_day),
            "inputs": inputs,
        },
        "target": {
            "horizon_days": plan.horizon_days,
            "delay_days": DELAY_DAYS,
            "bullish_from": HIGH,
            "bearish_to": LOW,
        },
        "plan": asdict(plan) | {"hash": plan.hash},
        "features": {"set": FEATURE_SET, "hash": FEATURE_HASH, "importance": _importance(training.fits)},
        "fits": fits,
        "evaluations": [_evaluation(each) for each in (training.walk_forward, training.cross_validation)],
        "skill": {"found": has_skill(forward, crossed), "least_t": SKILL_T},
        "lost": _lost(training),
        "limits": list(LIMITS),
        "libraries": {"lightgbm": version("lightgbm"), "numpy": np.__version__},
    }


def fit_file(fit: Fit) -> str:
    """Return the name of a fit's file."""
    return f"fit-{fit.start}.txt"


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "file": fit_file(fit),
        "start": str(fit.start),
        "learned_until": str(fit.learned_until),
        "samples": fit.samples,
        "sha256": hashlib.sha256(fit.trees.text.encode()).hexdigest(),
    }


def _importance(fits: Sequence[Fit]) -> dict[str, float]:
    """Return the mean over fits, the most important first."""
    found = [each.trees.importance for each in fits]
    means = {name: round(float(np.mean([each[name] for each in found])), _DIGITS) for name in FEATURES}
    return dict(sorted(means.items(), key=lambda each: -each[1]))


def _evaluation(of: Evaluation) -> dict[str, Any]:
    return {
        "name": of.name,
        "first_day": str(of.first_day),
        "last_day": str(of.last_day),
        "strategies": [_strategy(each) for each in of.outcomes],
    }


def _strategy(of: Outcome) -> dict[str, Any]:
    skill = of.skill
    figures = {
        "rank_correlation": skill.rank_correlation,
        "t": skill.t,
        "hits": skill.hits,
        "spread": skill.spread,
        "total_return": of.total_return,
        "if_gone_at_zero": of.holding.if_gone_at_zero - 1.0,
        "annual_return": of.annual_return,
        "volatility": of.volatility,
        "sharpe": of.sharpe,
        "max_drawdown": of.max_drawdown,
        "turnover_a_year": of.turnover_a_year,
        "losing_periods": of.losing_periods,
    }
    return {"name": of.name, "days": skill.days} | {name: _number(value) for name, value in figures.items()}


def _lost(training: Training) -> dict[str, Any]:
    """Return what lost in walk-forward: assets, the worst stretch, and baselines that did better."""
    panel, model = training.panel, training.walk_forward.model
    parts = model.holding.contributions
    worst = [int(each) for each in np.argsort(parts, kind="stable")[:_MOST_LOSERS] if parts[each] < 0]
    return {
        "assets": [{"asset": panel.assets[each].id, "contribution": _number(parts[each])} for each in worst],
        "worst_period": _worst_period(training),
        "better_baselines": [
            each.name for each in training.walk_forward.outcomes[1:] if each.total_return > model.total_return
        ],
        "unused_features": [name for name, share in _importance(training.fits).items() if share == 0.0],
    }


def _worst_period(training: Training) -> dict[str, Any] | None:
    found = training.walk_forward.model.holding
    if not found.periods.size:
        return None
    at = int(found.periods.argmin())
    bought = int(found.bought[at])
    panel = training.panel
    sold = panel.day(bought + training.plan.horizon_days)
    return {"bought": str(panel.day(bought)), "sold": str(sold), "return": _number(found.periods[at])}


def _number(value: float) -> float | None:
    plain = float(value)
    return round(plain, _DIGITS) if isfinite(plain) else None


def _hash(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()
