"""The librarian over HTTP, in the OpenAI format."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from usufruct.connectors.librarian.completion import Completion, complete, embed, streamed_answer, whole_answer
from usufruct.connectors.librarian.library import Library
from usufruct.connectors.librarian.requests import (
    CHAT_MODEL,
    CONTEXT_WINDOW,
    EMBEDDING_MODEL,
    InvalidRequest,
    UnknownModel,
    read_body,
    read_chat,
    read_embedding,
)
from usufruct.core import Clock, UsufructError

_MOST_BYTES = 4 << 20
_DESCRIPTIONS = {
    CHAT_MODEL: "I am a retrieval service, not a language model. I quote the sentences of my documents that fit the "
    "last user message, with file and heading, and say so when the documents do not answer. The same question always "
    "gets the same answer; sampling options change nothing.",
    EMBEDDING_MODEL: "TF-IDF over byte-level BPE tokens, reduced by a fixed sparse random projection and scaled to "
    "length 1. Texts are near each other when they share words; this is not a neural embedding.",
}


class LibrarianApi:
    """The routes, over one library."""

    def __init__(self, library: Library, clock: Clock, pace: float = 0.0) -> None:
        """Answer from `library`; streams wait `pace` seconds after each token, so that people can read along."""
        self._library = library
        self._clock = clock
        self._pace = pace
        self._started = clock.now()

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
            exception_handlers={UsufructError: _refuse, HTTPException: _refuse_http, Exception: _fail},
        )

    async def health(self, request: Request) -> Response:
        """Say that the service runs."""
        return _json({"status": "ok"})

    async def models(self, request: Request) -> Response:
        """List the models."""
        return _json({"object": "list", "data": [self._card(model) for model in _DESCRIPTIONS]})

    async def model(self, request: Request) -> Response:
        """Describe one model."""
        model = request.path_params["model"]
        if model not in _DESCRIPTIONS:
            raise UnknownModel(f"there is no model {model[:100]!r}; see /v1/models", param="model")
        return _json(self._card(model))

    async def tokenizer(self, request: Request) -> Response:
        """Hand out the vocabulary, a `tokenizers` JSON file: whoever has it counts as we do."""
        return Response(self._library.vocabulary.to_json(), media_type="application/json")

    async def chat(self, request: Request) -> Response:
        """Answer a question, whole or streamed."""
        asked = read_chat(read_body(await _body(request)))
        completion = await run_in_threadpool(complete, asked, self._library)
        if not asked.stream:
            return _json(whole_answer(completion, self._clock.now()))
        events = self._events(completion, include_usage=asked.include_usage)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

    async def embeddings(self, request: Request) -> Response:
        """Turn texts into vectors."""
        asked = read_embedding(read_body(await _body(request)))
        return _json(await run_in_threadpool(embed, asked, self._library))

    async def _events(self, completion: Completion, *, include_usage: bool) -> AsyncIterator[bytes]:
        for chunk in streamed_answer(completion, self._clock.now(), include_usage=include_usage):
            yield b"data: " + orjson.dumps(chunk) + b"\n\n"
            await asyncio.sleep(self._pace)
        yield b"data: [DONE]\n\n"

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
            raise InvalidRequest(f"the body is over {_MOST_BYTES} bytes; send less")
    return bytes(body)


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _error(status: int, message: str, code: str, param: object = None) -> Response:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return _json({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, UsufructError)
    return _error(error.status, error.message, error.code, error.details.get("param"))


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "not_found" if error.status_code == 404 else "invalid_request"
    return _error(error.status_code, f"{request.method} {request.url.path}: {error.detail}", code)


async def _fail(request: Request, error: Exception) -> Response:
    return _error(500, "the librarian failed at this request; its log says why", "faulty")
