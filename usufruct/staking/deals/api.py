"""Deals as JSON: what is sold and how it stands, what an account has in a deal, and what it signs or sends."""

from collections.abc import Sequence

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.accounts.passkeys import Wallet
from usufruct.chain import Call, TokenFacts
from usufruct.core import Address, Hash32, UsufructError, address, hash32
from usufruct.staking.deals.deal_calls import DealCalls
from usufruct.staking.deals.deals import DealTokens
from usufruct.staking.deals.errors import InvalidDealWish
from usufruct.staking.deals.model import DealPart, DealState, obstacle
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.deal_documents import (
    DealAccountFacts,
    DealFacts,
    DealLevelFacts,
    DealList,
    DealRequest,
    DealWish,
)
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.wire import Token

PATH = "/v1/deals"
_DEAL = f"{PATH}/{{deal}}"

_CHAIN = {503: "the chain's node does not answer"}
_UNKNOWN = {404: "there is no such deal, or it is not shown here"}
_LIST = Operation("List the deals that the installation shows, the newest first.", DealList, refuses=_CHAIN)
_SHOW = Operation("Show a deal and how it stands.", DealFacts, refuses=_UNKNOWN | _CHAIN)
_ACCOUNT = Operation(
    "Show what an account has in a deal, and what it may do there.", DealAccountFacts, refuses=_UNKNOWN | _CHAIN
)
_CALLS = Operation(
    "Return what an account signs or sends to pay into a deal, or to take a refund or tokens out.",
    DealRequest,
    DealWish,
    refuses=_UNKNOWN | _CHAIN | {409: "the deal cannot do it now, or not for this account; the code says why"},
)


def deal_routes(calls: DealCalls, sessions: Sessions, wallet: Wallet | None) -> list[Route]:
    """Return the routes under `/v1/deals`; `wallet` asks passkeys for operations, where there are any."""
    deals = calls.deals

    async def listed(request: Request) -> Response:
        found = [facts_of(each, await deals.tokens(each.deal)) for each in await deals.listed()]
        return document_response(DealList(deals.room.address, found))

    async def show(request: Request) -> Response:
        state = await _state(request)
        return document_response(facts_of(state, await deals.tokens(state.deal)))

    async def account(request: Request) -> Response:
        state = await _state(request)
        part = await deals.part(state, address(request.path_params["account"], "account"))
        return document_response(_part_facts(state, part))

    async def act(request: Request) -> Response:
        state, wish = await _state(request), await request.read(DealWish, _refusal)
        name, found = None, list[Call]()
        if wish.action == "subscribe":
            payment = await calls.subscribe(state, wish.account, _amount(wish), wish.paid)
            name, found = payment.name, list(payment.calls)
        else:
            verb = calls.refund if wish.action == "refund" else calls.claim
            found = [await verb(state, wish.account, wish.to or wish.account)]
        return await _answer(request, wish.account, found, name)

    async def _answer(request: Request, account: Address, found: Sequence[Call], name: Hash32 | None) -> Response:
        """Ask the passkey of the signed-in account for one operation; return transactions for other accounts."""
        session = await sessions.find(request.exchange)
        is_own = session is not None and session.address == account
        if wallet is None or not is_own or not await wallet.owns(account):
            sent = [
                ExchangeTransaction(deals.chain_id, each.to, f"0x{each.data.hex()}", 0, sent=False) for each in found
            ]
            return document_response(DealRequest(None, sent))
        asked = await (wallet.call_once(account, found, name) if name else wallet.call(account, found))
        return document_response(DealRequest(asked, []))

    async def _state(request: Request) -> DealState:
        return await deals.shown_state(hash32(request.path_params["deal"], "deal"))

    return [
        Route("GET", PATH, listed, _LIST),
        Route("GET", _DEAL, show, _SHOW),
        Route("GET", f"{_DEAL}/accounts/{{account}}", account, _ACCOUNT),
        PageRoute("POST", f"{_DEAL}/calls", act, _CALLS),
    ]


def facts_of(state: DealState, tokens: DealTokens) -> DealFacts:
    """Return a deal as it travels."""
    deal, terms = state.deal, state.deal.terms
    levels = enumerate(terms.levels)
    return DealFacts(
        deal.id,
        state.phase.value,
        deal.issuer,
        _token(tokens.sale),
        _token(tokens.payment),
        terms.policy if terms.has_policy else None,
        terms.for_sale,
        terms.hard_cap,
        terms.soft_cap,
        terms.opens_at,
        terms.closes_at,
        terms.cliff_days,
        terms.vesting_days,
        deal.fee_bps,
        state.paid,
        state.accepted,
        state.accounts,
        [DealLevelFacts(number, each.threshold, each.cap, each.opens_at) for number, each in levels],
    )


def _part_facts(state: DealState, part: DealPart) -> DealAccountFacts:
    terms = state.deal.terms
    level, found = terms.levels[part.level], obstacle(state, part)
    return DealAccountFacts(
        part.account,
        part.level,
        part.score,
        level.cap,
        level.opens_at,
        part.left(terms),
        found.value if found else "",
        part.paid,
        part.allocation,
        part.claimed,
        part.claimable,
        part.refundable,
    )


def _amount(wish: DealWish) -> int:
    if wish.amount is None:
        raise InvalidDealWish("`amount` is missing; subscribe needs it, in atomic units", field="amount")
    return wish.amount


def _refusal(message: str, field: str) -> UsufructError:
    return InvalidDealWish(message, field=field)


def _token(facts: TokenFacts) -> Token:
    return Token(facts.address, facts.name, facts.symbol, facts.decimals, facts.version or "")
