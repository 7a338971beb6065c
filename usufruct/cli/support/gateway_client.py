"""A gateway as its users see it: over HTTP, without a look at the operator's database."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import orjson
import typer

from usufruct.cli.support.instance_lock import running_instance
from usufruct.cli.support.output import one_line
from usufruct.config import Config
from usufruct.core import Conflict, Invalid, Unavailable, UsufructError
from usufruct.payments.settlement import Offer, read_offer

GatewayUrl = Annotated[
    str,
    typer.Option(
        "--gateway",
        "-g",
        help="The gateway's address, such as https://ai.example.org; the default is this installation's.",
    ),
]

_SECONDS = 90.0
"""Longer than a gateway waits for a deposit."""


class InvalidGateway(Invalid):
    """Text that is no gateway's address."""

    code = "invalid_gateway"


class GatewayUnavailable(Unavailable):
    """The gateway does not answer."""

    code = "gateway_unavailable"


class GatewayMalformed(Unavailable):
    """Something answers, but not as a gateway does."""

    code = "gateway_malformed"


class GatewayOnOtherChain(Conflict):
    """The gateway takes money on another chain than the configured one; nothing is signed for it."""

    code = "wrong_chain"


class GatewayRefused(UsufructError):
    """The gateway says no; `reason` is its code, `details` are its numbers as it sent them."""

    code = "gateway_refused"

    def __init__(self, status: int, reason: str, message: str, details: object = None) -> None:
        super().__init__(one_line(f"{reason}: {message}"))
        self.http_status = status
        self.reason = reason
        self.details = details if isinstance(details, dict) else {}


class Remote:
    """One gateway; `url` is its address without `/v1`."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def ask(
        self,
        method: str,
        path: str,
        content: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ask, and return the JSON object of the answer.

        Raises:
            GatewayRefused: when it says no.
            GatewayUnavailable, GatewayMalformed: when it says nothing, or nothing that can be read.
        """
        try:
            answer = await self._client.request(method, self.url + path, json=content, headers=headers)
        except httpx.HTTPError as fault:
            raise GatewayUnavailable(
                f"{self.url} does not answer ({type(fault).__name__}); is it running, and is --gateway right?"
            ) from fault
        try:
            found = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise GatewayMalformed(f"{self.url}{path} answered {answer.status_code} and no JSON; is it a gateway?")
        if answer.is_success:
            return found
        error = found.get("error")
        if not isinstance(error, dict) or not {"code", "message"} <= error.keys():
            raise GatewayMalformed(f"{self.url}{path} answered {answer.status_code} in a way of its own")
        raise GatewayRefused(answer.status_code, str(error["code"]), str(error["message"]), error.get("details"))

    async def offer(self, config: Config) -> Offer:
        """Return the gateway's terms.

        Raises:
            GatewayOnOtherChain: when they are for another chain than the configured one.
            InvalidOffer: when nobody should sign anything under them.
        """
        offer = read_offer(await self.ask("GET", "/v1/terms"))
        if offer.chain_id != config.chain.id:
            raise GatewayOnOtherChain(
                f"{self.url} takes money on chain {offer.chain_id}, chain.id is {config.chain.id}; set chain.id and "
                "chain.rpc_url if you mean that chain"
            )
        return offer


@asynccontextmanager
async def open_gateway(given: str, config: Config) -> AsyncIterator[Remote]:
    """Open the gateway that `--gateway` names, or the configured one."""
    async with httpx.AsyncClient(timeout=_SECONDS) as client:
        yield Remote(gateway_url(given, config), client)


def gateway_url(given: str, config: Config) -> str:
    """Return a gateway's address without `/v1`.

    Raises:
        InvalidGateway: when it is none.
    """
    here = (running_instance(config.data.folder) or {}).get(
        "url", f"http://{config.gateway.host}:{config.gateway.port}"
    )
    text = given or str(here).removesuffix("/v1")
    url = text.rstrip("/").removesuffix("/v1")
    try:
        parts = httpx.URL(url)
        usable = parts.scheme in ("http", "https") and bool(parts.host) and parts.port != 0
    except httpx.InvalidURL:
        usable = False
    if not usable or parts.query or parts.fragment or parts.userinfo:
        raise InvalidGateway(f"{text!r} is no gateway's address; give --gateway https://HOST", field="gateway")
    return url
