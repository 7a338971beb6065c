"""The pages of receipts: a call's (`/r/CALL`), and one that the reader has (`/r`). The browser checks both."""

from datetime import UTC, datetime

import orjson
from starlette.responses import Response

from usufruct.gateway.descriptions import GIVEN_RECEIPT, RECEIPT_PAGE, RECEIPTS_PAGE
from usufruct.gateway.service import Gateway
from usufruct.web import Request
from usufruct.web.ui import PageRoute, Pages
from usufruct_client import BadAnswer, Receipt, read_receipt
from usufruct_client.bill_lines import PRECISION, Line

_TEMPLATE = "gateway/receipt.html"
_LAST_SECOND = 253_402_300_799
"""Of the last year that a date can have."""


def receipt_pages(gateway: Gateway, pages: Pages) -> list[PageRoute]:
    """Return the routes of the pages of receipts."""
    operator = gateway.pipeline.operator

    async def form(request: Request) -> Response:
        return pages.answer(request, _TEMPLATE, receipt=None, text="", error="")

    async def of_call(request: Request) -> Response:
        found = await gateway.receipt_of(request.path_params["call"])
        return await _shown(request, read_receipt(found.document.as_json()))

    async def given(request: Request) -> Response:
        text = (await request.form_fields()).get("receipt", "")
        try:
            receipt = _read(text)
        except (BadAnswer, ValueError) as error:
            return pages.answer(request, _TEMPLATE, status=422, receipt=None, text=text, error=str(error))
        return await _shown(request, receipt, text)

    async def _shown(request: Request, receipt: Receipt, text: str = "") -> Response:
        document = receipt.as_json()
        names = {card.asset: card.id for card in await gateway.models()}
        return pages.answer(
            request,
            _TEMPLATE,
            fragment="receipt",
            receipt=receipt,
            document=orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(),
            service=names.get(document["asset"], document["asset"]),
            ours=receipt.token == operator.token,
            operator=operator,
            per_million=per_million,
            time=datetime.fromtimestamp(min(receipt.time, _LAST_SECOND), UTC),
            text=text,
            error="",
        )

    return [
        PageRoute("GET", "/r", form, RECEIPTS_PAGE),
        PageRoute("POST", "/r", given, GIVEN_RECEIPT),
        PageRoute("GET", "/r/{call}", of_call, RECEIPT_PAGE),
    ]


def per_million(line: Line) -> int:
    """Return a line's price for a million units, exactly, in ten-thousandths of an atomic unit."""
    return line.price * PRECISION // (line.per or 1)  # a reader may bring anything


def _read(text: str) -> Receipt:
    content = orjson.loads(text)
    return read_receipt(content.get("receipt", content) if isinstance(content, dict) else content)
