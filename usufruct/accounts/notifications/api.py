"""Notifications as JSON: what a signed-in person is told of and where, a test, and the links of e-mails."""

from starlette.responses import Response

from usufruct.accounts.notifications.model import CHOICES, Delivery, InvalidNotification, Way
from usufruct.accounts.notifications.notifications import Notifications
from usufruct.accounts.sessions import Sessions
from usufruct.core import Address, UsufructError
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.notification_documents import (
    EmailWish,
    MailToken,
    MessageChoice,
    NotificationChoices,
    NotificationDelivery,
    NotificationSettings,
    WebhookSecret,
    WebhookWish,
)

PATH = "/v1/account/notifications"
LINKS = "/v1/notifications"

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in"}
_LIMITED = _REFUSES | {429: "as many messages were asked for as may be"}
_FALSE_LINK = {403: "the link is not ours, or is over"}
_SHOW = Operation(
    "Tell what the person is told of, where, and the last messages.",
    NotificationSettings,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_CHOOSE = Operation(
    f"Choose what to be told of: {', '.join(CHOICES)}.",
    status=204,
    body=NotificationChoices,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_WEBHOOK = Operation(
    "Have events posted to a URL, signed by Standard Webhooks with a new secret.",
    WebhookSecret,
    WebhookWish,
    201,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_NO_WEBHOOK = Operation("Post no events any more.", status=204, takes=_COOKIE, refuses=_REFUSES)
_EMAIL = Operation(
    "Have events sent to an e-mail address, once its reader has confirmed it.",
    status=202,
    body=EmailWish,
    takes=_COOKIE,
    refuses=_LIMITED,
)
_NO_EMAIL = Operation("Send no e-mail any more.", status=204, takes=_COOKIE, refuses=_REFUSES)
_TEST = Operation("Send a message by each way that is set.", status=202, takes=_COOKIE, refuses=_LIMITED)
_AGAIN = Operation(
    "Send a message that was given up again, under its id; one that waits or was sent is left as it is.",
    status=202,
    body=MessageChoice,
    takes=_COOKIE,
    refuses=_REFUSES | {404: "the person has no such message", 409: "the webhook or the address was removed"},
)
_CONFIRM = Operation("Confirm the address that a link was sent to.", status=204, body=MailToken, refuses=_FALSE_LINK)
_UNSUBSCRIBE = Operation("End the e-mails that a link is from.", status=204, body=MailToken, refuses=_FALSE_LINK)


def notification_routes(notifications: Notifications, sessions: Sessions) -> list[Route]:
    """Return the routes under `/v1/account/notifications`, and those of links."""

    async def person(request: Request) -> Address:
        return (await sessions.require(request.exchange)).address

    async def show(request: Request) -> Response:
        return document_response(await settings_of(notifications, await person(request)))

    async def choose(request: Request) -> Response:
        mine, wish = await person(request), await request.read(NotificationChoices, _refusal)
        site = sessions.known_site(request.exchange)
        await notifications.choose(mine, wish.events, wish.low_balance, wish.language, site)
        return Response(status_code=204)

    async def set_webhook(request: Request) -> Response:
        mine, wish = await person(request), await request.read(WebhookWish, _refusal)
        return document_response(WebhookSecret(await notifications.set_webhook(mine, wish.url)), 201)

    async def remove_webhook(request: Request) -> Response:
        await notifications.remove_webhook(await person(request))
        return Response(status_code=204)

    async def set_email(request: Request) -> Response:
        mine, wish = await person(request), await request.read(EmailWish, _refusal)
        await notifications.set_email(mine, wish.address, wish.language, sessions.known_site(request.exchange))
        return Response(status_code=202)

    async def remove_email(request: Request) -> Response:
        await notifications.remove_email(await person(request))
        return Response(status_code=204)

    async def test(request: Request) -> Response:
        await notifications.test(await person(request))
        return Response(status_code=202)

    async def send_again(request: Request) -> Response:
        mine, wish = await person(request), await request.read(MessageChoice, _refusal)
        await notifications.send_again(mine, wish.id, Way(wish.channel))
        return Response(status_code=202)

    async def confirm(request: Request) -> Response:
        await notifications.confirm((await request.read(MailToken, _refusal)).token)
        return Response(status_code=204)

    async def unsubscribe(request: Request) -> Response:
        await notifications.unsubscribe((await request.read(MailToken, _refusal)).token)
        return Response(status_code=204)

    return [
        PageRoute("GET", PATH, show, _SHOW),
        PageRoute("POST", PATH, choose, _CHOOSE),
        PageRoute("POST", f"{PATH}/webhook", set_webhook, _WEBHOOK),
        PageRoute("DELETE", f"{PATH}/webhook", remove_webhook, _NO_WEBHOOK),
        PageRoute("POST", f"{PATH}/email", set_email, _EMAIL),
        PageRoute("DELETE", f"{PATH}/email", remove_email, _NO_EMAIL),
        PageRoute("POST", f"{PATH}/test", test, _TEST),
        PageRoute("POST", f"{PATH}/again", send_again, _AGAIN),
        Route("POST", f"{LINKS}/confirm", confirm, _CONFIRM),
        Route("POST", f"{LINKS}/unsubscribe", unsubscribe, _UNSUBSCRIBE),
    ]


async def settings_of(notifications: Notifications, person: Address) -> NotificationSettings:
    """Return what a person is told of, where, and the last messages."""
    contact = await notifications.contact(person)
    return NotificationSettings(
        frozenset(each.value for each in contact.events),
        contact.low_balance,
        contact.language,
        notifications.offer.mail,
        contact.webhook_url,
        contact.email,
        contact.email_confirmed_at is not None,
        [_delivery(each) for each in await notifications.latest(person)],
    )


def _delivery(delivery: Delivery) -> NotificationDelivery:
    return NotificationDelivery(
        delivery.event.id,
        delivery.event.kind.value,
        delivery.way.value,
        delivery.state.value,
        delivery.tries,
        delivery.created_at,
        delivery.next_at,
        delivery.error,
    )


def _refusal(message: str, field: str) -> UsufructError:
    return InvalidNotification(message, field=field)
