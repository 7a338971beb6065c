"""While the chain's node hangs, a service's page at the desk waits for it once, and is drawn with what is known."""

from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest

from tests.console.test_desk import sold
from tests.console.test_sales import SHARES
from tests.support.gateway_server import served
from tests.support.hanging_node import hanging_node
from usufruct.app import open_installation
from usufruct.console.sellers import Sellers
from usufruct.web import Router

pytestmark = pytest.mark.anvil

PATIENT = 60.0
NOTICE = "The chain's node does not answer now. What only the chain knows is missing below."


async def test_a_services_page_at_the_desk_waits_once(world, seller, upstream):
    path = await sold(world, seller, upstream, SHARES)
    config = world.gateway.config
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(hanging_node(world.anvil.url))
        other = replace(config, chain=replace(config.chain, rpc_url=node.url))
        gateway = await stack.enter_async_context(open_installation(other))
        routes = [route for component in gateway.components for route in component.routes()]
        _, url, _ = await stack.enter_async_context(served(Router(routes)))  # without jobs, which ask the node too
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url.removesuffix("/v1"), timeout=60))
        assert (await http.post("/v1/sessions/operator")).status_code == 201
        sellers = gateway.get(Sellers)
        sellers.node_seconds = PATIENT
        page = (await http.get(path)).text
        assert (NOTICE in page, "Nothing is to be collected now" in page) == (False, True)
        sellers.node_seconds = 3.0
        node.hang_on(b'"method"')
        shown = await http.get(path)
    assert (shown.status_code, NOTICE in shown.text) == (200, True)
    assert "to be collected" not in shown.text, "what is due is not known"
    assert node.hung > 0
    assert node.in_a_row == 0, "no question comes after one that was given up"
