"""What a person may be told of, where to, how often it is tried, and what an address or URL may be."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from usufruct.core import Address, Denied, Invalid, RateLimited

_LONGEST_URL = 2_000
_LONGEST_EMAIL = 254
_MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_LONGEST_LOCAL_PART = 64


class InvalidNotification(Invalid, code="invalid_notification"):
    """No choice, address or URL can be this."""


class MailNotOffered(Invalid, code="mail_not_offered"):
    """E-mail is not sent by this installation."""


class InvalidMailToken(Denied, code="invalid_mail_token"):
    """The link is not ours, was replaced by another, or is too old."""


class TooManyMessages(RateLimited, code="too_many_messages"):
    """As many confirmations or tests were sent as may be."""


class EventKind(StrEnum):
    """What happened; `TEST` and `CONFIRM` are asked for, the others are chosen."""

    LOW_BALANCE = "balance.low"
    LIMIT_LOW = "key.limit_low"
    REFUND = "refund.sent"
    INCOME = "income.arrived"
    FAILING = "service.failing"
    MARKET = "market.alert"
    BRIEFING = "market.briefing"
    TEST = "test"
    CONFIRM = "email.confirm"


CHOICES = (
    EventKind.LOW_BALANCE,
    EventKind.LIMIT_LOW,
    EventKind.REFUND,
    EventKind.INCOME,
    EventKind.FAILING,
    EventKind.MARKET,
    EventKind.BRIEFING,
)
"""The kinds that a person chooses from."""


class Way(StrEnum):
    """How a message travels."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class DeliveryState(StrEnum):
    """State of a delivery. `DEAD`: it is not tried any more."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class NotificationPolicy:
    """Bounds: how often is tried, and how many messages there may be.

    `pauses`: seconds after the first failure, the second and so on; after them the last one again and again, until a
    message is `dead_seconds` old. `confirm_seconds`: how long a link that confirms an address holds. The numbers of
    confirmations count a day's, those of tests and mails an hour's. `lease_seconds` is longer than any try takes.
    """

    pauses: tuple[int, ...] = (5, 60, 300, 1_800, 7_200, 18_000, 36_000)
    dead_seconds: int = 3 * 86_400
    keep_seconds: int = 30 * 86_400
    confirm_seconds: int = 2 * 86_400
    confirmations_by_address: int = 3
    confirmations_by_person: int = 5
    confirmations: int = 1_000
    tests_by_person: int = 10
    mails_by_address: int = 12
    lease_seconds: int = 300
    most_contacts: int = 100_000

    def next_try(self, tries: int, created_at: int, now: int) -> int | None:
        """Return when to try again after `tries` failures; None when the message is too old by then."""
        at = now + self.pauses[min(tries, len(self.pauses)) - 1]
        return at if at < created_at + self.dead_seconds else None


@dataclass(frozen=True, slots=True)
class Contact:
    """How a person is reached; `site` is the address of the pages that they use, for links in e-mails."""

    person: Address
    events: frozenset[EventKind] = frozenset()
    low_balance: int = 0
    language: str = "en"
    site: str = ""
    webhook_url: str | None = None
    webhook_secret: bytes | None = None
    email: str | None = None
    email_confirmed_at: int | None = None
    confirm_nonce: str | None = None
    confirm_until: int = 0

    def ways(self, *, mail: bool) -> tuple[Way, ...]:
        """Return how events reach the person; `mail`: this installation sends e-mail."""
        ways = [Way.WEBHOOK] if self.webhook_url else []
        return (*ways, Way.EMAIL) if mail and self.email and self.email_confirmed_at is not None else tuple(ways)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a person, once for each `subject`; `data` is a document as JSON, `at` when."""

    id: str
    person: Address
    kind: EventKind
    subject: str
    data: str
    at: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on one way; `target`: the e-mail address it was made or last sent for."""

    event: Event
    way: Way
    state: DeliveryState
    tries: int
    created_at: int
    next_at: int
    error: str = ""
    target: str | None = None


def check_email(text: str) -> str:
    """Return an e-mail address with its domain in lower case.

    Raises:
        InvalidNotification: for anything that is not a plain ASCII address with a domain.
    """
    local, _, domain = text.rpartition("@")
    if not _MAILBOX.fullmatch(text) or len(text) > _LONGEST_EMAIL or len(local) > _LONGEST_LOCAL_PART:
        message = f"{text[:80]!r} is not an e-mail address such as ada@example.org; a domain is written in ASCII"
        raise InvalidNotification(message, field="address")
    return f"{local}@{domain.lower()}"


def check_webhook_url(text: str, *, private: bool) -> str:
    """Return a URL that webhooks can be posted to; `private`: plain HTTP is taken, for private networks.

    Raises:
        InvalidNotification: names what is wrong with it.
    """
    try:
        parts = urlsplit(text)
        whole = bool(parts.hostname) and (parts.port or True)
    except ValueError:
        whole = False
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= _LONGEST_URL
    if not (plain and whole) or parts.username is not None or parts.fragment:
        message = "url must be like https://example.org/hook, in ASCII, without user, password or fragment"
        raise InvalidNotification(message, field="url")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        message = f"url begins with {parts.scheme[:20]!r}; a webhook's must begin with https://"
        raise InvalidNotification(message, field="url")
    return text


def check_events(names: frozenset[str]) -> frozenset[EventKind]:
    """Return the kinds of events that a person chose.

    Raises:
        InvalidNotification: for a name that is none to choose.
    """
    if unknown := sorted(names - set(CHOICES)):
        message = f"events holds {unknown[0][:40]!r}; choose of {', '.join(CHOICES)}"
        raise InvalidNotification(message, field="events")
    return frozenset(EventKind(name) for name in names)
