"""Terms of a deal as its issuer writes them, in whole tokens: read, and checked as the contract does.

A plan is a TOML document::

    sale_token = "0x..."
    for_sale = "1000000"
    hard_cap = "100000"                 # the price of all that is for sale
    soft_cap = "20000"                  # less than that: all payments go back
    closes = 2030-07-06T12:00:00Z
    cliff_days = 30
    vesting_days = 300
    allow_list = true                   # only accounts of a list that the issuer keeps

    [[levels]]                          # levels 8 to 10
    from = 8
    cap = "80000"                       # the most that an account may pay in
    opens = 2030-07-01T12:00:00Z

    [[levels]]                          # levels 1 to 7
    from = 1
    cap = "10000"
    opens = 2030-07-02T12:00:00Z

`payment_token` is by default the token that the installation charges in; `policy` names another contract than the
installation's allow list. Times without an offset are UTC.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from usufruct.chain import TokenFacts
from usufruct.core import ZERO_ADDRESS, Address, address, moment, parse_units
from usufruct.staking.deals.errors import InvalidDeal
from usufruct.staking.deals.model import (
    LEAST_FOR_SALE,
    MOST_AMOUNT,
    MOST_SALE_SECONDS,
    MOST_VESTING_DAYS,
    TOP_LEVEL,
    DealLevel,
    DealTerms,
)

_REQUIRED = ("sale_token", "for_sale", "hard_cap", "soft_cap", "closes", "levels")
_OPTIONAL = ("payment_token", "policy", "allow_list", "cliff_days", "vesting_days")
_OF_LEVEL = ("from", "cap", "opens")
_MOST_DAYS = 2**16 - 1


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """What the levels from `first` up to the next plan's may do: `cap` in whole tokens, `opens` in Unix seconds."""

    first: int
    cap: str
    opens: int


@dataclass(frozen=True, slots=True)
class DealPlan:
    """A deal as its issuer writes it: amounts in whole tokens, `closes` in Unix seconds, levels by rising number."""

    sale_token: Address
    for_sale: str
    hard_cap: str
    soft_cap: str
    closes: int
    levels: Sequence[LevelPlan]
    cliff_days: int = 0
    vesting_days: int = 0
    payment_token: Address | None = None
    policy: Address | None = None
    allow_list: bool = False

    def terms(
        self, sale: TokenFacts, payment: TokenFacts, thresholds: Sequence[int], allow_list: Address, now: int
    ) -> DealTerms:
        """Return the terms that the contract gets, checked as it does; `thresholds` are those of the levels 1 to 10.

        Raises:
            InvalidDeal, InvalidAmount: names the part that cannot be, and the remedy.
        """
        terms = DealTerms(
            sale.address,
            payment.address,
            self.policy or (allow_list if self.allow_list else ZERO_ADDRESS),
            parse_units(self.for_sale, sale.decimals, "for_sale"),
            parse_units(self.hard_cap, payment.decimals, "hard_cap"),
            parse_units(self.soft_cap, payment.decimals, "soft_cap"),
            self.closes,
            self.cliff_days,
            self.vesting_days,
            self._levels(payment.decimals, thresholds),
        )
        check_terms(terms, now)
        return terms

    def _levels(self, decimals: int, thresholds: Sequence[int]) -> list[DealLevel]:
        found = []
        for number, threshold in enumerate((0, *thresholds)):
            own = next((each for each in reversed(self.levels) if each.first <= number), None)
            cap = parse_units(own.cap, decimals, f"the cap of level {own.first}") if own else 0
            found.append(DealLevel(threshold, cap, own.opens if own and cap else 0))
        return found


