"""Requests through the router, with an ASGI server's messages played by hand."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from tests.support.fake_clock import FakeClock
from tests.support.waiting import pass_loop_time
from usufruct.core import NotFound, Unavailable
from usufruct.web import (
    BodyTooLarge,
    ClientGone,
    Health,
    RawRoute,
    Route,
    Router,
    at_public_url,
    json_object,
    json_response,
)
from usufruct.web.http_exchange import BODY_SECONDS


async def call(app, path="/", method="GET", body=(b"",), headers=(), hang_up=False):
    """Return status, headers and body of one request; `body` is the list of its pieces."""
    incoming = [{"type": "http.request", "body": b, "more_body": i < len(body) - 1} for i, b in enumerate(body)]
    if hang_up:
        incoming = [*incoming[:-1], {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return incoming.pop(0)

    async def send(message):
        sent.append(message)

    await app({"type": "http", "method": method, "path": path, "headers": list(headers)}, receive, send)
    if not sent:
        return None
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent)


async def echo(exchange):
    await exchange.answer_json(json_object(await exchange.body(20)))


async def missing(exchange):
    raise NotFound("no such thing")


async def broken(exchange):
    raise ValueError("the inside")


async def half(exchange):
    await exchange.start(200, [])
    await exchange.write(b"half")
    raise Unavailable("gone")


async def named(request):
    length = len(json_object(await request.exchange.body(20)))
    return json_response({"name": request.path_params["name"], "length": length})


ROUTES = [
    RawRoute("POST", "/echo", echo),
    RawRoute("GET", "/missing", missing),
    RawRoute("GET", "/broken", broken),
    RawRoute("GET", "/half", half),
    Route("GET", "/things/{name}", named),
    Route("POST", "/things/{name}", named),
]
APP = Router(ROUTES)


async def test_an_answer_names_its_call():
    status, headers, body = await call(APP, "/echo", "POST", [b'{"a":', b"1}"])
    assert (status, orjson.loads(body)) == (200, {"a": 1})
    assert len(headers[b"x-request-id"]) == 66
    assert headers[b"content-length"] == str(len(body)).encode()


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "code"),
    [
        ("/missing", "GET", [b""], 404, "not_found"),
        ("/things/one/more", "GET", [b""], 404, "unknown_route"),
        ("/things/one", "DELETE", [b""], 405, "method_not_allowed"),
        ("/things/one", "POST", [b"1" * 15, b"1" * 15], 413, "body_too_large"),
        ("/nowhere", "GET", [b""], 404, "unknown_route"),
        ("/echo", "GET", [b""], 405, "method_not_allowed"),
        ("/broken", "GET", [b""], 500, "faulty"),
        ("/echo", "POST", [b"{"], 400, "malformed_json"),
        ("/echo", "POST", [b"\xff\xfe"], 400, "malformed_json"),
        ("/echo", "POST", [b"[1]"], 400, "malformed_json"),
        ("/echo", "POST", [b"1" * 15, b"1" * 15], 413, "body_too_large"),
    ],
)
async def test_errors_are_answers(path, method, body, status, code):
    found, headers, content = await call(APP, path, method, body)
    error = orjson.loads(content)["error"]
    assert (found, error["code"]) == (status, code)
    assert error["call_id"] == headers[b"x-request-id"].decode()
    assert "inside" not in error["message"]


async def test_a_declared_length_over_the_limit_is_refused_unread():
    status, _, content = await call(APP, "/echo", "POST", [b"{}"], [(b"content-length", b"21")])
    assert (status, orjson.loads(content)["error"]["code"]) == (413, BodyTooLarge.code)


async def test_a_caller_who_hangs_up_gets_no_answer():
    assert await call(APP, "/echo", "POST", [b'{"a"', b":1}"], hang_up=True) is None
    assert issubclass(ClientGone, Exception)


async def test_an_error_after_the_start_reaches_the_server_which_closes():
    with pytest.raises(Unavailable):
        await call(APP, "/half")


async def test_a_path_parameter_and_a_body_reach_the_handler():
    status, headers, body = await call(APP, "/things/one", "POST", [b'{"a":1}'])
    assert (status, orjson.loads(body)) == (200, {"name": "one", "length": 1})
    assert headers[b"content-type"] == b"application/json"
    assert len(headers[b"x-request-id"]) == 66


@pytest.mark.parametrize(
    ("path", "allow"), [("/things/one", b"GET, HEAD, POST"), ("/echo", b"POST"), ("/missing", b"GET")]
)
async def test_another_method_is_answered_with_those_that_are_taken(path, allow):
    status, headers, _ = await call(APP, path, "PATCH")
    assert (status, headers[b"allow"]) == (405, allow)


async def test_head_is_get_but_for_raw_routes_whose_get_may_move_money():
    assert (await call(APP, "/things/one", "HEAD", [b"{}"]))[0] == 200
    assert (await call(APP, "/missing", "HEAD"))[0] == 405


@pytest.mark.parametrize("fails", [False, True])
async def test_the_lifespan_opens_and_closes(fails):
    seen, sent = [], []

    @asynccontextmanager
    async def lifespan():
        if fails:
            raise Unavailable("no database")
        seen.append("open")
        yield
        seen.append("closed")

    async def receive():
        return {"type": "lifespan"}

    async def send(message):
        sent.append(message)

    await Router([], lifespan=lifespan)({"type": "lifespan"}, receive, send)
    if fails:
        assert sent == [{"type": "lifespan.startup.failed", "message": "unavailable: no database"}]
    else:
        assert seen == ["open", "closed"]
        assert [m["type"] for m in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_ready_only_when_every_part_is_and_asked_seldom():
    state, clock = {"chain": False, "asked": 0}, FakeClock()

    async def database():
        state["asked"] += 1

    async def chain():
        if not state["chain"]:
            raise Unavailable("no node")

    health = Health({"database": database, "chain": chain}, clock=clock)
    app = Router(health.routes)
    assert (await call(app, "/healthz"))[0] == 200
    status, _, body = await call(app, "/readyz")
    assert (status, orjson.loads(body)["checks"]) == (503, {"database": "ok", "chain": "failed"})
    state["chain"] = True
    assert (await call(app, "/readyz"))[0] == 503
    assert state["asked"] == 1
    clock.advance(1)
    assert (await call(app, "/readyz"))[0] == 200
    health.leave()
    assert (await call(app, "/readyz"))[0] == 503


async def test_what_calls_can_do_without_makes_a_process_degraded_and_not_unready():
    failing = {"node": "rpc_unavailable"}

    async def database():
        pass

    app = Router(Health({"database": database}, lambda: failing).routes)
    status, _, body = await call(app, "/readyz")
    assert status == 200
    assert orjson.loads(body) == {"status": "degraded", "checks": {"database": "ok"}, "degraded": failing}
    failing.clear()
    assert orjson.loads((await call(app, "/readyz"))[2])["status"] == "ready"


async def test_a_body_that_never_ends_is_given_up():
    sent, reading = [], asyncio.Event()

    async def receive():
        reading.set()
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    app = Router([RawRoute("POST", "/echo", echo)])
    answering = asyncio.create_task(
        app({"type": "http", "method": "POST", "path": "/echo", "headers": []}, receive, send)
    )
    await reading.wait()
    pass_loop_time(BODY_SECONDS)
    await answering
    assert sent[0]["status"] == 408
    assert orjson.loads(sent[1]["body"])["error"]["code"] == "slow_body"


async def test_a_public_address_is_what_an_exchange_is_called():
    async def where(exchange):
        await exchange.answer_json({"url": exchange.url})

    app, headers = Router([RawRoute("GET", "/here", where)]), [(b"host", b"10.0.0.7:8402")]
    for public, url in (("", "http://10.0.0.7:8402/here"), ("https://ai.example.org", "https://ai.example.org/here")):
        _, _, body = await call(at_public_url(app, public), "/here", headers=headers)
        assert orjson.loads(body) == {"url": url}
