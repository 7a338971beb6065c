"""Sends what is in the outbox: each message until it is taken, or too old; at least once, under one id.

A try that is due is taken for longer than it can last. A process that is killed before it notes how the try ended
leaves it to be tried again, so a receiver may get a message twice, and knows it by its id.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage

from usufruct.accounts.notifications.contact_store import ContactStore
from usufruct.accounts.notifications.mail import Mailer, MailUnavailable, Outcome
from usufruct.accounts.notifications.mail_text import MailTexts
from usufruct.accounts.notifications.model import Contact, Delivery, DeliveryState, EventKind, Way
from usufruct.accounts.notifications.notifications import Notifications
from usufruct.accounts.notifications.outbox import Outbox
from usufruct.accounts.notifications.webhook import WebhookFailed, WebhookLimits, post_webhook
from usufruct.core import Address
from usufruct.http import Reach
from usufruct.store import Database, Unsealable

CONFIRM_PATH = "/account/notifications/confirm"
UNSUBSCRIBE_PATH = "/account/notifications/unsubscribe"
SETTINGS_PATH = "/account/notifications"

_HOUR = 3_600
_MOST_WEBHOOKS = 64
_MOST_MAILS = 100
_GONE = "the {} was removed"

Faults = Callable[[str], None]
"""Receives the name of every point a crash may come at; tests kill the process there."""


class Deliveries:
    """Takes what is due and sends it; several processes may."""

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        reach: Reach,
        mail: tuple[Mailer, MailTexts] | None = None,
        *,
        now: Callable[[], Awaitable[int]] | None = None,
        limits: WebhookLimits | None = None,
        faults: Faults = lambda name: None,
    ) -> None:
        """Post webhooks within `reach`; send e-mail if there is a way, as its texts say."""
        self._outbox = Outbox(database)
        self._contacts = ContactStore(database)
        self._notifications = notifications
        self._policy = notifications.policy
        self._reach = reach
        self._mail = mail
        self._now = now or database.now
        self._limits = limits or WebhookLimits()
        self._faults = faults

    async def send_webhooks(self) -> int:
        """Post the webhooks that are due; return how many were tried."""
        now = await self._now()
        taken = await self._outbox.take(Way.WEBHOOK, now, self._policy.lease_seconds, _MOST_WEBHOOKS)
        contacts = await self._contacts_of(taken)
        await asyncio.gather(*(self._post(each, contacts.get(each.event.person)) for each in taken))
        return len(taken)

    async def send_mails(self) -> int:
        """Send the e-mails that are due, a person's events in one; return how many deliveries were tried.

        Raises:
            MailUnavailable: when the mail server cannot be used; everything is tried again later.
        """
        if self._mail is None:
            return 0
        mailer, texts = self._mail
        now = await self._now()
        taken = await self._outbox.take(Way.EMAIL, now, self._policy.lease_seconds, _MOST_MAILS)
        groups = await self._ready(taken, now)
        messages = [self._message(texts, contact, group) for contact, group in groups]
        if not messages:
            return len(taken)
        try:
            outcomes = await mailer.send(messages)
        except MailUnavailable as error:
            for contact, group in groups:
                await self._note_mail(contact, group, Outcome(error.message))
            raise
        self._faults("mails.sent")
        for (contact, group), outcome in zip(groups, outcomes, strict=True):
            await self._note_mail(contact, group, outcome)
        return len(taken)

    async def forget(self) -> None:
        """Forget messages that are older than they are kept."""
        await self._outbox.remove_before(await self._now() - self._policy.keep_seconds)

    async def _post(self, delivery: Delivery, contact: Contact | None) -> None:
        now = await self._now()
        if contact is None or contact.webhook_url is None:
            await self._outbox.note([delivery], DeliveryState.DEAD, at=now, error=_GONE.format("webhook"))
            return
        try:
            secret = self._notifications.secret(contact)
            await post_webhook(contact.webhook_url, delivery.event, secret, now, self._reach, self._limits)
        except WebhookFailed as failure:
            if failure.gone:
                await self._contacts.change_if(contact.person, {"webhook_url": contact.webhook_url}, webhook_url=None)
            await self._failed([delivery], str(failure), permanent=failure.gone)
        except Unsealable:
            await self._failed([delivery], "the secret cannot be read; set the webhook again")
        else:
            self._faults("webhook.posted")
            await self._outbox.note([delivery], DeliveryState.SENT, at=await self._now())

    async def _ready(self, taken: Sequence[Delivery], now: int) -> list[tuple[Contact, list[Delivery]]]:
        """Return what can be sent now, by e-mail; note what cannot."""
        contacts = await self._contacts_of(taken)
        groups: dict[tuple[Address, str], list[Delivery]] = defaultdict(list)
        for each in taken:
            asked = each.event.subject if each.event.kind is EventKind.CONFIRM else ""
            groups[each.event.person, asked].append(each)
        ready: list[tuple[Contact, list[Delivery]]] = []
        for (person, asked), group in groups.items():
            contact = contacts.get(person)
            if contact is None or not _wanted(contact, asked):
                await self._outbox.note(group, DeliveryState.DEAD, at=now, error=_GONE.format("address"))
            elif not asked and await self._sent(contact, now) >= self._policy.mails_by_address:
                wait = now + _HOUR
                error = f"{self._policy.mails_by_address} e-mails were sent in the last hour; it waits"
                await self._outbox.note(group, DeliveryState.PENDING, at=wait, error=error, untried=True)
            else:
                ready.append((contact, sorted(group, key=lambda each: (each.event.at, each.event.id))))
        return ready

    async def _sent(self, contact: Contact, now: int) -> int:
        return await self._outbox.count_sent(contact.email or "", now - _HOUR)

    def _message(self, texts: MailTexts, contact: Contact, group: Sequence[Delivery]) -> EmailMessage:
        assert contact.email is not None
        events = [each.event for each in group]
        if events[0].kind is EventKind.CONFIRM:
            link = f"{contact.site}{CONFIRM_PATH}?token={self._notifications.confirm_token(contact)}"
            return texts.confirmation(events[0], contact.email, contact.language, link)
        unsubscribe = f"{contact.site}{UNSUBSCRIBE_PATH}?token={self._notifications.unsubscribe_token(contact)}"
        settings = f"{contact.site}{SETTINGS_PATH}"
        return texts.notice(events, contact.email, contact.language, settings, unsubscribe)

    async def _note_mail(self, contact: Contact, group: Sequence[Delivery], outcome: Outcome) -> None:
        now = await self._now()
        if outcome.untried:
            await self._outbox.note(group, DeliveryState.PENDING, at=now, error=outcome.error, untried=True)
        elif outcome.error:
            await self._failed(group, outcome.error, permanent=outcome.permanent)
        else:
            await self._outbox.note(group, DeliveryState.SENT, at=now, target=contact.email)

    async def _failed(self, group: Sequence[Delivery], error: str, *, permanent: bool = False) -> None:
        """Note a failed try: the next one, or that there is none."""
        now = await self._now()
        for each in group:
            again = None if permanent else self._policy.next_try(each.tries, each.created_at, now)
            state = DeliveryState.DEAD if again is None else DeliveryState.PENDING
            await self._outbox.note([each], state, at=now if again is None else again, error=error)

    async def _contacts_of(self, taken: Sequence[Delivery]) -> dict[Address, Contact]:
        persons = sorted({each.event.person for each in taken})
        return {each.person: each for each in await self._contacts.those_of(persons)} if persons else {}


def _wanted(contact: Contact, asked: str) -> bool:
    """Tell whether a contact's address still is what a message is for: `asked` is a confirmation's nonce."""
    if asked:
        return contact.email is not None and contact.confirm_nonce == asked and contact.email_confirmed_at is None
    return contact.email is not None and contact.email_confirmed_at is not None
