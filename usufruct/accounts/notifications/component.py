"""What notifications add to an installation: their pages and routes, the jobs that send, what the doctor asks."""

from collections.abc import AsyncIterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from usufruct.accounts.notifications.api import notification_routes
from usufruct.accounts.notifications.deliveries import Deliveries
from usufruct.accounts.notifications.mail import Mailer
from usufruct.accounts.notifications.mail_text import MailTexts
from usufruct.accounts.notifications.model import DeliveryState, NotificationPolicy
from usufruct.accounts.notifications.notifications import NotificationOffer, Notifications
from usufruct.accounts.notifications.outbox import Outbox
from usufruct.accounts.notifications.pages import notification_pages
from usufruct.accounts.sessions import Sessions
from usufruct.chain import TokenFacts
from usufruct.config import Config
from usufruct.core import DAY_SECONDS
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, Finding, good, skipped
from usufruct.core.jobs import Job
from usufruct.http import Reach
from usufruct.store import Database, MasterSecret
from usufruct.web.ui import Pages, load_languages

_PACKAGE = __package__ or ""


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def notifications() -> Notifications:
        config, secret = get(Config), get(MasterSecret)
        languages = frozenset(load_languages([_PACKAGE]))
        offer = NotificationOffer(bool(config.mail.host), config.allows_private_servers, languages)
        policy = NotificationPolicy(dead_seconds=config.notifications.dead_after_days * DAY_SECONDS)
        seal, stamp = secret.seal("webhook secrets"), secret.stamp("links in e-mails")
        return Notifications(get(Database), seal, stamp, offer, policy=policy)

    def deliveries() -> Deliveries:
        config = get(Config)
        reach = Reach.PRIVATE if config.allows_private_servers else Reach.PUBLIC
        return Deliveries(get(Database), get(Notifications), reach, _mail(config) if config.mail.host else None)

    def jobs() -> list[Job]:
        sender = get(Deliveries)
        webhooks = Job("webhooks", sender.send_webhooks, 1.0, finish=20.0)
        forgetting = Job("notifications", sender.forget, 3_600.0)
        mails = [Job("mails", sender.send_mails, 2.0, finish=30.0)] if get(Config).mail.host else []
        return [webhooks, forgetting, *mails]

    context.provide_later(Notifications, notifications)
    context.provide_later(Deliveries, deliveries)
    return Component(
        "notifications",
        routes=lambda: [
            *notification_routes(get(Notifications), get(Sessions)),
            *notification_pages(get(Notifications), get(Sessions), get(Pages), get(TokenFacts)),
        ],
        jobs=jobs,
        metrics={"notifications": lambda: _metrics(Outbox(get(Database)))},
        diagnostics=(Diagnostic("mail", lambda: check_mail(get(Config)), slow=True),),
    )


def _mail(config: Config) -> tuple[Mailer, MailTexts]:
    mailer = Mailer(config.mail)
    texts = MailTexts(config.site.name, config.mail.sender, mailer.domain, load_languages([_PACKAGE]))
    return mailer, texts


async def check_mail(config: Config) -> AsyncIterator[Finding]:
    """Check that the mail server answers, encrypts and lets us in."""
    if not config.mail.host:
        yield skipped("mail", "no mail.host is set: no e-mail is sent, webhooks only")
        return
    await Mailer(config.mail).check()
    yield good("mail", f"{config.mail.host}:{config.mail.port} takes e-mail from {config.mail.sender}")


async def _metrics(outbox: Outbox) -> list[Metric]:
    shown = GaugeMetricFamily("usufruct_notifications", "Messages to persons, of the last 30 days.", labels=["state"])
    counts = await outbox.count_states()
    for state in DeliveryState:
        shown.add_metric([state.value], counts.get(state.value, 0))
    return [shown]
