"""Names that try to leave the place of a page where they are shown, and a reader that sees whether one did."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import orjson

from tests.support.html_page import HtmlPage

HOSTILE = "\"'><evil-tag evil=1></script></title>{{7*7}}%(a)s<!--\\"
"""It ends attributes of both quotes, scripts and titles, begins an element and a comment, and is a template's text."""
_SIGN = "evil"
_LINKS = ("href", "src", "action", "formaction", "hx-get", "hx-post")


def check_names(html: str, *names: str) -> None:
    """Check that a page shows each of the names, whole, as text or as an attribute's value, and nowhere else."""
    page = _Page(html)
    assert not page.comments
    assert not [tag for tag in page.texts if _SIGN in tag]
    assert not [each for each in page.attributes if _SIGN in each[0] + each[1]]
    shown = [text for text in page.shown() if _SIGN in text]
    for name in names:
        assert any(name in text for text in shown), f"the page does not show {name}"
    for text in shown:
        assert any(name in text for name in names), text


class _Page(HtmlPage):
    def __init__(self, html: str) -> None:
        self.comments: list[str] = []
        super().__init__(html)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def shown(self) -> Iterator[str]:
        """Return texts and values as their readers get them: links and JSON decoded; without snippets."""
        for tag, texts in self.texts.items():
            for text in texts:
                if tag == "script" and text.strip():
                    yield from _texts_in(orjson.loads(text))
                elif tag != "code":  # snippets quote a name by the rules of their languages
                    yield text
        for _, attribute, value in self.attributes:
            if attribute in _LINKS and _SIGN in (value or ""):
                assert _is_link(value), (attribute, value)
            yield _decoded(value or "")


def _texts_in(value: Any) -> Iterator[str]:
    """Return every text of a JSON document, links decoded."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)
    elif isinstance(value, str):
        yield _decoded(value)


def _decoded(value: str) -> str:
    return unquote(value) if _is_link(value) else value


def _is_link(value: str | None) -> bool:
    """Tell whether a value leads to a page of the gateway, which listens at this machine."""
    return (value or "").startswith(("/", "?", "http://127.0.0.1:"))
