"""What is asked of an upstream before it is put on sale."""

import pytest

from tests.support.misbehaving_upstream import misbehaving_server
from tests.support.raw_upstream import Reply, raw_upstream
from tests.support.upstream_shapes import GOOD, answer, to_json
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.upstream_picker import find_source
from usufruct.connectors.openai import UpstreamFault, UpstreamMalformed
from usufruct.gateway import Endpoint

JSON = b"content-type: application/json\r\n"
MODELS = Reply((to_json({"data": [{"id": "m", "max_model_len": 4_096}]}),), head=JSON)
WHOLE = Reply((to_json(answer()),), head=JSON)


async def found(url: str):
    return await find_source(url, "m", None, None, Endpoint.CHAT, Progress(to_stderr=True))


async def test_a_model_is_asked_for_a_whole_answer_and_for_a_stream():
    async with misbehaving_server() as server:
        source = await found(server.url())
        assert (source.upstream.model, source.context_window) == ("m", 4_096)
        asked = [body for body in server.requests if body]
    assert [body.get("stream", False) for body in asked] == [False, True, False]
    assert {body["max_tokens"] for body in asked} == {1}


async def test_a_model_that_does_not_stream_is_not_put_on_sale():
    async with misbehaving_server() as server:
        with pytest.raises(UpstreamMalformed, match="where a stream was asked for"):
            await found(server.url("not_a_stream"))


@pytest.mark.parametrize("mode", ["malformed", "error_500", "cut"])
async def test_a_model_that_fails_is_not_put_on_sale(mode):
    async with misbehaving_server() as server:
        with pytest.raises(UpstreamFault):
            await found(server.url(mode))


@pytest.mark.parametrize("head", [b"", b"content-type: text/plain\r\n", b"content-type: application/octet-stream\r\n"])
async def test_a_stream_is_told_by_its_bytes(head):
    replies = {"v1": [MODELS, WHOLE, Reply(GOOD, head=head), WHOLE, WHOLE]}
    async with raw_upstream(replies) as root:
        assert (await found(root)).upstream.model == "m"
