"""The page of market alerts, `/market-alerts`: make one, see what each watches, delete it; by plain forms."""

from datetime import UTC, datetime
from functools import partial

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.analytics.alert_model import Direction, InvalidAlert, Measure
from usufruct.analytics.alerts import MarketAlerts
from usufruct.analytics.mapped_files import NoMarketData
from usufruct.analytics.pages import OFFERED, CurrentFigures
from usufruct.core import Address
from usufruct.web import Operation, Request
from usufruct.web.ui import PageRoute, Pages
from usufruct_client.market_page_documents import CoinLine

PATH = "/market-alerts"

_PAGE = Operation(
    "Show people their market alerts.",
    {"type": "string"},
    media_types=("text/html",),
    asks={"asset": "id of the asset that a new alert is of"},
)
_TEMPLATE = "analytics/alerts.html"
_LONGEST = 120


def alert_pages(alerts: MarketAlerts, current: CurrentFigures, sessions: Sessions, pages: Pages) -> list[PageRoute]:
    """Return the routes of the page."""

    async def person(request: Request) -> Address:
        return (await sessions.require(request.exchange)).address

    async def show(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        answer = pages.answer(
            request,
            _TEMPLATE,
            signed_in=session is not None,
            mine=() if session is None else await alerts.watched(session.address),
            reached=session is not None and await alerts.reaches(session.address),
            asset=request.query_params.get("asset", "")[:_LONGEST],
            offered=_offered(current),
            measures=list(Measure),
            directions=list(Direction),
            time=partial(datetime.fromtimestamp, tz=UTC),
        )
        answer.headers["cache-control"] = "private, no-store"
        return answer

    async def add(request: Request) -> Response:
        mine, fields = await person(request), await request.form_fields()
        threshold = _threshold(fields.get("threshold", ""))
        asset, measure, direction = (fields.get(name, "").strip() for name in ("asset", "measure", "direction"))
        site, language = sessions.known_site(request.exchange), fields.get("language", "en")
        await alerts.add(mine, asset, measure, direction, threshold, language, site)
        return pages.redirect(request, PATH)

    async def remove(request: Request) -> Response:
        mine, fields = await person(request), await request.form_fields()
        await alerts.remove(mine, fields.get("id", ""))
        return pages.redirect(request, PATH)

    return [
        PageRoute("GET", PATH, show, _PAGE),
        PageRoute("POST", PATH, add),
        PageRoute("POST", f"{PATH}/delete", remove),
    ]


def _offered(current: CurrentFigures) -> list[CoinLine]:
    """Return the largest assets, to choose from; none while there are no prices."""
    try:
        figures = current.get()
    except NoMarketData:
        return []
    return [figures.line(column) for column in figures.ranked[:OFFERED]]


def _threshold(text: str) -> float:
    """Read what a field of numbers sends; raises InvalidAlert."""
    try:
        return float(text)
    except ValueError:
        raise InvalidAlert(f"threshold must be a number, not {text[:40]!r}", field="threshold") from None
