"""Texts with a form of their own that an operator writes as settings. What does not have it raises a `ValueError`."""

from email.utils import parseaddr
from urllib.parse import urlsplit

__all__ = ["read_public_url", "read_sender"]


def read_public_url(text: str) -> str:
    """Return where an installation is reached, without the path of its API; empty where none is set."""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query):
        raise ValueError(f"empty or an address such as https://ai.example.org, not {text!r}")
    return text.rstrip("/").removesuffix("/v1")


def read_sender(text: str) -> str:
    """Return what e-mails come from: NAME <ADDRESS>, or an address; empty where none is set."""
    name, where = parseaddr(text)
    local, at, domain = where.rpartition("@")
    plain = where.isascii() and where.isprintable() and " " not in where and name.isprintable()
    if text and not (plain and local and at and domain):
        raise ValueError(f"empty or such as Example <mail@example.org>, not {text!r}")
    return text
