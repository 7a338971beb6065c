"""The report: what it says of losses and bounds, and that its page needs nothing else."""

import json
import re
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.support.small_markets import small_market
from usufruct.connectors.prices import Panel
from usufruct.indices import NO_ADVICE, Report, Rulebook, load_rulebook, make_report, report_bytes, report_page
from usufruct.indices.report import contributions, largest_falls


@pytest.fixture(scope="module")
def report(market: Panel) -> Report:
    return make_report(load_rulebook("global-100"), market, date(2019, 8, 1))


def test_the_page_is_whole_and_loads_nothing(report: Report):
    page = report_page(report)
    assert not re.search(r"<script|<link|<img|@import|url\(|src=|href=", page)
    for text in (
        NO_ADVICE,
        "simulated",
        "What lost",
        "at their last price",
        "delisted assets at 0",
        "Drawdown",
        "Regime",
        "With and without switching",
        "Cost of the changes, of the value",
    ):
        assert text in page
    assert report.backtest.rulebook.hash in page
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 6
    for picture in pictures:
        ElementTree.fromstring(picture)


def test_the_labels_of_an_axis_do_not_overlap(report: Report):
    pictures = re.findall(r"<svg xmlns.*?</svg>", report_page(report), re.DOTALL)
    for picture in pictures:
        texts = [each for each in ElementTree.fromstring(picture).iter() if each.tag.endswith("text")]
        lowest = max(float(each.get("y", 0)) for each in texts)
        axis = [(float(each.get("x", 0)), each.text or "") for each in texts if float(each.get("y", 0)) == lowest]
        assert len(axis) > 1
        assert all(after - before >= 6.5 * len(text) for (before, text), (after, _) in pairwise(axis)), axis


def test_names_of_strangers_are_text(market: Panel):
    rulebook = Rulebook.model_validate({"name": "mine", "title": "<script>alert(1)</script>"})
    assert "<script>" not in report_page(make_report(rulebook, small_market(2)))


def test_the_document_has_both_bounds_and_what_was_lost(report: Report):
    document = json.loads(report_bytes(report))
    bounds = document["total_return_by_delisting_rule"]
    assert bounds["last"] >= bounds["zero"]
    assert document["net"]["total_return"] == pytest.approx(bounds["last"])
    assert document["before_costs"]["total_return"] > document["net"]["total_return"]
    assert document["synthetic"] is True
    assert document["notice"] == NO_ADVICE
    assert document["assets_that_ended"] > 0
    assert document["largest_falls"][0]["loss"] == pytest.approx(document["net"]["max_drawdown"])
    assert all(each["part"] < 0 for each in document["lost_most"])


def test_contributions_and_costs_are_the_result():
    rulebook = Rulebook.model_validate(
        {"name": "mine", "title": "Mine", "costs": {"fee_bps": 0.0, "half_spread_bps": 0.0}}
    )
    found = make_report(rulebook, small_market(3, clean=True)).backtest
    assert sum(each.part for each in contributions(found)) == pytest.approx(found.nav[-1] / found.nav[0] - 1, rel=1e-9)


def test_falls_are_the_deepest_and_do_not_overlap(report: Report):
    falls = largest_falls(report.backtest, 100)
    assert falls[0].loss == pytest.approx(report.net.max_drawdown)
    spans = sorted((each.peak, each.recovered or date.max) for each in falls)
    assert all(before[1] <= later[0] for before, later in pairwise(spans))
    nav = report.backtest.nav
    assert sum(each.loss < 0 for each in falls) == len(falls) <= int((nav < np.maximum.accumulate(nav)).sum())
