"""The page on which a proposal is written, `/proposals/new`: its calls, what they would do, and the votes it needs."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Address, Conflict, Invalid, NotFound
from usufruct.governance.draft_api import TOO_MANY, TRANSACTIONS
from usufruct.governance.draft_forms import PLAIN, DraftForm, field_of
from usufruct.governance.drafts import Draft, Drafts, DraftView
from usufruct.governance.pages import DRAWN, PROPOSALS
from usufruct.governance.parameters import Parameter
from usufruct.governance.voters import Voters
from usufruct.web import Operation, Request, client_network
from usufruct.web.ui import PageRoute, Pages

PATH = f"{PROPOSALS}/new"

_PAGE = {"type": "string"}
_HTML = ("text/html",)
_SHOW = Operation(
    "Let people write a proposal; `parameter` is the id of the one that is chosen.", _PAGE, media_types=_HTML
)
_CHANGE = Operation(
    "Add a call to a draft, remove one, or show what it would do; the draft is in the form that is sent.",
    _PAGE,
    media_types=_HTML,
    refuses=TOO_MANY,
)


def draft_pages(drafts: Drafts, voters: Voters, sessions: Sessions, pages: Pages) -> list[PageRoute]:
    """Return the routes of the page."""

    async def answer(
        request: Request, form: DraftForm, payer: Address | None, view: DraftView | None = None, **more: Any
    ) -> Response:
        parameters = await drafts.parameters()
        chosen = [each for each in parameters if each.id == form.fields["parameter"]] or list(parameters[:1])
        answer = pages.answer(
            request,
            "governance/draft.html",
            fragment="draft",
            **DRAWN,
            payer=payer,
            by_passkey=payer is not None and await voters.holds_passkey(payer),
            form=form,
            view=view,
            wish=_wish(view.draft) if view else "",
            call=drafts.call(view.draft, payer) if view and payer else None,
            parameters=parameters,
            contracts=_by_contract(parameters),
            chosen=chosen[0] if chosen else None,
            transactions=TRANSACTIONS,
            plain=PLAIN,
            **({} if view else await written(form, payer)),
            **{"error": None, "wrong_field": "", **more},
        )
        answer.headers["cache-control"] = "private, no-store"
        return answer

    async def written(form: DraftForm, payer: Address | None) -> dict[str, Any]:
        """Return what is shown beside the fields of a form."""
        words, terms = await drafts.proposals.explain(form.calls), await drafts.proposals.terms()
        votes = None if payer is None else await drafts.proposals.votes_now(payer)
        return {"words": words, "terms": terms, "votes": votes}

    async def reader(request: Request) -> Address | None:
        session = await sessions.find(request.exchange)
        return session.address if session else None

    async def show(request: Request) -> Response:
        payer = await reader(request)
        return await answer(request, DraftForm.of(dict(request.query_params)), payer)

    async def change(request: Request) -> Response:
        sent, payer = await request.form_fields(), await reader(request)
        form, view = DraftForm.of(sent), None
        verb, _, place = sent.get("do", "").partition(" ")
        try:
            if verb == "add" or (verb == "look" and form.has_new_call):
                form = await form.added(await drafts.parameters(), await drafts.proposals.known())
            if verb == "remove":
                form = form.without(place)
            if verb == "look":
                view = await drafts.view(form.draft(), payer, client_network(request.exchange))
        except (Invalid, Conflict, NotFound) as error:
            return await answer(request, form, payer, error=error, wrong_field=field_of(error))
        return await answer(request, form, payer, view)

    return [PageRoute("GET", PATH, show, _SHOW), PageRoute("POST", PATH, change, _CHANGE)]


def _by_contract(parameters: Sequence[Parameter]) -> dict[str, list[Parameter]]:
    found: dict[str, list[Parameter]] = {}
    for each in parameters:
        found.setdefault(each.contract.name, []).append(each)
    return found


def _wish(draft: Draft) -> str:
    """Return the document by which the script asks for the transaction."""
    calls = [{"target": each.to, "data": f"0x{each.data.hex()}", "value": str(each.value)} for each in draft.calls]
    return orjson.dumps({"calls": calls, "description": draft.description}).decode()
