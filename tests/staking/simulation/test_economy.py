"""Whole economies: the same seed gives the same result, and no unit is lost whatever is assumed."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct.core import Faulty, Invalid
from usufruct.staking.simulation import Assumptions, draw_pictures, simulate
from usufruct.staking.simulation.economy import Economy
from usufruct.staking.simulation.report import check_books

SMALL = Assumptions(weeks=60, actors=40, visit_weeks=3, exit_percent=5)

percent = st.integers(0, 100)
any_assumptions = st.builds(
    Assumptions,
    weeks=st.integers(1, 80),
    actors=st.integers(1, 25),
    seed=st.integers(0, 2**32),
    supply=st.sampled_from([1_000, 10**6, 70_000_000_000]),
    airdrop_percent=st.integers(1, 100),
    price=st.sampled_from([0.000_001, 0.01, 1_000_000]),
    usage=st.sampled_from([0, 1, 500_000, 10**12]),
    fee_bps=st.sampled_from([0, 1, 1_000]),
    score_floor=st.sampled_from([0, 1, 700_000_000]),
    exit_penalty_bps=st.sampled_from([0, 1_000, 5_000]),
    inequality=st.sampled_from([0, 1.6, 4]),
    lock_percent=percent,
    renew_percent=percent,
    visit_weeks=st.sampled_from([1, 8]),
    reinvest_percent=percent,
    relock_percent=percent,
    exit_percent=percent,
    return_weeks=st.sampled_from([1, 20]),
)


@settings(max_examples=60)
@given(any_assumptions)
def test_the_books_balance_in_every_week_whatever_is_assumed(assumptions):
    economy = Economy(assumptions)
    for _ in range(assumptions.weeks):
        economy.step()
        check_books(economy)


def test_lost_tokens_and_revenue_that_nobody_has_are_noticed():
    economy = Economy(SMALL)
    for _ in range(30):
        economy.step()
    economy.tokens.sold -= 1
    with pytest.raises(Faulty, match="units of"):
        check_books(economy)
    economy.tokens.sold += 1
    check_books(economy)
    economy.revenue.paid += economy.revenue.held
    with pytest.raises(Faulty, match="of revenue and owes"):
        check_books(economy)


def test_the_same_seed_gives_the_same_report_and_another_seed_another():
    first = simulate(SMALL).as_json()
    assert simulate(SMALL).as_json() == first
    assert simulate(replace(SMALL, seed=2)).as_json() != first


def test_what_people_and_parameters_do_shows():
    usual = simulate(SMALL).weeks[-1]
    assert simulate(replace(SMALL, reinvest_percent=100)).weeks[-1].locked > usual.locked
    assert simulate(replace(SMALL, lock_percent=0, return_weeks=520)).weeks[-1].stakers < usual.stakers
    double = simulate(replace(SMALL, fee_bps=1_000, reinvest_percent=0))
    assert double.revenue_received_units == pytest.approx(2 * simulate(SMALL).revenue_received_units, rel=1e-6)


def test_pictures_are_svg_with_a_mark_for_each_number():
    report = simulate(SMALL)
    drawn = {name: ElementTree.fromstring(text) for name, text in draw_pictures(report).items()}
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert len(drawn["scores.svg"].findall("svg:rect", space)) == len(report.scores.histogram)
    for name in ("revenue.svg", "dilution.svg"):
        (line,) = drawn[name].findall("svg:path", space)
        assert line.get("d", "").count("L") == SMALL.weeks - 8 - 1


@pytest.mark.parametrize(("name", "value"), [("weeks", 0), ("airdrop_percent", 0), ("price", 0), ("fee_bps", 1_001)])
def test_an_assumption_out_of_bounds_is_named(name, value):
    with pytest.raises(Invalid, match=f"{name} must be from"):
        replace(SMALL, **{name: value})
