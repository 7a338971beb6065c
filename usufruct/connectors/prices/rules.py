"""The published rules that bars are judged by: what is refused, which value is cleared, and what is only reported.

Nothing is dropped silently: refused rows, and rows of which a value was cleared, go to the quarantine as they came.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import polars as pl

from usufruct.connectors.prices.bars import BAR_SCHEMA, KEY, PRICES, VALUES, Interval
from usufruct.core import Invalid


class SourceRule(StrEnum):
    """Rules of a source. They cannot be accepted: a row without a price in dollars cannot be kept."""

    NO_QUOTE_RATE = "no-quote-rate"
    VENUES_DISAGREE = "venues-disagree"


REFUSING: Final[Mapping[str, str]] = {
    "unreadable": "a value is not a number, or a time is not a time",
    "time-out-of-range": "the bar is from before 3 January 2009, or from the future",
    "time-not-aligned": "the bar does not begin with a day (or an hour)",
    "no-value": "the row has neither price, volume, cap nor supply",
    "not-finite": "a value is infinite",
    "price-not-positive": "a price is 0 or negative",
    "negative-amount": "a volume, cap or supply is negative",
    "high-below-low": "the high is below another price of the bar, or the low above one",
    "duplicate-differs": "two rows of one asset and time have different values: neither is trusted",
    "price-spike": "the price is off by a factor (5; stablecoins 1.5) for two bars at most, then comes back",
    "unit-mismatch": "the prices are a multiple (5 or more) of another source's: cents, satoshi, another currency?",
}
AT_SOURCE: Final[Mapping[str, str]] = {
    SourceRule.NO_QUOTE_RATE: "the price is in a currency whose rate in dollars is not known for that bar",
    SourceRule.VENUES_DISAGREE: "too few venues agree on a price for a median",
}
CLEARING: Final[Mapping[str, str]] = {
    "cap-spike": "the cap is off by a factor of 100 from price x supply around it, then comes back: cap cleared",
    "cap-not-price-x-supply": "the cap is off by a factor of 100 from the row's price x supply: cap cleared",
    "cap-licence": "the source's licence forbids keeping its caps: cap cleared",
}
REPORTING: Final[Mapping[str, str]] = {
    "duplicate": "rows that repeat another: one was kept",
    "zero-cap": "caps or supplies of 0: taken as not known",
    "gap": "bars are missing between an asset's first and last",
    "price-jump": "the price changed by a factor of 5 or more in a bar, and stayed or ends there",
    "looks-redenominated": "price and supply changed by inverse factors: record it with `usufruct prices redenominate`",
    "cap-jump": "the cap changed by a factor of 1,000 or more in a bar, and stayed",
    "stablecoin-off-peg": "a stablecoin is more than 5 % from 1",
    "price-frozen": "the price did not change for 10 bars or more",
    "volume-over-cap": "a volume is more than 10 times the cap: another unit?",
    "looks-renamed": "an asset ends where another begins at the same price: record it with `usufruct prices rename`",
}

_GENESIS = datetime(2009, 1, 3, tzinfo=UTC)
_WINDOW = 7
"""Bars of the rolling median around a bar: three before, three after."""
CONTEXT: Final = _WINDOW

_ASSET = "asset"
_SERIES = ("source", _ASSET)
_EXAMPLES = 5
_SAME_CAP = 1.3
"""Caps within this factor are the same, where a price that changed is compared with them."""


@dataclass(frozen=True, slots=True)
class CheckRules:
    """Thresholds of the rules; factors apply both ways. `accepted` rules keep what they would refuse or clear."""

    spike: float = 5.0
    stablecoin_spike: float = 1.5
    jump: float = 5.0
    cap_spike: float = 100.0
    cap_jump: float = 1_000.0
    unit: float = 5.0
    peg: float = 0.05
    frozen: int = 10
    turnover: float = 10.0
    accepted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for each in self.accepted:
            if each not in REFUSING and each not in CLEARING:
                names = ", ".join((*REFUSING, *CLEARING))
                raise Invalid(f"{each!r} is not a rule that keeps rows out; there are {names}", code="unknown_rule")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that applied: to how many bars, and where, for example."""

    rule: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Rows after the rules: `kept`, those refused or with a value cleared, as they came, and what was found."""

    kept: pl.DataFrame
    quarantined: pl.DataFrame
    findings: tuple[Finding, ...] = field(default=())


def judge_rows(rows: pl.DataFrame, interval: Interval, rules: CheckRules, now: datetime) -> Judged:
    """Apply the rules that look at one row, and those for duplicates. `rows` have a `place` in their source."""
    rows = rows.with_columns(pl.col(VALUES).fill_nan(None))
    zeros = rows.filter((pl.col("market_cap") == 0) | (pl.col("supply") == 0))
    rows = rows.with_columns(
        pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in ("market_cap", "supply")
    )
    kept, refused = _split(rows, _row_rules(interval, now), rules.accepted)
    unique = kept.unique([*KEY, *VALUES], keep="first", maintain_order=True)
    repeated = len(kept) - len(unique)
    differs = {"duplicate-differs": pl.len().over(KEY) > 1}
    kept, twice = _split(unique, differs, rules.accepted)
    kept = kept.unique(KEY, keep="last", maintain_order=True)
    reported = [Finding("duplicate", repeated)] if repeated else []
    reported += [found] if (found := finding_of("zero-cap", zeros)) else []
    return Judged(kept, pl.concat([refused, twice]), tuple(reported))


def judge_series(rows: pl.DataFrame, interval: Interval, stablecoins: Collection[str], rules: CheckRules) -> Judged:
    """Apply the rules that look at the bars around a bar; rows whose `context` is true are only looked at."""
    measured = _measure(rows.sort("source", _ASSET, "time"), stablecoins)
    fresh = ~pl.col("context")
    factor = pl.when("stable").then(rules.stablecoin_spike).otherwise(rules.spike)
    spike = _off("close", "close_median", factor) & _agree("close", factor)
    kept, refused = _split(measured, {"price-spike": spike & fresh}, rules.accepted)
    far = pl.lit(rules.cap_spike)
    clearing = {
        "cap-spike": _off("implied", "implied_median", far) & _agree("implied", far) & fresh,
        "cap-not-price-x-supply": _off("implied", "supply", far) & fresh,
    }
    _, cleared = _split(kept, clearing, rules.accepted)
    bad = cleared.select(*KEY, cleared=pl.lit(value=True))
    kept = kept.join(bad, on=KEY, how="left", maintain_order="left").with_columns(
        market_cap=pl.when(pl.col("cleared").is_null()).then(pl.col("market_cap"))
    )
    columns = [*BAR_SCHEMA, "place"]
    quarantined = pl.concat([refused, cleared]).select(*columns, "rule")
    return Judged(kept.filter(fresh).select(columns), quarantined, _report(kept, interval, rules))


def _report(rows: pl.DataFrame, interval: Interval, rules: CheckRules) -> tuple[Finding, ...]:
    """Return what is remarkable in bars that are kept."""
    before = pl.col("close", "market_cap", "time").shift().over(_SERIES).name.suffix("_then")
    rows = rows.with_columns(before, run=pl.col("close").rle_id().over(_SERIES))
    rows = rows.with_columns(run=pl.len().over(*_SERIES, "run"))
    jump = _off("close", "close_then", pl.lit(rules.jump))
    caps_known = pl.col("market_cap").is_not_null() & pl.col("market_cap_then").is_not_null()
    same_cap = caps_known & ~_off("market_cap", "market_cap_then", pl.lit(_SAME_CAP))
    stable = pl.col("stable")
    reporting = {
        "gap": pl.col("time") - pl.col("time_then") > interval.step,
        "looks-redenominated": jump & same_cap,
        "price-jump": jump & ~same_cap,
        "cap-jump": _off("market_cap", "market_cap_then", pl.lit(rules.cap_jump)),
        "stablecoin-off-peg": stable & ((pl.col("close") - 1).abs() > rules.peg),
        "price-frozen": ~stable & (pl.col("run") >= rules.frozen) & pl.col("close").is_not_null(),
        "volume-over-cap": pl.col("volume") > rules.turnover * pl.col("market_cap"),
    }
    fresh = rows["context"].not_()
    found = (finding_of(rule, rows.filter(fresh & condition)) for rule, condition in reporting.items())
    return tuple(each for each in found if each is not None)


def finding_of(rule: str, rows: pl.DataFrame) -> Finding | None:
    """Return a finding for the rows that a rule applied to; None where there are none."""
    if rows.is_empty():
        return None
    examples = []
    for row in rows.head(_EXAMPLES).iter_rows(named=True):
        place = f" ({row['place']})" if row.get("place") else ""
        when = row["time"].isoformat()[:16].removesuffix("T00:00") if row["time"] else "no time"
        examples.append(f"{row['asset']} {when}{place}: {_values(row)}")
    return Finding(rule, len(rows), tuple(examples))


def _row_rules(interval: Interval, now: datetime) -> dict[str, pl.Expr]:
    prices, amounts = pl.col(PRICES), pl.col("volume", "market_cap", "supply")
    edge = 1e-9
    others = pl.max_horizontal("open", "low", "close"), pl.min_horizontal("open", "high", "close")
    return {
        "time-out-of-range": ~pl.col("time").is_between(_GENESIS, now),
        "time-not-aligned": pl.col("time") != pl.col("time").dt.truncate(interval.value),
        "no-value": pl.all_horizontal(pl.col(VALUES).is_null()),
        "not-finite": pl.any_horizontal(pl.col(VALUES).is_infinite()),
        "price-not-positive": pl.any_horizontal(prices <= 0),
        "negative-amount": pl.any_horizontal(amounts < 0),
        "high-below-low": (pl.col("high") < others[0] * (1 - edge)) | (pl.col("low") > others[1] * (1 + edge)),
    }


def _split(
    rows: pl.DataFrame, conditions: Mapping[str, pl.Expr], accepted: Collection[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that no rule applies to, and the others with the first rule that does."""
    chosen = pl.coalesce(
        *(pl.when(each).then(pl.lit(rule)) for rule, each in conditions.items() if rule not in accepted),
        pl.lit(None, dtype=pl.String()),
    )
    marked = rows.with_columns(rule=chosen)
    return marked.filter(pl.col("rule").is_null()).drop("rule"), marked.filter(pl.col("rule").is_not_null())


