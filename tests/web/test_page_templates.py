"""Templates of pages: macros are made once for each page and see its values; variables in texts are escaped."""

import pytest
from jinja2 import DictLoader, Environment

from usufruct.web.ui import load_languages
from usufruct.web.ui.page_templates import IMPORTED, CompiledTemplates, page_environment

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


def test_a_template_is_compiled_once_for_all_languages():
    english, german = (
        page_environment(LANGUAGES[code], [PACKAGE], reload=False).get_template("ui/base.html") for code in ("en", "de")
    )
    assert english.root_render_func.__code__ is german.root_render_func.__code__
    assert english.environment is not german.environment


def test_a_template_that_changed_is_compiled_again_where_the_older_text_was_kept():
    texts, kept = {"page": "one"}, CompiledTemplates()
    for text in ("one", "two", "two"):
        texts["page"] = text
        environment = Environment(loader=DictLoader(texts), autoescape=True, bytecode_cache=kept)
        assert environment.get_template("page").render() == text
