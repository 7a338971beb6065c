"""Every text of every page is translated, and nothing else is in the catalogues."""

import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import usufruct
from usufruct.app.components import PACKAGES
from usufruct.web.ui import RefusalText, load_languages

METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
KEYWORDS = {"gettext": None, "ngettext": (1, 2), "NavigationLink": (2,), "NavigationMenu": (1,), "RefusalText": (2,)}
KIT = "usufruct.web.ui"


def with_pages() -> list[str]:
    packages = [KIT, *(f"usufruct.{name}" for name in PACKAGES)]
    return [package for package in packages if (files(import_module(package)) / "templates").is_dir()]


def messages(folder: Path) -> set[str]:
    """Return what a package says; a package inside it that has pages has a catalogue of its own."""

    def is_own(path: str) -> bool:
        return Path(path) == folder or not (Path(path) / "locales").is_dir()

    found = extract_from_dir(str(folder), METHODS, OPTIONS, KEYWORDS, directory_filter=is_own)
    return {message for _, _, message, _, _ in found}


def test_packages_with_pages_are_found():
    assert {KIT, "usufruct.gateway"} <= set(with_pages())


@pytest.mark.parametrize("package", with_pages())
@pytest.mark.parametrize("language", ["de"])
def test_every_message_is_translated_and_keeps_its_values(package, language):
    folder = Path(str(files(import_module(package))))
    with (folder / "locales" / f"{language}.po").open("rb") as file:
        catalogue = {message.id: message for message in read_po(file, locale=language) if message.id}
    assert set(catalogue) == messages(folder), "run `make messages`, then translate"
    for message in catalogue.values():
        assert not message.fuzzy, message.id
        forms = zip(each(message.id), each(message.string), strict=True)  # of a plural: one and several
        for source, text in forms:
            assert text, source
            assert sorted(re.findall(r"%\(\w+\)s", text)) == sorted(re.findall(r"%\(\w+\)s", source))


def refusals() -> list[RefusalText]:
    """Return the texts of every module of refusals."""
    root = Path(usufruct.__file__).parent
    found: list[RefusalText] = []
    for file in sorted(root.rglob("refusals.py")):
        module = import_module(".".join(("usufruct", *file.relative_to(root).with_suffix("").parts)))
        for value in vars(module).values():
            found += [one for one in value if isinstance(one, RefusalText)] if isinstance(value, tuple) else []
    return found


@pytest.mark.parametrize("language", ["de"])
def test_every_refusal_is_translated(language):
    """A text that is not a literal in its call is found by no extraction, and misses from the catalogue unnoticed."""
    messages = load_languages(with_pages())[language].messages
    texts = {refusal.text for refusal in refusals()}
    assert len(texts) > 100
    assert [text for text in sorted(texts) if messages.gettext(text) == text] == []


def each(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text
