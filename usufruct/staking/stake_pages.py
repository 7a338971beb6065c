"""The page of locks, `/stake`: what staking brings, the own lock, and a sheet that shows each change in numbers."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Address, Unavailable, UsufructError, address, parse_units
from usufruct.staking.errors import InvalidStake
from usufruct.staking.lock_model import MOST_WEEKS, score_down
from usufruct.staking.projection import Projection, project
from usufruct.staking.revenue_weeks import weekly_revenue
from usufruct.staking.stake_changes import score_share
from usufruct.staking.stake_view import StakeViews
from usufruct.staking.week_api import THOUSAND
from usufruct.web import Operation, Parameter, Request, read_document
from usufruct.web.ui import PageRoute, Pages
from usufruct_client.stake_documents import StakeWish

PATH = "/stake"
WEEKS = f"{PATH}/weeks"

_PAGE = Operation(
    "Show people what staking brings, and their lock; for `amount` and `weeks` what a lock would get.",
    {"type": "string"},
    asks={"amount": Parameter("tokens, as 1.5"), "weeks": Parameter("of the lock")},
    media_types=("text/html",),
)
_WEEKS = Operation(
    "Show people every week that brought the stakers revenue, a year a page, the newest first.",
    {"type": "string"},
    asks={"after": "the last week of the page before, since the Unix epoch"},
    media_types=("text/html",),
)
_LISTED_WEEKS = 6
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
"""Thousands in one language, a fraction in another."""

_SCORE_STEP = Decimal("0.0001")


def stake_pages(views: StakeViews, sessions: Sessions, pages: Pages, *, airdrops: bool) -> list[PageRoute]:
    """Return the routes of the page; `airdrops`: whether there is a page of them."""
    requests = views.requests

    async def show(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        payer = session.address if session else None
        view = await views.read(payer)
        values = await _values(payer) | {"view": view, "airdrops": airdrops, "listed_weeks": _LISTED_WEEKS}
        values |= {"projection": None, "refusal": None, "asked": request.query_params}
        try:
            if view.chain and request.query_params.get("amount", "").strip():
                values["projection"] = await _projection(request)
        except UsufructError as error:
            values["refusal"] = error
        return _private(pages.answer(request, "staking/stake.html", payer=payer, **values))

    async def _projection(request: Request) -> Projection:
        token, _ = await requests.stakes.tokens()
        amount = _amount(request.query_params["amount"], token.decimals)
        async with views.node.limit():
            return await project(requests.stakes, views.weeks, amount, _weeks(request.query_params.get("weeks", "")))

    async def listed(request: Request) -> Response:
        with suppress(Unavailable):
            async with views.node.limit():
                await asyncio.gather(requests.stakes.tokens(), views.weeks.poll())
        found, after = await views.weeks.page(request.query_params.get("after", ""))
        values = await _values(None) | {"weeks": found, "after": after, "first": not request.query_params.get("after")}
        return pages.answer(request, "staking/stake_weeks.html", **values)

    async def preview(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        shown: dict[str, Any] = {"change": None, "refusal": None, "ends_at": 0}
        try:
            async with views.node.limit():
                if not request.query_params.get("amount", "-").strip():  # none is typed yet
                    weeks = _weeks(request.query_params.get("weeks", ""))
                    shown["ends_at"] = await requests.stakes.escrow.end_after(weeks)
                elif session:
                    shown["change"] = await requests.changes.read(await _wish(request, session.address))
        except UsufructError as error:
            shown["refusal"] = error
        return await _changed(request, "preview", session.address if session else None, **shown)

    async def confirm(request: Request) -> Response:
        if "hx-request" not in request.headers:
            return pages.redirect(request, PATH)
        account = (await sessions.require(request.exchange)).address
        async with views.node.limit():
            change = await requests.changes.read(await _wish(request, account))
            seen = await requests.seen(change.stake)
            by_contract = bool(await requests.stakes.client.code_at(account))
        shown = {"change": change, "seen": seen, "by_contract": by_contract}
        return await _changed(request, "confirm", account, **shown)

    async def _wish(request: Request, account: Address) -> StakeWish:
        asked = request.query_params
        token, _ = await requests.stakes.tokens()
        wish: dict[str, Any] = {"account": account, "action": asked.get("action", "")}
        if "amount" in asked:
            wish["amount"] = str(_amount(asked["amount"], token.decimals))
        if "weeks" in asked:
            wish["weeks"] = _weeks(asked["weeks"])
        if "to" in asked:
            wish["to"] = address(asked["to"].strip(), "to")
        found = read_document(StakeWish, wish, lambda message, field: InvalidStake(message, field=field))
        if found.action == "exit":  # at most what is shown
            return replace(found, amount=(await requests.stakes.of(account)).exit_penalty)
        return found

    async def _changed(request: Request, block: str, payer: Address | None, **shown: Any) -> Response:
        values = await _values(payer) | {"mean": weekly_revenue((await views.weeks.page())[0])}
        return _private(pages.answer(request, f"staking/stake_{block}.html", **shown, **values))

    async def _values(payer: Address | None) -> dict[str, Any]:
        return {
            "by_passkey": payer is not None and await requests.holds_passkey(payer),
            "tokens": requests.stakes.known_tokens,
            "escrow": requests.stakes.escrow.address,
            "token_address": requests.stakes.token.address,
            "reinvestor": requests.stakes.reinvestments.address,
            "moment": lambda seconds: datetime.fromtimestamp(seconds, UTC),
            "score_of": score_down,
            "share_of": score_share,
            "shown_score": _shown_score,
            "thousand": THOUSAND,
            "most_weeks": MOST_WEEKS,
        }

    return [
        PageRoute("GET", PATH, show, _PAGE),
        PageRoute("GET", WEEKS, listed, _WEEKS),
        PageRoute("GET", f"{PATH}/preview", preview),
        PageRoute("GET", f"{PATH}/confirm", confirm),
    ]


def _private(answer: Response) -> Response:
    answer.headers["cache-control"] = "private, no-store"  # else "back" shows a lock from before a change
    return answer


def _amount(text: str, decimals: int) -> int:
    """Read "1.5" or "1,5" tokens, as a person writes them.

    Raises:
        InvalidStake: when it could be two numbers, or is none.
    """
    typed = text.strip()
    if _AMBIGUOUS.fullmatch(typed):
        raise InvalidStake(f"`amount` is {typed!r}: thousands, or a fraction? Write 1500 or 1.50", field="amount")
    try:
        return parse_units(typed.replace(",", "."), decimals)
    except UsufructError as error:
        raise InvalidStake(error.message, field="amount") from error


def _weeks(text: str) -> int:
    typed = text.strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) < 3 and 1 <= int(typed) <= MOST_WEEKS):
        raise InvalidStake(f"`weeks` is {typed[:20]!r}; name 1 to {MOST_WEEKS}", field="weeks")
    return int(typed)


def _shown_score(score: int, decimals: int) -> Decimal:
    """Return a score in whole tokens with at most four digits after the point, rounded down."""
    return Decimal(score).scaleb(-decimals).quantize(_SCORE_STEP, ROUND_DOWN).normalize()
