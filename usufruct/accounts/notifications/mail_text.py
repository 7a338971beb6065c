"""What e-mails say, in the person's language. Nothing that a person wrote is in a header."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from usufruct.accounts.notifications.model import Event, EventKind
from usufruct.web.ui import Language
from usufruct_client.notification_documents import (
    BalanceLow,
    EventMoney,
    IncomeArrived,
    KeyLimitLow,
    MarketAlert,
    MarketBriefingWritten,
    RefundSent,
    ServiceFailing,
)
from usufruct_client.wire_types import read_answer

_POLICY = SMTP.clone(max_line_length=990)
"""A header is not folded: servers of mail look for a link in one piece."""


class MailTexts:
    """Writes e-mails of one installation: `name` is its site's, `sender` what they come from."""

    def __init__(self, name: str, sender: str, domain: str, languages: Mapping[str, Language]) -> None:
        self._name = name
        self._sender = sender
        self._domain = domain
        self._languages = languages

    def confirmation(self, event: Event, to: str, language: str, link: str) -> EmailMessage:
        """Return the e-mail that asks whether its reader wants more of them."""
        gettext = self._language(language).messages.gettext
        subject = gettext("Confirm your address") + f" - {self._name}"
        body = [
            gettext("Someone who is signed in at %(site)s wants to be written to at this address.")
            % {"site": self._name},
            gettext("If it was you, open this link and confirm it:"),
            link,
            gettext("If it was not you, do nothing: no other e-mail will come."),
        ]
        return self._message(event, to, language, subject, body)

    def notice(self, events: Sequence[Event], to: str, language: str, settings: str, unsubscribe: str) -> EmailMessage:
        """Return the e-mail that tells of events, the oldest first, with a link that ends them."""
        spoken = self._language(language)
        gettext = spoken.messages.gettext
        told = [_told(each, spoken) for each in events]
        several = spoken.messages.ngettext("%(num)d message", "%(num)d messages", len(told)) % {"num": len(told)}
        subject = (told[0][0] if len(told) == 1 else several) + f" - {self._name}"
        body = [
            f"{title}\n{text}\n{spoken.date(_moment(each.at))}"
            for (title, text), each in zip(told, events, strict=True)
        ]
        body.append(gettext("Change what you are told of:") + f"\n{settings}")
        body.append(gettext("Get no more e-mails:") + f"\n{unsubscribe}")
        message = self._message(events[0], to, language, subject, body)
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return message

    def _message(self, event: Event, to: str, language: str, subject: str, body: Sequence[str]) -> EmailMessage:
        message = EmailMessage(_POLICY)
        message["From"] = self._sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(_moment(event.at))
        message["Message-ID"] = f"<{event.id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = self._language(language).code
        message.set_content("\n\n".join(body) + "\n", cte="quoted-printable")
        return message

    def _language(self, code: str) -> Language:
        return self._languages.get(code) or next(iter(self._languages.values()))


def _told(event: Event, language: Language) -> tuple[str, str]:
    """Return a title and what happened."""
    write = _WRITERS[event.kind]
    return write(json.loads(event.data), language)


def _balance_low(content: Any, language: Language) -> tuple[str, str]:
    gettext, data = language.messages.gettext, read_answer(BalanceLow, content)
    values = {"key": data.label or data.key, "left": _money(data.left, language)}
    values["threshold"] = _money(data.threshold, language)
    text = gettext("Of the deposit of the key %(key)s, %(left)s are left, less than %(threshold)s.") % values
    return gettext("A deposit is low"), text


def _limit_low(content: Any, language: Language) -> tuple[str, str]:
    gettext, data = language.messages.gettext, read_answer(KeyLimitLow, content)
    values = {"key": data.label or data.key, "left": _money(data.left, language)}
    values["limit"] = _money(data.limit, language)
    if data.period == "day":
        text = gettext("The key %(key)s has %(left)s left of its limit of %(limit)s a day. It renews at 00:00 UTC.")
    else:
        text = gettext("The key %(key)s has %(left)s left of its limit of %(limit)s.")
    return gettext("A key has nearly reached its limit"), text % values


def _refund(content: Any, language: Language) -> tuple[str, str]:
    gettext, data = language.messages.gettext, read_answer(RefundSent, content)
    text = gettext("%(amount)s are back in your wallet.") % {"amount": _money(data.refunded, language)}
    return gettext("A refund was sent"), _with_transaction(text, data.transaction, language)


def _income(content: Any, language: Language) -> tuple[str, str]:
    gettext, data = language.messages.gettext, read_answer(IncomeArrived, content)
    values = {"service": data.service, "amount": _money(data.income, language)}
    text = gettext("%(amount)s were paid out for %(service)s, before the protocol's fee.") % values
    return gettext("Income arrived"), _with_transaction(text, data.transaction, language)


def _failing(content: Any, language: Language) -> tuple[str, str]:
    gettext, data = language.messages.gettext, read_answer(ServiceFailing, content)
    values = {"service": data.service, "calls": data.calls, "failed": data.failed}
    text = gettext("Of the last %(calls)s calls of %(service)s, %(failed)s failed. Look after its server.")
    return gettext("A service fails"), text % values


def _market(content: Any, language: Language) -> tuple[str, str]:
    gettext, data = language.messages.gettext, read_answer(MarketAlert, content)
    measures = {
        "price": gettext("price in US dollars"),
        "change_24h": gettext("change in a day, in per cent"),
        "trader_grade": gettext("trader grade"),
        "investor_grade": gettext("investor grade"),
        "grade": gettext("grade"),
        "signal": gettext("signal: 1 buy, -1 sell, 0 none"),
    }
    values = {"name": data.name, "symbol": data.symbol, "measure": measures.get(data.measure, data.measure)}
    values |= {"value": f"{data.value:.10g}", "threshold": f"{data.threshold:.10g}", "time": data.as_of}
    if data.direction == "above":
        text = gettext("%(name)s (%(symbol)s), %(measure)s: %(value)s at %(time)s, not under %(threshold)s.") % values
    else:
        text = gettext("%(name)s (%(symbol)s), %(measure)s: %(value)s at %(time)s, not over %(threshold)s.") % values
    if data.synthetic:
        text += " " + gettext("The prices are simulated.")
    return gettext("A market alert"), text


def _briefing(content: Any, language: Language) -> tuple[str, str]:
    data = read_answer(MarketBriefingWritten, content)
    code = language.code if language.code in data.texts else next(iter(data.texts))
    return data.titles[code], f"{data.texts[code]}\n{data.url}"


def _test(content: Any, language: Language) -> tuple[str, str]:
    gettext = language.messages.gettext
    return gettext("A test"), gettext("You asked for it. Messages reach you here.")


def _with_transaction(text: str, transaction: str | None, language: Language) -> str:
    return f"{text}\n{language.messages.gettext('Transaction:')} {transaction}" if transaction else text


def _money(money: EventMoney, language: Language) -> str:
    return language.money(money.amount, money.decimals, money.symbol)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_WRITERS: Mapping[EventKind, Callable[[Any, Language], tuple[str, str]]] = {
    EventKind.LOW_BALANCE: _balance_low,
    EventKind.LIMIT_LOW: _limit_low,
    EventKind.REFUND: _refund,
    EventKind.INCOME: _income,
    EventKind.FAILING: _failing,
    EventKind.MARKET: _market,
    EventKind.BRIEFING: _briefing,
    EventKind.TEST: _test,
}
