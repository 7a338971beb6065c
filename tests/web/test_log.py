"""Log lines: one JSON object each, without secrets."""

import logging

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.web.log import JsonLines, redacted


def line(message, *args, exc_info=None, **extra):
    record = logging.LogRecord("package", logging.INFO, "", 1, message, args, exc_info)
    record.__dict__.update(extra)
    return orjson.loads(JsonLines().format(record))


def test_a_line_carries_its_extras():
    found = line("charged %s", 12, call_id="call_1", charge=1 << 70, nested={"a": [1, "b"]})
    assert found["message"] == "charged 12"
    assert (found["level"], found["logger"]) == ("info", "package")
    assert (found["call_id"], found["charge"], found["nested"]) == ("call_1", str(1 << 70), {"a": [1, "b"]})


SECRETS = [
    "uf_0123456789abcdefABCDEF",
    "up_0123456789abcdefABCDEF",
    "up_AAB-0123-456789abc_def-ABCDEF",  # base64url
    "Bearer abcdefg",
    "sk-proj-abcdef123456",
    "0x" + "ab" * 65,
    "private key=0x" + "cd" * 32,
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_in_text_are_blanked(secret):
    kept = secret.split(" ")[-1].removeprefix("key=")
    assert kept not in str(line("got %s from them", secret, note=f"again {secret}", deep=[{"x": secret}]))


@given(st.sampled_from(SECRETS), st.text(max_size=200), st.text(max_size=200), st.booleans())
def test_secrets_are_blanked_wherever_they_are(secret: str, before: str, after: str, upper: bool):
    kept = secret.split(" ")[-1].removeprefix("key=")
    if upper:
        secret, kept = secret.upper(), kept.upper()
    assert kept not in str(redacted(f"{before} {secret} {after}"))


@pytest.mark.parametrize(
    "name", ["authorization", "private_key", "session_key", "signature", "PAYMENT-SIGNATURE", "password", "api-key"]
)
def test_members_named_like_a_secret_are_blanked(name):
    assert redacted({"headers": {name: "anything"}}) == {"headers": {name: "[redacted]"}}


def test_what_is_public_stays():
    text = "channel 0x" + "ab" * 32 + " of 0x" + "cd" * 20
    assert redacted({"note": text, "key_id": "key_12"}) == {"note": text, "key_id": "key_12"}


def test_an_exception_is_kept_and_blanked():
    try:
        raise ValueError(SECRETS[0])
    except ValueError as error:
        found = line("broken", exc_info=(type(error), error, error.__traceback__))
    assert "ValueError" in found["exception"]
    assert SECRETS[0] not in found["exception"]