def read_file(path: Path) -> dict[str, Any]:
    """Return the members of a TOML file.

    Raises:
        InvalidDeal: when it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidDeal(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidDeal(f"{path} is not valid TOML: {error}") from None


def read_plan(document: Mapping[str, Any]) -> DealPlan:
    """Return the plan of a document.

    Raises:
        Invalid: names the member that cannot be, and the remedy.
    """
    _check_names(document, _REQUIRED, _OPTIONAL, "the deal")
    allow_list = document.get("allow_list", False)
    if not isinstance(allow_list, bool) or (allow_list and document.get("policy")):
        raise InvalidDeal("`allow_list` must be true or false, and cannot be true beside `policy`", field="allow_list")
    return DealPlan(
        sale_token=_address(document, "sale_token"),
        for_sale=_text(document, "for_sale"),
        hard_cap=_text(document, "hard_cap"),
        soft_cap=_text(document, "soft_cap"),
        closes=_time(document["closes"], "closes"),
        levels=_read_levels(document["levels"]),
        cliff_days=_days(document.get("cliff_days", 0), "cliff_days"),
        vesting_days=_days(document.get("vesting_days", 0), "vesting_days"),
        payment_token=_address(document, "payment_token") if document.get("payment_token") else None,
        policy=_address(document, "policy") if document.get("policy") else None,
        allow_list=allow_list,
    )


def read_level(text: str) -> dict[str, Any]:
    """Return the document of levels from "FROM=CAP@OPENS", such as 8=80000@2030-07-01T12:00.

    Raises:
        InvalidDeal: for anything else.
    """
    first, sign, rest = text.partition("=")
    cap, at, opens = rest.partition("@")
    if not (first.isascii() and first.isdigit() and sign and at and cap and opens):
        raise InvalidDeal(f"--level must be FROM=CAP@OPENS, such as 8=80000@2030-07-01T12:00, not {text!r}")
    return {"from": int(first), "cap": cap, "opens": opens}


def check_terms(terms: DealTerms, now: int) -> None:
    """Check terms as the contract does, with words for what is wrong.

    Raises:
        InvalidDeal: names the part that cannot be, and the remedy.
    """
    least_close, most_close = now + 1, now + MOST_SALE_SECONDS
    rules = {
        "payment_token": (terms.sale_token != terms.payment_token, "it is also what is sold; name another token"),
        "for_sale": (
            LEAST_FOR_SALE <= terms.for_sale <= MOST_AMOUNT,
            f"{terms.for_sale} atomic units; at least {LEAST_FOR_SALE} and under 2^96 can be for sale",
        ),
        "hard_cap": (0 < terms.hard_cap <= MOST_AMOUNT, "it must be above 0 and under 2^96 atomic units"),
        "soft_cap": (0 < terms.soft_cap <= terms.hard_cap, "it must be above 0 and at most the hard cap"),
        "closes": (
            least_close <= terms.closes_at <= most_close,
            f"{moment(terms.closes_at)}; the sale must end between now, {moment(now)}, and {moment(most_close)}",
        ),
        "vesting_days": (terms.vesting_days <= MOST_VESTING_DAYS, f"at most {MOST_VESTING_DAYS} days"),
        "cliff_days": (
            terms.cliff_days <= terms.vesting_days,
            f"{terms.cliff_days} days, longer than the vesting of {terms.vesting_days}; shorten it",
        ),
    }
    for name, (holds, words) in rules.items():
        if not holds:
            raise InvalidDeal(f"`{name}` cannot be so: {words}", field=name)
    _check_levels(terms, now)


def _check_levels(terms: DealTerms, now: int) -> None:
    cap, opens_at = 0, terms.closes_at - 1
    for number, each in enumerate(terms.levels):
        if not each.cap and not cap:
            continue
        rules = {
            f"its cap is below that of a lower level; raise it to {cap} atomic units": each.cap >= cap,
            f"its cap is above the hard cap; lower it to {terms.hard_cap} atomic units": each.cap <= terms.hard_cap,
            f"it opens after a lower level or the end, at {moment(each.opens_at)}; open it earlier": each.opens_at
            <= opens_at,
            f"it opens in the past, at {moment(each.opens_at)}; it is {moment(now)} on the chain": each.opens_at >= now,
        }
        for words, holds in rules.items():
            if not holds:
                raise InvalidDeal(f"level {number} cannot be so: {words}", field="levels")
        cap, opens_at = each.cap, each.opens_at
    if not terms.levels[TOP_LEVEL].cap:
        raise InvalidDeal(f"level {TOP_LEVEL} must be admitted; name a level with a cap above 0", field="levels")


def _read_levels(rows: Any) -> list[LevelPlan]:
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise InvalidDeal("`levels` must be tables [[levels]] with from, cap and opens", field="levels")
    found = []
    for row in rows:
        _check_names(row, _OF_LEVEL, (), "a table [[levels]]")
        first = row["from"]
        if not isinstance(first, int) or isinstance(first, bool) or not 0 <= first <= TOP_LEVEL:
            raise InvalidDeal(f"`from` must be a level, 0 to {TOP_LEVEL}, not {first!r}", field="levels")
        found.append(LevelPlan(first, _text(row, "cap"), _time(row["opens"], "opens")))
    found.sort(key=lambda each: each.first)
    if len({each.first for each in found}) < len(found):
        raise InvalidDeal("two tables [[levels]] have the same `from`; leave one out", field="levels")
    return found


def _check_names(given: Mapping[str, Any], required: Sequence[str], optional: Sequence[str], what: str) -> None:
    for name in required:
        if given.get(name) in (None, ""):
            raise InvalidDeal(f"`{name}` of {what} is missing", field=name)
    if unknown := sorted(given.keys() - {*required, *optional}):
        names = ", ".join((*required, *optional))
        raise InvalidDeal(f"{what} has no `{unknown[0]}`; it has {names}", field=unknown[0])


def _address(given: Mapping[str, Any], name: str) -> Address:
    return address(_text(given, name), name)


def _text(given: Mapping[str, Any], name: str) -> str:
    """Return a text; a whole number is taken as one, a fraction is not: its digits could be lost."""
    value = given[name]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InvalidDeal(f'`{name}` must be text in quotes, such as "12.5", not {value!r}', field=name)
    return value


def _days(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_DAYS:
        raise InvalidDeal(f"`{name}` must be a whole number of days, not {value!r}", field=name)
    return value


def _time(value: Any, name: str) -> int:
    """Return Unix seconds of a TOML time, or of its text."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=UTC)
    if not isinstance(found, datetime):
        raise InvalidDeal(f"`{name}` must be a time such as 2030-07-01T12:00:00Z, not {value!r}", field=name)
    seconds = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    if seconds < 0:
        raise InvalidDeal(f"`{name}` is before 1970: {value}", field=name)
    return seconds
