"""The librarian over HTTP, in the OpenAI format."""

import asyncio
import base64
import hashlib
import json
import secrets
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from usufruct_librarian.embeddings import DEFAULT_DIMENSIONS, Embedder
from usufruct_librarian.passages import NoDocuments, markdown_files, passages_of
from usufruct_librarian.requests import (
    CHAT_MODEL,
    CONTEXT_WINDOW,
    EMBEDDING_MODEL,
    ChatRequest,
    EmbeddingRequest,
    Refusal,
    read,
)
from usufruct_librarian.search import Index, answer
from usufruct_librarian.vocabulary import Vocabulary

_MOST_BYTES = 4 << 20
_DESCRIPTIONS = {
    CHAT_MODEL: "I am a retrieval service, not a language model. I quote the sentences of my documents that fit the "
    "last user message, with file and heading, and report when the documents do not answer. The same question always "
    "gets the same answer; sampling options change nothing.",
    EMBEDDING_MODEL: "TF-IDF over byte-level BPE tokens, reduced by a fixed sparse random projection and scaled to "
    "length 1. Texts are near each other when they share words; this is not a neural embedding.",
}


class Library:
    """What is built once from the documents: index, vocabulary, embedder, and the sha-256 of the documents."""

    def __init__(self, paths: list[Path], cache: Path | None = None) -> None:
        """Read the Markdown files at or under `paths`; the vocabulary is kept in the folder `cache`, if given.

        Raises:
            NoDocuments: when the documents have no text.
        """
        texts = markdown_files(paths)
        passages = [passage for name, text in texts.items() for passage in passages_of(name, text)]
        if not passages:
            raise NoDocuments("--docs names files without a single sentence; give files that have some")
        self.index = Index(passages)
        self.vocabulary = Vocabulary.trained_on(texts.values(), cache)
        self.embedder = Embedder(self.vocabulary, [f"{passage.heading} {passage.text}" for passage in passages])
        self.digest = hashlib.sha256(json.dumps(texts).encode()).hexdigest()


