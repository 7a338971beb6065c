"""A process that dies is started again, after pauses that grow while it keeps dying."""

from tests.support.fake_clock import FakeClock
from usufruct.cli.support.child_process import Child, ProcessFailed


class Mortal:
    """A process that ends when told to."""

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


class Nursery:
    """Spawns processes, or fails to."""

    def __init__(self) -> None:
        self.born: list[Mortal] = []
        self.barren = False

    def spawn(self) -> Mortal:
        if self.barren:
            raise ProcessFailed("no room")
        self.born.append(Mortal())
        return self.born[-1]


async def living(clock: FakeClock) -> tuple[Nursery, Child, list[str]]:
    nursery, said = Nursery(), []
    child = Child("gateway", nursery.spawn, clock)
    await child.start()
    assert await child.look(said.append) is False
    return nursery, child, said


async def test_one_that_dies_is_started_again_after_a_pause():
    clock = FakeClock()
    nursery, child, said = await living(clock)
    nursery.born[0].exit_code = -9
    assert await child.look(said.append) is False
    assert said == ["the gateway ended with -9; it is started again in 0.5 s"]
    clock.advance(0.4)
    assert await child.look(said.append) is False
    assert len(nursery.born) == 1
    clock.advance(0.2)
    assert await child.look(said.append) is True
    assert len(nursery.born) == 2
    assert said[-1] == "the gateway runs again"


async def test_pauses_grow_up_to_a_limit_and_are_forgotten_in_good_health():
    clock = FakeClock()
    nursery, child, said = await living(clock)
    for _ in range(9):
        nursery.born[-1].exit_code = 1
        await child.look(said.append)
        clock.advance(30)
        await child.look(said.append)
    pauses = [line.split()[-2] for line in said if "started again" in line]
    assert pauses == ["0.5", "1", "2", "4", "8", "16", "30", "30", "30"]
    clock.advance(61)
    nursery.born[-1].exit_code = 1
    await child.look(said.append)
    assert said[-1].endswith("in 0.5 s")


async def test_one_that_does_not_start_is_tried_again():
    clock = FakeClock()
    nursery, child, said = await living(clock)
    nursery.born[0].exit_code, nursery.barren = 1, True
    await child.look(said.append)
    clock.advance(1)
    assert await child.look(said.append) is False
    assert "does not start (no room)" in said[-1]
    nursery.barren = False
    clock.advance(2)
    assert await child.look(said.append) is True


async def test_stopping_stops_what_runs():
    nursery, child, _ = await living(FakeClock())
    await child.stop()
    assert nursery.born[0].stopped
    await Child("worker", nursery.spawn).stop()
