"""A model's words, over HTTP from a server that says what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.fake_clock import FakeClock
from tests.support.scripted_model import MODEL, ScriptedModel
from usufruct.analytics.writing import ModelWriter, Words
from usufruct.analytics.writing.writer import ANSWER, MOST_AT_ONCE
from usufruct.connectors.openai import Limits, UpstreamClient

FIGURES = "Bitcoin costs $67,234.12 on 2026-01-31, +5.2 % in 7 days."


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel("It costs about $67,234 and rose 5.2 %.") as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def writer(model: ScriptedModel, clock: FakeClock) -> AsyncIterator[ModelWriter]:
    async with UpstreamClient(model.base_url, "hush", Limits(total=20)) as server:
        yield ModelWriter(server, MODEL, clock)


async def test_words_with_the_figures_alone_are_shown(writer: ModelWriter, model: ScriptedModel):
    assert await writer.write(ANSWER, FIGURES, "How is it?") == Words(model.reply, MODEL)
    (body,) = model.asked
    assert model.figures == [FIGURES]
    assert body["messages"][1] == {"role": "user", "content": "How is it?"}
    assert (body["model"], "stream" in body) == (MODEL, False)
    assert model.requests[0].headers["authorization"] == "Bearer hush"
    assert writer.ends["shown"] == 1


@pytest.mark.parametrize(
    ("reply", "finish", "end"),
    [
        ("It will cost $100,000.", "stop", "wrong_number"),
        ("It costs $67,234.12 and then", "length", "unusable"),
        ("word " * 900, "stop", "unusable"),
        ("   ", "stop", "unusable"),
    ],
)
async def test_other_words_are_not_shown(writer: ModelWriter, model: ScriptedModel, reply: str, finish: str, end: str):
    model.reply, model.finish = reply, finish
    assert await writer.write(ANSWER, FIGURES) == Words("", MODEL)
    assert {name for name, count in writer.ends.items() if count} == {end}


async def test_a_server_that_fails_is_left_alone_for_half_a_minute(
    writer: ModelWriter, model: ScriptedModel, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    model.status = 500
    assert await writer.write(ANSWER, FIGURES) is None
    model.status = 200
    clock.advance(29)
    assert await writer.write(ANSWER, FIGURES) is None
    assert len(model.asked) == 1
    clock.advance(1)
    assert await writer.write(ANSWER, FIGURES) == Words(model.reply, MODEL)
    assert (writer.ends["failed"], writer.ends["resting"], writer.ends["shown"]) == (1, 1, 1)
    assert "hush" not in caplog.text


async def test_a_question_that_is_refused_keeps_no_other_waiting(writer: ModelWriter, model: ScriptedModel):
    model.status = 400
    assert await writer.write(ANSWER, FIGURES, "Say something that is filtered.") == Words("", MODEL)
    model.status = 200
    assert await writer.write(ANSWER, FIGURES) == Words(model.reply, MODEL)


async def test_no_more_than_so_many_wait_for_it(writer: ModelWriter, model: ScriptedModel):
    model.may_answer.clear()
    waiting = [asyncio.create_task(writer.write(ANSWER, FIGURES)) for _ in range(MOST_AT_ONCE)]
    async with asyncio.timeout(60):
        while len(model.asked) < MOST_AT_ONCE:
            await asyncio.sleep(0.01)
    assert await writer.write(ANSWER, FIGURES) is None
    model.may_answer.set()
    assert await asyncio.gather(*waiting) == [Words(model.reply, MODEL)] * MOST_AT_ONCE
    assert (writer.ends["busy"], writer.ends["shown"]) == (1, MOST_AT_ONCE)
    assert await writer.write(ANSWER, FIGURES) == Words(model.reply, MODEL)


async def test_a_server_that_is_gone_is_no_error_of_ours(writer: ModelWriter, clock: FakeClock):
    async with UpstreamClient("http://127.0.0.1:9/v1", limits=Limits(total=20)) as nobody:
        gone = ModelWriter(nobody, MODEL, clock)
        assert await gone.write(ANSWER, FIGURES) is None
        assert await gone.missing()
    async with UpstreamClient(writer._server.url) as there:
        assert await ModelWriter(there, "other", clock).missing() == f"the server offers {MODEL}"
    assert await writer.missing() == ""
