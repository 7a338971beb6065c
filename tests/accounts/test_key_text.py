"""The text of bearer keys: what is a key, what is a typing error."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.refusal import refused
from usufruct.accounts.key_text import bearer_hash, new_bearer
from usufruct.web import Unauthenticated


def test_a_new_key_is_found_by_its_hash_and_never_made_twice():
    text, stored = new_bearer()
    assert bearer_hash(f"Bearer {text}") == bearer_hash(f"bearer  {text} ") == stored
    assert sha256(bytes.fromhex(text[3:67])).digest() == stored
    assert new_bearer()[0] != text


TEXT = (
    "uf_"
    + "0123456789abcdef" * 4
    + sha256(b"usufruct bearer key" + bytes.fromhex("0123456789abcdef" * 4)).hexdigest()[:8]
)


@given(position=st.integers(3, len(TEXT) - 1), digit=st.sampled_from("0123456789abcdef"))
def test_one_wrong_character_is_noticed(position, digit):
    typed = TEXT[:position] + digit + TEXT[position + 1 :]
    if typed == TEXT:
        assert bearer_hash(f"Bearer {typed}")
    else:
        with refused("key_mistyped"):
            bearer_hash(f"Bearer {typed}")


@given(st.integers(1, len(TEXT) - 4))
def test_a_key_that_was_cut_off_is_noticed(length):
    with refused("key_mistyped"):
        bearer_hash(f"Bearer {TEXT[:-length]}")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", f"Basic {TEXT}", TEXT])
def test_no_key_at_all(header):
    with refused("key_missing"):
        bearer_hash(header)


@given(st.text())
def test_any_other_text_is_refused_without_repeating_it(text):
    with pytest.raises(Unauthenticated) as caught:
        bearer_hash(f"Bearer x{text}")
    assert len(text) < 12 or text not in caught.value.message
