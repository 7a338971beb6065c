"""Sessions of people: what they are, and the cookie that carries one."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from usufruct.core import Address

DEMO_ACCOUNT = 4
"""The account of a devnet that anyone may sign in as; rich there, and known to everyone."""


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How long challenges and sessions hold, and how many sessions there may be: of an address, and in all.

    Anyone can make addresses and sign in with them: beyond `most_in_all`, the oldest sessions of addresses that have no
    key end.
    """

    challenge_seconds: int = 300
    session_seconds: int = 14 * 86_400
    most_sessions: int = 20
    most_in_all: int = 100_000


@dataclass(frozen=True, slots=True)
class Session:
    """A person is signed in with a wallet until `expires_at`, in seconds since 1970."""

    address: Address
    expires_at: int


def cookie_name(site: str) -> str:
    """Return the cookie's name at a site; over HTTPS one that only this host can have set.

    Browsers send a cookie to every port of its host: over plain HTTP, where several gateways share a machine, the port
    is in the name.
    """
    return "__Host-session" if site.startswith("https://") else f"session-{urlsplit(site).port or 80}"


def cookie(site: str, token: str, seconds: int) -> str:
    """Return the `set-cookie` header that keeps a session's id for so long; 0 removes it."""
    secure = "; Secure" if site.startswith("https://") else ""
    return f"{cookie_name(site)}={token}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"
