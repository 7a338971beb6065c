"""Sessions: sign in with a wallet, be known by a cookie, sign out."""

from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import urlsplit

from usufruct.accounts.session_model import Session, SessionPolicy, cookie, cookie_name
from usufruct.accounts.session_store import SessionStore
from usufruct.accounts.sign_in import Challenge, SignInRefused, check_sign_in, new_challenge
from usufruct.accounts.wallet_signatures import WalletSignatures
from usufruct.core import Address, ChainId, Clock
from usufruct.core.networks import is_local
from usufruct.store import ConstraintViolated, Database, Stamp
from usufruct.web import HttpExchange, Unauthenticated

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class Sessions:
    """The sessions of this installation, on one chain."""

    def __init__(
        self, database: Database, stamp: Stamp, clock: Clock, chain_id: ChainId, policy: SessionPolicy | None = None,
        signatures: WalletSignatures | None = None,
    ) -> None:  # fmt: skip
        """Keep them in `database`; `stamp` marks the challenges of this installation."""
        self._store = SessionStore(database)
        self._stamp = stamp
        self._clock = clock
        self._chain_id = chain_id
        self._policy = policy or SessionPolicy()
        self._signatures = signatures or WalletSignatures()

    def challenge(self, exchange: HttpExchange, address: Address) -> tuple[Challenge, bytes]:
        """Return what a wallet has to sign at this site, and the mark that comes back with it.

        Raises:
            SignInRefused: when the site's address is only what the caller says.
        """
        self.check_site(exchange)
        seconds = self._policy.challenge_seconds
        challenge = new_challenge(address, site_of(exchange), self._chain_id, self._clock.now(), seconds)
        return challenge, challenge.mark(self._stamp)

    async def sign_in(
        self,
        exchange: HttpExchange,
        address: Address,
        nonce: str,
        times: tuple[int, int],
        mark: bytes,
        signature: bytes,
    ) -> Session:
        """Start a session of who signed a challenge; `times`: when it was issued, and expires.

        Raises:
            SignInRefused: when the challenge is not ours, is over or was used, another signed it; as `challenge` too.
            SignatureUnchecked, RpcUnavailable: as `WalletSignatures.has_signed`.
        """
        self.check_site(exchange)
        challenge = Challenge(address, site_of(exchange), self._chain_id, nonce, *times)
        await check_sign_in(challenge, mark, signature, self._stamp, self._clock.now(), self._signatures)
        return await self.begin(exchange, address, nonce, challenge.expires_at)

    def check_site(self, exchange: HttpExchange) -> None:
        """Refuse an address that only the caller vouches for, where wallets hold real money.

        Another site could have its own address written into the text, let its visitors sign it, and sign in as they.

        Raises:
            SignInRefused: when it is such an address.
        """
        host = urlsplit(exchange.root).hostname
        if not (is_local(self._chain_id) or exchange.has_public_url or host in _THIS_MACHINE):
            raise SignInRefused(
                f"this gateway cannot tell whether its address is {host}; its operator sets gateway.public_url",
                field="host",
            )

    def known_site(self, exchange: HttpExchange) -> str:
        """Return the address of the pages, for links that others follow; raises as `check_site`."""
        self.check_site(exchange)
        return exchange.root

    async def start(self, exchange: HttpExchange, address: Address) -> Session:
        """Start a session of an address without a signature: for the accounts of a local chain only."""
        now = self._clock.now()
        return await self.begin(exchange, address, token_urlsafe(16), now + self._policy.challenge_seconds)

    async def begin(self, exchange: HttpExchange, address: Address, nonce: str, nonce_ends: int) -> Session:
        """Start a session of an address whose owner has proved it, by a challenge whose `nonce` is good once.

        Raises:
            SignInRefused: when the nonce was used.
        """
        await self.end(exchange)
        now, seconds = self._clock.now(), self._policy.session_seconds
        token = token_urlsafe(32)
        session = Session(address, now + seconds)
        try:
            await self._store.add(_hash(token), session, now, self._policy, nonce, nonce_ends)
        except ConstraintViolated as error:
            raise SignInRefused(
                "this challenge has signed in once already; ask for a new one", field="nonce"
            ) from error
        _set_cookie(exchange, token, seconds)
        return session

    async def find(self, exchange: HttpExchange) -> Session | None:
        """Return the session whose cookie a request carries."""
        token = _token(exchange)
        return await self._store.find(_hash(token), self._clock.now()) if token else None

    async def require(self, exchange: HttpExchange) -> Session:
        """Return the session whose cookie a request carries.

        Raises:
            Unauthenticated: when there is none, or it has ended.
        """
        session = await self.find(exchange)
        if session is None:
            raise Unauthenticated("sign in with your wallet first", code="not_signed_in", field="cookie")
        return session

    async def end(self, exchange: HttpExchange) -> None:
        """End the session whose cookie a request carries, if there is one."""
        if token := _token(exchange):
            await self._store.remove(_hash(token))
            _set_cookie(exchange, "", 0)

    async def remove_expired(self) -> None:
        """Remove sessions and challenges that have expired."""
        await self._store.remove_expired(self._clock.now())


def site_of(exchange: HttpExchange) -> str:
    """Return the address of the site that a request was sent to, without a path."""
    parts = urlsplit(exchange.root)
    return f"{parts.scheme}://{parts.netloc}"


def _token(exchange: HttpExchange) -> str:
    name = cookie_name(site_of(exchange))
    pairs = (part.strip().partition("=") for part in exchange.header(b"cookie").split(";"))
    return next((value for key, _, value in pairs if key == name), "")


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _set_cookie(exchange: HttpExchange, token: str, seconds: int) -> None:
    exchange.attach([(b"set-cookie", cookie(site_of(exchange), token, seconds).encode())])
