"""Passes as JSON: a service's plans, an account's credits, offers and trades of credits."""

from starlette.responses import Response

from usufruct.core import address
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offer_documents import asset_of
from usufruct.market.trade.offer_lists import list_routes
from usufruct.market.trade.pass_plans import HeldCredits, PassPlans, PlanState
from usufruct.web import Operation, Request, Route, document_response
from usufruct_client.trade import GoodsKind
from usufruct_client.trade_documents import CreditsFacts, PassesFacts, PassHolding, PassPlanFacts

PASSES = "/v1/passes"

_NONE = {404: "the service is unknown, or not registered"}
_CHAIN = {503: "the chain's node does not answer"}
_FACTS = Operation("List a service's plans of prepaid credits.", PassesFacts, refuses=_NONE | _CHAIN)
_HOLDING = Operation("Show an account's credits of a service.", PassHolding, refuses=_NONE | _CHAIN)


def pass_routes(book: OfferBook, plans: PassPlans) -> list[Route]:
    """Return the routes that show plans, credits, offers and trades."""

    async def passes(request: Request) -> Response:
        listing = await book.by_id(asset_of(request))
        state, terms = await plans.state(listing), book.terms
        facts = PassesFacts(
            listing.id,
            listing.name,
            book.goods.passes,
            book.exchange.address,
            state.currency.symbol,
            state.currency.decimals,
            terms.token.address,
            terms.token.symbol,
            terms.token.decimals,
            state.deductions.fee_bps,
            state.deductions.royalty_bps,
            await book.count_trades(GoodsGroup(listing.id, GoodsKind.CREDITS)),
            [_plan_facts(each) for each in state.plans],
        )
        return document_response(facts)

    async def holding(request: Request) -> Response:
        listing = await book.by_id(asset_of(request))
        holder = address(request.path_params["holder"], "holder")
        node = book.node()
        held = await plans.credits(await plans.state(listing, node), holder, node)
        return document_response(PassHolding(holder, [_credits(each) for each in held]))

    return [
        Route("GET", f"{PASSES}/{{asset}}", passes, _FACTS),
        Route("GET", f"{PASSES}/{{asset}}/holders/{{holder}}", holding, _HOLDING),
        *list_routes(book, f"{PASSES}/{{asset}}", GoodsKind.CREDITS),
    ]


def _plan_facts(state: PlanState) -> PassPlanFacts:
    plan = state.plan
    call_price, usual = state.call_prices or (None, None)
    return PassPlanFacts(
        plan.id,
        plan.token.address,
        plan.token.symbol,
        plan.token.decimals,
        plan.price,
        plan.credits,
        plan.expiry,
        plan.open,
        state.refundable_at,
        state.calls,
        call_price,
        usual,
    )


def _credits(held: HeldCredits) -> CreditsFacts:
    found = held.credits
    return CreditsFacts(found.plan.id, found.meter, found.circulating, found.activated, held.left)
