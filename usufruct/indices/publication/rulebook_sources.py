"""The rulebooks that an installation computes: shipped ones by name, and the operator's own from a folder."""

from pathlib import Path

from usufruct.config import InvalidSetting, MarketsConfig
from usufruct.indices.errors import InvalidRulebook
from usufruct.indices.rulebook import Rulebook, load_rulebook, parse_rulebook, shipped


def shipped_rulebooks(settings: MarketsConfig) -> list[Rulebook]:
    """Return the shipped rulebooks that `markets.indices` names.

    Raises:
        InvalidSetting: when it names one that is not shipped.
    """
    named = {"all": list(shipped()), "none": []}.get(settings.indices.strip(), settings.indices.split())
    unknown = [each for each in named if each not in shipped()]
    if unknown:
        raise InvalidSetting(
            f"`markets.indices` names {', '.join(unknown)}, which is not shipped; "
            f"use all, none, or some of {', '.join(shipped())}",
            key="markets.indices",
        )
    return [load_rulebook(each) for each in named]


def enabled_rulebooks(settings: MarketsConfig) -> tuple[list[Rulebook], dict[str, str]]:
    """Return the rulebooks to compute, and why files of the folder are left out.

    A rulebook of the folder replaces a shipped one of its name.

    Raises:
        InvalidSetting: when a setting names what is not there.
    """
    books = {each.name: each for each in shipped_rulebooks(settings)}
    failures: dict[str, str] = {}
    own: dict[str, Path] = {}
    for path in _files(settings):
        try:
            book = parse_rulebook(path.read_text(encoding="utf-8"), path.name)
        except (InvalidRulebook, UnicodeDecodeError) as error:
            failures[path.name] = str(error)
            continue
        if book.name in own:
            failures[path.name] = f"{own[book.name].name} has the name {book.name} too; give each its own"
            continue
        own[book.name] = path
        books[book.name] = book
    return list(books.values()), failures


def _files(settings: MarketsConfig) -> list[Path]:
    if not settings.rulebooks:
        return []
    folder = Path(settings.rulebooks)
    if not folder.is_dir():
        raise InvalidSetting(
            f"`markets.rulebooks` is not a folder: {settings.rulebooks!r}; create it, or set it to another",
            key="markets.rulebooks",
        )
    return sorted(folder.glob("*.toml"))
