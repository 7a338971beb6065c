"""Whole documents by HTTP: size, tries, redirects, and where they may lead."""

import gzip

import pytest

from tests.support.answering_server import Answered, AnsweringServer
from usufruct.http import AddressRefused, Fetcher, FetchLimits, NotHttp, Reach, TooLong, TransportError


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def answers():
    return {}


@pytest.fixture
def server(answers):
    def answer(asked):
        found = answers[asked.path]
        return found.pop(0) if isinstance(found, list) else found

    with AnsweringServer(answer) as server:
        yield server


@pytest.fixture
async def fetch(pauses):
    async def sleep(seconds):
        pauses.append(seconds)

    fetcher = Fetcher(FetchLimits(most_bytes=1_000, tries=3, longest_wait=60.0, redirects=2), Reach.PRIVATE, sleep)
    yield fetcher.get
    await fetcher.close()


async def test_a_document_comes_whole_and_decoded(server, answers, fetch):
    answers["/a%20b"] = Answered(gzip.compress(b"text"), headers={"content-encoding": "gzip", "etag": "x"})
    document = await fetch(f"{server.url}/a b?q=1", {"x-key": "secret"})
    assert (document.status, document.content, document.headers["etag"]) == (200, b"text", "x")
    (asked,) = server.requests
    assert (asked.path, asked.query, asked.headers["x-key"]) == ("/a%20b", {"q": "1"}, "secret")


async def test_a_busy_server_is_asked_again(server, answers, fetch, pauses):
    answers["/"] = [Answered(status=503), Answered(status=429, headers={"retry-after": "9"}), Answered(b"here")]
    assert (await fetch(server.url)).content == b"here"
    assert pauses == [1.0, 9.0]
    answers["/"] = [Answered(b"no", 500)] * 3
    assert (await fetch(server.url)).status == 500


async def test_advice_to_wait_too_long_ends_the_tries(server, answers, fetch, pauses):
    answers["/"] = Answered(status=429, headers={"retry-after": "86400"})
    document = await fetch(server.url)
    assert (document.status, document.retry_after, pauses) == (429, 86400.0, [])


async def test_a_document_over_the_limit_is_refused(server, answers, fetch):
    answers["/"] = Answered(bytes(1_001))
    with pytest.raises(TooLong, match="over 1000 bytes"):
        await fetch(server.url)
    answers["/"] = Answered(gzip.compress(bytes(1_000_000)), headers={"content-encoding": "gzip"})
    with pytest.raises(TooLong):
        await fetch(server.url)


async def test_a_redirect_to_another_server_does_not_take_the_headers_along(server, answers, fetch):
    with AnsweringServer(lambda _: Answered(b"there")) as other:
        answers["/"] = Answered(status=302, headers={"location": "/same"})
        answers["/same"] = Answered(status=301, headers={"location": f"{other.url}/x"})
        document = await fetch(server.url, {"authorization": "secret"})
        assert (document.content, document.url) == (b"there", f"{other.url}/x")
        assert [each.headers.get("authorization") for each in server.requests] == ["secret", "secret"]
        assert "authorization" not in other.requests[0].headers


async def test_redirects_end(server, answers, fetch):
    answers["/"] = Answered(status=302, headers={"location": "/"})
    with pytest.raises(NotHttp, match="redirects more than 2 times"):
        await fetch(server.url)
    answers["/"] = Answered(status=302, headers={"location": "file:///etc/passwd"})
    with pytest.raises(ValueError, match="must begin with http"):
        await fetch(server.url)


async def test_a_redirect_does_not_lead_out_of_reach(server, answers, fetch):
    answers["/"] = Answered(status=302, headers={"location": "http://169.254.169.254/latest/meta-data"})
    with pytest.raises(AddressRefused, match=r"169\.254\.169\.254"):
        await fetch(server.url)
    public = Fetcher(FetchLimits(tries=1))
    with pytest.raises(AddressRefused):
        await public.get(server.url)
    await public.close()


async def test_a_server_that_is_away_is_named_after_all_tries(fetch, pauses):
    with pytest.raises(TransportError):
        await fetch("http://127.0.0.1:1/")
    assert len(pauses) == 2


async def test_requests_keep_their_distance(server, answers, pauses):
    async def sleep(seconds):
        pauses.append(seconds)

    fetcher = Fetcher(FetchLimits(spacing=100.0), Reach.ANY, sleep)
    answers["/"] = Answered(b"x")
    for _ in range(2):
        await fetcher.get(server.url)
    await fetcher.close()
    assert len(pauses) == 1
    assert pauses[0] > 50