def _measure(rows: pl.DataFrame, stablecoins: Collection[str]) -> pl.DataFrame:
    """Add to each bar the medians around it, and of the three bars before and after it."""
    rows = rows.with_columns(
        stable=pl.col(_ASSET).is_in(list(stablecoins)), implied=pl.col("market_cap") / pl.col("close")
    )
    side = _WINDOW // 2
    new = []
    for name in ("close", "implied"):
        value = pl.col(name)
        middle = value.rolling_median(_WINDOW, center=True, min_samples=side + 1)
        before = value.rolling_median(side, min_samples=1).shift()
        after = value.reverse().rolling_median(side, min_samples=1).shift().reverse()
        parts = {"median": middle, "before": before, "after": after}
        new += [each.over(_SERIES).alias(f"{name}_{part}") for part, each in parts.items()]
    return rows.with_columns(new)


def _off(value: str, other: str, factor: pl.Expr) -> pl.Expr:
    """Return whether a value is `factor` times another or more, or its part; not so where one is not known."""
    ratio = pl.col(value) / pl.col(other)
    return ((ratio >= factor) | (ratio * factor <= 1)).fill_null(value=False)


def _agree(name: str, factor: pl.Expr) -> pl.Expr:
    """Return whether the bars before and after are known and alike: then one between them can be a spike."""
    known = pl.col(f"{name}_before").is_not_null() & pl.col(f"{name}_after").is_not_null()
    return known & ~_off(f"{name}_before", f"{name}_after", factor)


def _values(row: Mapping[str, Any]) -> str:
    names = VALUES if row.get("rule") == "high-below-low" else ("close", "volume", "market_cap", "supply")
    return " ".join(f"{name} {row[name]:.6g}" for name in names if row.get(name) is not None) or "no values"
