"""Answer a question by quoting: the best passages' best sentences, each with the place it comes from."""

from usufruct_librarian.passages import Passage
from usufruct_librarian.search import Hit, Index, subject_words

_ENOUGH_COVERAGE = 0.5
_NEARLY_AS_GOOD = 0.75
_MOST_PASSAGES = 3
_MOST_SENTENCES = 4
_MOST_TITLES = 10
_LATER_SENTENCE = 0.05


def answer(question: str, index: Index) -> str:
    """Quote what the documents contain about `question`, or reply that they contain nothing."""
    hits = index.search(question, _MOST_PASSAGES)
    if not hits or hits[0].coverage < _ENOUGH_COVERAGE:
        return _nothing_found(hits, index)
    quoted = [hits[0], *(hit for hit in hits[1:] if hit.score >= _NEARLY_AS_GOOD * hits[0].score)]
    quotes, places = [], []
    for number, hit in enumerate(quoted, 1):
        chosen = _best_sentences(hit.passage, question, index, _MOST_SENTENCES if number == 1 else 1)
        quotes.append(f"{' '.join(chosen)} [{number}]")
        places.append(f"[{number}] {_place(hit.passage)}")
    return "\n\n".join([*quotes, "Sources:\n" + "\n".join(places)])


def _best_sentences(passage: Passage, question: str, index: Index, most: int) -> list[str]:
    """Return the sentences that share most with the question, in the order they are written."""
    asked = set(subject_words(question))

    def fit(position: int) -> float:
        shared = asked & set(subject_words(passage.sentences[position]))
        return sum(index.weight(word) for word in shared) - _LATER_SENTENCE * position

    chosen = sorted(range(len(passage.sentences)), key=fit, reverse=True)[:most]
    return [passage.sentences[position] for position in sorted(chosen)]


def _nothing_found(hits: list[Hit], index: Index) -> str:
    reply = "My documents do not answer this. I am a retrieval service: I can only quote what is written in them."
    if hits:
        return f"{reply} The nearest I found is {_place(hits[0].passage)}."
    return f"{reply} They are about: {'; '.join(index.titles[:_MOST_TITLES])}"


def _place(passage: Passage) -> str:
    return f'{passage.file}, "{passage.heading}"'
