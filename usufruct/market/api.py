"""The buyer's actions as JSON, for the signed-in account: requests to sign, changes of keys, the spending log."""

import csv
import io
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from usufruct.accounts import Sessions
from usufruct.core import Invalid, UsufructError, format_units, moment
from usufruct.core.csv_cells import safe_cell
from usufruct.market.buyer import Buyer
from usufruct.web import Operation, Parameter, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.wire import DepositTermsWish, KeyNameWish, KeyTermsWish, SigningRequest, SpendingLog

PATH = "/v1/account"

_SEPARATORS = (",", ";")
_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in"}
_KEY = Operation("Return what a wallet signs for a key.", SigningRequest, KeyTermsWish, takes=_COOKIE, refuses=_REFUSES)
_DEPOSIT = Operation(
    "Return what a wallet signs for a deposit.", SigningRequest, DepositTermsWish, takes=_COOKIE, refuses=_REFUSES
)
_PLAY_MONEY = Operation(
    "Get test dollars into the wallet; local chains only.", status=204, takes=_COOKIE, refuses=_REFUSES
)
_RENAME = Operation("Rename a key.", status=204, takes=_COOKIE, refuses=_REFUSES, body=KeyNameWish)
_REVOKE = Operation("Revoke a key.", status=204, takes=_COOKIE, refuses=_REFUSES)
_SPENDING = Operation(
    "List the calls that were paid for, the newest first.",
    SpendingLog,
    takes=_COOKIE,
    asks={"after": "`next` of the page before"},
    refuses=_REFUSES | {400: "`after` is not `next` of a page"},
)
_SPENDING_CSV = Operation(
    "All calls that were paid for as a table, the newest first.",
    {"type": "string"},
    media_types=("text/csv",),
    takes=_COOKIE,
    asks={"separator": Parameter("of the columns", {"enum": list(_SEPARATORS)})},
    refuses=_REFUSES,
)


def account_routes(buyer: Buyer, sessions: Sessions) -> list[PageRoute]:
    """Return the routes under `/v1/account`."""

    async def key_request(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        return document_response(await buyer.request_key(payer, await request.read(KeyTermsWish, _refusal)))

    async def deposit_request(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        wish = await request.read(DepositTermsWish, _refusal)
        return document_response(await buyer.request_deposit(payer, wish))

    async def rename(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        wish = await request.read(KeyNameWish, _refusal)
        await buyer.rename(payer, request.path_params["key"], wish.label)
        return Response(status_code=204)

    async def revoke(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        await buyer.revoke(payer, request.path_params["key"])
        return Response(status_code=204)

    async def spending(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        return document_response(await buyer.spending(payer, request.query_params.get("after", "")))

    async def spending_csv(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        separator = request.query_params.get("separator", ",")
        if separator not in _SEPARATORS:
            message = f"separator must be one of {' '.join(_SEPARATORS)} (as %2C, %3B), not {separator[:20]!r}"
            raise Invalid(message, code="invalid_account_request", field="separator")
        headers = {"content-disposition": 'attachment; filename="spending.csv"'}
        pages = buyer.spending_pages(payer)
        first = await anext(pages)  # before the answer begins: what fails here is still answered as an error
        return StreamingResponse(_tables(first, pages, separator), 200, headers, "text/csv")

    async def play_money(request: Request) -> Response:
        await buyer.get_play_money((await sessions.require(request.exchange)).address)
        return Response(status_code=204)

    return [
        PageRoute("POST", f"{PATH}/play-money", play_money, _PLAY_MONEY),
        PageRoute("POST", f"{PATH}/key-requests", key_request, _KEY),
        PageRoute("POST", f"{PATH}/deposit-requests", deposit_request, _DEPOSIT),
        PageRoute("POST", f"{PATH}/keys/{{key}}/rename", rename, _RENAME),
        PageRoute("POST", f"{PATH}/keys/{{key}}/revoke", revoke, _REVOKE),
        PageRoute("GET", f"{PATH}/spending", spending, _SPENDING),
        PageRoute("GET", f"{PATH}/spending.csv", spending_csv, _SPENDING_CSV),
    ]


async def _tables(first: SpendingLog, others: AsyncIterator[SpendingLog], separator: str) -> AsyncIterator[str]:
    """Yield one table piece by piece: `first` with the names of the columns, then the rows of `others`."""
    yield spending_table(first, separator)
    async for page in others:
        yield spending_table(page, separator, names=False)


def spending_table(log: SpendingLog, separator: str = ",", *, names: bool = True) -> str:
    """Return a spending log as CSV: times in ISO 8601 (UTC), charges in whole coins; no cell is taken for a formula.

    `names`: the first row names the columns.

    With `;` it is what spreadsheets of languages with a decimal comma open: they split there and read "0,5".
    """
    out = io.StringIO()
    rows = csv.writer(out, delimiter=separator)
    if names:
        rows.writerow(["time", "service", "key", "input_tokens", "output_tokens", f"charge_{log.symbol}", "call"])
    for each in log.calls:
        charge = format_units(each.charge, log.decimals)
        charge = charge.replace(".", ",") if separator == ";" else charge
        texts = [safe_cell(each.service), safe_cell(each.key)]
        rows.writerow([moment(each.time), *texts, each.input_tokens, each.output_tokens, charge, each.call])
    return out.getvalue()


def _refusal(message: str, field: str) -> UsufructError:
    return Invalid(message, code="invalid_account_request", field=field)
