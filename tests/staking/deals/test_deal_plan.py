"""A plan of a deal is read from TOML or options; whatever cannot be is refused by the name of the part and a remedy."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from usufruct.chain import TokenFacts
from usufruct.core import ZERO_ADDRESS, Address, Invalid
from usufruct.staking.deals import DealTokens, deal_in_words, read_file, read_level, read_plan
from usufruct.staking.deals.errors import InvalidDeal
from usufruct.staking.deals.model import DealTerms

SALE, MONEY, LIST, OTHER = (Address("0x" + digit * 40) for digit in "1234")
TOKENS = DealTokens(TokenFacts(SALE, "Project", "PRJ", 18, "1"), TokenFacts(MONEY, "Dollar", "tUSD", 6, "2"))
THRESHOLDS = [100 * 10**18 * number for number in range(1, 11)]
NOW = int(datetime(2030, 7, 1, tzinfo=UTC).timestamp())
WRITTEN = f"""
sale_token = "{SALE}"
for_sale = "1000000"
hard_cap = "100000"
soft_cap = 20000
closes = 2030-07-06T12:00:00Z
cliff_days = 30
vesting_days = 300
allow_list = true

[[levels]]
from = 1
cap = "10000"
opens = "2030-07-02T12:00"

[[levels]]
from = 8
cap = "80000.5"
opens = 2030-07-01T14:00:00+02:00
"""


def document(**changes: Any) -> dict[str, Any]:
    level = {"from": 1, "cap": "10000", "opens": "2030-07-02T12:00"}
    found = {"sale_token": SALE, "for_sale": "1000000", "hard_cap": "100000", "soft_cap": "20000"}
    return {**found, "closes": "2030-07-06T12:00", "levels": [level], **changes}


def terms_of(source: dict[str, Any]) -> DealTerms:
    return read_plan(source).terms(TOKENS.sale, TOKENS.payment, THRESHOLDS, LIST, NOW)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deal.toml"
    path.write_text(WRITTEN)
    return path


def test_a_file_becomes_terms_and_words(file: Path):
    terms = terms_of(read_file(file))
    day = datetime(2030, 7, 1, 12, tzinfo=UTC).timestamp()
    assert (terms.sale_token, terms.payment_token, terms.policy) == (SALE, MONEY, LIST)
    assert (terms.for_sale, terms.hard_cap, terms.soft_cap) == (10**24, 10**11, 2 * 10**10)
    assert (terms.closes_at, terms.cliff_days, terms.vesting_days) == (day + 5 * 86_400, 30, 300)
    assert [each.cap for each in terms.levels] == [0, *[10**10] * 7, *[80_000_500_000] * 3]
    assert [each.opens_at for each in terms.levels] == [0, *[day + 86_400] * 7, *[day] * 3]
    assert [each.threshold for each in terms.levels] == [0, *THRESHOLDS]
    assert deal_in_words(terms, TOKENS, 250) == [
        "Sells 1000000 PRJ for 100000 tUSD: 0.1 tUSD each.",
        "If less than 20000 tUSD is paid in, every payment goes back.",
        "Levels 8 to 10: from 2030-07-01T12:00:00Z, up to 80000.5 tUSD an account.",
        "Levels 1 to 7: from 2030-07-02T12:00:00Z, up to 10000 tUSD an account.",
        "Level 0: not admitted.",
        "The sale ends at 2030-07-06T12:00:00Z. Tokens vest evenly over 300 days from then, nothing before day 30.",
        "The platform's fee is 2.5 % of the proceeds.",
        f"Only accounts that {LIST} allows may pay in.",
    ]


def test_without_a_list_and_vesting_the_words_are_fewer():
    terms = terms_of(document())
    words = deal_in_words(terms, TOKENS, 0)
    assert terms.policy == ZERO_ADDRESS
    assert words[-2:] == [
        "The sale ends at 2030-07-06T12:00:00Z. Tokens can be claimed at once then.",
        "The platform's fee is 0 % of the proceeds.",
    ]


def test_an_option_names_levels():
    assert read_level("8=80000@2030-07-01T12:00") == {"from": 8, "cap": "80000", "opens": "2030-07-01T12:00"}
    for wrong in ("", "8", "8=80000", "8@2030-07-01", "x=1@2030-07-01", "8=@2030-07-01", "8=1@", "²=1@2030-07-01"):
        with pytest.raises(InvalidDeal, match="FROM=CAP@OPENS"):
            read_level(wrong)


def levels(*rows: tuple[int, str, str]) -> list[dict[str, object]]:
    return [{"from": first, "cap": cap, "opens": opens} for first, cap, opens in rows]


LATE, EARLY = "2030-07-03", "2030-07-02"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"sale_token": ""}, "sale_token", "missing"),
        ({"sale_token": "0x12"}, "sale_token", "40 hex digits"),
        ({"price": "1"}, "price", "it has sale_token"),
        ({"for_sale": 1.5}, "for_sale", "in quotes"),
        ({"for_sale": "-1"}, "for_sale", "plain decimal"),
        ({"for_sale": "0.000000000999999999"}, "for_sale", "at least 1000000000"),
        ({"for_sale": "79228162515"}, "for_sale", "under 2.96"),
        ({"hard_cap": "0", "soft_cap": "0"}, "hard_cap", "above 0"),
        ({"hard_cap": "0.0000001"}, "hard_cap", "at most 6 decimals"),
        ({"soft_cap": "0"}, "soft_cap", "above 0"),
        ({"soft_cap": "100000.000001"}, "soft_cap", "at most the hard cap"),
        ({"closes": "soon"}, "closes", "a time such as"),
        ({"closes": 5}, "closes", "a time such as"),
        ({"closes": "2030-07-01"}, "closes", "must end between now"),
        ({"closes": "2030-09-30"}, "closes", "2030-09-29T00:00:00Z"),
        ({"closes": "1960-01-01"}, "closes", "before 1970"),
        ({"cliff_days": -1}, "cliff_days", "whole number of days"),
        ({"cliff_days": True}, "cliff_days", "whole number of days"),
        ({"cliff_days": 31, "vesting_days": 30}, "cliff_days", "shorten it"),
        ({"vesting_days": 3_651}, "vesting_days", "at most 3650"),
        ({"vesting_days": 70_000}, "vesting_days", "whole number of days"),
        ({"allow_list": "yes"}, "allow_list", "true or false"),
        ({"allow_list": True, "policy": OTHER}, "allow_list", "beside `policy`"),
        ({"levels": []}, "levels", "missing|tables"),
        ({"levels": [5]}, "levels", "tables"),
        ({"levels": levels((11, "1", LATE))}, "levels", "0 to 10"),
        ({"levels": [{"from": 1, "cap": "1"}]}, "opens", "missing"),
        ({"levels": levels((1, "1", LATE), (1, "2", LATE))}, "levels", "same `from`"),
        ({"levels": levels((1, "0", LATE))}, "levels", "level 10 must be admitted"),
        ({"levels": levels((1, "5", LATE), (8, "4", EARLY))}, "levels", "level 8.*below that of a lower level"),
        ({"levels": levels((1, "5", LATE), (8, "0", EARLY))}, "levels", "level 8.*below that of a lower level"),
        ({"levels": levels((1, "5", EARLY), (8, "6", LATE))}, "levels", "level 8.*open it earlier"),
        ({"levels": levels((1, "5", "2030-07-06T12:00"))}, "levels", "level 1.*the end"),
        ({"levels": levels((1, "5", "2030-06-30T23:59:59"))}, "levels", "level 1.*in the past"),
        ({"levels": levels((1, "100000.1", LATE))}, "levels", "level 1.*above the hard cap"),
    ],
)
def test_terms_that_cannot_be_are_refused(changes: dict[str, Any], field: str, words: str):
    with pytest.raises(Invalid, match=words) as refused:
        terms_of(document(**changes))
    assert refused.value.details["field"] == field


def test_a_token_is_not_sold_for_itself():
    with pytest.raises(InvalidDeal, match="name another token"):
        read_plan(document()).terms(TOKENS.sale, TOKENS.sale, THRESHOLDS, LIST, NOW)


def test_a_level_of_cap_0_below_admitted_ones_has_no_opening_time():
    terms = terms_of(document(levels=levels((0, "0", LATE), (4, "5", LATE))))
    assert [(each.cap, each.opens_at) for each in terms.levels[:4]] == [(0, 0)] * 4
    assert terms.levels[4].cap == 5_000_000


@pytest.mark.parametrize("content", [b"closes = ", b"\xff"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "deal.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidDeal, match="not valid TOML"):
        read_file(path)
    with pytest.raises(InvalidDeal, match="cannot be read"):
        read_file(tmp_path / "missing.toml")
