"""Answer a question by quoting: the best passages' best sentences, each with the place it comes from."""

from dataclasses import dataclass

from usufruct.connectors.librarian.passages import Passage
from usufruct.connectors.librarian.ranking import Found, Ranking
from usufruct.connectors.librarian.words import subject_words

_ENOUGH_COVERAGE = 0.5
_NEARLY_AS_GOOD = 0.75
_MOST_PASSAGES = 3
_MOST_SENTENCES = 4
_MOST_TITLES = 10
_LATER_SENTENCE = 0.05


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said, and the passages it quotes (none when the documents do not answer)."""

    text: str
    sources: tuple[Passage, ...]


def answer(question: str, ranking: Ranking) -> Reply:
    """Quote what the documents say about `question`, or say that they say nothing."""
    found = ranking.search(question, _MOST_PASSAGES)
    if not found or found[0].coverage < _ENOUGH_COVERAGE:
        return Reply(_nothing_found(found, ranking), ())
    best = found[0]
    others = [f for f in found[1:] if f.score >= _NEARLY_AS_GOOD * best.score]
    quotes = [(best.passage, _best_sentences(best.passage, question, ranking, _MOST_SENTENCES))]
    quotes += [(f.passage, _best_sentences(f.passage, question, ranking, 1)) for f in others]
    said = "\n\n".join(f"{' '.join(chosen)} [{number}]" for number, (_, chosen) in enumerate(quotes, 1))
    places = "\n".join(f"[{number}] {_place(passage)}" for number, (passage, _) in enumerate(quotes, 1))
    return Reply(f"{said}\n\nSources:\n{places}", tuple(passage for passage, _ in quotes))


def _best_sentences(passage: Passage, question: str, ranking: Ranking, most: int) -> list[str]:
    """Return the sentences that share most with the question, in the order they are written."""
    asked = set(subject_words(question))

    def fit(position: int) -> float:
        shared = asked & set(subject_words(passage.sentences[position]))
        return sum(ranking.weight(word) for word in shared) - _LATER_SENTENCE * position

    chosen = sorted(range(len(passage.sentences)), key=fit, reverse=True)[:most]
    return [passage.sentences[position] for position in sorted(chosen)]


def _nothing_found(found: list[Found], ranking: Ranking) -> str:
    said = "My documents do not answer this. I am a retrieval service: I can only quote what is written in them."
    if found:
        return f"{said} The nearest I found is {_place(found[0].passage)}."
    return f"{said} They are about: {'; '.join(ranking.titles[:_MOST_TITLES])}"


def _place(passage: Passage) -> str:
    return f'{passage.file}, "{passage.heading}"'
