"""Secrets at rest."""

import pytest

from tests.support.refusal import refused
from usufruct.store import Seal, Unsealable

SEAL = Seal(b"sixteen bytes ..", "session keys")


def test_what_is_sealed_comes_back_and_does_not_show():
    sealed = SEAL.close(b"a private key", "key_1")
    assert SEAL.open(sealed, "key_1") == b"a private key"
    assert b"private" not in sealed
    assert SEAL.close(b"a private key", "key_1") != sealed


@pytest.mark.parametrize(
    ("seal", "context", "change"),
    [
        (Seal(b"another secret ..", "session keys"), "key_1", bytes),
        (Seal(b"sixteen bytes ..", "upstreams"), "key_1", bytes),
        (SEAL, "key_2", bytes),
        (SEAL, "key_1", lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (SEAL, "key_1", lambda sealed: b"\x02" + sealed[1:]),
        (SEAL, "key_1", lambda sealed: sealed[:5]),
        (SEAL, "key_1", lambda sealed: b""),
    ],
)
def test_another_secret_purpose_row_or_byte_opens_nothing(seal, context, change):
    with pytest.raises(Unsealable):
        seal.open(change(SEAL.close(b"a private key", "key_1")), context)


def test_a_short_secret_is_refused():
    with refused("weak_secret"):
        Seal(b"fifteen bytes .", "session keys")
