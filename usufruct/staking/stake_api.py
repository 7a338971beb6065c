"""Locks as JSON: the escrow, an account's lock, and the transactions that change it; none is sent here."""

from starlette.responses import Response

from usufruct.chain import Call, TokenFacts
from usufruct.core import Address, address
from usufruct.staking.errors import InvalidStake
from usufruct.staking.lock_model import score_down
from usufruct.staking.stakes import Stakes
from usufruct.web import Operation, Request, Route, document_response
from usufruct_client.stake_documents import EscrowFacts, StakeCalls, StakeFacts, StakeWish
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.wire import Token

PATH = "/v1/staking"

_CHAIN = {503: "the chain's node does not answer"}
_ESCROW = Operation("Show the contract that locks tokens, its week and its settings.", EscrowFacts, refuses=_CHAIN)
_ACCOUNT = Operation("Show an account's lock, votes, and what it can claim.", StakeFacts, refuses=_CHAIN)
_CALLS = Operation(
    "Return the transactions by which an account changes its lock; its wallet sends them.",
    StakeCalls,
    StakeWish,
    refuses=_CHAIN,
)


def stake_routes(stakes: Stakes) -> list[Route]:
    """Return the routes under `/v1/staking`."""

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

    async def calls(request: Request) -> Response:
        wish = await request.read(StakeWish, lambda message, field: InvalidStake(message, field=field))
        return document_response(StakeCalls([_transaction(stakes, call) for call in await stake_calls(stakes, wish)]))

    return [
        Route("GET", PATH, escrow, _ESCROW),
        Route("GET", f"{PATH}/accounts/{{account}}", account, _ACCOUNT),
        Route("POST", f"{PATH}/calls", calls, _CALLS),
    ]


async def stake_calls(stakes: Stakes, wish: StakeWish) -> list[Call]:
    """Return the calls of a wish.

    Raises:
        InvalidStake: when it lacks what its action needs.
    """
    holder, to = wish.account, wish.to or wish.account
    match wish.action:
        case "lock":
            return await stakes.lock(holder, _amount(wish), _weeks(wish))
        case "increase":
            return await stakes.increase(holder, _amount(wish))
        case "extend":
            return [stakes.extend(_weeks(wish))]
        case "renew" | "stopRenewal":
            return [stakes.renew(on=wish.action == "renew")]
        case "withdraw":
            return [stakes.withdraw(to)]
        case "exit":
            return [stakes.exit(_amount(wish), to)]
        case "claim":
            return stakes.claim(await stakes.of(holder), to)
        case "delegate":
            return [stakes.delegate(_delegate(wish))]


def _amount(wish: StakeWish) -> int:
    if wish.amount is None:
        raise InvalidStake(f"`amount` is missing; {wish.action} needs it, in atomic units", field="amount")
    return wish.amount


def _weeks(wish: StakeWish) -> int:
    if wish.weeks is None:
        raise InvalidStake(f"`weeks` is missing; {wish.action} needs 1 to 52", field="weeks")
    return wish.weeks


def _delegate(wish: StakeWish) -> Address:
    if wish.to is None:
        raise InvalidStake("`to` is missing; delegate needs the account that is to vote", field="to")
    return wish.to


def _transaction(stakes: Stakes, call: Call) -> ExchangeTransaction:
    return ExchangeTransaction(stakes.chain_id, call.to, f"0x{call.data.hex()}", call.value, sent=False)


def _token(facts: TokenFacts) -> Token:
    return Token(facts.address, facts.name, facts.symbol, facts.decimals, facts.version or "")
