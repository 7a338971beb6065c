"""The pages of deals: `/deals`, and `/deals/{id}` with what the signed-in account may do there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.accounts.passkeys import Wallet
from usufruct.core import Address, Invalid, Unavailable, hash32, parse_units
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS
from usufruct.staking.deals.deals import Deals
from usufruct.staking.deals.model import TOP_LEVEL, DealLevel, DealPart, DealState, DealTerms, Phase, obstacle
from usufruct.staking.deals.refusals import REFUSALS
from usufruct.web import Operation, Request
from usufruct.web.ui import ECONOMY, NavigationLink, PageRoute, Pages

PATH = "/deals"

_LIST = Operation("Show people the deals of this site.", {"type": "string"}, media_types=("text/html",))
_SHOW = Operation(
    "Show people a deal, and what they have in it.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "there is no such deal, or it is not shown here"},
)


@dataclass(frozen=True, slots=True)
class LevelGroup:
    """Levels next to each other that come at the same time with the same cap; `level` is the lowest of them."""

    first: int
    last: int
    level: DealLevel


@dataclass(frozen=True, slots=True)
class Preview:
    """What all that an account paid brings, with one more payment; `is_under`: the soft cap is not reached by it."""

    tokens: int
    refund: int
    is_under: bool


def deal_pages(deals: Deals, sessions: Sessions, pages: Pages, wallet: Wallet | None, symbol: str) -> list[PageRoute]:
    """Return the routes of the pages; `symbol` is the platform token's, in which scores are counted."""
    navigation = [NavigationLink(PATH, "Deals", ECONOMY, 30)] if deals.shown.names else []
    pages.add_package("usufruct.staking.deals", navigation, REFUSALS)

    async def listed(request: Request) -> Response:
        try:
            found = [(each, await deals.tokens(each.deal)) for each in await deals.listed()]
        except Unavailable:  # the page says so
            found = None
        return pages.answer(request, "deals/deals.html", deals=found, moment=_moment)

    async def show(request: Request) -> Response:
        state = await deals.shown_state(hash32(request.path_params["deal"], "deal"))
        session, terms = await sessions.find(request.exchange), state.deal.terms
        payer = session.address if session else None
        part, tokens = await _part(state, payer), await deals.tokens(state.deal)
        answer = pages.answer(
            request,
            "deals/deal.html",
            fragment="preview",
            state=state,
            tokens=tokens,
            room=deals.room.address,
            payer=payer,
            by_passkey=payer is not None and wallet is not None and await wallet.owns(payer),
            part=part,
            obstacle=obstacle(state, part) if part else None,
            preview=_preview(state, part, request.query_params.get("amount", ""), tokens.payment.decimals),
            groups=list(level_groups(terms)),
            least=next(number for number, each in enumerate(terms.levels) if each.cap),
            symbol=symbol,
            score_decimals=TOKEN_DECIMALS,
            moment=_moment,
        )
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows what was before a payment
        return answer

    async def _part(state: DealState, payer: Address | None) -> DealPart | None:
        try:
            return await deals.part(state, payer) if payer else None
        except Unavailable:  # the page says so
            return None

    return [PageRoute("GET", PATH, listed, _LIST), PageRoute("GET", f"{PATH}/{{deal}}", show, _SHOW)]


def level_groups(terms: DealTerms) -> Iterator[LevelGroup]:
    """Yield the admitted levels in groups of the same terms, the highest first."""
    last = TOP_LEVEL
    for number in range(TOP_LEVEL, -1, -1):
        level, below = terms.levels[number], terms.levels[number - 1] if number else None
        if below and (below.cap, below.opens_at) == (level.cap, level.opens_at):
            continue
        if level.cap:
            yield LevelGroup(number, last, level)
        last = number - 1


def _preview(state: DealState, part: DealPart | None, text: str, decimals: int) -> Preview | None:
    """Return what a payment that is being typed would bring; None while it is no amount that can be paid."""
    running = state.deal.terms.window_at(state.now)
    if part is None or running is None or state.phase is not Phase.SELLING:
        return None
    try:
        amount = parse_units(text.strip().replace(",", "."), decimals)
    except Invalid:
        return None
    if not 0 < amount <= part.left(state.deal.terms):
        return None
    after, paid = state.after_payment(running, amount), part.paid + amount
    result = after.result_if_taking_place(paid, running)
    return Preview(result.allocation, result.refund, after.paid < state.deal.terms.soft_cap)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
