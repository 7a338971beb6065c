"""What a passkey answers is checked: its challenge, site, user, key and signature, each alone."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from tests.support.passkeys import CURVE_ORDER, PRESENT, SoftwarePasskey
from usufruct.accounts.passkeys.operation import PasskeySignature
from usufruct.accounts.passkeys.webauthn import Assertion, NewPasskey, PasskeyRefused, RelyingParty

SITE = RelyingParty("https://ai.example.org")
CHALLENGE = sha256(b"a challenge").digest()
VERIFIER = "0x" + "ab" * 20


@pytest.fixture
def passkey() -> SoftwarePasskey:
    return SoftwarePasskey(0xFACE, SITE.origin)


def asserted(passkey: SoftwarePasskey, challenge: bytes = CHALLENGE) -> Assertion:
    answer = passkey.get(challenge)
    return Assertion.of_der(answer.authenticator_data, answer.client_data, answer.signature)


def refused(passkey: SoftwarePasskey, found: Assertion, site: RelyingParty = SITE) -> str:
    with pytest.raises(PasskeyRefused) as caught:
        found.check(passkey.key, CHALLENGE, site)
    return str(caught.value.details["field"])


def test_what_the_passkey_signed_is_taken(passkey):
    asserted(passkey).check(passkey.key, CHALLENGE, SITE)


def test_a_high_s_is_made_low_and_still_verifies(passkey):
    passkey.high_s = True
    found = asserted(passkey)
    assert found.s <= CURVE_ORDER // 2
    found.check(passkey.key, CHALLENGE, SITE)
    passkey.high_s = False
    read = PasskeySignature.read(passkey.sign(VERIFIER, CHALLENGE))
    assert read
    assert read.write(CHALLENGE)[-32:] == passkey.sign(VERIFIER, CHALLENGE)[-32:]


def test_another_challenge_origin_or_site_is_refused(passkey):
    assert refused(passkey, asserted(passkey, bytes(32))) == "challenge"
    elsewhere = SoftwarePasskey(0xFACE, "https://evil.example")
    assert refused(elsewhere, asserted(elsewhere)) == "origin"
    below = SoftwarePasskey(0xFACE, "https://sub.ai.example.org")
    assert refused(below, asserted(below)) == "origin"
    data = sha256(b"evil.example").digest() + asserted(passkey).authenticator_data[32:]
    assert refused(passkey, replace(asserted(passkey), authenticator_data=data)) == "authenticator"


@pytest.mark.parametrize("flags", [0, PRESENT, 0x04])
def test_a_user_who_was_not_verified_is_refused(passkey, flags):
    passkey.flags = flags
    assert refused(passkey, asserted(passkey)) == "authenticator"


def test_a_frame_in_another_page_is_refused(passkey):
    content = json.loads(asserted(passkey).client_data)
    for changed in ({"crossOrigin": True}, {"topOrigin": "https://evil.example"}):
        data = json.dumps(content | changed).encode()
        assert refused(passkey, replace(asserted(passkey), client_data=data)) == "origin"


def test_a_changed_signature_key_or_data_is_refused(passkey):
    found = asserted(passkey)
    for changed in (replace(found, r=found.r ^ 1), replace(found, s=0), replace(found, s=CURVE_ORDER + 1)):
        assert refused(passkey, changed) == "signature"
    assert refused(SoftwarePasskey(0xBEEF), found) == "signature"
    longer = replace(found, authenticator_data=found.authenticator_data + b"\0")
    assert refused(passkey, longer) == "signature"
    assert refused(passkey, replace(found, authenticator_data=b"")) == "authenticator"
    for text in (b"", b"[]", b"\xff", b'{"type":"webauthn.create"}'):
        assert refused(passkey, replace(found, client_data=text)) == "client"


def test_a_new_passkey_is_read_and_an_answer_to_get_is_not(passkey):
    made = passkey.create(CHALLENGE)
    new = NewPasskey.read(made.authenticator_data, made.client_data, CHALLENGE, SITE)
    assert (new.credential, new.key) == (passkey.credential, passkey.key)
    got = passkey.get(CHALLENGE)
    with pytest.raises(PasskeyRefused):
        NewPasskey.read(got.authenticator_data, got.client_data, CHALLENGE, SITE)
    for broken in (made.authenticator_data[:-1], made.authenticator_data[:-64] + bytes(64)):
        with pytest.raises(PasskeyRefused):
            NewPasskey.read(broken, made.client_data, CHALLENGE, SITE)


@pytest.mark.parametrize(
    ("origin", "fits"),
    [
        ("http://localhost:8402", True),
        ("https://localhost", True),
        ("https://ai.example.org", True),
        ("http://ai.example.org", False),
        ("http://127.0.0.1:8402", False),
        ("https://127.0.0.1", False),
        ("https://[::1]", False),
    ],
)
def test_browsers_make_passkeys_at_names_over_https_and_at_localhost(origin, fits):
    assert RelyingParty(origin).fits == fits
    if not fits:
        with pytest.raises(PasskeyRefused, match="http://localhost"):
            RelyingParty(origin).check()
