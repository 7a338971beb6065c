"""The rule by which one name is taken for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.gateway.similar_names import name_keys, resemble, skeleton

ALIKE = [
    ("librarian", "Librarian"),
    ("librarian", "1ibrarian"),
    ("librarian", "Iibrarian"),
    ("librarian", "lіbrаriаn"),  # Cyrillic
    ("librarian", "ℓibrarian"),
    ("librarian", "li-brarian"),
    ("librarian", "líbrarian"),
    ("librarian", "libarian"),
    ("librarian", "librarians"),
    ("librarian", "lirbarian"),
    ("librarian", "librariam"),
    ("modern", "modem"),
    ("gpt-4o", "gpt-40"),
    ("GPT 4o", "gρt-4ο"),  # Greek
    ("team/llama-3-8b", "team_llama-3.8b"),
    ("llama-3-8b", "1lama3-8b"),
]
APART = [
    ("librarian", "library"),
    ("librarian", "libraries"),
    ("llama-3-8b", "llama-3-7b"),
    ("llama-3-8b", "llama-3-80b"),
    ("poet", "pet"),
    ("poet-01", "poet-02"),
    ("gpt-4o", "gpt-4.1"),
    ("!!", "??"),
    ("", "?"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_alike(one, other):
    assert resemble(one, other)
    assert resemble(other, one)


@pytest.mark.parametrize(("one", "other"), APART)
def test_names_that_a_reader_tells_apart(one, other):
    assert not resemble(one, other)


def test_a_name_does_not_resemble_itself():
    assert not resemble("librarian", "librarian")


@given(st.text(alphabet="abcdefgh", min_size=6, max_size=30), st.data())
def test_one_change_of_a_letter_is_always_noticed(name, data):
    at = data.draw(st.integers(0, len(name) - 1))
    changed = name[:at] + data.draw(st.sampled_from(["", "k", "k" + name[at]])) + name[at + 1 :]
    assert resemble(name, changed)


@given(st.text(max_size=300))
def test_any_text_has_few_keys_that_a_database_can_keep(name):
    keys = name_keys(name)
    assert len(keys) <= 66
    assert all(0 <= key < 1 << 63 for key in keys)
    assert len(skeleton(name)) <= 64
