"""Rows of `/v2` with the names that its clients read; numbers that are not known are null."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.correlation import Correlated
from usufruct.analytics.grades import fundamental_class, verdict
from usufruct.analytics.levels import Level
from usufruct.analytics.market import MarketMetrics
from usufruct.analytics.moonshots import Moonshot
from usufruct.analytics.quant import QuantMetrics
from usufruct.analytics.reports import Report
from usufruct.analytics.scenarios import HORIZON_DAYS, Scenario
from usufruct.analytics.sentiment import KINDS, HourSentiment
from usufruct.analytics.snapshot import DAY, utc_text
from usufruct.connectors.prices import Asset

Row = dict[str, Any]
Values = Mapping[str, float]

_GRADE_DIGITS: Final = 2
_MARKET_NAMES: Final = {
    "total_cap": "TOTAL_CRYPTO_MCAP",
    "others_cap": "ALTS_MARKET_CAP",
    "leader_price": "BTC_PRICE",
    "leader_cap": "BTC_MARKET_CAP",
    "signal": "TM_GRADE_SIGNAL",
    "last_signal": "LAST_TM_GRADE_SIGNAL",
    "high_share": "TM_GRADE_PERC_HIGH_COINS",
    "volatility_index": "VOL_INDEX",
    "volatility_10": "VOL_10",
    "volatility_90": "VOL_90",
    "others_share": "ALTS_INDICATOR",
    "above_average": "ABOVE_MA",
    "fear_and_greed": "FEAR_AND_GREED_VALUE",
}
"""BTC is the asset that leads by market cap: Bitcoin, on real data."""


def number(value: float, digits: int | None = None) -> float | None:
    """Return a number that JSON has, or None."""
    plain = float(value)
    if not isfinite(plain):
        return None
    return plain if digits is None else round(plain, digits)


def grade_number(value: float) -> float | None:
    """Return a grade, with two digits after the point."""
    return number(value, _GRADE_DIGITS)


def _number_text(value: float) -> str | None:
    """Return a number as text, with two digits after the point; None where it is not known."""
    return f"{float(value):.{_GRADE_DIGITS}f}" if isfinite(value) else None


def identity(asset: Asset) -> Row:
    """Return what names an asset in every row."""
    return {"TOKEN_ID": asset.number, "TOKEN_NAME": asset.name, "TOKEN_SYMBOL": asset.symbol}


def page_link(asset: Asset) -> str:
    """Return the path of an asset's page; answers put the server's address before it."""
    return f"/markets/{quote(asset.id)}"


def token_row(asset: Asset, exchanges: Sequence[str] = ()) -> Row:
    """Return a row of `/tokens`; the asset's id is the word that the CLI and pages know it by."""
    return identity(asset) | {
        "SLUG": asset.id,
        "EXCHANGE_LIST": list(exchanges),
        "CATEGORY_LIST": sorted(asset.categories),
        "TM_LINK": page_link(asset),
    }


def price_row(asset: Asset, price: float, at: int) -> Row:
    """Return a row of `/price`; `at`: when the bar began whose close it is."""
    return identity(asset) | {"CURRENT_PRICE": number(price), "DATE": utc_text(at)}


def bar_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/daily-ohlcv` and `/hourly-ohlcv`."""
    when = utc_text(at)
    names = ("open", "high", "low", "close", "volume")
    return identity(asset) | {"DATE": when, "TIMESTAMP": when} | {each.upper(): number(values[each]) for each in names}


def trader_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/trader-grades`."""
    return identity(asset) | {
        "DATE": utc_text(at),
        "TA_GRADE": grade_number(values["technical"]),
        "QUANT_GRADE": grade_number(values["quantitative"]),
        "TM_TRADER_GRADE": grade_number(values["trader"]),
        "TM_TRADER_GRADE_24H_PCT_CHANGE": grade_number(values["trader_change"]),
    }


def investor_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/investor-grades`; scores that need facts of projects are null without them."""
    unknown = ("COMMUNITY", "EXCHANGE", "TOKENOMICS", "DEFI_SCANNER", "ACTIVITY", "SECURITY", "REPOSITORY")
    return (
        identity(asset)
        | {
            "DATE": utc_text(at),
            "TM_INVESTOR_GRADE": grade_number(values["investor"]),
            "TM_INVESTOR_GRADE_7D_PCT_CHANGE": grade_number(values["investor_change"]),
            "FUNDAMENTAL_GRADE": grade_number(values["fundamental"]),
            "TECHNOLOGY_GRADE": grade_number(values["technology"]),
            "VALUATION_GRADE": grade_number(values["valuation"]),
        }
        | {f"{each}_SCORE": None for each in (*unknown, "COLLABORATION", "DEFI_USAGE", "VC")}
    )


