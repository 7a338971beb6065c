"""Everything the librarian knows, built once from its documents."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from usufruct.connectors.librarian.embedding import Embedder
from usufruct.connectors.librarian.passages import NoDocuments, markdown_files, passages_of
from usufruct.connectors.librarian.ranking import Ranking
from usufruct.connectors.librarian.vocabulary import Vocabulary

OWN_DOCUMENTS = Path(__file__).parent / "docs"
"""Pages about Usufruct for newcomers, part of the package."""


@dataclass(frozen=True, slots=True)
class Library:
    """An index to answer from, a vocabulary to count with, an embedder, and the digest of the documents (sha-256)."""

    ranking: Ranking
    vocabulary: Vocabulary
    embedder: Embedder
    digest: str


def open_library(paths: list[Path], cache: Path | None = None) -> Library:
    """Read the Markdown files at or under `paths`; the vocabulary is kept in the folder `cache`, if one is given.

    Raises:
        NoDocuments: when there is no text to answer from.
    """
    texts = markdown_files(paths)
    passages = passages_of(texts)
    if not passages:
        raise NoDocuments("--docs names files without a single sentence; give files that have some")
    vocabulary = Vocabulary.trained_on(texts.values(), cache)
    embedder = Embedder(vocabulary, [f"{passage.heading} {passage.text}" for passage in passages])
    digest = hashlib.sha256()
    for name, text in texts.items():
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(text.encode()).digest())
    return Library(Ranking(passages), vocabulary, embedder, digest.hexdigest())
