"""What the librarian finds, quotes, counts and embeds, without HTTP."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct_librarian.__main__ import OWN_DOCUMENTS
from usufruct_librarian.embeddings import Embedder
from usufruct_librarian.passages import NoDocuments, markdown_files, passages_of, sentences
from usufruct_librarian.requests import CHAT_MODEL, ChatRequest, EmbeddingRequest, Refusal, read
from usufruct_librarian.search import answer, stem, subject_words
from usufruct_librarian.server import Library
from usufruct_librarian.vocabulary import Vocabulary

LIBRARY = Library([OWN_DOCUMENTS])
DOCUMENTS = markdown_files([OWN_DOCUMENTS])
QUESTIONS = {
    "What is Usufruct?": "What is Usufruct?",
    "Where does the name come from?": "Where the name comes from",
    "Who receives the income of a service?": "Revenue shares",
    "How do I put my own model on sale?": "Putting a service on sale",
    "What is a revenue share?": "Revenue shares",
    "How do I collect my income?": "Collecting your income",
    "What does the protocol fee cost at most?": "Fees and their limit",
    "What is a token?": "What is a token?",
    "How is a call charged?": "How a call is charged",
    "What happens if the price changes?": "When a price changes",
    "Can the operator take my money?": "Deposits and spending limits",
    "What is a spending limit?": "The spending limit",
    "What happens when I hang up in the middle of an answer?": "If you hang up in the middle of an answer",
    "Do I get a refund if the answer breaks off?": "When an answer breaks off",
    "How can I check a bill?": "Checking a bill",
    "Are my prompts stored?": "What a bill keeps private",
    "What if my API key is stolen?": "If a key is stolen",
    "How do I withdraw my deposit?": "Withdrawing your deposit",
    "What is the till?": "The till and settlement",
    "How often are calls settled?": "How often settlement happens",
    "What happens if the gateway crashes?": "If the gateway crashes",
    "How does an agent pay?": "Paying as an agent",
    "What does 402 mean?": "What the status 402 means",
    "What can the operator not do?": "What the operator cannot do",
    "Are shares securities?": "Are revenue shares securities?",
    "What are credits?": "Credits",
    "Can a service be retired?": "Retiring a service",
    "Are you a language model?": "This librarian",
    "Do I need an account or a wallet?": "What you need to run it",
}
OFF_TOPIC = [
    "What is the capital of France?",
    "Write me a poem about the sea",
    "How long do I boil an egg?",
    "Who won the world cup in 1998?",
    "Wie ist das Wetter?",
    "hello",
    "",
    "???",
]


def test_the_right_passage_comes_first_for_nine_questions_in_ten():
    wrong = {
        q: found
        for q, heading in QUESTIONS.items()
        if (found := LIBRARY.index.search(q, 1)[0].passage.heading) != heading
    }
    assert len(wrong) <= len(QUESTIONS) // 10, wrong


def test_every_answered_question_quotes_its_sources_word_for_word():
    passages = {f'{p.file}, "{p.heading}"': p for name, text in DOCUMENTS.items() for p in passages_of(name, text)}
    for question in QUESTIONS:
        quoted, _, places = answer(question, LIBRARY.index).partition("\n\nSources:\n")
        paragraphs = quoted.split("\n\n")
        for number, (paragraph, place) in enumerate(zip(paragraphs, places.splitlines(), strict=True), 1):
            passage = passages[place.removeprefix(f"[{number}] ")]
            assert all(s in passage.sentences for s in sentences(paragraph.removesuffix(f" [{number}]")))


@pytest.mark.parametrize("question", OFF_TOPIC)
def test_off_topic_questions_are_not_answered(question):
    assert answer(question, LIBRARY.index).startswith("My documents do not answer this.")


MARKDOWN = """Before any heading.

# The *title* of `it`

First sentence. Second one
on two lines! See [the guide](guide.md).

## 2. Lists and tables ##

- one item. With two sentences.
- **another** item

| a | b |
|---|:-:|
| c | d |

```python
# not a heading
code = "left out"
```

