"""Webhooks by the scheme of Standard Webhooks (standardwebhooks.com): signed, bounded, and never led elsewhere."""

import asyncio
import base64
import hmac
import json
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from urllib.parse import urlsplit

from usufruct.accounts.notifications.model import Event
from usufruct.core import moment
from usufruct.http import AddressRefused, ConnectTimeout, Pool, Reach, ReadTimeout, TransportError
from usufruct_client.notification_documents import NotificationEvent

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_GONE = 410


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """Seconds for a connection and for the whole exchange, and how many bytes of an answer are read."""

    connect: float = 5.0
    total: float = 15.0
    answer_bytes: int = 16_384


class WebhookFailed(Exception):
    """A webhook was not taken; the message says why, without what the server wrote."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone
        """Whether the server wants no more of them."""


def new_secret() -> bytes:
    """Return a new secret to sign with."""
    return token_bytes(_SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Return a secret as libraries of Standard Webhooks take it."""
    return _PREFIX + base64.b64encode(secret).decode()


def body_of(event: Event) -> bytes:
    """Return what is posted of an event; the same bytes at each try."""
    document = NotificationEvent(event.kind.value, moment(event.at), json.loads(event.data))
    return json.dumps(document.as_json(), separators=(",", ":"), ensure_ascii=False).encode()


def signed_headers(secret: bytes, message_id: str, now: int, body: bytes) -> dict[str, str]:
    """Return the headers that a receiver verifies: the id, which each try has again, the time, the signature."""
    signed = f"{message_id}.{now}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, signed, sha256)).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(now), "webhook-signature": f"v1,{signature}"}


async def post_webhook(
    url: str, event: Event, secret: bytes, now: int, reach: Reach, limits: WebhookLimits | None = None
) -> None:
    """Post an event once; returns when it is answered by 2xx. Redirects are not followed.

    Raises:
        WebhookFailed: otherwise.
    """
    limits = limits or WebhookLimits()
    body = body_of(event)
    request = _request(url, signed_headers(secret, event.id, now, body), body)
    pool = Pool(url, connect_seconds=limits.connect, keep_alive_seconds=0, reach=reach)
    try:
        async with asyncio.timeout(limits.total):
            status = await _exchange(pool, request, limits)
    except AddressRefused:
        raise WebhookFailed("the host is at no public address; the operator allows no others") from None
    except (ConnectTimeout, ReadTimeout, TimeoutError):
        raise WebhookFailed(f"no whole answer within {limits.total:g} s") from None
    except TransportError as error:
        raise WebhookFailed(str(error) or type(error).__name__) from None
    finally:
        await pool.close()
    if 300 <= status < 400:
        raise WebhookFailed(f"HTTP {status}: redirects are not followed; enter the final address")
    if not 200 <= status < 300:
        raise WebhookFailed(f"HTTP {status}", gone=status == _GONE)


async def _exchange(pool: Pool, request: bytes, limits: WebhookLimits) -> int:
    response = await pool.send(request, limits.total)
    try:
        await response.read_all(limits.answer_bytes)
    finally:
        response.release()
    return response.status


def _request(url: str, headers: dict[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {path} HTTP/1.1", f"host: {parts.netloc}", "content-type: application/json"]
    lines += ["user-agent: usufruct", "accept-encoding: identity", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body
