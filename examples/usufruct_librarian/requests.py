"""What callers may ask in the OpenAI format. Sampling options are accepted and change nothing."""

from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import BaseModel, Field, StrictInt, ValidationError, model_validator

from usufruct_librarian.embeddings import MOST_DIMENSIONS

CHAT_MODEL = "librarian"
EMBEDDING_MODEL = "librarian-embedding"
CONTEXT_WINDOW = 8192

_Limit = Annotated[StrictInt, Field(ge=1, lt=1 << 31)]
_Stop = Annotated[str, Field(min_length=1)]
_Tokens = Annotated[list[Annotated[StrictInt, Field(ge=0, lt=1 << 31)]], Field(min_length=1)]
_Input = Annotated[str, Field(min_length=1)] | _Tokens


class Refusal(Exception):
    """A request that is not served; `param` is the member that is wrong."""

    def __init__(
        self, message: str, *, status: int = 400, code: str = "invalid_request", param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param


class _Part(BaseModel):
    type: Literal["text"]
    text: str


class _Message(BaseModel):
    role: str
    content: str | list[_Part] | None = None

    @model_validator(mode="after")
    def _check(self) -> "_Message":
        if self.content is None and self.role != "assistant":
            raise ValueError("content must be a text or a list of text parts")
        return self

    @property
    def text(self) -> str:
        """The content as one text."""
        return "".join(p.text for p in self.content) if isinstance(self.content, list) else self.content or ""


class _StreamOptions(BaseModel):
    include_usage: bool | None = None


class _Request(BaseModel):
    OFFERED: ClassVar[str]
    model: str


class ChatRequest(_Request):
    """A question in its conversation."""

    OFFERED = CHAT_MODEL
    messages: Annotated[list[_Message], Field(min_length=1)]
    max_tokens: _Limit | None = None
    max_completion_tokens: _Limit | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=4)] | None = None
    n: Literal[1] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None

    @property
    def question(self) -> str:
        """The last message of the user."""
        asked = [message.text for message in self.messages if message.role == "user"]
        if not asked:
            raise Refusal("messages must contain a message whose role is user", param="messages")
        return asked[-1]

    @property
    def stops(self) -> list[str]:
        """The texts that end the answer."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []


class EmbeddingRequest(_Request):
    """Texts, or texts already cut into tokens, and the form their vectors are wanted in."""

    OFFERED = EMBEDDING_MODEL
    input: _Input | Annotated[list[_Input], Field(min_length=1, max_length=2048)]
    dimensions: Annotated[StrictInt, Field(ge=1, le=MOST_DIMENSIONS)] | None = None
    encoding_format: Literal["float", "base64"] | None = None


Request = TypeVar("Request", bound=_Request)


def read(kind: type[Request], raw: bytes) -> Request:
    """Read a request body.

    Raises:
        Refusal: when it is not a JSON object of that kind, or asks for another model.
    """
    try:
        request = kind.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        param = str(first["loc"][0]) if first["loc"] else None
        raise Refusal(f"{param or 'the body'}: {first['msg']}", param=param) from error
    if request.model != kind.OFFERED:
        message = f"there is no model {request.model[:100]!r} at this address; use {kind.OFFERED}"
        raise Refusal(message, status=404, code="model_not_found", param="model")
    return request
