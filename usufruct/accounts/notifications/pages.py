"""The page of notifications, `/account/notifications`, and those that links in e-mails open."""

import re
from datetime import UTC, datetime

from starlette.responses import Response

from usufruct.accounts.notifications.api import settings_of
from usufruct.accounts.notifications.deliveries import CONFIRM_PATH, SETTINGS_PATH, UNSUBSCRIBE_PATH
from usufruct.accounts.notifications.model import CHOICES, InvalidMailToken, InvalidNotification, Way
from usufruct.accounts.notifications.notifications import Notifications
from usufruct.accounts.notifications.refusals import REFUSALS
from usufruct.accounts.sessions import Sessions
from usufruct.chain import TokenFacts
from usufruct.core import Address, Invalid, format_units, parse_units
from usufruct.web import Request, Route
from usufruct.web.ui import PageRoute, Pages

_TEMPLATE = "notifications/notifications.html"
_CENTS = re.compile("(?<=[0-9]),([0-9]{1,2})$")
_LINK = "notifications/link.html"


def notification_pages(
    notifications: Notifications, sessions: Sessions, pages: Pages, token: TokenFacts
) -> list[Route]:
    """Return the routes of the pages."""
    pages.add_package("usufruct.accounts.notifications", (), REFUSALS)

    async def person(request: Request) -> Address:
        return (await sessions.require(request.exchange)).address

    async def shown(request: Request, person: Address | None, secret: str = "") -> Response:
        settings = None if person is None else await settings_of(notifications, person)
        answer = pages.answer(
            request,
            _TEMPLATE,
            fragment="settings",
            settings=settings,
            token=token,
            choices=CHOICES,
            low_balance=_coins(settings.low_balance if settings else 0, token),
            secret=secret,
            moment=lambda seconds: datetime.fromtimestamp(seconds, UTC),
        )
        answer.headers["cache-control"] = "private, no-store"
        return answer

    async def changed(request: Request, person: Address) -> Response:
        """Show the settings to htmx; send a browser without scripts back to the page, which it may load again."""
        return (
            await shown(request, person) if "hx-request" in request.headers else pages.redirect(request, SETTINGS_PATH)
        )

    async def page(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        return await shown(request, session.address if session else None)

    async def choose(request: Request) -> Response:
        mine, fields = await person(request), await request.form_fields()
        events = frozenset(each.value for each in CHOICES if each.value in fields)
        root, language = sessions.known_site(request.exchange), fields.get("language", "en")
        await notifications.choose(mine, events, _amount(fields.get("low-balance", "").strip(), token), language, root)
        return await changed(request, mine)

    async def webhook(request: Request) -> Response:
        mine, fields = await person(request), await request.form_fields()
        if "remove" in fields:
            await notifications.remove_webhook(mine)
            return await changed(request, mine)
        return await shown(request, mine, await notifications.set_webhook(mine, fields.get("url", "").strip()))

    async def email(request: Request) -> Response:
        mine, fields = await person(request), await request.form_fields()
        if "remove" in fields:
            await notifications.remove_email(mine)
        else:
            address, language = fields.get("address", "").strip(), fields.get("language", "en")
            await notifications.set_email(mine, address, language, sessions.known_site(request.exchange))
        return await changed(request, mine)

    async def test(request: Request) -> Response:
        mine = await person(request)
        await notifications.test(mine)
        return await changed(request, mine)

    async def again(request: Request) -> Response:
        mine, fields = await person(request), await request.form_fields()
        way = Way.EMAIL if fields.get("channel") == Way.EMAIL else Way.WEBHOOK
        await notifications.send_again(mine, fields.get("id", ""), way)
        return await changed(request, mine)

    return [
        PageRoute("GET", SETTINGS_PATH, page),
        PageRoute("POST", SETTINGS_PATH, choose),
        PageRoute("POST", f"{SETTINGS_PATH}/webhook", webhook),
        PageRoute("POST", f"{SETTINGS_PATH}/email", email),
        PageRoute("POST", f"{SETTINGS_PATH}/test", test),
        PageRoute("POST", f"{SETTINGS_PATH}/again", again),
        *_link_pages(notifications, pages),
    ]


def _link_pages(notifications: Notifications, pages: Pages) -> list[Route]:
    """Return the pages that links open: loading one changes nothing, because programs that scan e-mails do it too."""

    async def answer(request: Request, step: str) -> Response:
        token = request.query_params.get("token", "")
        shown = pages.answer(request, _LINK, step=step, token=token)
        shown.headers["referrer-policy"] = "no-referrer"  # the link is a secret
        shown.headers["cache-control"] = "private, no-store"
        return shown

    async def confirming(request: Request) -> Response:
        await notifications.check_confirmation(request.query_params.get("token", ""))
        return await answer(request, "confirm")

    async def confirm(request: Request) -> Response:
        await notifications.confirm(request.query_params.get("token", ""))
        return await answer(request, "confirmed")

    async def unsubscribing(request: Request) -> Response:
        try:
            await notifications.check_unsubscribing(request.query_params.get("token", ""))
        except InvalidMailToken:
            return await answer(request, "unsubscribed")
        return await answer(request, "unsubscribe")

    async def unsubscribe(request: Request) -> Response:
        """End the e-mails at one click (RFC 8058), from a page or a mail program: the token is the proof."""
        try:
            await notifications.unsubscribe(request.query_params.get("token", ""))
        except InvalidMailToken:  # done before, or never ours: no e-mail comes either way
            return await answer(request, "unsubscribed")
        return await answer(request, "unsubscribed")

    return [
        Route("GET", CONFIRM_PATH, confirming),
        Route("POST", CONFIRM_PATH, confirm),
        Route("GET", UNSUBSCRIBE_PATH, unsubscribing),
        Route("POST", UNSUBSCRIBE_PATH, unsubscribe),
    ]


def _coins(amount: int, token: TokenFacts) -> str:
    """Return atomic units as what a field holds; a first proposal for 0."""
    return format_units(amount, token.decimals) if amount else "1"


def _amount(text: str, token: TokenFacts) -> int:
    """Return whole coins as atomic units; 0 for an empty field. A comma before one or two last digits is a point."""
    try:
        return parse_units(_CENTS.sub(r".\1", text), token.decimals) if text else 0
    except Invalid as error:
        raise InvalidNotification(
            f"low_balance is {text[:40]!r}; write such as 1 or 0.50", field="low_balance"
        ) from error
