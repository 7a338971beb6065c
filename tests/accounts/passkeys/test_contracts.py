"""The page on passkey accounts has the addresses of their contracts and the gas of the snapshot."""

import json
import re
from pathlib import Path

from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.contracts.passkey_verifier import PasskeyVerifier
from usufruct.chain.deployment import address_of
from usufruct.core import checksum

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "protocol" / "accounts.md").read_text()


def test_the_page_names_the_addresses_that_deploy_puts_them_at():
    verifier = address_of(PasskeyVerifier, PasskeyVerifier.deploy())
    factory = address_of(PasskeyAccountFactory, PasskeyAccountFactory.deploy(verifier))
    assert f"| `PasskeyVerifier` 1.0.0 | `{checksum(verifier)}` |" in PAGE
    assert f"| `PasskeyAccountFactory` 1.0.0 | `{checksum(factory)}` |" in PAGE


def test_the_page_shows_the_gas_of_the_committed_snapshot():
    measured = json.loads((ROOT / "contracts" / "snapshots" / "accounts.json").read_text())
    rows = dict(re.findall(r"^\| .*\(`(\w+)`\) \| ([\d,]+) \|$", PAGE, re.M))
    assert {name: int(gas.replace(",", "")) for name, gas in rows.items()} == {k: int(v) for k, v in measured.items()}
    for name in ("first_batch_creates_account", "later_batch"):
        assert f"{int(measured[name]):,} gas" in PAGE
