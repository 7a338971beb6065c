"""The page on which a shareholder proposes a change of a service, `/trusts/ASSET/new`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import RegistryClient, RevenueToken, read_card_change
from usufruct.core import Address, AssetId, Conflict, Invalid, UsufructError, format_asset
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.governance.draft_api import TOO_MANY
from usufruct.governance.errors import InvalidProposal
from usufruct.governance.parameters import decimal_text
from usufruct.governance.trusts.api import TRUSTS, asset_of
from usufruct.governance.trusts.changes import read_shown_text
from usufruct.governance.trusts.draft_api import draft_of
from usufruct.governance.trusts.drafts import TrustDrafts, TrustDraftView
from usufruct.governance.trusts.model import CONFIGURATION, ENDPOINT, text_of
from usufruct.governance.trusts.pages import PATH, TrustPages
from usufruct.web import Operation, Request, client_network, read_document
from usufruct.web.ui import PageRoute
from usufruct_client.trust_documents import TrustDraftWish

_PRICES = ("input", "output", "per_call", "cached_input")
_TEXTS = ("uri", "endpoint", "configuration_hash", "published_at")
_LONGEST_NUMBER = 16
_FIELDS = (*_PRICES, "unit", "context_window", *_TEXTS, "title", "description")

_PAGE = {"type": "string"}
_HTML = ("text/html",)
_REFUSES = {404: "the asset is not known", 409: "the asset's title is in no trust"}
_SHOW = Operation("Let a shareholder write a proposal about a service.", _PAGE, media_types=_HTML, refuses=_REFUSES)
_LOOK = Operation(
    "Show what a draft of a shareholder would change; the draft is in the form that is sent.",
    _PAGE,
    media_types=_HTML,
    refuses=_REFUSES | TOO_MANY,
)


@dataclass(frozen=True, slots=True)
class TrustForm:
    """What is in the fields; what is empty stays as it is."""

    fields: Mapping[str, str]

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> "TrustForm":
        """Return the form that a browser sent."""
        return cls({each: sent.get(each, "").replace("\r\n", "\n").strip() for each in _FIELDS})

    @property
    def description(self) -> str:
        """Title and text, as a proposal has them."""
        return f"{self.fields['title']}\n\n{self.fields['description']}".strip()

    def wish(self, token: RevenueToken) -> TrustDraftWish:
        """Return what is wished; raises `Invalid`, which names the field."""
        fields = self.fields
        if not fields["title"]:
            raise InvalidProposal("a proposal has no title; write in one line what it does", field="title")
        inputs, outputs, per_call, cached = (decimal_text(fields[each], each) for each in _PRICES)
        card = read_card_change(token.decimals, inputs, outputs, per_call, cached, context=self._window())
        numbers = {
            "inputPerMillion": _text(card.input_per_million),
            "outputPerMillion": _text(card.output_per_million),
            "perCall": _text(card.per_call),
            "cachedInputBps": card.cached_input_bps,
            "contextWindow": card.context_window,
        }
        texts = {
            "unit": fields["unit"] or None,
            "uri": fields["uri"],
            "endpoint": fields["endpoint"],
            "configurationHash": fields["configuration_hash"].removeprefix("sha256:").removeprefix("0x"),
            "publishedAt": fields["published_at"],
            "description": self.description,
        }
        return read_document(
            TrustDraftWish, numbers | texts, lambda message, field: InvalidProposal(message, field=field)
        )

    def _window(self) -> int | None:
        text = self.fields["context_window"]
        if text and not (text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER):
            raise InvalidProposal(
                f"context_window is {text[:40]!r}; write a whole number of units", field="context_window"
            )
        return int(text) if text else None


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """What holds of a service now; texts are empty where there are none."""

    card: PriceCard
    token: RevenueToken
    uri: str
    endpoint: str
    configuration: str

    @classmethod
    async def read(cls, registry: RegistryClient, asset: AssetId) -> "ServiceNow":
        """Read it from the chain."""
        known = await registry.asset(asset)
        return cls(
            await registry.price_card(asset),
            await registry.token(known.currency),
            await read_shown_text(registry.contract.token_uri(asset)) or "",
            text_of(await registry.contract.get_metadata(asset, ENDPOINT)),
            text_of(await registry.contract.get_metadata(asset, CONFIGURATION)),
        )


def trust_draft_pages(
    drafts: TrustDrafts, pages: TrustPages, registry: RegistryClient, sessions: Sessions
) -> list[PageRoute]:
    """Return the routes of the page."""

    async def answer(
        request: Request,
        form: TrustForm,
        payer: Address | None,
        now: ServiceNow,
        view: TrustDraftView | None = None,
        error: UsufructError | None = None,
    ) -> Response:
        asset = asset_of(request)
        facts = await drafts.trusts.show(asset)
        field = str(error.details.get("field", "")) if error else ""
        return await pages.answer(
            request,
            "trust_draft",
            asset,
            payer,
            fragment="draft",
            form=form,
            now=now,
            units=[(each.value, each.plural) for each in PriceUnit],
            view=view,
            threshold=facts.terms.threshold,
            votes=None if payer is None else await drafts.trusts.votes_now(asset, payer),
            call=_proposing(drafts, view, payer),
            id=view.draft.id(payer) if view and payer else "",
            wish=_written(form.wish(now.token)) if view else "",
            transactions=f"{TRUSTS}/{format_asset(asset)}/drafts/transactions",
            error=error,
            wrong_field=field if field in _FIELDS else "",
        )

    async def reader(request: Request) -> Address | None:
        session = await sessions.find(request.exchange)
        return session.address if session else None

    async def show(request: Request) -> Response:
        asset = asset_of(request)
        await drafts.trusts.of(asset)
        now = await ServiceNow.read(registry, asset)
        return await answer(request, TrustForm.of({}), await reader(request), now)

    async def look(request: Request) -> Response:
        sent, asset, payer = await request.form_fields(), asset_of(request), await reader(request)
        form = TrustForm.of(sent)
        await drafts.trusts.of(asset)
        now = await ServiceNow.read(registry, asset)
        if sent.get("do") != "look":
            return await answer(request, form, payer, now)
        try:
            draft = await draft_of(drafts, asset, form.wish(now.token))
            view = await drafts.view(draft, payer, client_network(request.exchange))
        except (Invalid, Conflict) as error:
            return await answer(request, form, payer, now, error=error)
        return await answer(request, form, payer, now, view)

    place = f"{PATH}/{{asset}}/new"
    return [PageRoute("GET", place, show, _SHOW), PageRoute("POST", place, look, _LOOK)]


def _proposing(drafts: TrustDrafts, view: TrustDraftView | None, payer: Address | None) -> Any:
    if view is None or payer is None:
        return None
    return drafts.trusts.proposing(view.trust, payer, view.draft.calls, view.draft.description)


def _written(wish: TrustDraftWish) -> str:
    return orjson.dumps(wish.as_json()).decode()
