"""Nothing of the inside leaves the gateway: no upstream's address, path, model name or key, whatever fails."""

import json
import logging
import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.chain import RpcUnavailable
from usufruct.chain.rpc_errors import RpcRefused
from usufruct.connectors.openai import (
    UpstreamBusy,
    UpstreamCut,
    UpstreamDenied,
    UpstreamDown,
    UpstreamFault,
    UpstreamMalformed,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
)
from usufruct.connectors.openai.errors import UpstreamFailed
from usufruct.gateway import Upstream
from usufruct.gateway.fault_redaction import redact_fault
from usufruct.store import ConstraintViolated, DatabaseUnavailable
from usufruct.web import error_body

ASK = [{"role": "user", "content": "What is the question?"}]
INSIDE = re.compile(rb"127\.0\.0\.1|localhost|graphics card|/v1/|\\(path\\)|sk-")
KINDS = [
    UpstreamBusy,
    UpstreamCut,
    UpstreamDenied,
    UpstreamDown,
    UpstreamFailed,
    UpstreamMalformed,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
]
REPLICA = Upstream("http://gpu-7.rack.internal:8000/v1", "/srv/models/llama.gguf", "sk-upstream-secret")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "mode",
    [
        *("error_500", "error_429", "denied", "redirects", "rejected", "slow_first_byte", "cut", "no_done", "stalls"),
        *("malformed", "error_event", "huge_event", "never_ends", "not_a_stream", "down"),
    ],
)
async def test_no_byte_of_any_answer_names_the_inside(world, upstream, mode, stream, caplog):
    url = "http://127.0.0.1:1/v1" if mode == "down" else upstream.url(mode)
    if not stream and mode in {"slow_first_byte", "stalls", "never_ends", "no_done", "not_a_stream", "huge_event"}:
        pytest.skip("a fault of streams")
    await world.asset("hamlet", url)
    key = await world.key()
    body = {"model": "hamlet", "messages": ASK, "stream": stream, "max_tokens": 50}
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as plain:
        with caplog.at_level(logging.INFO):
            answer = await plain.post(f"{world.url}/chat/completions", json=body)
    said = answer.content + repr(answer.headers.multi_items()).encode()
    assert b'"error"' in answer.content
    assert b"hamlet" in answer.content
    for inside in INSIDE.findall(said):
        raise AssertionError(f"{inside} is in {said}")
    logged = [str(record.__dict__) for record in caplog.records if record.name.startswith("usufruct")]
    assert url in " ".join(logged)  # the operator finds it there


async def test_a_caller_of_a_dead_upstream_is_told_what_to_do(world):
    await world.asset("llama3.2", "http://127.0.0.1:1/v1")
    key = await world.key()
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as plain:
        answer = await plain.post(f"{world.url}/chat/completions", json={"model": "llama3.2", "messages": ASK})
    error = answer.json()["error"]
    assert error["message"] == "llama3.2 is not available now; nothing was charged; try later"
    assert (answer.status_code, error["code"], error["details"]) == (503, "upstream_down", {})


async def test_what_arrived_before_the_fault_is_said_to_be_charged(world, upstream):
    await world.asset("hamlet", upstream.url("cut"))
    key = await world.key()
    body = {"model": "hamlet", "messages": ASK, "stream": True}
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as plain:
        answer = await plain.post(f"{world.url}/chat/completions", json=body)
    error = json.loads(answer.content.split(b"data: ")[-1])["error"]
    assert error["message"] == "hamlet broke off its answer; what arrived is charged; try later"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("delivered", [True, False])
def test_every_kind_of_fault_has_its_outward_text(kind, delivered):
    words = (
        f"{REPLICA.url} answered 500: cannot open {REPLICA.model} on gpu-7.rack.internal (10.0.0.7:8000, "
        "[fd00::7]:9000, db.local, redis:6379), see https://wiki.corp/errors or C:\\models\\a.gguf; change it"
    )
    fault = redact_fault(
        kind(words, url=REPLICA.url, retry_after="7", upstream_status=500, host="x"),
        "hamlet",
        REPLICA,
        delivered=delivered,
    )
    assert type(fault) is kind
    assert fault.message.startswith("hamlet ")
    for inside in ("gpu-7", "10.0.0.7", "fd00", "db.local", "6379", "8000", "wiki", "gguf", "srv", "://", "models"):
        assert inside not in fault.message
    assert fault.details == {"retry_after": "7", "upstream_status": 500}


def test_what_is_wrong_with_a_request_is_still_said():
    words = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens; change the request"
    fault = UpstreamRejected(f"{REPLICA.url} answered 400: {words}", upstream_status=400)
    told = redact_fault(fault, "hamlet", REPLICA, delivered=False)
    assert told.message == f"hamlet does not take this request: hamlet answered 400: {words}"


@given(st.sampled_from(KINDS), st.text(max_size=200))
def test_no_words_of_an_upstream_break_the_text(kind: type[UpstreamFault], words: str):
    told = redact_fault(kind(words), "hamlet", REPLICA, delivered=False)
    assert told.message
    assert kind is UpstreamRejected or told.message.endswith("; nothing was charged; try later")


@pytest.mark.parametrize("kind", [RpcUnavailable, RpcRefused, DatabaseUnavailable, ConstraintViolated])
def test_errors_of_the_inside_go_out_without_it(kind):
    words = "node-3.internal does not answer (pq: no host 10.0.0.9); check chain.rpc_url"
    error = RpcRefused("eth_call", -1, words) if kind is RpcRefused else kind(words, host="node-3.internal")
    content = error_body(error, "0x0")["error"]
    assert "internal" not in json.dumps(content)
    assert "chain.rpc_url" not in json.dumps(content)
    assert content["code"] == kind.code
    assert "node-3.internal" in error.message  # for the operator's log
