"""Counting long texts: the same numbers as one token at a time, and nobody else waits for it."""

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tests.support.waiting import PATIENCE, until
from usufruct.gateway import CallLimits
from usufruct.gateway.token_counting import LONG, CountingBusy, TokenCounterPool, Vocabulary, count_bytes

LIMITS = CallLimits()
texts = st.text(st.characters(exclude_categories=()), min_size=1, max_size=200)


def words() -> Tokenizer:
    """Whole words, cut, padded and framed if it were let to."""
    known = {word: number for number, word in enumerate(["[UNK]", "[CLS]", "the", "##s", "a", "##a", "question", "?"])}
    tokenizer = Tokenizer(models.WordPiece(known, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A", special_tokens=[("[CLS]", 1)])
    tokenizer.add_special_tokens(["[CLS]"])
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(pad_id=0)
    return tokenizer


def pieces() -> Tokenizer:
    """A language model of pieces, with bytes for the rest."""
    scored = [("<unk>", 0.0), *((f"<0x{byte:02X}>", -9.0) for byte in range(256)), ("\u2581", -2.0), ("the", -1.0)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=0, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


@pytest.fixture(scope="module", params=["bytes", "words", "pieces"])
def content(request, vocabulary) -> bytes:
    if request.param == "bytes":
        return vocabulary
    return (words() if request.param == "words" else pieces()).to_str().encode()


@settings(max_examples=40)
@given(text=texts)
def test_long_texts_count_as_short_ones_would(content, text):
    plain = Tokenizer.from_str(content.decode())
    plain.no_padding()
    plain.no_truncation()
    long = text * (LONG // len(text) + 1)
    counter = Vocabulary(content)
    for each in (text, long):
        known = plain.encode(each.encode("utf-8", "replace").decode(), add_special_tokens=False)
        assert counter(each) == len(known.ids)


async def longest_pause(work) -> tuple[float, float]:
    """Return the longest time the loop did nothing else while `work` went on, and how long it took."""
    ended = asyncio.ensure_future(work)
    began = last = time.perf_counter()
    longest = 0.0
    while not ended.done():
        await asyncio.sleep(0.005)
        now = time.perf_counter()
        last, longest = now, max(longest, now - last)
    await ended
    return longest, last - began


async def test_the_loop_goes_on_while_long_text_is_counted(vocabulary):
    counter, text = Vocabulary(vocabulary), "to be or not to be, " * 400_000
    pool = TokenCounterPool(LIMITS)
    for _ in range(5):  # a busy machine makes the loop wait now and then, a counter that holds it always
        pause, whole = await longest_pause(pool.count(counter, text))
        if pause < whole / 2:
            break
    pool.close()
    assert pause < whole / 2, f"the loop stood still for {pause:.2f} of {whole:.2f} s"


class Slow:
    """Counts no text before it is told to."""

    def __init__(self) -> None:
        self.running, self.most = 0, 0
        self.go = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, text: str) -> int:
        self.running += 1
        self.most = max(self.most, self.running)
        asyncio.run_coroutine_threadsafe(self.go.wait(), self._loop).result(PATIENCE)
        self.running -= 1
        return len(text)


async def test_two_texts_are_counted_at_once_and_few_wait():
    counting, counter = TokenCounterPool(LIMITS), Slow()
    size = LIMITS.counting_characters // 4
    taken = [asyncio.create_task(counting.count_input(counter, "x" * (size))) for _ in range(4)]
    await until(lambda: counter.running == 2)
    with pytest.raises(CountingBusy) as caught:
        await counting.count_input(counter, "x" * (LONG + 1))
    assert caught.value.status == 503
    assert str(caught.value.details["retry_after"]).isdigit()
    assert await counting.count_input(count_bytes, "x" * (10)) == 10  # short ones never wait
    delivered = asyncio.create_task(counting.count(counter, "x" * (LONG + 1)))  # nor is output refused
    counter.go.set()
    assert await asyncio.gather(*taken, delivered) == [size] * 4 + [LONG + 1]
    assert counter.most == 2
    assert await counting.count_input(counter, "x" * (size)) == size
    counting.close()


async def test_one_text_is_counted_however_long():
    counting = TokenCounterPool(LIMITS)
    long = LIMITS.counting_characters + 1
    assert await counting.count_input(count_bytes, "x" * long) == long
    counting.close()