def overall_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/tm-grade` and its history."""
    overall, fundamental = float(values["overall"]), float(values["fundamental"])
    return identity(asset) | {
        "DATE": utc_text(at),
        "TM_GRADE": grade_number(overall),
        "TM_GRADE_SIGNAL": verdict(overall),
        "TM_GRADE_24h_PCT_CHANGE": grade_number(values["overall_change"]),
        "TM_TRADER_GRADE_24H_CHANGE": grade_number(values["trader_change"]),
        "QUANT_GRADE": grade_number(values["quantitative"]),
        "FUNDAMENTAL_GRADE": grade_number(fundamental),
        "FUNDAMENTAL_GRADE_CLASS": fundamental_class(fundamental) if isfinite(fundamental) else None,
        "MOMENTUM": grade_number(values["momentum"]),
    }


def parts_row(parts: Mapping[str, NDArray[np.float64]], column: int) -> Row:
    """Return the parts of an asset's grades on the last day, by name; pages show them."""
    return {name: grade_number(values[column]) for name, values in parts.items()}


def fundamental_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/fundamental-grade` and its history."""
    fundamental = float(values["fundamental"])
    return identity(asset) | {
        "DATE": utc_text(at),
        "FUNDAMENTAL_GRADE": grade_number(fundamental),
        "FUNDAMENTAL_GRADE_CLASS": fundamental_class(fundamental),
    }


def technology_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/technology-grade` and its history."""
    names = ("ACTIVITY", "SECURITY", "REPOSITORY", "COLLABORATION", "DEFI_SCANNER")
    return (
        identity(asset)
        | {"DATE": utc_text(at), "TECHNOLOGY_GRADE": grade_number(values["technology"])}
        | {f"{each}_SCORE": None for each in names}
    )


