"""An operator changes the receipt key: receipts of before stay good, under the key that signed them."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import httpx
import openai
import pytest

from usufruct.core import checksum

pytestmark = pytest.mark.anvil

ASK = {"model": "rotated", "messages": [{"role": "user", "content": "What is a voucher?"}], "max_tokens": 20}


@pytest.fixture
def shop(cli_world, restore, librarian_url):
    """An installation of its own that sells a service."""
    shop = restore()
    sale = ["sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--name", "rotated"]
    shop.json(*sale, "--pay-to", checksum(cli_world.SOMEBODY.address))
    return shop


def call(url, key, idempotency_key):
    """Ask; return the receipt and the gateway's answer to who asks for it."""
    once = {"idempotency-key": idempotency_key}
    with openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=120) as client:
        raw = client.chat.completions.with_raw_response.create(**ASK, extra_headers=once)
    asked = httpx.get(
        f"{url}/receipts/{raw.headers['x-usufruct-call']}", headers={"authorization": f"Bearer {key}"}, timeout=120
    )
    return asked.raise_for_status().json()["receipt"], raw.headers.get("x-usufruct-replayed")


def test_receipts_outlive_their_key(shop, cli_world, tmp_path):
    key = shop.inside(cli_world.paying_key).text
    with cli_world.running_cli("serve", own=shop.own, log=tmp_path / "first") as gateway:
        old, _ = call(gateway.ready["url"], key, "first")
    rotated = replace(
        shop, own=shop.own | {"USUFRUCT_KEYS_FOLDER": str(tmp_path / "new"), "USUFRUCT_KEYS_PASSWORD": "a password"}
    )
    signer = rotated.json("wallet", "new", "receipts")["address"]

    said = rotated.json("reconcile")
    assert (said["books"], said["receipts_of_earlier_keys"] >= 1) == ("balance", True)
    with cli_world.running_cli("serve", own=rotated.own, log=tmp_path / "second") as gateway:
        url = gateway.ready["url"]
        assert call(url, key, "first") == (old, "true")
        new, _ = call(url, key, "second")
        assert (checksum(new["signer"]), checksum(old["signer"]) == signer) == (signer, False)
        for receipt, found in ((old, f"{old['signer']}, an earlier key of the operator"), (new, new["signer"])):
            (tmp_path / "receipt.json").write_text(json.dumps(receipt))
            checks = rotated.json("receipt", "verify", str(tmp_path / "receipt.json"), "--gateway", url[:-3])
            assert {"check": "signer", "result": "good", "found": found} in checks
    [books] = [each for each in json.loads(rotated.run("doctor", "--json").stdout) if each["subject"] == "books"]
    assert (books["verdict"], "receipts by an earlier key)" in books["says"]) == ("ok", True)

    with closing(sqlite3.connect(rotated.config.data.folder / "usufruct.db")) as database, database:
        database.execute("DELETE FROM receipt_signers")
    assert "no receipt key of the operator signed it" in rotated.refused("reconcile").message
