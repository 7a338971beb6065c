"""Weeks of revenue as JSON."""

from contextlib import suppress

from starlette.responses import Response

from usufruct.core import Unavailable
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS
from usufruct.staking.node_limit import NodeLimit
from usufruct.staking.revenue_weeks import RevenueWeek, RevenueWeeks
from usufruct.web import Operation, Request, Route, document_response
from usufruct_client.stake_documents import RevenueWeekFacts, RevenueWeekList

THOUSAND = 1_000 * 10**TOKEN_DECIMALS
"""A score of 1,000 tokens, in atomic units."""

_LIST = Operation(
    "List weeks that brought the stakers revenue, as far as the chain was read; the newest first. `after`: where to "
    "go on.",
    RevenueWeekList,
)


def week_routes(weeks: RevenueWeeks, node: NodeLimit) -> list[Route]:
    """Return the route of the list."""

    async def listed(request: Request) -> Response:
        with suppress(Unavailable):
            async with node.limit():
                await weeks.poll()
        found, after = await weeks.page(request.query_params.get("after", ""))
        return document_response(RevenueWeekList([_facts(each) for each in found], after))

    return [Route("GET", "/v1/staking/weeks", listed, _LIST)]


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
