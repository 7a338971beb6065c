"""The error tree as HTTP answers."""

import pytest

from usufruct.core import (
    Conflict,
    Denied,
    Faulty,
    Invalid,
    NotFound,
    PaymentRequired,
    RateLimited,
    Unavailable,
    UsufructError,
)
from usufruct.web import Unauthenticated, error_body
from usufruct.web.errors import error_headers


class StillRunning(UsufructError, code="still_running", status=425):
    pass


class Unprocessable(UsufructError, code="unprocessable", status=422):
    pass


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (Invalid, "invalid_request_error"),
        (PaymentRequired, "payment_required_error"),
        (Unauthenticated, "authentication_error"),
        (Denied, "permission_error"),
        (NotFound, "not_found_error"),
        (Conflict, "conflict_error"),
        (Unavailable, "unavailable_error"),
        (Faulty, "server_error"),
        (Unprocessable, "invalid_request_error"),
    ],
)
def test_each_branch_of_the_tree_has_its_type(kind, named):
    body = error_body(kind("what happened", field="model", amount=1 << 200, flag=True), "call_1")["error"]
    assert body == {
        "message": "what happened",
        "type": named,
        "code": kind.code,
        "param": "model",
        "details": {"field": "model", "amount": str(1 << 200), "flag": True},
        "call_id": "call_1",
    }


@pytest.mark.parametrize("kind", [Invalid, PaymentRequired, Denied, NotFound, Conflict, Faulty, Unprocessable])
def test_what_a_retry_cannot_help_says_so(kind):
    assert error_headers(kind("no")) == [(b"x-should-retry", b"false")]


def test_what_a_retry_may_help_leaves_it_to_the_client():
    assert error_headers(Unavailable("down")) == []
    assert error_headers(Unavailable("busy", retry_after="7")) == [(b"retry-after", b"7")]
    assert error_headers(Unavailable("busy", retry_after="soon\r\nx: y")) == []
    assert (b"x-should-retry", b"true") in error_headers(StillRunning("running"))


NOT_AGAIN = (b"x-should-retry", b"false")


def test_clients_wait_for_the_end_of_a_limit_by_themselves_if_it_is_near():
    assert error_headers(RateLimited("often", retry_after=60)) == [(b"retry-after", b"60")]
    assert error_headers(RateLimited("often", retry_after=61)) == [NOT_AGAIN, (b"retry-after", b"61")]
    assert error_headers(Unavailable("full", retry_after=3_600)) == [NOT_AGAIN, (b"retry-after", b"3600")]
    assert error_headers(Denied("not yet", retry_after=7)) == [NOT_AGAIN, (b"retry-after", b"7")]


def test_a_limit_that_ends_within_a_second_is_waited_for():
    assert error_headers(RateLimited("often", retry_after=0)) == [(b"retry-after", b"1")]
