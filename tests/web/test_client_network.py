"""Whose request it is: an IPv4 address, or the /64 of an IPv6 address; behind a proxy of this machine what it names."""

import httpx
import pytest

from tests.support.gateway_server import served
from usufruct.web import HttpExchange, Operation, Request, Route, Router, client_network, json_response


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("unix", None),
        ("", None),
    ],
)
def test_a_caller_is_known_by_its_network(address, network):
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": (address, 1)}
    assert client_network(HttpExchange(scope, None, None)) == network


def test_a_socket_without_an_address_is_no_network():
    assert (
        client_network(HttpExchange({"method": "GET", "path": "/", "headers": [], "client": None}, None, None)) is None
    )


async def test_behind_a_proxy_of_this_machine_it_is_what_the_proxy_saw():
    async def seen(request: Request):
        return json_response({"network": client_network(request.exchange)})

    route = Route("GET", "/seen", seen, Operation("Tell what is seen.", {"type": "object"}))
    async with (
        served(Router([route])) as (_, url, _),
        httpx.AsyncClient(base_url=url.removesuffix("/v1"), timeout=120) as http,
    ):

        async def named(forwarded):
            headers = {"x-forwarded-for": forwarded} if forwarded else {}
            return (await http.get("/seen", headers=headers)).json()["network"]

        assert await named("") is None
        assert await named("203.0.113.7") == "203.0.113.7"
        assert await named("1.2.3.4, 203.0.113.7") == "203.0.113.7", "what the caller wrote counts for nothing"
        assert await named("2001:db8::9") == "2001:db8::/64"
