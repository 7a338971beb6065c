"""The librarian process, met by the stock `openai` client, our own client and bare HTTP."""

import math
import subprocess
import sys
from collections.abc import Iterator

import httpx
import openai
import pytest
from tokenizers import Tokenizer

from tests.support.librarian_process import librarian_process
from usufruct.connectors.openai import UpstreamClient, UpstreamRejected, Usage

QUESTION = "How does an agent pay?"
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]


@pytest.fixture(scope="session")
def client(librarian_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=librarian_url, api_key="none", max_retries=0, timeout=120) as stock:
        yield stock


@pytest.fixture(scope="session")
def tokenizer(librarian_url: str) -> Tokenizer:
    return Tokenizer.from_str(httpx.get(f"{librarian_url}/tokenizer", timeout=120).raise_for_status().text)


def counted(tokenizer: Tokenizer, *texts: str) -> int:
    return sum(len(tokenizer.encode(text).ids) for text in texts)


def post(librarian_url: str, path: str, **request: object) -> httpx.Response:
    return httpx.post(f"{librarian_url}{path}", **request, timeout=120)


def test_a_question_is_answered_with_its_source_and_counted_by_the_vocabulary_it_hands_out(client, tokenizer):
    answer = client.chat.completions.create(model="librarian", messages=ASK, temperature=0.7)
    text = answer.choices[0].message.content
    assert "signs a new spending limit with each call" in text
    assert '[1] calling.md, "Paying as an agent"' in text
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == counted(tokenizer, "Be brief.", QUESTION)
    assert answer.usage.completion_tokens == counted(tokenizer, text)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_says_the_same_token_by_token(client, tokenizer):
    whole = client.chat.completions.create(model="librarian", messages=ASK)
    stream = client.chat.completions.create(
        model="librarian", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) == whole.usage.completion_tokens
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert last.choices == []
    assert last.usage == whole.usage


def test_a_stream_reports_usage_only_when_asked(client):
    stream = client.chat.completions.create(model="librarian", messages=ASK, stream=True)
    assert all(chunk.choices and chunk.usage is None for chunk in stream)


@pytest.mark.parametrize("limit", [1, 2, 7, 20])
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_max_tokens_is_honoured(client, tokenizer, limit, name):
    answer = client.chat.completions.create(model="librarian", messages=ASK, **{name: limit})
    assert answer.choices[0].finish_reason == "length"
    assert counted(tokenizer, answer.choices[0].message.content) == answer.usage.completion_tokens <= limit
    assert answer.usage.completion_tokens > 0


def test_stop_ends_the_answer_before_it(client):
    answer = client.chat.completions.create(model="librarian", messages=ASK, stop=["Sources", " no key"])
    assert answer.choices[0].message.content == "An agent needs no account and"
    assert answer.choices[0].finish_reason == "stop"


def test_what_the_documents_do_not_answer_is_said_plainly(client):
    ask = [{"role": "user", "content": "Which wine goes with grilled octopus?"}]
    text = client.chat.completions.create(model="librarian", messages=ask).choices[0].message.content
    assert text.startswith("My documents do not answer this. I am a retrieval service")
    assert "Sources" not in text


async def test_the_async_client_and_ours(librarian_url, tokenizer):
    async with openai.AsyncOpenAI(base_url=librarian_url, api_key="none") as stock:
        stream = await stock.chat.completions.create(model="librarian", messages=ASK, stream=True)
        theirs = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    async with UpstreamClient(librarian_url) as upstream:
        async with upstream.chat_stream({"model": "librarian", "messages": ASK}) as stream:
            batches = [batch async for batch in stream]
        assert await upstream.tokenizer() == tokenizer.to_str().encode()
        assert [(m.id, m.context_window) for m in await upstream.models()] == [
            ("librarian", 8192),
            ("librarian-embedding", 8192),
        ]
        with pytest.raises(UpstreamRejected, match="no model"):
            await upstream.chat({"model": "gpt-5", "messages": ASK})
    assert "".join(batch.text for batch in batches) == theirs
    expected = Usage(counted(tokenizer, "Be brief.", QUESTION), counted(tokenizer, theirs))
    assert stream.report == expected


def test_the_model_card_says_what_it_is(client):
    assert "I am a retrieval service, not a language model" in client.models.retrieve("librarian").description
    assert [model.id for model in client.models.list()] == ["librarian", "librarian-embedding"]