class Server:
    """The routes, over one library."""

    def __init__(self, library: Library, pace: float = 0.0) -> None:
        """Answer from `library`; streams wait `pace` seconds after each token, so that people can read along."""
        self._library = library
        self._pace = pace
        self._started = int(time.time())

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/healthz", self.health),
                Route("/v1/models", self.models),
                Route("/v1/models/{model}", self.model),
                Route("/v1/tokenizer", self.tokenizer),
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/embeddings", self.embeddings, methods=["POST"]),
            ],
            exception_handlers=dict.fromkeys((Refusal, HTTPException, Exception), _refuse),
        )

    async def health(self, request: Request) -> Response:
        """Report that the service runs."""
        return JSONResponse({"status": "ok"})

    async def models(self, request: Request) -> Response:
        """List the models."""
        return JSONResponse({"object": "list", "data": [self._card(model) for model in _DESCRIPTIONS]})

    async def model(self, request: Request) -> Response:
        """Describe one model."""
        model = request.path_params["model"]
        if model not in _DESCRIPTIONS:
            message = f"there is no model {model[:100]!r}; see /v1/models"
            raise Refusal(message, status=404, code="model_not_found", param="model")
        return JSONResponse(self._card(model))

    async def tokenizer(self, request: Request) -> Response:
        """Return the vocabulary, a `tokenizers` JSON file, with which a caller can count as this service does."""
        return Response(self._library.vocabulary.to_json(), media_type="application/json")

    async def chat(self, request: Request) -> Response:
        """Answer a question, whole or streamed.

        Input tokens are those of all message contents, each counted alone; roles cost nothing. Output tokens are those
        of the text returned.
        """
        asked = read(ChatRequest, await _body(request))
        pieces, finish_reason, usage = await run_in_threadpool(self._complete, asked)
        head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": CHAT_MODEL}
        if asked.stream:
            head |= {"object": "chat.completion.chunk"}
            include_usage = bool(asked.stream_options and asked.stream_options.include_usage)
            events = self._events(head, pieces, finish_reason, usage if include_usage else None)
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        message = {"role": "assistant", "content": "".join(pieces), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    async def embeddings(self, request: Request) -> Response:
        """Turn texts into vectors."""
        asked = read(EmbeddingRequest, await _body(request))
        return JSONResponse(await run_in_threadpool(self._embed, asked))

    def _complete(self, asked: ChatRequest) -> tuple[list[str], str, dict[str, int]]:
        """Return the answer in pieces of one token each, the reason it ends, and its usage."""
        vocabulary = self._library.vocabulary
        read = _fitting(sum(vocabulary.count(message.text) for message in asked.messages))
        text = answer(asked.question, self._library.index)
        text = text[: min([len(text), *(at for stop in asked.stops if (at := text.find(stop)) >= 0)])]
        allowed = min(asked.max_completion_tokens or asked.max_tokens or CONTEXT_WINDOW, CONTEXT_WINDOW - read)
        reason = "stop"
        if vocabulary.count(text) > allowed:
            text, reason = vocabulary.start(text, allowed), "length"
        written = vocabulary.count(text)
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        return vocabulary.pieces(text), reason, usage

    async def _events(
        self, head: dict[str, Any], pieces: list[str], finish_reason: str, usage: dict[str, int] | None
    ) -> AsyncIterator[str]:
        """Yield the events of a stream: the role, one per token, the reason it ends, the usage when asked for."""
        deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces), {}]
        for position, delta in enumerate(deltas, 1):
            reason = finish_reason if position == len(deltas) else None
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
            yield _event({**head, "choices": [choice]} | ({"usage": None} if usage else {}))
            await asyncio.sleep(self._pace)
        if usage:
            yield _event({**head, "choices": [], "usage": usage})
        yield "data: [DONE]\n\n"

    def _embed(self, asked: EmbeddingRequest) -> dict[str, Any]:
        vocabulary = self._library.vocabulary
        given = asked.input
        inputs = [given] if isinstance(given, str) or isinstance(given[0], int) else given
        read = sum(_fitting(vocabulary.count(i) if isinstance(i, str) else len(i)) for i in inputs)
        texts = [item if isinstance(item, str) else vocabulary.text(item) for item in inputs]
        vectors = [self._library.embedder.embed(text, asked.dimensions or DEFAULT_DIMENSIONS) for text in texts]
        data = [
            {"object": "embedding", "index": i, "embedding": _base64(v) if asked.encoding_format == "base64" else v}
            for i, v in enumerate(vectors)
        ]
        usage = {"prompt_tokens": read, "total_tokens": read}
        return {"object": "list", "data": data, "model": EMBEDDING_MODEL, "usage": usage}

    def _card(self, model: str) -> dict[str, Any]:
        return {
            "id": model,
            "object": "model",
            "created": self._started,
            "owned_by": "usufruct-librarian",
            "description": _DESCRIPTIONS[model],
            "max_model_len": CONTEXT_WINDOW,
            "template_overhead_tokens": 0,
            "digest": f"sha256:{self._library.digest}",
            "tokenizer": "/v1/tokenizer",
        }


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise Refusal(f"the body is over {_MOST_BYTES} bytes; send less")
    return bytes(body)


def _fitting(count: int) -> int:
    if count >= CONTEXT_WINDOW:
        message = f"the input has {count} tokens; the context window is {CONTEXT_WINDOW}: send less"
        raise Refusal(message, code="context_length_exceeded")
    return count


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content)}\n\n"


def _error(status: int, message: str, code: str, param: str | None = None) -> Response:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


async def _refuse(request: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        return _error(error.status, str(error), error.code, error.param)
    if isinstance(error, HTTPException):
        code = "not_found" if error.status_code == 404 else "invalid_request"
        return _error(error.status_code, f"{request.method} {request.url.path}: {error.detail}", code)
    return _error(500, "the librarian failed at this request; its log has the reason", "faulty")
