"""Sessions over HTTP: a challenge for a wallet, sign-in, the current session, sign-out."""

from starlette.responses import Response

from usufruct.accounts.sessions import Sessions
from usufruct.accounts.sign_in import SignInRefused
from usufruct.core import Address
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.wire import SessionFacts, SignIn, SignInChallenge, SignInWish

_PATH = "/v1/sessions"
_COOKIE = {"set-cookie": "the session's id, for this host only"}
_CHALLENGE = Operation("Return the text that a wallet signs to sign in.", SignInChallenge, SignInWish)
_SIGN_IN = Operation("Sign in with a wallet's signature.", SessionFacts, SignIn, 201, gives=_COOKIE)
_CURRENT = Operation("Tell who is signed in.", SessionFacts, refuses={401: "no one is"})
_SIGN_OUT = Operation("Sign out.", status=204)
_DEMO = Operation("Sign in as the demo's account; local chains only.", SessionFacts, status=201, gives=_COOKIE)


def session_routes(sessions: Sessions, demo: Address | None) -> list[PageRoute]:
    """Return the routes under `/v1/sessions`; `demo` is the account that anyone may be on a local chain."""

    async def challenge(request: Request) -> Response:
        wish = await request.read(SignInWish, SignInRefused)
        asked, mark = sessions.challenge(request.exchange, wish.address)
        times = asked.issued_at, asked.expires_at
        return document_response(SignInChallenge(asked.address, asked.nonce, *times, mark, asked.text))

    async def sign_in(request: Request) -> Response:
        wish = await request.read(SignIn, SignInRefused)
        times = wish.issued_at, wish.expires_at
        session = await sessions.sign_in(request.exchange, wish.address, wish.nonce, times, wish.mark, wish.signature)
        return document_response(SessionFacts(session.address, session.expires_at), 201)

    async def current(request: Request) -> Response:
        session = await sessions.require(request.exchange)
        return document_response(SessionFacts(session.address, session.expires_at))

    async def sign_out(request: Request) -> Response:
        await sessions.end(request.exchange)
        return Response(status_code=204)

    async def sign_in_demo(request: Request) -> Response:
        assert demo is not None
        session = await sessions.start(request.exchange, demo)
        return document_response(SessionFacts(session.address, session.expires_at), 201)

    routes = [
        PageRoute("POST", f"{_PATH}/challenge", challenge, _CHALLENGE),
        PageRoute("POST", _PATH, sign_in, _SIGN_IN),
        PageRoute("GET", f"{_PATH}/current", current, _CURRENT),
        PageRoute("DELETE", f"{_PATH}/current", sign_out, _SIGN_OUT),
    ]
    return [*routes, PageRoute("POST", f"{_PATH}/demo", sign_in_demo, _DEMO)] if demo else routes
