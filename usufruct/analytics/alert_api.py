"""Market alerts as JSON, for the signed-in person."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.analytics.alert_model import Alert, InvalidAlert, Measure
from usufruct.analytics.alerts import MarketAlerts
from usufruct.core import Address, UsufructError
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.market_documents import AlertFacts, AlertList, AlertWish

PATH = "/v1/markets/alerts"

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in"}
_LIST = Operation("List the person's market alerts.", AlertList, takes=_COOKIE, refuses=_REFUSES)
_ADD = Operation(
    f"Be told when a measure ({', '.join(Measure)}) of an asset reaches a threshold.",
    AlertFacts,
    AlertWish,
    201,
    takes=_COOKIE,
    refuses=_REFUSES
    | {
        404: "no asset has this id",
        409: "no message reaches the person, or there are too many alerts",
        503: "no prices are known yet",
    },
)
_REMOVE = Operation(
    "Remove an alert.", status=204, takes=_COOKIE, refuses=_REFUSES | {404: "the person has no such alert"}
)


def alert_routes(alerts: MarketAlerts, sessions: Sessions) -> list[PageRoute]:
    """Return the routes under `/v1/markets/alerts`."""

    async def person(request: Request) -> Address:
        return (await sessions.require(request.exchange)).address

    async def list_alerts(request: Request) -> Response:
        mine = await alerts.list(await person(request))
        return document_response(AlertList([_facts(alert, told=told) for alert, told in mine]))

    async def add(request: Request) -> Response:
        mine, wish = await person(request), await request.read(AlertWish, _refusal)
        site = sessions.known_site(request.exchange)
        alert = await alerts.add(mine, wish.asset, wish.measure, wish.direction, wish.threshold, wish.language, site)
        return document_response(_facts(alert, told=False), 201)

    async def remove(request: Request) -> Response:
        await alerts.remove(await person(request), request.path_params["alert"])
        return Response(status_code=204)

    return [
        PageRoute("GET", PATH, list_alerts, _LIST),
        PageRoute("POST", PATH, add, _ADD),
        PageRoute("DELETE", f"{PATH}/{{alert}}", remove, _REMOVE),
    ]


def _facts(alert: Alert, *, told: bool) -> AlertFacts:
    return AlertFacts(
        alert.id,
        alert.asset,
        alert.measure.value,
        alert.direction.value,
        alert.threshold,
        alert.created_at,
        told,
    )


def _refusal(message: str, field: str) -> UsufructError:
    return InvalidAlert(message, field=field)
