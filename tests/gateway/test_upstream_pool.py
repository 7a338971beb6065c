"""The order in which a call tries an asset's servers: in turn, and the ones that just failed last."""

from collections.abc import AsyncIterator

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.assets import PricePeriod, plain_listing_id
from usufruct.connectors.openai import UpstreamDown, UpstreamFault, UpstreamRejected
from usufruct.core import Address
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import CallLimits, Endpoint, ServedListing, Upstream
from usufruct.gateway.upstream_pool import UpstreamPool

PAY_TO = Address("0x" + "55" * 20)
SERVERS = tuple(Upstream(f"http://{name}/v1", "m") for name in ("one", "two", "three"))
ASSET = ServedListing(
    name="hamlet",
    operation=Endpoint.CHAT,
    pay_to=PAY_TO,
    id=plain_listing_id("hamlet", PAY_TO),
    upstreams=SERVERS,
    prices=(PricePeriod(PriceCard(1, 2, 3, 4_096, 1), 0),),
)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def replicas(clock) -> AsyncIterator[UpstreamPool]:
    opened = UpstreamPool(CallLimits(), clock)
    yield opened
    await opened.close()


def order(replicas: UpstreamPool) -> list[Upstream]:
    return [replica for replica, _ in replicas.order(ASSET)]


async def test_every_server_takes_its_turn_to_be_first(replicas):
    orders = [order(replicas) for _ in SERVERS]
    assert {servers[0] for servers in orders} == set(SERVERS)
    assert all(sorted(servers, key=SERVERS.index) == list(SERVERS) for servers in orders)


async def test_a_server_that_failed_is_tried_last_until_it_has_rested(replicas, clock):
    replicas.failed(ASSET, SERVERS[1], UpstreamDown("no answer"))
    assert [order(replicas)[-1] for _ in SERVERS] == [SERVERS[1]] * 3
    clock.advance(CallLimits().rest_seconds)
    assert SERVERS[1] in {order(replicas)[0] for _ in SERVERS}


async def test_a_server_that_refused_one_request_is_as_good_as_before(replicas):
    replicas.failed(ASSET, SERVERS[1], UpstreamRejected("not this one"))
    assert SERVERS[1] in {order(replicas)[0] for _ in SERVERS}


async def test_a_fault_is_told_without_the_servers_address(replicas):
    fault = UpstreamDown("no connection to http://two/v1", url="http://two/v1", phase="connect")
    told = replicas.failed(ASSET, SERVERS[1], fault)
    assert isinstance(told, UpstreamFault)
    assert (told.code, told.message) == ("upstream_down", "hamlet is not available now; nothing was charged; try later")
    assert told.details == {"phase": "connect"}
