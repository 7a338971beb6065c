"""Levels as JSON, as of the newest block: what each needs and brings, and which one an account has."""

from starlette.responses import Response

from usufruct.core import address
from usufruct.staking.levels import StakingLevels
from usufruct.staking.node_limit import NodeLimit
from usufruct.web import Operation, Request, Route, document_response
from usufruct_client.stake_documents import AccountLevelFacts, LevelFacts, LevelList

PATH = "/v1/staking/levels"

_CHAIN = {503: "the chain's node does not answer"}
_LIST = Operation("List the levels: the score that each needs, and what it brings.", LevelList, refuses=_CHAIN)
_ACCOUNT = Operation("Show an account's level, and what it brings.", AccountLevelFacts, refuses=_CHAIN)


def level_routes(levels: StakingLevels, node: NodeLimit) -> list[Route]:
    """Return the routes under `/v1/staking/levels`."""

    async def listed(request: Request) -> Response:
        async with node.limit():
            found = await levels.all()
        facts = [
            LevelFacts(number, each.threshold, each.discount_bps, each.quota_bps)
            for number, each in enumerate(found, 1)
        ]
        return document_response(LevelList(levels.address, facts))

    async def account(request: Request) -> Response:
        holder = address(request.path_params["account"], "account")
        async with node.limit():
            found = await levels.of(holder)
        return document_response(
            AccountLevelFacts(
                holder, found.level, found.score, found.discount_bps, found.quota_bps, found.next_threshold
            )
        )

    return [Route("GET", PATH, listed, _LIST), Route("GET", f"{PATH}/{{account}}", account, _ACCOUNT)]
