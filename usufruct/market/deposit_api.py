"""A buyer's deposits as JSON, for the signed-in account."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Invalid, UsufructError
from usufruct.market.deposits import BuyerDeposits
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.deposit_wire import ChannelWish, DepositFacts, DepositList, WithdrawalStep

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in"}
_LIST = Operation("List the account's deposits.", DepositList, takes=_COOKIE, refuses=_REFUSES)
_REFUND = Operation(
    "Ask the operator for all that is left of a deposit; asking again while it is on its way changes nothing.",
    DepositFacts,
    ChannelWish,
    takes=_COOKIE,
    refuses=_REFUSES | {402: "nothing is left, or the last deposit or refund is too fresh"},
)
_STEP = Operation(
    "Return the next step of a withdrawal without the operator, for the account's wallet or passkey.",
    WithdrawalStep,
    ChannelWish,
    takes=_COOKIE,
    refuses=_REFUSES | {409: "nothing can be announced or finished now"},
)


def deposit_routes(deposits: BuyerDeposits, sessions: Sessions) -> list[PageRoute]:
    """Return the routes of deposits under `/v1/account`."""

    async def listing(request: Request) -> Response:
        return document_response(await deposits.list((await sessions.require(request.exchange)).address))

    async def refund(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        wish = await request.read(ChannelWish, _refusal)
        return document_response(await deposits.refund(payer, wish.channel))

    async def step(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        wish = await request.read(ChannelWish, _refusal)
        return document_response(await deposits.withdrawal_step(payer, wish.channel))

    return [
        PageRoute("GET", "/v1/account/deposits", listing, _LIST),
        PageRoute("POST", "/v1/account/refunds", refund, _REFUND),
        PageRoute("POST", "/v1/account/withdrawals", step, _STEP),
    ]


def _refusal(message: str, field: str) -> UsufructError:
    return Invalid(message, code="invalid_account_request", field=field)
