"""Ask a vendor for JSON: the key stays out of messages, failures become named refusals."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from usufruct.connectors.vendors.errors import (
    UnknownToVendor,
    VendorRateLimited,
    VendorRefused,
    VendorUnavailable,
    VendorUnreadable,
)
from usufruct.core import Invalid
from usufruct.http import Document, Fetcher, FetchLimits, Reach, TransportError

_QUOTED = 200


class VendorClient:
    """Asks one vendor, from code that does not run in an event loop. To be closed."""

    def __init__(
        self,
        name: str,
        url: str,
        runner: asyncio.Runner,
        *,
        headers: Mapping[str, str],
        parameters: Mapping[str, str],
        limits: FetchLimits,
        sleep: Any = asyncio.sleep,
    ) -> None:
        """Address the vendor at `url`; `headers` and `parameters` of each request hold its key.

        Raises:
            Invalid: when the URL is not one.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(
                f"the address of {name} must be such as https://api.example.org, not {url!r}", code="invalid_url"
            )
        self._name = name
        self._url = url.rstrip("/")
        self._runner = runner
        self._headers = dict(headers)
        self._parameters = dict(parameters)
        self._secrets = [each for each in (*headers.values(), *parameters.values()) if each]
        self._fetcher = Fetcher(limits, Reach.ANY, sleep)  # the operator's own setting names the server

    def close(self) -> None:
        """Close the connection."""
        self._runner.run(self._fetcher.close())

    def get(self, path: str, parameters: Mapping[str, str], asked: str) -> Mapping[str, Any]:
        """Return the JSON object at a path; `asked` is what is asked for, in words.

        Raises:
            UnknownToVendor, VendorRefused, VendorRateLimited, VendorUnavailable, VendorUnreadable: see `errors`.
        """
        found = self._ask(path, parameters, asked)
        if not isinstance(found, dict):
            raise VendorUnreadable(f"{self._name} did not answer with a JSON object for {asked}; try again later")
        return found

    def get_rows(self, path: str, parameters: Mapping[str, str], asked: str) -> list[Mapping[str, Any]]:
        """Return the JSON list of objects at a path; raises as `get`."""
        found = self._ask(path, parameters, asked)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise VendorUnreadable(
                f"{self._name} did not answer with a JSON list of objects for {asked}; try again later"
            )
        return found

    def _ask(self, path: str, parameters: Mapping[str, str], asked: str) -> Any:
        """Return the JSON at a path; None for what is not JSON."""
        query = urlencode({**parameters, **self._parameters})
        try:
            document = self._runner.run(self._fetcher.get(f"{self._url}{path}?{query}", self._headers))
        except TransportError as error:
            reason = str(error) or type(error).__name__
            raise VendorUnavailable(f"{self._name} does not answer ({reason}); try again later") from None
        except ValueError:
            raise Invalid(
                f"the key of {self._name} has characters that cannot be sent; copy it again", code="invalid_key"
            ) from None
        if document.status != 200:
            raise self._fault(document, asked)
        try:
            return orjson.loads(document.content)
        except orjson.JSONDecodeError:
            return None

    def _fault(self, document: Document, asked: str) -> Exception:
        name, status, said = self._name, document.status, self._said(document)
        if status == 429:
            after = f"after {document.retry_after:g} s" if document.retry_after else "in some minutes"
            return VendorRateLimited(
                f"{name} wants fewer requests; go on {after}", retry_after=int(document.retry_after)
            )
        if status == 404:
            return UnknownToVendor(f"{name} has no {asked} ({said}); correct the table of ids")
        if status in (400, 401, 402, 403):
            return VendorRefused(f"{name} refuses {asked}: HTTP {status}, {said}; check the key and its plan")
        return VendorUnavailable(f"{name} answers HTTP {status} ({said}); try again later")

    def _said(self, document: Document) -> str:
        """Return what the vendor says of an error, without our key."""
        text = " ".join(document.content.decode(errors="replace").split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:_QUOTED] or "no reason given"
