"""Sentiment, reports and the trader index: numbers in, and what they say is those numbers."""

import math
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.support.market_panels import made_panel
from usufruct.analytics.correlation import Correlated
from usufruct.analytics.grades import grade
from usufruct.analytics.levels import Level
from usufruct.analytics.reports import Figures, briefing, money, write_report
from usufruct.analytics.sentiment import Headline, compound_scores, hourly_sentiment
from usufruct.analytics.signals import compute_signals
from usufruct.analytics.trader_index import MOST_ASSETS, START, trader_index

DAY = date(2026, 1, 2)
FIGURES = Figures(
    "Example", "EXM", DAY, 12.5, 3.21, -4.0, 2.5e9, 7, 71.4, 73.0, 65.0, 55.0, 60.0, 48.0, 63.2, 1, 0.5, 0.25,
    0.82, 1.234, -0.6, (Level(DAY, 11.0, 3, "support"), Level(DAY, 14.0, 2, "resistance")),
    (("BIG", Correlated(0, 0.91)),),
)  # fmt: skip


def test_vader_tells_good_news_from_bad():
    good, bad, plain = compound_scores(
        [
            "Great success: the upgrade is a huge win for holders",
            "Hack: exchange lost millions, fraud suspected",
            "Block",
        ]
    )
    assert good > 0.5
    assert bad < -0.5
    assert plain == 0, "a block is nothing bad on a chain"


def test_hours_are_made_of_their_own_texts():
    texts = ["A wonderful win", "Terrible crash", "A wonderful win"]
    headlines = [Headline(7_200 + 60 * n, "news", text) for n, text in enumerate(texts)]
    headlines.append(Headline(90_000, "reddit", "awful scam"))
    newest, news, start = hourly_sentiment(headlines, {0: 80.0})
    assert [newest.at, news.at, start.at] == [90_000, 7_200, 0]
    scores = compound_scores(texts)
    grade_ = 50 + 50 * sum(scores) / 3
    assert news.kinds["news"].grade == pytest.approx(grade_)
    assert news.kinds["news"].summary.startswith("3 texts: 2 positive, 1 negative. The strongest: ")
    assert news.market == pytest.approx((grade_ + 80) / 2)
    assert (start.market, start.market_label, start.kinds) == (80.0, "Positive", {})
    assert newest.kinds["reddit"].label == newest.market_label == "Negative"
    later = hourly_sentiment([*headlines, Headline(180_000, "news", "calm")], {0: 80.0})
    assert later[1:] == [newest, news, start], "a later hour changes no earlier one"


def test_a_report_says_its_numbers():
    report = write_report(FIGURES)
    assert report.gist == (
        "Example (EXM) costs $12.50 on 2026-01-02, +3.2 % in 7 days and -4.0 % in 30 days. "
        "Its overall grade is 63 of 100 (Buy)."
    )
    assert "trader grade is 71 (technical 73, quantitative 65), and the signal is bullish" in report.trader
    assert "brought +50.0 % after costs, holding it +25.0 %" in report.trader
    assert "support near $11.00 and resistance near $14.00" in report.trader
    assert "Fundamental: 60 (emerging)" in report.investor
    assert "$2.5 billion, it is number 7" in report.investor
    assert "volatility is 82 %, and its deepest fall was 60 %; the Sharpe ratio is 1.23" in report.risk
    assert "moves most like BIG (correlation 0.91" in report.risk
    assert all(part in report.whole for part in (report.gist, report.trader, report.investor, report.risk))


def test_what_is_not_known_is_said_and_never_written_as_nan():
    unknown = {
        name: math.nan
        for name in Figures.__slots__
        if isinstance(getattr(FIGURES, name), float) and name not in ("price", "market_cap")
    }
    report = write_report(replace(FIGURES, **unknown, levels=(), follows=(), synthetic=True))
    assert not re.search(r"\bnan\b", report.whole)
    assert "has no grade yet. The prices are simulated." in report.gist
    assert "no technology grade" in report.technology.lower()


def test_the_briefing_names_both_ends():
    low = replace(FIGURES, symbol="LOW", trader=12.0)
    text = briefing(DAY, -1, 21.4, [FIGURES], [low])
    assert text.startswith("2026-01-02. The market signal is bearish: 21 % of graded assets")
    assert "Highest trader grades: EXM 71. Lowest trader grades: LOW 12." in text


def test_money_is_short():
    assert [money(each) for each in (1.234e12, 2.5e9, 3e6, 1234.5, 0.00012345)] == [
        "$1.23 trillion",
        "$2.5 billion",
        "$3 million",
        "$1,234.50",
        "$0.0001234",
    ]


def test_the_trader_index_holds_the_best_bullish_assets_in_proportion():
    panel = made_panel(260, 40, 2)
    trader = grade(panel).trader
    signal = compute_signals(panel.close, trader).signal
    holdings = trader_index(panel, trader, signal)
    by_day: dict[int, list] = {}
    for each in holdings:
        by_day.setdefault(each.row, []).append(each)
    assert len(by_day) > 100
    assert max(map(len, by_day.values())) > 1
    value, before = START, []
    for row, held in by_day.items():
        if before and before[0].row == row - 1:
            value = sum(
                each.amount * (each.price if np.isnan(now := panel.close[row, each.column]) else now) for each in before
            )
        elif before:
            gap = before[0].row + 1
            value = sum(
                each.amount * (each.price if np.isnan(now := panel.close[gap, each.column]) else now) for each in before
            )
        assert sum(each.weight for each in held) == pytest.approx(100)
        assert sum(each.amount * each.price for each in held) == pytest.approx(value)
        chosen = {each.column for each in held}
        assert len(chosen) <= MOST_ASSETS
        bullish = [c for c in range(40) if c != 1 and signal[row, c] > 0 and not np.isnan(trader[row, c])]
        assert chosen == set(sorted(bullish, key=lambda c: -trader[row, c])[:MOST_ASSETS])
        before = held
