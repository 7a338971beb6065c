"""Reports in words, written from an asset's numbers by fixed sentences: every number in them can be checked."""

from dataclasses import dataclass
from datetime import date
from math import isnan

from usufruct.analytics.correlation import Correlated
from usufruct.analytics.grades import fundamental_class, verdict
from usufruct.analytics.levels import Level

NO_ADVICE = "Grades are computed from past prices; they are no advice."


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report is written from; NaN where a number is not known."""

    name: str
    symbol: str
    day: date
    price: float
    change_7d: float
    change_30d: float
    market_cap: float
    rank: int
    trader: float
    technical: float
    quantitative: float
    investor: float
    fundamental: float
    valuation: float
    overall: float
    signal: int
    signal_returns: float
    holding_returns: float
    volatility: float
    sharpe: float
    max_drawdown: float
    levels: tuple[Level, ...] = ()
    follows: tuple[tuple[str, Correlated], ...] = ()
    technology: float = float("nan")
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The texts of one asset: the gist in a sentence, then by topic."""

    gist: str
    trader: str
    investor: str
    risk: str
    technology: str

    @property
    def whole(self) -> str:
        """All topics, a paragraph each."""
        return "\n\n".join((self.gist, self.trader, self.investor, self.risk, self.technology))


def write_report(figures: Figures) -> Report:
    """Write the report of an asset."""
    return Report(_gist(figures), _trader(figures), _investor(figures), _risk(figures), _technology(figures))


def briefing(day: date, signal: int, high_share: float, leaders: list[Figures], laggards: list[Figures]) -> str:
    """Write the day's briefing: the market in a sentence, then the highest and the lowest trader grades."""
    state = {1: "bullish", -1: "bearish"}.get(signal, "undecided")
    share = "" if isnan(high_share) else f": {high_share:.0f} % of graded assets have a trader grade of 60 or more"
    lines = [f"{day}. The market signal is {state}{share}."]
    lines += [f"Highest trader grades: {_list(leaders)}."] if leaders else []
    lines += [f"Lowest trader grades: {_list(laggards)}."] if laggards else []
    return " ".join([*lines, NO_ADVICE])


def money(value: float) -> str:
    """Write an amount of dollars with three significant digits and a word for its size."""
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if abs(value) >= size:
            return f"${value / size:.3g}{word}"
    return f"${value:,.2f}" if abs(value) >= 1 else f"${value:.4g}"


def _list(assets: list[Figures]) -> str:
    return ", ".join(f"{each.symbol} {each.trader:.0f}" for each in assets)


def _gist(of: Figures) -> str:
    simulated = " The prices are simulated." if of.synthetic else ""
    if isnan(of.overall):
        return f"{of.name} ({of.symbol}) costs {money(of.price)} on {of.day} and has no grade yet.{simulated}"
    return (
        f"{of.name} ({of.symbol}) costs {money(of.price)} on {of.day}{_moved(of)}. Its overall grade is "
        f"{of.overall:.0f} of 100 ({verdict(of.overall)}).{simulated}"
    )


def _moved(of: Figures) -> str:
    parts = [
        f"{change:+.1f} % in {days} days"
        for change, days in ((of.change_7d, 7), (of.change_30d, 30))
        if not isnan(change)
    ]
    return f", {' and '.join(parts)}" if parts else ""


def _trader(of: Figures) -> str:
    if isnan(of.trader):
        return "It has no trader grade: that takes 60 days of prices, and a price on the day."
    signal = {1: "bullish", -1: "bearish"}.get(of.signal, "not decided yet")
    parts = [
        f"{word} {value:.0f}"
        for word, value in (("technical", of.technical), ("quantitative", of.quantitative))
        if not isnan(value)
    ]
    text = f"The trader grade is {of.trader:.0f} ({', '.join(parts)}), and the signal is {signal}."
    if not isnan(of.signal_returns):
        text += (
            f" Following the signals since the first price brought {100 * of.signal_returns:+.1f} % after costs, "
            f"holding it {100 * of.holding_returns:+.1f} %."
        )
    return text + _near(of)


def _near(of: Figures) -> str:
    below = max((each.price for each in of.levels if each.kind == "support"), default=None)
    above = min((each.price for each in of.levels if each.kind == "resistance"), default=None)
    words = [f"support near {money(below)}"] if below else []
    words += [f"resistance near {money(above)}"] if above else []
    return f" It turned before at {' and '.join(words)}." if words else ""


def _investor(of: Figures) -> str:
    if isnan(of.investor):
        return "It has no investor grade."
    text = f"The investor grade is {of.investor:.0f}."
    if not isnan(of.fundamental):
        text += f" Fundamental: {of.fundamental:.0f} ({fundamental_class(of.fundamental)})."
    if not isnan(of.valuation):
        text += f" Valuation: {of.valuation:.0f}; a high number is a low price beside volume and its own year."
    if not isnan(of.market_cap):
        text += f" By market cap, {money(of.market_cap)}, it is number {of.rank}."
    return text


def _risk(of: Figures) -> str:
    if isnan(of.volatility):
        return "It has too few daily returns to measure risk."
    text = (
        f"Its annual volatility is {100 * of.volatility:.0f} %, and its deepest fall was {-100 * of.max_drawdown:.0f} %"
    )
    text += "." if isnan(of.sharpe) else f"; the Sharpe ratio is {of.sharpe:.2f}."
    if of.follows:
        symbol, most = of.follows[0]
        text += f" It moves most like {symbol} (correlation {most.correlation:.2f} over 90 days)."
    return f"{text} {NO_ADVICE}"


def _technology(of: Figures) -> str:
    if isnan(of.technology):
        return "No technology grade: this installation has no facts about the project's code."
    return f"The technology grade is {of.technology:.0f}."
