"""Names that a reader could take for one another.

Two names are alike in two cases:

1. Two names have one skeleton: the same letters and digits once case, accents, signs and what looks alike are taken
   away (Cyrillic and Greek letters like Latin ones, `0` like `o`, `1`, `l` and `i`, `rn` like `m`, `vv` like `w`).
2. Or they have the same digits, and five letters or more of which one was changed, added, left out, or two neighbours
   swapped. `model-7b` and `model-8b` are thus two names, `librarian` and `libarian` are not.
"""

import unicodedata
from hashlib import sha256

_LEAST_LETTERS = 5
_LONGEST = 64

_LATIN = str.maketrans(
    {
        **dict(zip("авеікмнорстухјѕԁһӏѵԛԝ", "abelkmhopctyxjsdhlvqw", strict=True)),
        **dict(zip("αβγεηικνορτυχω", "abyenlkvoptuxw", strict=True)),
        **dict(zip("ıɩɡøłđƅʏ", "llgoldby", strict=True)),
        "0": "o",
        "1": "l",
        "i": "l",
    }
)
_PAIRS = (("rn", "m"), ("vv", "w"))


def skeleton(name: str) -> str:
    """Return a name without what a reader does not tell apart."""
    alike = "".join(_characters(name)).translate(_LATIN)
    for pair, letter in _PAIRS:
        alike = alike.replace(pair, letter)
    return alike[:_LONGEST]


def resemble(one: str, other: str) -> bool:
    """Tell whether two names that are not the same could be taken for one another."""
    return one != other and not name_keys(one).isdisjoint(name_keys(other))


def name_keys(name: str) -> set[int]:
    """Return numbers of 63 bits: two names resemble each other where they share one."""
    digits = "".join(each for each in _characters(name) if each.isdigit())
    letters = skeleton("".join(each for each in _characters(name) if not each.isdigit()))
    texts = {f"whole {skeleton(name)}"} if skeleton(name) else set()
    if len(letters) >= _LEAST_LETTERS:
        shorter = (letters[:at] + letters[at + 1 :] for at in range(len(letters)))
        texts |= {f"{digits} {each}" for each in (letters, *shorter)}
    return {int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1 for text in texts}


def _characters(name: str) -> list[str]:
    """Return the letters and digits of a name, in lower case and without accents."""
    return [each for each in unicodedata.normalize("NFKD", name).casefold() if each.isalnum()]
