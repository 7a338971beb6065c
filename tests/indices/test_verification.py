"""A record is verified by anyone who has the rules in it and the prices; the first difference is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.support.small_markets import small_market
from usufruct.connectors.prices import Panel
from usufruct.core import Invalid
from usufruct.indices import InvalidRulebook, Rulebook, record_bytes, run_index
from usufruct.indices.errors import InvalidRecord
from usufruct.indices.verification import Difference, read_record, verify_record

FIRST, LAST = date(2024, 1, 10), date(2024, 4, 20)
SWITCHES = {"regime": {"window_days": 20, "minimum_hold_days": 5}, "calendar": {"on_regime_change": True}}


def recorded(panel: Panel, **sections: Any) -> dict[str, Any]:
    """Return the record of an index as somebody else reads it."""
    book = Rulebook.model_validate({"name": "mine", "title": "Mine", "selection": {"count": 6}} | sections)
    return dict(read_record(record_bytes(run_index(book, panel, FIRST, LAST))))


@pytest.mark.parametrize("sections", [{}, SWITCHES, {"trading": {"minimum_trade": 0.02}}])
def test_a_record_is_equal_over_the_same_prices(sections: dict[str, Any]):
    panel = small_market(5)
    found = verify_record(recorded(panel, **sections), panel)
    assert found.difference is None
    assert found.input_difference is None
    other = replace(panel, source="another archive with the same prices")
    assert verify_record(recorded(panel, **sections), other).difference is None


def change(path: tuple[str | int, ...], value: object) -> Callable[[dict[str, Any]], object]:
    def changed(found: dict[str, Any]) -> object:
        *way, last = path
        place: Any = found
        for step in way:
            place = place[step]
        before, place[last] = place[last], value
        return before

    return changed


@pytest.mark.parametrize(
    ("path", "value", "name", "day"),
    [
        (("nav", 30), 1.0, "nav", "2024-02-09"),
        (("level", 101), 1.0, "level", "2024-04-20"),
        (("rebalances", 3, "holdings", 2, "weight"), 0.5, "holdings.weight", "traded"),
        (("rebalances", 3, "holdings", 2, "index_shares"), 0.5, "holdings.index_shares", "traded"),
        (("rebalances", 4, "cost"), 0.5, "cost", "traded"),
        (("rebalances", 2, "cause"), "regime change", "cause", "traded"),
        (("rebalances", 2, "input_hash"), "00", "input_hash", "decided"),
        (("rulebook_hash",), "00", "rulebook_hash", ""),
        (("synthetic",), False, "synthetic", ""),
        (("extra",), 1, "extra", ""),
    ],
)
def test_a_changed_value_is_named(path: tuple[str | int, ...], value: object, name: str, day: str):
    panel = small_market(5, clean=True)
    found = recorded(panel) | ({"extra": None} if path == ("extra",) else {})
    if day in ("traded", "decided"):
        day = found["rebalances"][path[1]][day]
    asset = found["rebalances"][path[1]]["holdings"][path[3]]["asset"] if "holdings" in path else ""
    before = change(path, value)(found)
    assert verify_record(found, panel).difference == Difference(name, value, before, day, asset)


def test_the_first_of_several_differences_is_named():
    panel = small_market(5, clean=True)
    found = recorded(panel)
    change(("nav", 60), 1.0)(found)
    change(("level", 40), 1.0)(found)
    change(("rebalances", 10, "cost"), 0.5)(found)
    difference = verify_record(found, panel).difference
    assert difference is not None
    assert (difference.value, difference.day) == ("level", "2024-02-19")


def test_a_missing_rebalance_and_a_missing_holding_are_named():
    panel = small_market(5, clean=True)
    found = recorded(panel)
    gone = found["rebalances"].pop()
    assert verify_record(found, panel).difference == Difference("rebalance", None, gone["traded"], gone["traded"])
    found = recorded(panel)
    last = found["rebalances"][-1]
    lost = last["holdings"].pop(1)
    assert verify_record(found, panel).difference == Difference("holdings", None, lost, last["traded"], lost["asset"])


def test_corrected_prices_are_found_by_their_day_and_their_hash():
    panel = small_market(5, clean=True)
    found = recorded(panel)
    held = found["rebalances"][5]["holdings"][0]["asset"]
    close = panel.close.copy()
    row = panel.row(date.fromisoformat(found["rebalances"][5]["traded"])) + 2
    close[row, panel.column[held]] *= 1.01
    verified = verify_record(found, replace(panel, close=close))
    difference, inputs = verified.difference, verified.input_difference
    assert difference is not None
    assert inputs is not None
    assert difference.day == str(panel.day(row))
    assert inputs.day == found["rebalances"][6]["decided"] > difference.day


def test_an_asset_that_the_index_never_holds_changes_only_the_hash_of_inputs():
    panel = small_market(5, clean=True)
    found = recorded(panel)
    held = {each["asset"] for rebalance in found["rebalances"] for each in rebalance["holdings"]}
    other = next(each.id for each in panel.assets if each.id not in held and "stablecoin" in each.categories)
    close = panel.close.copy()
    close[20, panel.column[other]] *= 1.001
    difference = verify_record(found, replace(panel, close=close)).difference
    assert difference is not None
    assert difference.value == "input_hash"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not valid JSON"),
        (b"[" * 200_000, "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"[]", "has no 'rulebook'"),
        (b'{"rulebook": {}}', "has no 'first_day'"),
    ],
)
def test_what_is_no_record_is_refused(content: bytes, words: str):
    with pytest.raises(InvalidRecord, match=words):
        read_record(content)


def test_wrong_rules_and_days_are_named():
    panel = small_market(5)
    found = recorded(panel)
    with pytest.raises(InvalidRulebook, match=r"the rulebook of the record: the key 'selection\.kind' is not known"):
        verify_record(found | {"rulebook": found["rulebook"] | {"selection": {"kind": 1}}}, panel)
    with pytest.raises(InvalidRecord, match="is not a day"):
        verify_record(found | {"first_day": 7}, panel)
    with pytest.raises(Invalid, match="choose a day from"):
        verify_record(found | {"last_day": "2031-01-01"}, panel)
    assert json.loads(record_bytes(run_index(Rulebook.model_validate(found["rulebook"]), panel, FIRST, LAST))) == found
