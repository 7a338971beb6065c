"""The buyer's page, `/account`: sign in with a wallet, make keys, deposit, see what was spent."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.accounts.passkeys import PasskeySite
from usufruct.core import Address, Clock, Unavailable, hash32
from usufruct.core.networks import is_devnet, is_local, public_network
from usufruct.market.buyer import Buyer
from usufruct.market.deposits import BuyerDeposits, deposit_page
from usufruct.market.refusals import REFUSALS
from usufruct.market.trade import REFUSALS as SHARE_REFUSALS
from usufruct.market.trade import AccountCredits, PassPlans
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages

PATH = "/account"

_TEMPLATE = "market/account.html"
_MONEY = "market/account_money.html"
_OVER = "market/account_over.html"
_DIGITS = 40
_SHOWN_CALLS = 20
_SHOWN_DAYS = 14
_LAST_SECOND = 253_402_300_799
"""Of the last year that a date can have: a key may hold for longer."""

_PAGE = Operation("Show people their keys, money and spending.", {"type": "string"}, media_types=("text/html",))


@dataclass(frozen=True, slots=True)
class PasskeyOffer:
    """Whether browsers take passkeys at this address; if not, the address `there` of this machine where they do."""

    fits: bool
    there: str


def account_pages(
    buyer: Buyer, deposits: BuyerDeposits, plans: PassPlans | None, sessions: Sessions, pages: Pages, clock: Clock
) -> list[PageRoute]:
    """Return the routes of the buyer's page; `plans` knows prepaid credits, where they are traded."""
    pages.add_package("usufruct.market", [NavigationLink(PATH, "Account", position=200)], [*REFUSALS, *SHARE_REFUSALS])
    devnet = is_devnet(buyer.terms.chain_id)

    async def account(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        if session is None:
            wanted = await _service(request)
            return pages.answer(request, _TEMPLATE, payer=None, demo=devnet, passkeys=_offer(request), **wanted)
        return await _shown(request, session.address)

    async def _service(request: Request) -> dict[str, Any]:
        """Return the service that the reader wants a key for; the page links back to it."""
        name = request.query_params.get("service", "")
        known = bool(name) and await buyer.is_on_sale(name)
        return {"service": name if known else "", "service_path": lambda name: f"/s/{quote(name)}"}

    def _offer(request: Request) -> PasskeyOffer | None:
        if buyer.passkeys is None:
            return None
        site = PasskeySite.of(request.exchange.root)
        return PasskeyOffer(site.fits, f"{site.at_localhost}{PATH}" if devnet and not site.fits else "")

    async def _shown(request: Request, payer: Address, fragment: str = "keys") -> Response:
        log = await buyer.spending(payer, most=_SHOWN_CALLS)
        days = await buyer.spent_by_day(payer, _SHOWN_DAYS)
        found = deposit_page((await deposits.list(payer)).deposits)
        answer = pages.answer(
            request,
            _TEMPLATE,
            fragment=fragment,
            payer=payer,
            passkey_account=buyer.passkeys is not None and await buyer.passkeys.holds(payer),
            **await _money(payer),
            keys=await buyer.keys(payer),
            deposits=found.open + found.returned,
            returned_pages=found.pages,
            deposit_count=await buyer.deposit_count(payer),
            now=clock.now(),
            level=await buyer.level(payer),
            calls=log.calls,
            credits=await _credits(payer),
            trades=plans is not None,
            days=[(_moment(day), charge) for day, charge in days],
            spent=any(charge for _, charge in days),
            moment=_moment,
            **await _service(request),
        )
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows it after sign-out
        return answer

    async def _money(payer: Address) -> dict[str, Any]:
        """Return what the wallet holds, and what a transfer to it must name: token, network."""
        terms, passkeys = buyer.terms, buyer.passkeys
        held = passkeys is not None and await passkeys.holds(payer)
        return {
            "arrived": 0,
            "at_risk": passkeys is not None and held and await passkeys.is_at_risk(payer),
            "balance": await buyer.wallet_balance(payer),
            "local": is_local(terms.chain_id),
            "network": public_network(terms.chain_id).name or f"{terms.chain_id}",
            "terms": terms,
            "token": terms.token,
        }

    async def money(request: Request) -> Response:
        """Show htmx what the wallet holds when that is not what was `seen`; send a browser without scripts back."""
        session = await sessions.find(request.exchange)
        if session is None or "hx-request" not in request.headers:
            return pages.redirect(request, PATH)
        found = await _money(session.address)
        seen, balance = _number(request.query_params.get("seen", "")), found["balance"]
        if balance is None or balance == seen:
            return Response(status_code=204)
        return pages.answer(request, _MONEY, payer=session.address, **found | {"arrived": max(0, balance - seen)})

    async def _credits(payer: Address) -> AccountCredits | None:
        """Return a payer's prepaid credits; None while the node does not answer, or not soon."""
        try:
            return await plans.by_service(payer) if plans else AccountCredits()
        except Unavailable:
            return None

    async def rename(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        fields = await request.form_fields()
        await buyer.rename(payer, request.path_params["key"], fields.get("label", ""))
        return await _changed(request, payer)

    async def revoke(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        await buyer.revoke(payer, request.path_params["key"])
        return await _changed(request, payer)

    async def refund(request: Request) -> Response:
        payer = (await sessions.require(request.exchange)).address
        await deposits.refund(payer, hash32(request.path_params["channel"], "channel"))
        return await _changed(request, payer, "deposits")

    async def deposit_list(request: Request) -> Response:
        """Show the deposits to htmx, which asks while one comes back; the whole page to a browser without scripts."""
        return await _shown(request, (await sessions.require(request.exchange)).address, "deposits")

    async def over_keys(request: Request) -> Response:
        """Show a page of the keys that are over."""
        session = await sessions.find(request.exchange)
        if session is None:
            return pages.redirect(request, PATH)
        keys = await buyer.keys(session.address, _number(request.query_params.get("page", "")))
        return _over(request, f"{PATH}/keys", keys.page, keys.pages, keys=keys.over)

    async def returned_deposits(request: Request) -> Response:
        """Show a page of the deposits that came back."""
        session = await sessions.find(request.exchange)
        if session is None:
            return pages.redirect(request, PATH)
        number = _number(request.query_params.get("page", ""))
        found = deposit_page((await deposits.list(session.address)).deposits, number)
        return _over(request, f"{PATH}/deposits/returned", found.page, found.pages, deposits=found.returned)

    def _over(request: Request, path: str, page: int, page_count: int, **shown: Any) -> Response:
        values = {"keys": None, "deposits": None} | shown
        return pages.answer(
            request,
            _OVER,
            path_of=lambda number: f"{path}?page={number}",
            page=page,
            page_count=page_count,
            token=buyer.terms.token,
            now=clock.now(),
            moment=_moment,
            **values,
        )

    async def _changed(request: Request, payer: Address, fragment: str = "keys") -> Response:
        """Show what changed to htmx; send a browser without scripts back to the page, which it may load again."""
        if "hx-request" in request.headers:
            return await _shown(request, payer, fragment)
        return pages.redirect(request, PATH)

    return [
        PageRoute("GET", PATH, account, _PAGE),
        PageRoute("GET", f"{PATH}/money", money),
        PageRoute("GET", f"{PATH}/keys", over_keys),
        PageRoute("GET", f"{PATH}/deposits/returned", returned_deposits),
        PageRoute("POST", f"{PATH}/keys/{{key}}/rename", rename),
        PageRoute("POST", f"{PATH}/keys/{{key}}/revoke", revoke),
        PageRoute("GET", f"{PATH}/deposits", deposit_list),
        PageRoute("POST", f"{PATH}/deposits/{{channel}}/refund", refund),
    ]


def _number(text: str) -> int:
    """Return an amount that a page of ours wrote into a link; 0 for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)
