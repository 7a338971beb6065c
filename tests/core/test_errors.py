import pytest

from tests.support.fake_clock import FakeClock
from usufruct.core import (
    Clock,
    Conflict,
    Denied,
    Faulty,
    Invalid,
    NotFound,
    PaymentRequired,
    Unavailable,
    UsufructError,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Invalid, 400),
        (PaymentRequired, 402),
        (Denied, 403),
        (NotFound, 404),
        (Conflict, 409),
        (Faulty, 500),
        (Unavailable, 503),
    ],
)
def test_each_branch_has_its_status_and_its_own_code(kind, status):
    assert issubclass(kind, UsufructError)
    assert kind.status == status
    assert kind.code not in {other.code for other in UsufructError.__subclasses__() if other is not kind}


def test_of_several_parents_the_status_is_that_of_the_one_who_sets_it():
    class Root(UsufructError):
        pass

    class Away(Root, Unavailable, code="away"):
        pass

    assert (Away.code, Away.status) == ("away", 503)
    assert (Root.code, Root.status) == (UsufructError.code, UsufructError.status)


def test_an_error_that_is_not_told_apart_is_raised_with_its_code():
    assert Conflict("it is early", code="too_early").code == "too_early"
    assert Conflict("it is late").code == Conflict.code == "conflict"


def test_clocks():
    clock = FakeClock(now=100)
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (102, 2.5)
    system = Clock()
    assert system.monotonic() <= system.monotonic()
    assert system.now() > 1_700_000_000
