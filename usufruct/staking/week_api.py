"""Weeks of revenue as JSON, and what a lock made now would get of such weeks."""

from contextlib import suppress

from starlette.responses import Response

from usufruct.core import Unavailable
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS
from usufruct.staking.errors import InvalidStake
from usufruct.staking.lock_model import MOST_WEEKS
from usufruct.staking.node_limit import NodeLimit
from usufruct.staking.projection import project
from usufruct.staking.revenue_weeks import RevenueWeek, RevenueWeeks
from usufruct.staking.stakes import Stakes
from usufruct.web import Operation, Parameter, Request, Route, document_response
from usufruct_client.stake_documents import RevenueWeekFacts, RevenueWeekList, StakeProjection

THOUSAND = 1_000 * 10**TOKEN_DECIMALS
"""A score of 1,000 tokens, in atomic units."""

_MOST_DIGITS = 30
_DIGITS = {"type": "string", "pattern": f"^[0-9]{{1,{_MOST_DIGITS}}}$"}
_LIST = Operation(
    "List weeks that brought the stakers revenue, as far as the chain was read; the newest first.",
    RevenueWeekList,
    asks={"after": "`next` of the page before"},
)
_PROJECTION = Operation(
    "Return what a lock made now would be, and get in its first week.",
    StakeProjection,
    asks={
        "amount": Parameter("atomic units", _DIGITS, required=True),
        "weeks": Parameter("of the lock", {"type": "integer", "minimum": 1, "maximum": MOST_WEEKS}, required=True),
    },
    refuses={503: "the chain's node does not answer"},
)


def week_routes(stakes: Stakes, weeks: RevenueWeeks, node: NodeLimit) -> list[Route]:
    """Return the routes of weeks and projections."""

    async def listed(request: Request) -> Response:
        with suppress(Unavailable):
            async with node.limit():
                await weeks.poll()
        found, after = await weeks.page(request.query_params.get("after", ""))
        return document_response(RevenueWeekList([_facts(each) for each in found], after))

    async def projected(request: Request) -> Response:
        amount, length = (_number(request, name) for name in ("amount", "weeks"))
        async with node.limit():
            found = await project(stakes, weeks, amount, length)
        mean = found.mean
        if mean is None:
            return document_response(StakeProjection(found.ends_at, found.score, None, None, 0, None))
        of_weeks = mean.amount, mean.weeks, mean.until
        return document_response(StakeProjection(found.ends_at, found.score, found.income, *of_weeks))

    return [
        Route("GET", "/v1/staking/weeks", listed, _LIST),
        Route("GET", "/v1/staking/projection", projected, _PROJECTION),
    ]


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise InvalidStake(f"`{name}` must be a whole number, not {text[:60]!r}", field=name)
    return int(text)


def _facts(week: RevenueWeek) -> RevenueWeekFacts:
    return RevenueWeekFacts(
        week.week,
        week.starts_at,
        week.booked,
        week.paid,
        week.penalties,
        week.carried,
        week.total_score,
        week.paid_down(THOUSAND),
    )
