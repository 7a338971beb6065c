"""Texts with a form of their own that an operator writes as settings. What does not have it raises a `ValueError`."""

import re
from datetime import date
from decimal import Decimal
from email.utils import parseaddr
from typing import Final
from urllib.parse import urlsplit

from usufruct.core.errors import Invalid
from usufruct.core.money import parse_units_up

__all__ = [
    "read_amount",
    "read_amount_or_zero",
    "read_call_price",
    "read_call_prices",
    "read_colour",
    "read_day",
    "read_explorer",
    "read_public_url",
    "read_sender",
    "read_site_name",
    "read_venues",
]

LEAST_CALL_PRICE, MOST_CALL_PRICE = Decimal("0.000001"), Decimal(100)
"""Bounds of what a call of an endpoint may cost, in whole units of the payment token."""


_URL_KINDS: Final = {"http": "rest", "https": "rest", "ws": "stream", "wss": "stream"}
_PRICE: Final = re.compile(r"[0-9]{1,4}([.][0-9]{1,18})?")


def read_public_url(text: str) -> str:
    """Return where an installation is reached, without the path of its API; empty where none is set."""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query):
        raise ValueError(f"empty or an address such as https://ai.example.org, not {text!r}")
    return text.rstrip("/").removesuffix("/v1")


def read_explorer(text: str) -> str:
    """Return the address of a chain's explorer, without a slash at its end; empty where none is set."""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query):
        raise ValueError(f"empty or an address such as https://explorer.example.org, not {text!r}")
    return text.rstrip("/")


def read_sender(text: str) -> str:
    """Return what e-mails come from: NAME <ADDRESS>, or an address; empty where none is set."""
    name, where = parseaddr(text)
    local, at, domain = where.rpartition("@")
    plain = where.isascii() and where.isprintable() and " " not in where and name.isprintable()
    if text and not (plain and local and at and domain):
        raise ValueError(f"empty or such as Example <mail@example.org>, not {text!r}")
    return text


def read_amount(text: str) -> str:
    """Return an amount above 0, in whole units of a token."""
    try:
        amount = parse_units_up(text, 0)
    except Invalid:
        raise ValueError(f"a plain decimal, such as 0.1, not {text!r}") from None
    if not amount:
        raise ValueError(f"above 0, in whole units of the token, such as 0.1, not {text!r}")
    return text


def read_amount_or_zero(text: str) -> str:
    """Return an amount in whole units of a token, which may be 0."""
    return text if text.strip() == "0" else read_amount(text)


def read_call_price(text: str) -> str:
    """Return what a call of an endpoint costs, in whole units of the payment token; "0": it is not sold."""
    if not _PRICE.fullmatch(text.strip()) or not (
        (price := Decimal(text)) == 0 or LEAST_CALL_PRICE <= price <= MOST_CALL_PRICE
    ):
        raise ValueError(f"0, or from {LEAST_CALL_PRICE} to {MOST_CALL_PRICE} whole units of the token, not {text!r}")
    return text.strip()


def read_call_prices(text: str) -> dict[str, str]:
    """Return prices of endpoints by their path: PATH=PRICE, by commas."""
    prices: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        path, sign, price = part.partition("=")
        if not (sign and path.strip().startswith("/")):
            raise ValueError(f"PATH=PRICE by commas, such as /price=0.001, not {part!r}")
        if path.strip() in prices:
            raise ValueError(f"one price for each path; {path.strip()} has two")
        prices[path.strip()] = read_call_price(price)
    return prices


def read_day(text: str) -> str:
    """Return a day as YYYY-MM-DD; empty where none is set."""
    try:
        return text and date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"a day such as 2027-12-31 or empty, not {text!r}") from None


def read_site_name(text: str) -> str:
    """Return a site's name, without spaces around it."""
    if not 1 <= len(text.strip()) <= 40:
        raise ValueError(f"1 to 40 characters, not {text!r}")
    return text.strip()


def read_colour(text: str) -> str:
    """Return a colour as #rrggbb."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise ValueError(f"a colour such as #0b7a5a, not {text!r}")
    return text.lower()


def read_venues(text: str) -> dict[str, tuple[str, str]]:
    """Return exchanges by ccxt's names, each with the URLs that replace its own: of REST and of streams, or empty."""
    venues: dict[str, tuple[str, str]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, urls = (each.strip() for each in part.partition("="))
        kinds = {_URL_KINDS.get(urlsplit(url).scheme, ""): url for url in urls.split()}
        if not re.fullmatch("[a-z0-9]{1,40}", name) or "" in kinds or name in venues:
            raise ValueError(f"NAME or NAME=http://HOST ws://HOST by commas, each name once, not {part!r}")
        venues[name] = kinds.get("rest", ""), kinds.get("stream", "")
    return venues
