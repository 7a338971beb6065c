"""A running gateway over SQLite, and a server behind it that misbehaves on request."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import ModuleType

import pytest
from openai import AsyncOpenAI
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from tests.support import gateway_server, misbehaving_upstream


@pytest.fixture(scope="session")
def gateway_module() -> ModuleType:
    return gateway_server


@pytest.fixture(scope="session")
def misbehaving() -> ModuleType:
    return misbehaving_upstream


@pytest.fixture(scope="session")
def vocabulary() -> bytes:
    """A small byte-level vocabulary that knows some Shakespeare."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(vocab_size=300, initial_alphabet=ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(["To be or not to be: that is the question."] * 9, trainer)
    return tokenizer.to_str().encode()


@pytest.fixture(scope="session")
def byte_vocabulary() -> bytes:
    """A vocabulary in which every byte is one text token, so that counts can be told from the text."""
    vocabulary = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(vocabulary, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return tokenizer.to_str().encode()


@pytest.fixture
def gateway_url(databases) -> str:
    return databases.migrated("sqlite")


@pytest.fixture
async def upstream(misbehaving) -> AsyncIterator[object]:
    async with misbehaving.misbehaving_server() as server:
        yield server


@pytest.fixture
def upstream_limits(gateway_module, request) -> object:
    """How long upstreams are waited for: very long, but for the phase that the test's upstream never ends."""
    mode = request.node.callspec.params.get("mode") if hasattr(request.node, "callspec") else None
    short = {"slow_first_byte": {"first_byte": 0.3}, "stalls": {"idle": 2}}.get(mode, {})
    return replace(gateway_module.LIMITS, **short)


@pytest.fixture
def drain_seconds() -> float:
    """How long an upstream is read after its caller has left; a test may parametrize it."""
    return 5.0


@pytest.fixture
async def world(gateway_module, upstream, gateway_url, upstream_limits, drain_seconds) -> AsyncIterator[object]:
    options = {"limits": upstream_limits, "drain_seconds": drain_seconds}
    async with gateway_module.gateway_world(gateway_url, **options) as opened:
        yield opened


@pytest.fixture
async def client_of(world) -> AsyncIterator[Callable[..., AsyncOpenAI]]:
    """A maker of the unmodified client, from a key's text."""
    made: list[AsyncOpenAI] = []

    def make(text: str, **options) -> AsyncOpenAI:
        client = AsyncOpenAI(api_key=text, base_url=world.url, **{"max_retries": 0} | options)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()
