"""A model card as Markdown, written from its JSON alone."""

from collections.abc import Iterable, Sequence
from typing import Any

from usufruct.analytics.learned.card import Card

_FIGURES = (
    ("rank_correlation", "rank correlation", ".3f"),
    ("t", "t", ".1f"),
    ("hits", "hits", ".1%"),
    ("spread", "spread", ".2%"),
    ("total_return", "return", "+.1%"),
    ("if_gone_at_zero", "gone at zero", "+.1%"),
    ("sharpe", "Sharpe", ".2f"),
    ("max_drawdown", "deepest fall", ".1%"),
    ("turnover_a_year", "turnover a year", ".1f"),
    ("losing_periods", "losing stretches", ".0%"),
)
_MOST_FEATURES = 12


def write_card(card: Card) -> str:
    """Return the card as a page of Markdown."""
    return "\n".join(
        [
            "# Model card: learned signal",
            "",
            *(["**Simulated prices: nothing here is about a real asset.**", ""] if card["synthetic"] else []),
            card["notice"],
            "",
            *_summary(card),
            *_evaluations(card),
            *_features(card),
            *_lost(card),
            "## Limits",
            "",
            *(f"- {each}" for each in card["limits"]),
            "",
            *_reproduction(card),
        ]
    )


def verdict(card: Card) -> str:
    """Return in one sentence whether the model has skill."""
    least = card["skill"]["least_t"]
    if card["skill"]["found"]:
        return f"Both evaluations find a rank correlation above chance (t of {least:g} or more)."
    return f"No skill beyond chance was shown: that takes a t of {least:g} or more in both evaluations."


def _summary(card: Card) -> list[str]:
    data, target, plan = card["data"], card["target"], card["plan"]
    window = f"the last {plan['window_days']} days" if plan["window_days"] else "all days before"
    return [
        f"- **Verdict**: {verdict(card)}",
        f"- **Predicts**: an asset's rank among the others by its return over {target['horizon_days']} days, from the "
        f"close {target['delay_days']} day after the signal.",
        "- **Signal**: 1 for the highest fifth of a day, -1 for the lowest.",
        f"- **Data**: {data['source'] or 'prices'}, {data['assets']} assets, {data['first_day']} to "
        f"{data['last_day']}, in {data['quote']}.",
        f"- **Fits**: {len(card['fits'])}, every {plan['refit_weeks']} weeks from {window}; the last one learned from "
        f"what was known on {card['fits'][-1]['learned_until']}, {card['fits'][-1]['samples']:,} labels.",
        f"- **Costs**: {plan['cost']:.2%} of each trade.",
        "",
    ]


def _evaluations(card: Card) -> list[str]:
    lines = ["## How it was judged", ""]
    for each in card["evaluations"]:
        lines += [f"### {each['name'].capitalize()}: {each['first_day']} to {each['last_day']}", ""]
        headings = ("strategy", *(title for _, title, _ in _FIGURES))
        rows = [(one["name"], *(_figure(one[key], form) for key, _, form in _FIGURES)) for one in each["strategies"]]
        lines += [*_table(headings, rows), ""]
    return [
        *lines,
        "Rank correlation is the mean over days of Spearman's between score and return; days do not overlap. Hits: "
        "assets rightly above or below the day's median. Spread: highest fifth less lowest, before costs. Returns: "
        "signals of 1 held in equal parts, after costs. Shuffled labels show what chance gives.",
        "",
    ]


def _features(card: Card) -> list[str]:
    importance = list(card["features"]["importance"].items())[:_MOST_FEATURES]
    rows = [(name, f"{share:.1%}") for name, share in importance]
    return ["## Features", "", *_table(("feature", "importance"), rows), ""]


def _lost(card: Card) -> list[str]:
    lost = card["lost"]
    lines = ["## What lost", ""]
    lines += [f"- {each['asset']}: {_figure(each['contribution'], '+.1%')} of the value" for each in lost["assets"]]
    worst = lost["worst_period"]
    if worst:
        lines.append(f"- The worst stretch: {worst['bought']} to {worst['sold']}, {_figure(worst['return'], '+.1%')}")
    better = ", ".join(lost["better_baselines"])
    lines.append(f"- Baselines that returned more, walk-forward: {better or 'none'}")
    lines.append(f"- Features that no tree used: {', '.join(lost['unused_features']) or 'none'}")
    return [*lines, ""]


def _reproduction(card: Card) -> list[str]:
    libraries = ", ".join(f"{name} {number}" for name, number in card["libraries"].items())
    return [
        "## Reproduction",
        "",
        f"- Model: `{card['hash']}`",
        f"- Prices: `{card['data']['inputs']}`",
        f"- Plan: `{card['plan']['hash']}`, seed {card['plan']['seed']}",
        f"- Features: {card['features']['set']}, `{card['features']['hash']}`",
        f"- Libraries: {libraries}",
        "",
    ]


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _figure(value: Any, form: str) -> str:
    return "-" if value is None else format(value, form)
