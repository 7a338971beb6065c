"""A server that takes the limit of output by one name only: learnt by one refusal, and never are both sent."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors.openai import UpstreamClient, UpstreamRejected
from usufruct.connectors.openai.upstream_client import OUTPUT_LIMITS, limited_by, other_limit

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
REFUSALS = {
    "max_completion_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
    "max_tokens": "Unrecognized request argument supplied: max_completion_tokens",
}


class Strict:
    """Knows one name, refuses the other, and keeps the bodies it was sent."""

    def __init__(self, knows: str) -> None:
        self.knows = knows
        self.bodies: list[dict] = []
        self.url = ""

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        (other,) = set(OUTPUT_LIMITS) - {self.knows}
        if other in body:
            return web.json_response({"error": {"message": REFUSALS[self.knows]}}, status=400)
        if body.get("stream"):
            return web.Response(body=CHUNK, content_type="text/event-stream")
        message = {"role": "assistant", "content": "hi"}
        return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@pytest.fixture(params=OUTPUT_LIMITS)
async def strict(request) -> AsyncIterator[Strict]:
    server, app = Strict(request.param), web.Application()
    app.router.add_post("/v1/chat/completions", server.chat)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    await runner.cleanup()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("named", OUTPUT_LIMITS)
async def test_the_name_is_learnt_by_one_refusal_and_remembered(strict, stream, named):
    async with UpstreamClient(strict.url) as upstream:
        for _ in range(2):
            if stream:
                async with upstream.chat_stream({**ASK, named: 5}) as answer:
                    assert [event async for event in answer]
            else:
                assert (await upstream.chat({**ASK, named: 5})).text == "hi"
        assert upstream.output_limit == (strict.knows if named != strict.knows else "")
    refused = named != strict.knows
    assert [[name for name in OUTPUT_LIMITS if name in body] for body in strict.bodies] == [
        *([[named]] if refused else []),
        [strict.knows],
        [strict.knows],
    ]
    assert all(body[strict.knows] == 5 for body in strict.bodies if strict.knows in body)


async def test_a_name_that_is_known_is_sent_at_once(strict):
    (other,) = set(OUTPUT_LIMITS) - {strict.knows}
    async with UpstreamClient(strict.url, output_limit=strict.knows) as upstream:
        await upstream.chat({**ASK, other: 5})
    assert [body.get(strict.knows) for body in strict.bodies] == [5]


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens is too large: 9000. This model supports at most 4096",
        "messages must not be empty",
        "unsupported parameter: 'temperature'",
    ],
)
def test_other_refusals_are_not_tried_again(message):
    assert other_limit({**ASK, "max_tokens": 5}, UpstreamRejected(message)) is None


@given(st.dictionaries(st.sampled_from([*OUTPUT_LIMITS, "n"]), st.integers(1, 99)), st.sampled_from(OUTPUT_LIMITS))
def test_never_are_both_sent_and_never_more_is_asked_for(body, name):
    sent = limited_by(body, name)
    given_limits = [body[each] for each in OUTPUT_LIMITS if each in body]
    assert [sent[each] for each in OUTPUT_LIMITS if each in sent] == ([min(given_limits)] if given_limits else [])
