"""A form that only a script answers waits for it, or a tap that comes sooner is lost (or sent as a plain form)."""

import re
from pathlib import Path

import pytest

import usufruct

ROOT = Path(usufruct.__file__).parent
FORM = re.compile(r"<form\b(?P<head>.*?)>\n?(?P<body>.*?)</form>", re.DOTALL)
MACRO = re.compile(r"{% macro (?P<name>\w+)\(.*?%}(?P<body>.*?){% endmacro %}", re.DOTALL)
SUBMIT = re.compile(r"<button type=\"submit\"[^\n]*")
# forms that a page shows only by script, so no tap can come before it
SHOWN_BY_SCRIPT = ('id="passkey-account" hidden',)


def forms() -> list[tuple[str, str, str]]:
    pages = sorted(ROOT.rglob("templates/**/*.html"))
    found = [(each, form) for each in pages for form in FORM.finditer(each.read_text())]
    return [(str(each.relative_to(ROOT)), form["head"], form["body"]) for each, form in found]


def macros() -> dict[str, str]:
    pages = ROOT.rglob("templates/**/*.html")
    return {each["name"]: each["body"] for page in pages for each in MACRO.finditer(page.read_text())}


def buttons_of(body: str) -> list[str]:
    """The buttons of a form, or of the macros that it calls."""
    known = macros()
    called = "".join(known.get(name, "") for name in re.findall(r"(\w+)\(", body))
    return SUBMIT.findall(body) or SUBMIT.findall(called)


def answered_by_script(head: str) -> bool:
    sent_by_browser = "method=" in head or "hx-" in head
    return not sent_by_browser or "data-confirm" in head or "chain(" in head


SCRIPTED = [each for each in forms() if answered_by_script(each[1]) and not each[1].strip().endswith(SHOWN_BY_SCRIPT)]


def test_there_are_such_forms():
    assert len(SCRIPTED) >= 15


@pytest.mark.parametrize(("page", "head", "body"), SCRIPTED, ids=[f"{each[0]}: {each[1][:40]}" for each in SCRIPTED])
def test_its_buttons_wait_for_the_script(page, head, body):
    buttons = buttons_of(body)
    assert buttons
    assert all("data-scripted disabled" in button for button in buttons)