def signal_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/trading-signals`; returns are parts: 0.1 is ten per cent."""
    return identity(asset) | {
        "DATE": utc_text(at),
        "TRADING_SIGNAL": int(values["signal"]),
        "TOKEN_TREND": int(values["trend"]),
        "TRADING_SIGNALS_RETURNS": number(values["signal_returns"], 6),
        "HOLDING_RETURNS": number(values["holding_returns"], 6),
        "TM_TRADER_GRADE": grade_number(values["trader"]),
        "TM_INVESTOR_GRADE": grade_number(values["investor"]),
        "TM_LINK": page_link(asset),
    }


def hourly_signal_row(asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/hourly-trading-signals`; POSITION: 1 opens, -1 closes, 0 leaves."""
    return (
        {"TIMESTAMP": utc_text(at)}
        | identity(asset)
        | {
            "CLOSE": number(values["close"]),
            "SIGNAL": int(values["signal"]),
            "POSITION": int(values["position"]),
        }
    )


def learned_row(model: Mapping[str, Any], asset: Asset, at: int, values: Values) -> Row:
    """Return a row of `/learned-signals`: the place among the assets of the day, 0 to 100, by which model."""
    return identity(asset) | {
        "DATE": utc_text(at),
        "SIGNAL": int(values["signal"]),
        "SCORE": grade_number(values["score"]),
        "MODEL": model.get("model"),
        "HORIZON_DAYS": model.get("horizon_days"),
    }


def quant_row(asset: Asset, at: int, metrics: QuantMetrics, column: int) -> Row:
    """Return a row of `/quantmetrics`."""
    named = {each.upper(): number(getattr(metrics, each)[column]) for each in metrics.__slots__}
    return identity(asset) | {"DATE": utc_text(at)} | named


def correlation_row(asset: Asset, at: int, others: list[tuple[Asset, Correlated]]) -> Row:
    """Return a row of `/correlation`."""
    found = [
        {"token": each.name, "symbol": each.symbol, "token_id": each.number, "correlation": round(of.correlation, 4)}
        for each, of in others
    ]
    return identity(asset) | {"DATE": utc_text(at), "TOP_CORRELATION": found}


def levels_row(asset: Asset, at: int, found: list[Level]) -> Row:
    """Return a row of `/resistance-support`."""
    levels = [
        {"date": each.day.isoformat(), "level": each.price, "touches": each.touches, "type": each.kind}
        for each in found
    ]
    return identity(asset) | {"DATE": utc_text(at), "HISTORICAL_RESISTANCE_SUPPORT_LEVELS": levels}


def scenario_row(asset: Asset, at: int, found: list[Scenario]) -> Row:
    """Return a row of `/scenario-analysis`."""
    analysis = [
        {
            "category_name": "total market",
            "scenario": each.factor,
            "total_mcap_scenario": each.total_market_cap,
            "predicted_price_bear": each.bear,
            "predicted_price_base": each.base,
            "predicted_price_moon": each.moon,
        }
        for each in found
    ]
    return identity(asset) | {"DATE": utc_text(at), "SCENARIO_ANALYSIS": analysis}


def prediction_row(asset: Asset, at: int, found: list[Scenario], price: float, market_cap: float) -> Row:
    """Return a row of `/price-prediction`: the scenarios, with what they would make of price and market cap."""

    def predicted(each: Scenario) -> Row:
        row: Row = {"scenario": each.factor, "total_mcap_scenario": each.total_market_cap}
        for case, value in (("bear", each.bear), ("base", each.base), ("moon", each.moon)):
            row |= {
                f"predicted_price_{case}": value,
                f"predicted_roi_{case}": value / price - 1.0,
                f"predicted_mcap_{case}": number(market_cap * value / price),
                f"predicted_fdv_{case}": None,
            }
        return row

    today = next((each.total_market_cap for each in found if each.factor == 1.0), None)
    return identity(asset) | {
        "DATE": utc_text(at),
        "PRICE_PREDICTION": {
            "token_mcap": number(market_cap),
            "total_mcap": today,
            "category_name": "total market",
            "current_price": price,
            "predicted_date": utc_text(at + HORIZON_DAYS * DAY),
            "similar_tokens_info": [],
            "avg_past_performance": None,
            "self_past_performance": None,
            "price_prediction": [predicted(each) for each in found],
        },
    }


def report_row(asset: Asset, report: Report) -> Row:
    """Return a row of `/ai-reports`, with the names of both generations of clients."""
    return identity(asset) | {
        "INVESTMENT_ANALYSIS_POINTER": report.gist,
        "INVESTMENT_ANALYSIS": f"{report.investor} {report.risk}",
        "DEEP_DIVE": report.whole,
        "CODE_REVIEW": report.technology,
        "TRADER_REPORT": report.trader,
        "FUNDAMENTAL_REPORT": report.investor,
        "TECHNOLOGY_REPORT": report.technology,
        "WORDED_REPORT": None,
        "WORDED_BY": None,
    }


def moonshot_row(
    asset: Asset, pick: Moonshot, began: int, ended: int | None, last_signal: int | None, values: Values
) -> Row:
    """Return a row of `/moonshot-tokens`; `values` are of the last day, and texts, as this path's clients read them."""
    return identity(asset) | {
        "MOONSHOT_AT": utc_text(began),
        "MOONSHOT_END_AT": None if ended is None else utc_text(ended),
        "MOONSHOT_ROI": round(pick.roi, 2),
        "MOONSHOT_BEST_ROI": round(pick.best, 2),
        "LAST_TRADING_SIGNAL_TIME": None if last_signal is None else utc_text(last_signal),
        "TM_TRADER_GRADE": _number_text(values["trader"]),
        "TM_TRADER_GRADE_24H_PCT_CHANGE": _number_text(values["trader_change"]),
        "PRICE_CHANGE_PERCENTAGE_7D_IN_CURRENCY": _number_text(values["change_7d"]),
        "MARKET_CAP": _number_text(values["market_cap"]),
        "VOLUME_24H": _number_text(values["volume"]),
    }


def market_row(at: int, metrics: MarketMetrics, row: int) -> Row:
    """Return a row of `/market-metrics`; RECT_SIGNAL is the signal itself."""
    named = {name: number(getattr(metrics, own)[row]) for own, name in _MARKET_NAMES.items()}
    signals = ("TM_GRADE_SIGNAL", "LAST_TM_GRADE_SIGNAL")
    named |= {each: int(named[each] or 0) for each in signals}
    return {"DATE": utc_text(at)} | named | {"RECT_SIGNAL": named["TM_GRADE_SIGNAL"]}


def sentiment_row(hour: HourSentiment) -> Row:
    """Return a row of `/sentiments`; kinds of sources without a text in the hour are null."""
    row: Row = {
        "DATETIME": utc_text(hour.at),
        "MARKET_SENTIMENT_GRADE": grade_number(hour.market),
        "MARKET_SENTIMENT_LABEL": hour.market_label,
    }
    for kind in KINDS:
        found = hour.kinds.get(kind)
        row |= {
            f"{kind.upper()}_SENTIMENT_GRADE": None if found is None else grade_number(found.grade),
            f"{kind.upper()}_SENTIMENT_LABEL": None if found is None else found.label,
            f"{kind.upper()}_SUMMARY": None if found is None else found.summary,
        }
    return row


def holding_row(asset: Asset, at: int, weight: float, amount: float, price: float) -> Row:
    """Return a row of `/trader-indices`."""
    return (
        {"PORTFOLIO_DATE": utc_text(at)}
        | identity(asset)
        | {
            "INDEX_WEIGHT": weight,
            "AMOUNT_OF_TOKENS": amount,
            "INITIAL_PRICE": price,
        }
    )
