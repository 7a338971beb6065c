"""A briefing in sentences, in the reader's language: for pages, feeds, messages and the terminal."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from usufruct.analytics import utc_moment
from usufruct.web.ui import Language
from usufruct_client.bulletin_documents import BriefedGaps, BriefedMarket, BriefedMove, MarketBriefing

PACKAGE: Final = __package__ or ""
"""Whose catalogues translate the sentences."""
_NAMED: Final = 3


def briefing_title(day: str, language: Language) -> str:
    """Return the title of the briefing of a day."""
    return language.messages.gettext("Market briefing, %(day)s") % {"day": _day(day, language)}


def briefing_sentences(briefing: MarketBriefing, language: Language, *, warned: bool = False) -> list[str]:
    """Return the briefing in sentences; simulated data is named first, what is not known last.

    `warned`: leave out that prices are simulated, and what licences want shown; the page has both itself.
    """
    gettext = language.messages.gettext
    simulated = briefing.source.synthetic and not warned
    lines = [gettext("Simulated prices: no figure is of a real market.")] if simulated else []
    lines += _market(briefing.market, language)
    lines += _moves(briefing, language)
    lines += _counts(briefing, language)
    lines += _gaps(briefing.gaps, language)
    credited = [] if warned else briefing.source.attribution
    return [*lines, gettext("This describes the past; it is no advice."), *credited]


def briefing_texts(briefing: MarketBriefing, languages: Mapping[str, Language]) -> dict[str, str]:
    """Return the sentences as one text, by language code."""
    return {code: " ".join(briefing_sentences(briefing, language)) for code, language in sorted(languages.items())}


def signal_words(signal: int, language: Language) -> str:
    """Return a signal of the market in a word."""
    gettext = language.messages.gettext
    return {1: gettext("bullish"), -1: gettext("bearish")}.get(signal, gettext("undecided"))


def _market(market: BriefedMarket, language: Language) -> list[str]:
    gettext = language.messages.gettext
    words = {"signal": signal_words(market.signal, language), "before": signal_words(market.signal_before, language)}
    words["day"] = _day(market.signal_since, language)
    if market.signal != market.signal_before:
        lines = [gettext("The market's signal changed from %(before)s to %(signal)s.") % words]
    else:
        lines = [gettext("The market's signal is %(signal)s since %(day)s.") % words]
    if market.high_share is not None:
        shares = {"share": language.share(market.high_share / 100)}
        text = gettext("%(share)s of the graded assets have a trader grade of 60 or more.")
        if market.high_share_before is not None:
            shares["before"] = language.share(market.high_share_before / 100)
            text = gettext("%(share)s of the graded assets have a trader grade of 60 or more, after %(before)s.")
        lines.append(text % shares)
    if market.total_cap is not None and market.total_cap_change is not None:
        caps = {"cap": language.short(market.total_cap), "change": language.change(market.total_cap_change)}
        lines.append(gettext("All market caps together are %(cap)s USD, %(change)s in a day.") % caps)
    return lines


def _moves(briefing: MarketBriefing, language: Language) -> list[str]:
    gettext = language.messages.gettext
    lines = []
    if briefing.gainers:
        lines.append(gettext("Rose most: %(assets)s.") % {"assets": _listed(briefing.gainers, language)})
    if briefing.losers:
        lines.append(gettext("Fell most: %(assets)s.") % {"assets": _listed(briefing.losers, language)})
    for each in briefing.indices:
        if each.regime != each.regime_before and each.regime_before is not None:
            signs: dict[str | None, int] = {"bullish": 1, "bearish": -1}
            words = {"index": each.title, "regime": signal_words(signs.get(each.regime, 0), language)}
            lines.append(gettext("The regime of the index %(index)s is %(regime)s now.") % words)
    if traded := [each.title for each in briefing.indices if each.traded]:
        lines.append(gettext("Indices that traded: %(indices)s.") % {"indices": ", ".join(traded)})
    return lines


def _counts(briefing: MarketBriefing, language: Language) -> list[str]:
    ngettext, lines = language.messages.ngettext, []
    for count, text in (
        (
            briefing.signal_count,
            ngettext(
                "The signal of %(num)s asset changed.", "The signals of %(num)s assets changed.", briefing.signal_count
            ),
        ),
        (
            briefing.grade_count,
            ngettext(
                "The grade of %(num)s asset moved by 10 points or more.",
                "The grades of %(num)s assets moved by 10 points or more.",
                briefing.grade_count,
            ),
        ),
        (
            briefing.news_count,
            ngettext("%(num)s headline came in.", "%(num)s headlines came in.", briefing.news_count),
        ),
    ):
        if count:
            lines.append(text % {"num": language.number(count)})
    if briefing.off_peg:
        listed = ", ".join(
            f"{each.symbol} ({language.significant(each.price)} USD)" for each in briefing.off_peg[:_NAMED]
        )
        lines.append(language.messages.gettext("Stablecoins off their peg: %(assets)s.") % {"assets": listed})
    return lines


def _gaps(gaps: BriefedGaps, language: Language) -> list[str]:
    gettext, ngettext = language.messages.gettext, language.messages.ngettext
    lines = []
    if gaps.days_without_prices:
        days = ", ".join(_day(each, language) for each in gaps.days_without_prices)
        lines.append(gettext("Days without any price: %(days)s.") % {"days": days})
    if gaps.unpriced_count:
        words = {"num": language.number(gaps.unpriced_count)}
        words["assets"] = ", ".join(each.symbol for each in gaps.unpriced[:_NAMED])
        text = ngettext(
            "The price of %(num)s asset is missing, which had one the day before: %(assets)s.",
            "The prices of %(num)s assets are missing, which had one the day before, such as %(assets)s.",
            gaps.unpriced_count,
        )
        lines.append(text % words)
    if gaps.indices:
        lines.append(gettext("Indices without a value: %(indices)s.") % {"indices": _names(gaps.indices)})
    for each in gaps.silent_sources:
        words = {"source": each.name, "day": _day(each.since, language)}
        lines.append(gettext("The news source %(source)s brought nothing since %(day)s.") % words)
    return lines


def _listed(moves: Sequence[BriefedMove], language: Language) -> str:
    return ", ".join(f"{each.symbol} {language.change(each.change)}" for each in moves[:_NAMED])


def _names(missing: Sequence[Any]) -> str:
    return ", ".join(each.id for each in missing)


def _day(text: str, language: Language) -> str:
    return language.calendar_day(utc_moment(str(date.fromisoformat(text))))
