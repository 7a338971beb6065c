"""Locks as JSON: the escrow, an account's lock, and what changes it: transactions, permits, a passkey's operations."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.chain import Call, TokenFacts
from usufruct.core import address
from usufruct.staking.errors import InvalidStake
from usufruct.staking.lock_model import score_down
from usufruct.staking.node_limit import NodeLimit
from usufruct.staking.stake_changes import StakeChanges, amount_of, delegate_of, weeks_of
from usufruct.staking.stake_requests import PERMITS, StakeRequests, stake_transaction
from usufruct.staking.stakes import Stakes
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.stake_documents import (
    EscrowFacts,
    PermittedStake,
    ReinvestmentFacts,
    StakeCalls,
    StakeFacts,
    StakeRequest,
    StakeRequestWish,
    StakeWish,
)
from usufruct_client.wire import Token

PATH = "/v1/staking"

_CHAIN = {503: "the chain's node does not answer"}
_ESCROW = Operation("Show the contract that locks tokens, its week and its settings.", EscrowFacts, refuses=_CHAIN)
_ACCOUNT = Operation("Show an account's lock, votes, and what it can claim.", StakeFacts, refuses=_CHAIN)
_REINVESTMENT = Operation(
    "Show what an account's revenue would buy for its lock now, by the market and by the price feed.",
    ReinvestmentFacts,
    refuses=_CHAIN | {409: "revenue cannot be reinvested now; `reason` says why"},
)
_CALLS = Operation(
    "Return the transactions by which an account changes its lock; its wallet sends them.",
    StakeCalls,
    StakeWish,
    refuses=_CHAIN,
)
_REQUEST = Operation(
    "Return what the signed-in account signs or sends to change its lock.",
    StakeRequest,
    StakeRequestWish,
    takes={"cookie": "the session's"},
    refuses=_CHAIN | {401: "no one is signed in", 409: "it cannot be done now; the code says why"},
)
_PERMITTED = Operation(
    "Return the one transaction that locks tokens by a permit that their owner signed.", StakeCalls, PermittedStake
)


def stake_routes(stakes: Stakes) -> list[Route]:
    """Return the routes under `/v1/staking` that need no session."""

    async def escrow(request: Request) -> Response:
        terms = await stakes.terms()
        return document_response(
            EscrowFacts(
                stakes.escrow.address,
                _token(terms.token),
                _token(terms.revenue_token),
                terms.week,
                terms.week_ends,
                score_down(terms.total_weight),
                score_down(terms.next_weight),
                terms.waiting,
                terms.score_floor,
                terms.exit_penalty_bps,
            )
        )

    async def account(request: Request) -> Response:
        stake = await stakes.of(address(request.path_params["account"], "account"))
        return document_response(
            StakeFacts(
                stake.holder,
                stake.lock.amount,
                stake.ends_at,
                stake.lock.renewal,
                stake.ended,
                stake.score,
                score_down(stake.next_weight),
                stake.votes,
                stake.delegate,
                stake.revenue,
                stake.penalties,
                stake.exit_penalty,
                stake.held,
            )
        )

    async def reinvestment(request: Request) -> Response:
        holder = address(request.path_params["account"], "account")
        change = await StakeChanges(stakes).read(StakeWish(holder, "reinvest"))
        quote = change.quote
        assert quote is not None
        return document_response(
            ReinvestmentFacts(
                holder,
                quote.amount,
                quote.expected,
                quote.least,
                quote.min_out(),
                f"{quote.feed.price:f}",
                quote.feed.updated_at,
                quote.feed.max_age,
                quote.slippage_bps,
            )
        )

    async def calls(request: Request) -> Response:
        wish = await request.read(StakeWish, _invalid)
        found = await stake_calls(stakes, wish)
        return document_response(StakeCalls([stake_transaction(stakes.chain_id, call) for call in found]))

    return [
        Route("GET", PATH, escrow, _ESCROW),
        Route("GET", f"{PATH}/accounts/{{account}}", account, _ACCOUNT),
        Route("GET", f"{PATH}/accounts/{{account}}/reinvestment", reinvestment, _REINVESTMENT),
        Route("POST", f"{PATH}/calls", calls, _CALLS),
    ]


def request_routes(requests: StakeRequests, sessions: Sessions, node: NodeLimit) -> list[Route]:
    """Return the routes under `/v1/staking` by which the signed-in account changes its lock."""

    async def asked(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        wish = await request.read(StakeRequestWish, _invalid)
        changed = StakeWish(account, wish.action, wish.amount, wish.weeks, wish.to)
        async with node.limit():
            steps = await requests.steps(changed, wish.seen)
        return document_response(steps.document(requests.stakes.chain_id))

    async def permitted(request: Request) -> Response:
        call = requests.permitted_call(await request.read(PermittedStake, _invalid))
        return document_response(StakeCalls([stake_transaction(requests.stakes.chain_id, call)]))

    return [PageRoute("POST", f"{PATH}/requests", asked, _REQUEST), Route("POST", PERMITS, permitted, _PERMITTED)]


async def stake_calls(stakes: Stakes, wish: StakeWish) -> list[Call]:
    """Return the calls of a wish; whether the contract would make them is checked of `reinvest` alone.

    Raises:
        InvalidStake: when it lacks what its action needs.
        StakeRefused: when revenue cannot be reinvested now.
    """
    holder, to = wish.account, wish.to or wish.account
    match wish.action:
        case "lock":
            return await stakes.lock(holder, amount_of(wish), weeks_of(wish))
        case "increase":
            return await stakes.increase(holder, amount_of(wish))
        case "extend":
            return [stakes.extend(weeks_of(wish))]
        case "renew" | "stopRenewal":
            return [stakes.renew(on=wish.action == "renew")]
        case "withdraw":
            return [stakes.withdraw(to)]
        case "exit":
            return [stakes.exit(amount_of(wish), to)]
        case "claim":
            return stakes.claim(await stakes.of(holder), to)
        case "delegate":
            return [stakes.delegate(delegate_of(wish))]
        case "reinvest":
            return (await StakeChanges(stakes).read(wish)).calls


def _invalid(message: str, field: str) -> InvalidStake:
    return InvalidStake(message, field=field)


def _token(facts: TokenFacts) -> Token:
    return Token(facts.address, facts.name, facts.symbol, facts.decimals, facts.version or "")
