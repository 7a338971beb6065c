"""Words of text, cut in the same way for every database: letters and digits, without case and accents."""

import re
import unicodedata

MOST_WORDS = 8
LONGEST_QUERY = 200
_LONGEST_WORD = 64

_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"\d+|[^\W\d_]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text, and the letters and the digits of each: "gpt4o" is found by "4" and "gpt" too."""
    words = plain_words(text)
    return list(dict.fromkeys([*words, *(part for word in words for part in _PART.findall(word))]))


def query_words(text: str) -> list[str]:
    """Return the words that are asked for: the first few, each of which begins a word of what is found."""
    return list(dict.fromkeys(plain_words(text[:LONGEST_QUERY])))[:MOST_WORDS]


def plain_words(text: str) -> list[str]:
    """Return the words of a text as they are looked up."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not _is_unseen(each))
    return [word[:_LONGEST_WORD] for word in _WORD.findall(plain.casefold())]


def _is_unseen(character: str) -> bool:
    """Tell whether a character is an accent, or a mark that is not seen, such as one of direction or no width."""
    return unicodedata.category(character) in {"Mn", "Cf"}
