"""Templates of pages: macros are made once for each page and see its values; variables in texts are escaped."""

import pytest
from jinja2 import Environment

from usufruct.web.ui import load_languages
from usufruct.web.ui.page_templates import IMPORTED, page_environment

PACKAGE = "usufruct.web.ui"
LANGUAGES = load_languages([PACKAGE])
TWICE = """
{%- import "ui/kit.html" as one with context %}{% import "ui/kit.html" as other with context -%}
{{ one is sameas other }} {{ one.money(1500, 3, "USD") }}"""


@pytest.fixture
def environment() -> Environment:
    return page_environment(LANGUAGES["en"], [PACKAGE], reload=False)


def test_macros_are_made_once_for_a_page_and_see_no_other_pages_values(environment):
    template = environment.from_string(TWICE)
    for code, amount in (("en", "1.5"), ("de", "1,5"), ("en", "1.5")):
        shown = template.render({IMPORTED: {}, "language": LANGUAGES[code]})
        assert shown == f'True <span class="money">{amount}\N{NO-BREAK SPACE}USD</span>'


def test_texts_are_as_they_are_translated_and_their_variables_are_text(environment):
    texts = "{% trans %}100 % of it{% endtrans %}|{% trans name %}of {{ name }}{% endtrans %}|{{ gettext('<i>') }}"
    assert environment.from_string(texts).render(name="<b>") == "100 % of it|of &lt;b&gt;|<i>"
