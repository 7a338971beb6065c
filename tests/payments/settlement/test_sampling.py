"""What the doctor looks at: all there is while there is time, else a part from a random place on."""

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.payments.settlement.diagnostics import pages_from, part

IDS = [f"key_{number:04}" for number in range(1_200)]


async def looked_at(start, seconds=5.0, page_seconds=0.0):
    clock = FakeClock()

    async def read(after):
        clock.advance(page_seconds)
        return [each for each in IDS if each > after][:500]

    return [each async for page in pages_from(start, read, str, seconds, clock) for each in page]


@pytest.mark.parametrize("start", ["", "key_0000", "key_0700", "key_1199", "key_9"])
async def test_all_are_looked_at_once_wherever_it_begins(start):
    assert sorted(await looked_at(start)) == IDS


async def test_as_many_as_there_is_time_for():
    seen = await looked_at("key_0700", seconds=5, page_seconds=2.5)
    assert seen == IDS[701:] + IDS[:500]
    assert await looked_at("key_0700", seconds=0) == IDS[701:]


def test_a_part_is_told_from_the_whole():
    assert part(12, 12, "keys") == "all 12 keys"
    assert part(1_500, 20_000, "channels") == "1,500 of 20,000 channels"