def cosine(a: list[float], b: list[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def test_embeddings_are_unit_vectors_near_when_texts_share_words(client, tokenizer):
    texts = ["withdraw my deposit", "How do I withdraw a deposit?", "royalties of a fine-tuned model"]
    answer = client.embeddings.create(model="librarian-embedding", input=texts)
    deposit, question, other = (entry.embedding for entry in answer.data)
    assert len(deposit) == 384
    assert cosine(deposit, deposit) == pytest.approx(1, abs=1e-6)
    assert cosine(deposit, question) > 0.3 > 0.15 > cosine(deposit, other)
    assert answer.usage.prompt_tokens == counted(tokenizer, *texts)


def test_embeddings_in_other_forms(client, tokenizer, librarian_url):
    text = "revenue shares"
    plain, tokens = (
        client.embeddings.create(
            model="librarian-embedding", input=given, dimensions=64, encoding_format="float"
        ).data[0].embedding
        for given in (text, tokenizer.encode(text).ids)
    )  # fmt: skip
    assert plain == tokens
    assert len(plain) == 64
    packed = client.embeddings.create(model="librarian-embedding", input=[text], dimensions=64)  # base64 on the wire
    assert packed.data[0].embedding == pytest.approx(plain, abs=1e-6)


USER = [{"role": "user", "content": "hi"}]
BAD_CHATS = [
    ({"messages": USER}, 400, "model"),
    ({"model": "gpt-5", "messages": USER}, 404, "model"),
    ({"model": "librarian"}, 400, "messages"),
    ({"model": "librarian", "messages": []}, 400, "messages"),
    ({"model": "librarian", "messages": ["hi"]}, 400, "messages"),
    ({"model": "librarian", "messages": [{"role": "system", "content": "hi"}]}, 400, "messages"),
    ({"model": "librarian", "messages": [{"role": "user", "content": 3}]}, 400, "messages"),
    ({"model": "librarian", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages"),
    ({"model": "librarian", "messages": USER, "max_tokens": 0}, 400, "max_tokens"),
    ({"model": "librarian", "messages": USER, "max_tokens": "5"}, 400, "max_tokens"),
    ({"model": "librarian", "messages": USER, "n": 2}, 400, "n"),
    ({"model": "librarian", "messages": USER, "stop": ["a"] * 5}, 400, "stop"),
    ({"model": "librarian", "messages": USER, "stop": ""}, 400, "stop"),
    ({"model": "librarian", "messages": USER, "stream_options": "all"}, 400, "stream_options"),
]
BAD_EMBEDDINGS = [
    ({"input": "x", "model": "librarian"}, 404, "model"),
    ({"model": "librarian-embedding"}, 400, "input"),
    ({"model": "librarian-embedding", "input": ""}, 400, "input"),
    ({"model": "librarian-embedding", "input": []}, 400, "input"),
    ({"model": "librarian-embedding", "input": ["a", 3]}, 400, "input"),
    ({"model": "librarian-embedding", "input": "x", "dimensions": 0}, 400, "dimensions"),
    ({"model": "librarian-embedding", "input": "x", "encoding_format": "hex"}, 400, "encoding_format"),
]


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [("/chat/completions", *case) for case in BAD_CHATS] + [("/embeddings", *case) for case in BAD_EMBEDDINGS],
)
def test_a_wrong_member_is_named(librarian_url, path, body, status, param):
    refused = post(librarian_url, path, json=body)
    error = refused.json()["error"]
    assert (refused.status_code, error["param"], error["type"]) == (status, param, "invalid_request_error")
    assert error["message"]
    assert error["code"] == ("model_not_found" if status == 404 else "invalid_request")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model": NaN}'])
def test_a_body_that_is_no_json_object_is_refused(librarian_url, body):
    refused = post(librarian_url, "/chat/completions", content=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "invalid_request"


def test_a_question_over_the_context_window_is_refused_with_the_numbers(librarian_url):
    ask = {"model": "librarian", "messages": [{"role": "user", "content": "deposit 7 " * 5000}]}
    error = post(librarian_url, "/chat/completions", json=ask).json()["error"]
    assert error["code"] == "context_length_exceeded"
    assert "8192" in error["message"]


def test_the_answer_fits_into_what_the_question_left_of_the_context_window(client, tokenizer):
    filler = " deposit" * (8192 - 5 - counted(tokenizer, QUESTION))
    assert counted(tokenizer, filler) == filler.count("deposit")
    ask = [{"role": "system", "content": filler}, {"role": "user", "content": QUESTION}]
    answer = client.chat.completions.create(model="librarian", messages=ask)
    assert answer.usage.total_tokens == 8192
    assert answer.choices[0].finish_reason == "length"


def test_a_huge_body_is_refused(librarian_url):
    refused = post(librarian_url, "/chat/completions", content=b" " * (5 << 20))
    assert refused.status_code == 400
    assert "bytes" in refused.json()["error"]["message"]


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/models/gpt-5", 404), ("/chat/completions", 405)])
def test_wrong_paths_and_methods_get_errors_of_the_same_shape(librarian_url, path, status):
    refused = httpx.get(f"{librarian_url}{path}", timeout=120)
    assert refused.status_code == status
    assert set(refused.json()["error"]) == {"message", "type", "param", "code"}


def test_it_says_that_it_is_healthy(librarian_url):
    assert httpx.get(librarian_url.replace("/v1", "/healthz"), timeout=120).json() == {"status": "ok"}


def test_other_documents_other_answers_same_vocabulary_on_every_start(tmp_path):
    (tmp_path / "bees.md").write_text(
        "# Bees\n\nA queen bee lays two thousand eggs a day. Bees dance to show the way.\n"
    )
    seen = []
    for _ in range(2):
        with librarian_process("--docs", tmp_path) as url:
            ask = {"model": "librarian", "messages": [{"role": "user", "content": "How many eggs lays a queen bee?"}]}
            answer = post(url, "/chat/completions", json=ask).json()
            assert answer["choices"][0]["message"]["content"].startswith("A queen bee lays two thousand eggs a day.")
            seen.append((answer["choices"], answer["usage"], httpx.get(f"{url}/tokenizer", timeout=120).text))
    assert seen[0] == seen[1]


def test_without_documents_it_does_not_start(tmp_path):
    command = [sys.executable, "-m", "usufruct_librarian", "--docs", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert ended.returncode == 2
    assert "no Markdown file" in ended.stderr
    assert ended.stdout == ""
