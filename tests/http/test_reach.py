"""Which addresses a server that someone named may have, and that a name is judged and connected to by one answer."""

import asyncio
import socket

import pytest

from usufruct.http import AddressRefused, ConnectFailed, Pool, Reach

METADATA = ["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fe80::1%eth0"]
PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.0.1", "100.64.0.1", "0.0.0.0", "::1", "fd12::1"]
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700::1111"]
WITHIN = {"::ffff:{}": "mapped", "64:ff9b::{}": "NAT64"}


@pytest.mark.parametrize("address", METADATA)
def test_metadata_services_are_out_of_reach(address):
    assert not Reach.PRIVATE.allows(address)
    assert not Reach.PUBLIC.allows(address)
    assert Reach.ANY.allows(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_in_reach_where_they_are_allowed(address):
    assert Reach.PRIVATE.allows(address)
    assert not Reach.PUBLIC.allows(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_in_reach(address):
    assert Reach.PRIVATE.allows(address)
    assert Reach.PUBLIC.allows(address)


def test_multicast_is_not_the_internet():
    assert not Reach.PUBLIC.allows("224.0.0.251")
    assert not Reach.PUBLIC.allows("ff02::fb")


@pytest.mark.parametrize("form", WITHIN, ids=WITHIN.values())
def test_an_address_of_ipv4_within_one_of_ipv6_is_judged(form):
    assert not Reach.PRIVATE.allows(form.format("169.254.169.254"))
    assert not Reach.PUBLIC.allows(form.format("10.0.0.1"))
    assert Reach.PUBLIC.allows(form.format("1.1.1.1"))


def test_tunnels_over_ipv6_are_judged():
    assert not Reach.PRIVATE.allows("2002:a9fe:a9fe::1"), "6to4 of 169.254.169.254"


@pytest.fixture
async def server():
    """A server that answers each request, and counts its connections."""
    connections: list[str] = []

    async def answer(reader, writer):
        connections.append(writer.get_extra_info("peername")[0])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1], connections
    listening.close()


def resolving(monkeypatch, *answers: list[str]) -> None:
    """Have every name resolve to each of `answers` in turn, and then to the last."""
    left = list(answers)

    async def getaddrinfo(self, host, port, **more):
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", getaddrinfo)


async def ask(port: int, reach: Reach) -> bytes:
    pool = Pool(f"http://model.example:{port}/v1", connect_seconds=60, keep_alive_seconds=1, reach=reach)
    try:
        response = await pool.send(b"GET / HTTP/1.1\r\nhost: model.example\r\n\r\n", 60)
        return await response.read_all(100)
    finally:
        await pool.close()


async def test_a_name_that_resolves_elsewhere_a_moment_later_reaches_what_was_judged(server, monkeypatch):
    port, connections = server
    resolving(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    assert await ask(port, Reach.PRIVATE) == b"ok"
    assert connections == ["127.0.0.1"]
    with pytest.raises(AddressRefused, match=r"model\.example is at 169\.254\.169\.254"):
        await ask(port, Reach.PRIVATE)


async def test_a_name_of_this_machine_is_refused_where_only_the_internet_is_allowed(server, monkeypatch):
    port, connections = server
    resolving(monkeypatch, ["127.0.0.1", "10.0.0.1"])
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1, 10\.0\.0\.1"):
        await ask(port, Reach.PUBLIC)
    assert connections == []


async def test_addresses_are_tried_in_turn_and_refused_ones_left_out(server, monkeypatch):
    port, connections = server
    resolving(monkeypatch, ["169.254.169.254", "127.0.0.2", "127.0.0.1"])
    assert await ask(port, Reach.PRIVATE) == b"ok"
    assert len(connections) == 1
    resolving(monkeypatch, ["127.0.0.2"])
    with pytest.raises(ConnectFailed):
        await ask(port, Reach.PRIVATE)
