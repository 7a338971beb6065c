"""What a person does about notifications, and what other packages report to persons."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from usufruct.accounts.notifications.contact_store import ContactStore, change_contact, events_text
from usufruct.accounts.notifications.model import (
    Contact,
    Delivery,
    EventKind,
    InvalidMailToken,
    InvalidNotification,
    MailNotOffered,
    NotificationPolicy,
    TooManyMessages,
    Way,
    check_email,
    check_events,
    check_webhook_url,
)
from usufruct.accounts.notifications.outbox import Level, Outbox, add_event, new_event, wait_to_ask
from usufruct.accounts.notifications.webhook import new_secret, secret_text
from usufruct.core import Address, Conflict, NotFound, moment
from usufruct.store import Database, Seal, Stamp, Unit

_HOUR, _DAY = 3_600, 86_400
_SHOWN = 20
_NO_EMAIL = {"email": None, "email_confirmed_at": None, "confirm_nonce": None, "confirm_until": 0}
_TOKEN = re.compile("[0-9a-f]{40}[.][0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class NotificationOffer:
    """What this installation offers: e-mail, webhooks in private networks, and texts in which languages."""

    mail: bool
    private: bool
    languages: frozenset[str]


class Notifications:
    """The notifications of this installation; `now` is the database's clock."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        stamp: Stamp,
        offer: NotificationOffer,
        now: Callable[[], Awaitable[int]] | None = None,
        policy: NotificationPolicy | None = None,
    ) -> None:
        """Keep webhooks' secrets under `seal`; know links of ours by `stamp`."""
        self.offer = offer
        self.policy = policy or NotificationPolicy()
        self._database = database
        self._contacts = ContactStore(database)
        self._outbox = Outbox(database)
        self._seal = seal
        self._stamp = stamp
        self._now = now or database.now

    # What a person does

    async def contact(self, person: Address) -> Contact:
        """Return how a person is reached, and what they chose."""
        return await self._contacts.find(person) or Contact(person)

    async def latest(self, person: Address) -> list[Delivery]:
        """Return a person's last messages, the newest first."""
        return await self._outbox.latest(person, _SHOWN)

    async def choose(self, person: Address, events: frozenset[str], low_balance: int, language: str, site: str) -> None:
        """Choose what to be told of; `low_balance` in atomic units; `site`: where the person's pages are.

        Raises:
            InvalidNotification: for an event or a language that there is not, or a low balance of 0.
        """
        chosen = check_events(events)
        if EventKind.LOW_BALANCE in chosen and not low_balance:
            message = "low_balance is 0; write the deposit under which you want to be told"
            raise InvalidNotification(message, field="low_balance")
        self._check_language(language)
        await self._save(person, events=events_text(chosen), low_balance=low_balance, language=language, site=site)

    async def also_choose(self, person: Address, event: EventKind, language: str, site: str) -> None:
        """Add an event to what a person is told of; the language and the site are for who has not chosen yet.

        Raises:
            Conflict: when no message reaches the person: there is no webhook, and no confirmed address.
        """
        contact = await self.contact(person)
        if not contact.ways(mail=self.offer.mail):
            message = "no message reaches you; set a webhook or confirm an e-mail address in /account/notifications"
            raise Conflict(message, code="no_way_to_notify")
        if event not in contact.events:
            self._check_language(language)
            new = {} if contact.site else {"language": language, "site": site}
            await self._save(person, events=events_text(contact.events | {event}), **new)

    async def set_webhook(self, person: Address, url: str) -> str:
        """Have events posted to a URL; return the secret that they are signed with, a new one each time.

        Raises:
            InvalidNotification: for a URL that nothing is posted to.
        """
        check_webhook_url(url, private=self.offer.private)
        secret = new_secret()
        sealed = self._seal.close(secret, _secret_of(person))
        await self._save(person, webhook_url=url, webhook_secret=sealed)
        return secret_text(secret)

    async def remove_webhook(self, person: Address) -> None:
        """Post nothing any more."""
        await self._save(person, webhook_url=None, webhook_secret=None)

    def secret(self, contact: Contact) -> bytes:
        """Return the secret of a contact's webhook; raises Unsealable."""
        assert contact.webhook_secret is not None
        return self._seal.open(contact.webhook_secret, _secret_of(contact.person))

    async def set_email(self, person: Address, text: str, language: str, site: str) -> None:
        """Send a link to an address; once it is opened and confirmed, events are sent there.

        Raises:
            MailNotOffered: when this installation sends no e-mail.
            InvalidNotification: when the text is not a valid address.
            TooManyMessages: when the person, the address or the installation had as many confirmations as may be.
        """
        if not self.offer.mail:
            raise MailNotOffered("this installation sends no e-mail; use a webhook", field="address")
        email = check_email(text)
        self._check_language(language)
        contact = await self.contact(person)
        await self._save(person, language=language, site=site)
        if contact.email == email and contact.email_confirmed_at is not None:
            return
        now = await self._now()
        nonce, until = token_hex(16), now + self.policy.confirm_seconds
        event = new_event(person, EventKind.CONFIRM, nonce, {}, now)
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, "confirmations of addresses")
            await self._check_confirmations(unit, person, email, now)
            await change_contact(
                unit,
                person,
                email=email,
                email_confirmed_at=None,
                confirm_nonce=nonce,
                confirm_until=until,
                language=language,
                site=site,
            )
            await add_event(unit, event, [Way.EMAIL], email)

    async def remove_email(self, person: Address) -> None:
        """Send no e-mail any more."""
        await self._save(person, **_NO_EMAIL)

    async def check_confirmation(self, token: str) -> Contact:
        """Return the contact whose address a link of ours confirms; raises InvalidMailToken."""
        contact, now = await self._of_token(token), await self._now()
        good = contact.email and contact.confirm_nonce and self._stamp.knows(_confirm_words(contact), _mark(token))
        if not good or now > contact.confirm_until:
            message = "the link is too old, or was replaced by a newer one; enter the address again"
            raise InvalidMailToken(message, field="token")
        return contact

    async def confirm(self, token: str) -> Contact:
        """Confirm the address that a link was sent to; once more changes nothing; raises InvalidMailToken."""
        contact = await self.check_confirmation(token)
        if contact.email_confirmed_at is None:
            now = await self._now()
            same = {"email": contact.email, "confirm_nonce": contact.confirm_nonce}
            await self._contacts.change_if(contact.person, same, email_confirmed_at=now)
        return contact

    async def check_unsubscribing(self, token: str) -> Contact:
        """Return the contact whose e-mails a link of ours ends; raises InvalidMailToken."""
        contact = await self._of_token(token)
        if not (contact.email and self._stamp.knows(_unsubscribe_words(contact), _mark(token))):
            raise InvalidMailToken("this address gets no e-mail from here any more", field="token")
        return contact

    async def unsubscribe(self, token: str) -> None:
        """Send nothing any more to the address that a link is for; raises InvalidMailToken."""
        contact = await self.check_unsubscribing(token)
        await self._contacts.change_if(contact.person, {"email": contact.email}, **_NO_EMAIL)

    def confirm_token(self, contact: Contact) -> str:
        """Return what a link that confirms a contact's address carries."""
        return _token(contact, self._stamp.mark(_confirm_words(contact)))

    def unsubscribe_token(self, contact: Contact) -> str:
        """Return what a link that ends a contact's e-mails carries."""
        return _token(contact, self._stamp.mark(_unsubscribe_words(contact)))

    async def test(self, person: Address) -> None:
        """Send a person a message by each way that is set.

        Raises:
            Conflict: when none is.
            TooManyMessages: after too many tests in an hour.
        """
        ways = (await self.contact(person)).ways(mail=self.offer.mail)
        if not ways:
            message = "there is no webhook, and no confirmed e-mail address; set one first"
            raise Conflict(message, code="no_way_to_notify")
        now = await self._now()
        event = new_event(person, EventKind.TEST, token_hex(8), {}, now)
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, f"test messages of {person}")
            most = self.policy.tests_by_person
            if wait := await wait_to_ask(unit, EventKind.TEST, most, _HOUR, now, person=person):
                message = f"{most} tests were sent in the last hour; wait {wait} seconds"
                raise TooManyMessages(message, most=most, retry_after=wait)
            await add_event(unit, event, ways)

    async def send_again(self, person: Address, event: str, way: Way) -> None:
        """Send a message of a person that was given up, under the same id and as often as a new one is tried.

        One that waits or was sent is left as it is, so asking twice sends it once.

        Raises:
            NotFound: when the person has no such message, or it is a test or a link, which are asked for instead.
            Conflict: when the way is not set any more.
        """
        if way not in (await self.contact(person)).ways(mail=self.offer.mail):
            message = f"{way} is not set; set it first, then send the message again"
            raise Conflict(message, code="no_way_to_notify", field="channel")
        if await self._outbox.send_again(person, event, way, await self._now()) is None:
            message = (
                f"you have no message {event[:40]!r} by {way} that can be sent again; look at the list of messages"
            )
            raise NotFound(message, code="unknown_message", field="id")

    # What other packages report

    async def watching(self, kinds: Iterable[EventKind], after: Address | None, limit: int) -> "Page":
        """Return the contacts of a page who chose one of `kinds` and can be reached."""
        page, wanted = await self._contacts.some(after, limit), frozenset(kinds)
        found = [each for each in page if each.events & wanted and each.ways(mail=self.offer.mail)]
        return Page(found, page[-1].person if len(page) == limit else None)

    async def report(self, persons: Sequence[Address], kind: EventKind, subject: str, data: dict[str, Any]) -> int:
        """Tell those of the persons who chose it of an event; once for each `subject`, however often it is reported.

        Durable when it returns: how many were told.
        """
        told = 0
        for contact in await self._contacts.those_of(persons):
            ways = contact.ways(mail=self.offer.mail)
            if kind in contact.events and ways:
                event = new_event(contact.person, kind, subject, data, await self._now())
                told += await self._outbox.add(event, ways)
        return told

    async def levels_of(self, persons: Sequence[Address], kinds: Iterable[EventKind]) -> set[Level]:
        """Return which levels of some kinds were reported to these persons and have not ended."""
        return await self._outbox.levels_of(persons, kinds)

    async def report_level(self, contact: Contact, kind: EventKind, subject: str, data: dict[str, Any]) -> bool:
        """Tell a person that a level is reached, unless it was reported and has not ended since."""
        event = new_event(contact.person, kind, subject, data, await self._now())
        return await self._outbox.add(event, contact.ways(mail=self.offer.mail), level=True)

    async def end_levels(self, ended: Sequence[Level]) -> None:
        """Note that levels are not reached any more."""
        await self._outbox.end_levels(ended)

    async def _save(self, person: Address, **changes: Any) -> None:
        await self._contacts.save(person, self.policy.most_contacts, **changes)

    def _check_language(self, language: str) -> None:
        if language not in self.offer.languages:
            known = ", ".join(sorted(self.offer.languages))
            message = f"language is {language[:20]!r}; choose of {known}"
            raise InvalidNotification(message, field="language")

    async def _check_confirmations(self, unit: Unit, person: Address, email: str, now: int) -> None:
        policy = self.policy
        for which, most in (
            ({"target": email}, policy.confirmations_by_address),
            ({"person": person}, policy.confirmations_by_person),
            ({}, policy.confirmations),
        ):
            if wait := await wait_to_ask(unit, EventKind.CONFIRM, most, _DAY, now, **which):
                message = (
                    f"{most} links to confirm an address were sent in 24 hours; look for them, or wait until "
                    f"{moment(now + wait)}"
                )
                raise TooManyMessages(message, field="address", most=most, retry_after=wait)

    async def _of_token(self, token: str) -> Contact:
        contact = await self._contacts.find(Address(f"0x{token[:40]}")) if _TOKEN.fullmatch(token) else None
        if contact is None:
            raise InvalidMailToken("the link is not whole; copy all of it", field="token")
        return contact


@dataclass(frozen=True, slots=True)
class Page:
    """Some contacts, and after which person the next page begins; None at the end."""

    contacts: Sequence[Contact]
    after: Address | None


def _secret_of(person: Address) -> str:
    return f"webhook of {person}"


def _confirm_words(contact: Contact) -> bytes:
    return f"confirm\n{contact.person}\n{contact.email}\n{contact.confirm_nonce}".encode()


def _unsubscribe_words(contact: Contact) -> bytes:
    return f"unsubscribe\n{contact.person}\n{contact.email}".encode()


def _token(contact: Contact, mark: bytes) -> str:
    return f"{contact.person[2:]}.{mark.hex()}"


def _mark(token: str) -> bytes:
    return bytes.fromhex(token[41:])
