"""The page of airdrops, `/airdrop`: check an address, see how its entries stand, and claim them with one tap."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.chain import RpcUnavailable
from usufruct.chain.deployment import NotDeployed
from usufruct.core import Address, Hash32, Invalid, address, hash32
from usufruct.staking.airdrop_claims import AirdropClaims, AirdropStatus, EntryState, EntryStatus
from usufruct.staking.airdrop_file import NoSuchEntry
from usufruct.staking.airdrop_locks import AirdropLocks
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS
from usufruct.staking.airdrop_terms import NotAnAirdrop, OtherAirdrop
from usufruct.staking.lock_model import MOST_WEEKS
from usufruct.staking.served_airdrops import ServedAirdrop
from usufruct.web import Operation, Request, client_network
from usufruct.web.ui import PageRoute, Pages

PATH = "/airdrop"

_TEMPLATE = "staking/airdrop.html"
_UNREAD = (RpcUnavailable, NotDeployed, NotAnAirdrop, OtherAirdrop)
"""Errors that the page shows as "not known now": the node's, and the configuration's, which `doctor` names."""

_PAGE = Operation("Show people the airdrops, and what an account gets.", {"type": "string"}, media_types=("text/html",))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a reader asked about.

    `text`: as typed; `mine`: it is the signed-in account; `error`: a refusal's code; `unread`: how many airdrops could
    not be read. `lockable`: roots of airdrops whose entry can be claimed into a lock, if it is mine. `unlocked`: where
    an entry of mine was paid, what the account holds and could lock, atomic units.
    """

    text: str = ""
    mine: bool = False
    account: Address | None = None
    error: str = ""
    entries: Sequence[EntryStatus] = ()
    lockable: Sequence[Hash32] = ()
    unread: int = 0
    unlocked: int = 0


def airdrop_pages(
    claims: AirdropClaims, locks: AirdropLocks, sessions: Sessions, pages: Pages, symbol: str
) -> list[PageRoute]:
    """Return the routes of the page; `symbol` is the platform token's."""

    async def show(request: Request) -> Response:
        typed, own = request.query_params.get("account"), await _own(request)
        return await _shown(request, await _check((own or "") if typed is None else typed, own), own)

    async def claim(request: Request) -> Response:
        fields = await request.form_fields()
        airdrop, text = claims.served.find(hash32(fields.get("root", ""), "root")), fields.get("account", "")
        await claims.claim(airdrop, address(text, "account"), client_network(request.exchange))
        if "hx-request" in request.headers:
            own = await _own(request)
            return await _shown(request, await _check(text, own), own)
        return pages.redirect(request, f"{PATH}?account={address(text, 'account')}")

    async def sweep(request: Request) -> Response:
        root = (await request.form_fields()).get("root", "")
        await claims.sweep(claims.served.find(hash32(root, "root")))
        return pages.redirect(request, PATH)

    async def _own(request: Request) -> Address | None:
        session = await sessions.find(request.exchange)
        return session.address if session else None

    async def _check(text: str, own: Address | None) -> Checked:
        if not text.strip():
            return Checked()
        try:
            account = address(text.strip(), "account")
        except Invalid as refusal:
            return Checked(text, error=refusal.code)
        found: list[EntryStatus] = []
        lockable: list[Hash32] = []
        unread, unlocked, mine = 0, 0, account == own
        for each in claims.served:
            try:
                found.append(await claims.status(each, account))
                if mine and await locks.allows(found[-1]):
                    lockable.append(each.root)
                if mine:
                    unlocked = unlocked or await locks.unlocked(found[-1], account)
            except NoSuchEntry:
                continue
            except _UNREAD:
                unread += 1
        return Checked(text, mine, account, entries=found, lockable=lockable, unread=unread, unlocked=unlocked)

    async def _overview(airdrop: ServedAirdrop) -> AirdropStatus | None:
        with suppress(*_UNREAD):
            return await claims.overview(airdrop)
        return None

    async def _shown(request: Request, checked: Checked, own: Address | None) -> Response:
        answer = pages.answer(
            request,
            _TEMPLATE,
            fragment="result",
            checked=checked,
            payer=own,
            by_passkey=own is not None and await locks.holds_passkey(own),
            most_weeks=MOST_WEEKS,
            airdrops=()
            if "hx-request" in request.headers
            else [(each, await _overview(each)) for each in claims.served],
            state=EntryState,
            symbol=symbol,
            decimals=TOKEN_DECIMALS,
            moment=lambda seconds: datetime.fromtimestamp(seconds, UTC),
        )
        answer.headers["cache-control"] = "private, no-store"
        return answer

    return [
        PageRoute("GET", PATH, show, _PAGE),
        PageRoute("POST", f"{PATH}/claim", claim),
        PageRoute("POST", f"{PATH}/sweep", sweep),
    ]
