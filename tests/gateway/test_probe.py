"""What is asked of a model before it is sold, and how fast it is measured to be."""

import pytest

from tests.support.fake_clock import FakeClock
from tests.support.misbehaving_upstream import misbehaving_server
from usufruct.connectors.openai import UpstreamClient
from usufruct.gateway import Endpoint, Probe, Speed


@pytest.fixture
async def server():
    async with misbehaving_server() as opened, UpstreamClient(opened.url("ok")) as client:
        yield opened, client


async def test_the_speed_is_that_of_the_answer_after_its_first_token(server):
    _, client = server
    speed = await Probe(client, "m", Endpoint.CHAT).speed(TickingClock(0.5))
    assert speed is not None
    assert (speed.duration, speed.first_token) == (500, 500)
    assert speed.tokens_per_second == speed.tokens * 2


async def test_embeddings_are_measured_by_their_input(server):
    _, client = server
    speed = await Probe(client, "m", Endpoint.EMBEDDINGS).speed(TickingClock(0.25))
    assert speed is not None
    assert speed.duration == speed.first_token == 250


async def test_a_server_that_reports_no_usage_has_no_speed():
    async with misbehaving_server() as opened, UpstreamClient(opened.url("usage_missing")) as client:
        probe = Probe(client, "m", Endpoint.CHAT)
        assert await probe.stream() is False
        assert await probe.speed(FakeClock()) is None


def test_a_call_in_no_time_has_a_speed():
    assert Speed(10, 1, 1).tokens_per_second == 10_000


class TickingClock(FakeClock):
    """Each look at it is so many seconds after the one before."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.looks * self.seconds
