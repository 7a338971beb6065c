"""Notifications on a database of each kind, with a clock that tests move, a receiver of webhooks, a mail server."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from tests.support.fake_clock import FakeClock
from tests.support.mail_server import MailServer, mail_server
from tests.support.webhook_receiver import WebhookReceiver, webhook_receiver
from usufruct.accounts.notifications import Deliveries, NotificationOffer, Notifications
from usufruct.accounts.notifications.mail import Mailer
from usufruct.accounts.notifications.mail_text import MailTexts
from usufruct.accounts.notifications.webhook import WebhookLimits
from usufruct.core import address
from usufruct.http import Reach
from usufruct.store import Database, MasterSecret
from usufruct.web.ui import load_languages

ADA, BOB, EVE = (address("0x" + letter * 40) for letter in "abe")
SITE = "https://ai.example.org"
LANGUAGES = load_languages(["usufruct.accounts.notifications"])


@dataclass
class World:
    """What a test needs to hand."""

    notifications: Notifications
    deliveries: Deliveries
    clock: FakeClock
    receiver: WebhookReceiver
    post: MailServer
    database: Database


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with webhook_receiver() as opened:
        yield opened


@pytest.fixture
def post(tmp_path) -> Iterator[MailServer]:
    with mail_server(tmp_path) as opened:
        yield opened


@pytest.fixture
def world(database: Database, receiver: WebhookReceiver, post: MailServer) -> World:
    secret, clock = MasterSecret(b"a secret of these tests"), FakeClock()

    async def now() -> int:
        return clock.now()

    offer = NotificationOffer(True, True, frozenset(LANGUAGES))
    seal, stamp = secret.seal("webhook secrets"), secret.stamp("links in e-mails")
    notifications = Notifications(database, seal, stamp, offer, now)
    mailer = Mailer(post.config, post.trust)
    texts = MailTexts("Site", post.config.sender, mailer.domain, LANGUAGES)
    limits = WebhookLimits(connect=5.0, total=5.0)
    deliveries = Deliveries(database, notifications, Reach.PRIVATE, (mailer, texts), now=now, limits=limits)
    return World(notifications, deliveries, clock, receiver, post, database)
