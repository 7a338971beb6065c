"""The pages of a passkey account: `/account/passkeys` for its owner, `/account/recover` for its recovery wallet."""

from datetime import UTC, datetime

from starlette.responses import Response

from usufruct.accounts.passkeys.passkeys import Passkeys
from usufruct.accounts.passkeys.refusals import REFUSALS
from usufruct.accounts.passkeys.support import COIN_DECIMALS, passkey_support
from usufruct.accounts.passkeys.wallet import Wallet
from usufruct.accounts.passkeys.webauthn import RelyingParty
from usufruct.accounts.sessions import Sessions
from usufruct.chain import ChainAccess, Revert, TokenFacts, UnreadableAnswer, token_of
from usufruct.chain.p256 import GAS_WITHOUT_P256
from usufruct.core import Invalid, Unavailable, address
from usufruct.web import Request
from usufruct.web.ui import PageRoute, Pages

PATH = "/account/passkeys"
RECOVER = "/account/recover"

_DAY = 86_400


def wallet_pages(
    wallet: Wallet, passkeys: Passkeys, sessions: Sessions, pages: Pages, chain: ChainAccess
) -> list[PageRoute]:
    """Return the routes of both pages."""
    pages.add_package("usufruct.accounts.passkeys", refusals=REFUSALS)

    async def token() -> TokenFacts:
        return await token_of(chain.config, chain.client, chain.deployments)

    async def shown(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        account = session.address if session and await passkeys.store.list(session.address) else None
        state, paid_in, support, at_risk = None, None, None, False
        try:
            if account:
                state, paid_in = await wallet.state(account), await token()
                at_risk = await wallet.is_at_risk(state)
                support = await passkey_support(chain.client, chain.deployments)
        except Unavailable:
            state = None
        answer = pages.answer(
            request,
            "passkeys/wallet.html",
            account=account,
            state=state,
            token=paid_in,
            support=support,
            at_risk=at_risk,
            more_gas=GAS_WITHOUT_P256,
            coin_decimals=COIN_DECIMALS,
            moment=_moment,
            days=(state.delay // _DAY if state else 0),
            site_fits=RelyingParty.of(request.exchange.root).fits,
        )
        answer.headers["cache-control"] = "private, no-store"
        return answer

    async def recover(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        wanted, state, fault = request.query_params.get("account", "").strip(), None, ""
        if wanted:
            try:
                state = await wallet.state(address(wanted, "account"))
            except (Invalid, Revert, UnreadableAnswer):  # another contract answers as it likes
                fault = "address"
            except Unavailable:
                fault = "node"
        return pages.answer(
            request,
            "passkeys/recover.html",
            signer=session and session.address,
            wanted=wanted,
            state=state,
            fault=fault,
            chain_id=chain.chain_id,
            moment=_moment,
            site_fits=RelyingParty.of(request.exchange.root).fits,
        )

    return [PageRoute("GET", PATH, shown), PageRoute("GET", RECOVER, recover)]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
