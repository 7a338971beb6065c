"""The pages of bulletins, the JSON that each is drawn from, and the feed of briefings."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from usufruct.analytics import PageQuery, utc_moment
from usufruct.indices.bulletins.feed import atom_feed
from usufruct.indices.bulletins.job import BRIEFINGS_PATH
from usufruct.indices.bulletins.kept import KeptBulletins
from usufruct.indices.bulletins.model import BulletinKind, UnknownGuide
from usufruct.indices.bulletins.text import PACKAGE, briefing_sentences
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import ECONOMY, NavigationLink, PageRoute, Pages, RefusalText
from usufruct_client.bulletin_documents import BriefingList, KeptBriefing, KeptGuide

GUIDE_PATH: Final = "/guides/top-10"
FEED_PATH: Final = f"{BRIEFINGS_PATH}.atom"
_LINKS: Final = [NavigationLink(BRIEFINGS_PATH, "Briefings", ECONOMY, 6)]
_REFUSALS: Final[Sequence[RefusalText]] = (
    RefusalText("unknown_briefing", "There is no briefing of this day. The page of briefings lists all."),
    RefusalText("unknown_guide", "There is no guide of this month. The newest guide lists all months."),
)
_FEED_ENTRIES: Final = 30
_HTML: Final[Mapping[str, Any]] = {"type": "string"}
_LIST_PAGE = Operation("Show people the briefings.", _HTML, asks={"page": PageQuery.PAGE}, media_types=("text/html",))
_BRIEFING_PAGE = Operation("Show people the briefing of a day.", _HTML, media_types=("text/html",))
_GUIDE_PAGE = Operation("Show people the guide to the ten largest assets.", _HTML, media_types=("text/html",))
_FEED = Operation("Return the newest briefings as an Atom feed.", _HTML, media_types=("application/atom+xml",))
_NO_DAY: Final = {404: "no briefing of this day is kept"}
_NO_GUIDE: Final = {404: "no guide is kept, or none of this month"}
_LIST = Operation("Return a page of the briefings, the newest first.", BriefingList, asks={"page": PageQuery.PAGE})
_BRIEFING = Operation("Return the briefing of a day.", KeptBriefing, refuses=_NO_DAY)
_GUIDE = Operation("Return the newest guide to the ten largest assets.", KeptGuide, refuses=_NO_GUIDE)
_GUIDE_OF = Operation("Return the guide of a month, YYYY-MM.", KeptGuide, refuses=_NO_GUIDE)
_WORDS: Final[Mapping[str, Any]] = {"moment": utc_moment, "time": partial(datetime.fromtimestamp, tz=UTC)}
"""What templates write days with, and seconds."""


def bulletin_pages(kept: KeptBulletins, pages: Pages) -> list[Route]:
    """Return the routes of the pages, their JSON and the feed."""
    pages.add_package(PACKAGE, _LINKS, _REFUSALS)

    async def overview(request: Request) -> Response:
        page, state = PageQuery.page(request), await kept.state(BulletinKind.BRIEFING)
        language = pages.language_of(request)

        async def draw() -> Mapping[str, Any]:
            newest = await kept.newest_briefings(1)
            lead = briefing_sentences(newest[0].briefing, language) if newest else []
            return {
                "found": await kept.briefings(page),
                "newest": newest,
                "lead": lead,
                "path_of": _page_path,
                **_WORDS,
            }

        return await pages.kept(request, "bulletins/briefings.html", state, draw, of=page)

    async def briefing(request: Request) -> Response:
        found = await kept.briefing(request.path_params["day"])
        language = pages.language_of(request)

        async def draw() -> Mapping[str, Any]:
            return {"kept": found, "lead": briefing_sentences(found.briefing, language, warned=True), **_WORDS}

        return await pages.kept(request, "bulletins/briefing.html", (found.briefing.input_hash, found.written_at), draw)

    async def guide(request: Request) -> Response:
        try:
            found = await kept.guide(request.path_params.get("month", ""))
        except UnknownGuide:
            if "month" in request.path_params:
                raise
            return pages.answer(request, "bulletins/no_guide.html")

        async def draw() -> Mapping[str, Any]:
            return {"kept": found, "guide": found.guide, **_WORDS}

        return await pages.kept(request, "bulletins/guide.html", (found.guide.input_hash, *found.months), draw)

    async def feed(request: Request) -> Response:
        newest = await kept.newest_briefings(_FEED_ENTRIES)
        content = atom_feed(newest, request.exchange.root, BRIEFINGS_PATH, pages.site.name, pages.language_of(request))
        headers = {"cache-control": "max-age=300", "vary": "accept-language, cookie"}
        return Response(content, headers=headers, media_type="application/atom+xml")

    async def list_document(request: Request) -> Response:
        return document_response(await kept.briefings(PageQuery.page(request)))

    async def briefing_document(request: Request) -> Response:
        return document_response(await kept.briefing(request.path_params["day"]))

    async def guide_document(request: Request) -> Response:
        return document_response(await kept.guide(request.path_params.get("month", "")))

    documents = "/v1/markets"
    return [
        PageRoute("GET", BRIEFINGS_PATH, overview, _LIST_PAGE),
        PageRoute("GET", FEED_PATH, feed, _FEED),
        PageRoute("GET", f"{BRIEFINGS_PATH}/{{day}}", briefing, _BRIEFING_PAGE),
        PageRoute("GET", GUIDE_PATH, guide, _GUIDE_PAGE),
        PageRoute("GET", f"{GUIDE_PATH}/{{month}}", guide, _GUIDE_PAGE),
        Route("GET", f"{documents}{BRIEFINGS_PATH}", list_document, _LIST),
        Route("GET", f"{documents}{BRIEFINGS_PATH}/{{day}}", briefing_document, _BRIEFING),
        Route("GET", f"{documents}{GUIDE_PATH}", guide_document, _GUIDE),
        Route("GET", f"{documents}{GUIDE_PATH}/{{month}}", guide_document, _GUIDE_OF),
    ]


def _page_path(page: int) -> str:
    """Return the path of a page of the list."""
    return f"{BRIEFINGS_PATH}?page={page}"