### Nothing here
"""


def test_markdown_becomes_passages_with_headings():
    found = [(p.title, p.heading, p.sentences) for p in passages_of("file.md", MARKDOWN)]
    title = "The title of it"
    assert found == [
        ("file.md", "file.md", ("Before any heading.",)),
        (title, title, ("First sentence.", "Second one on two lines!", "See the guide.")),
        (title, "2. Lists and tables", ("one item.", "With two sentences.", "another item", "a, b", "c, d")),
    ]


def test_files_and_folders_are_read_and_missing_ones_named(tmp_path: Path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.md").write_text("B.")
    (tmp_path / "a.md").write_text("A.")
    (tmp_path / "c.txt").write_text("C.")
    assert markdown_files([tmp_path]) == {"a.md": "A.", "inner/b.md": "B."}
    assert markdown_files([tmp_path / "a.md"]) == {"a.md": "A."}
    with pytest.raises(NoDocuments, match=r"nowhere\.md"):
        markdown_files([tmp_path / "nowhere.md"])


def test_word_forms_meet():
    assert len({stem(word) for word in ("charge", "charges", "charged", "charging")}) == 1
    assert len({stem(word) for word in ("refund", "refunds", "refunded", "refunding")}) == 1
    assert subject_words("What are the royalties?") == subject_words("royalty")


@given(st.text())
def test_pieces_of_any_text_join_to_it(text):
    assert "".join(LIBRARY.vocabulary.pieces(text)) == text


@given(st.text(), st.integers(1, 12))
def test_a_start_of_any_text_keeps_the_limit_and_is_as_long_as_the_tokens_allow(text, most):
    vocabulary = LIBRARY.vocabulary
    start = vocabulary.start(text, most)
    assert text.startswith(start)
    assert vocabulary.count(start) <= most
    if vocabulary.count(text) <= most:
        assert start == text


def test_the_vocabulary_is_kept_by_what_it_was_trained_on(tmp_path: Path):
    first = Vocabulary.trained_on(["a text about bees"], tmp_path)
    (kept,) = tmp_path.iterdir()
    assert kept.read_text("utf-8") == first.to_json() == Vocabulary.trained_on(["a text about bees"]).to_json()
    marked = Vocabulary.trained_on(["quite another text"]).to_json()
    kept.write_text(marked, "utf-8")
    assert Vocabulary.trained_on(["a text about bees"], tmp_path).to_json() == marked
    Vocabulary.trained_on(["a text about wasps"], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@given(st.text(), st.integers(1, 300))
def test_vectors_have_length_one_or_are_empty_of_meaning(text, dimensions):
    vector = LIBRARY.embedder.embed(text, dimensions)
    assert len(vector) == dimensions
    length = math.fsum(x * x for x in vector)
    assert length == pytest.approx(1) or vector == [0.0] * dimensions


def test_the_projection_keeps_the_angles_of_tf_idf():
    """Against the slow obvious model: the cosine of the full TF-IDF vectors."""
    texts = [passage.text for name, text in DOCUMENTS.items() for passage in passages_of(name, text)][:12]
    embedder = Embedder(LIBRARY.vocabulary, texts)

    def weights(text: str) -> dict[str, float]:
        tokens = LIBRARY.vocabulary.tokens(" " + " ".join(text.lower().split()))
        idf = {
            t: math.log(1 + (12 - n + 0.5) / (n + 0.5)) for t in tokens if (n := sum(t in s for s in spread)) or True
        }
        return {t: (1 + math.log(tokens.count(t))) * idf[t] for t in tokens}

    spread = [set(LIBRARY.vocabulary.tokens(" " + " ".join(text.lower().split()))) for text in texts]
    full = [weights(text) for text in texts]
    lengths = [math.sqrt(sum(x * x for x in vector.values())) for vector in full]
    small = [embedder.embed(text, 2048) for text in texts]
    for i in range(len(texts)):
        for j in range(i):
            exact = sum(x * full[j].get(t, 0.0) for t, x in full[i].items()) / lengths[i] / lengths[j]
            assert math.fsum(a * b for a, b in zip(small[i], small[j], strict=True)) == pytest.approx(exact, abs=0.12)


def status_of(kind: type, raw: bytes) -> int:
    try:
        read(kind, raw)
    except Refusal as error:
        return error.status
    return 200


@given(
    st.dictionaries(
        st.sampled_from(["messages", "n", "stop", "max_tokens", "stream", "stream_options"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=3), lambda s: st.lists(s, max_size=2)
        ),
    )
)
def test_no_request_crashes_the_reader(members):
    assert (
        status_of(ChatRequest, json.dumps({"model": CHAT_MODEL, **members}).encode()) == 400
    )  # no such value is a list of messages


@given(st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b"null"]))
def test_no_body_crashes_the_reader(raw):
    assert status_of(ChatRequest, raw) == status_of(EmbeddingRequest, raw) == 400
