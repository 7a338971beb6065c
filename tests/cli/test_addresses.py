"""One changed character in an address is noticed wherever an address is read, before anything is opened or sent."""

from types import ModuleType

import pytest

from usufruct.config import InvalidSetting, load_config
from usufruct.core import Invalid
from usufruct.web import read_document
from usufruct_client.wire import ChannelConfig

MISTYPED = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dd"

COMMANDS = [
    ("sell", "--upstream", "http://127.0.0.1:1/v1", "--pay-to", MISTYPED),
    ("shares", "transfer", "librarian", MISTYPED, "1", "--wallet", "4"),
    ("shares", "collect", "librarian", "--wallet", "4", "--to", MISTYPED),
    ("pass", "refund", "0x01", "--wallet", "4", "--to", MISTYPED),
    ("till", "payee", MISTYPED),
    ("till", "claim-key", MISTYPED),
    ("till", "transfer", MISTYPED),
    ("registry", "transfer", MISTYPED),
    ("registry", "fee-sink", MISTYPED),
    ("wallet", "fund", MISTYPED),
    ("receipt", "verify", "receipt.json", "--signer", MISTYPED),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_a_mistyped_address_is_refused(command: tuple[str, ...], cli_world: ModuleType, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "receipt.json").write_text("{}")
    error = cli_world.Commands(cli_world.settings(tmp_path, "http://127.0.0.1:1")).refused(*command)
    assert error.code == "address_mistyped", error
    assert MISTYPED in error.message
    assert "copy it again" in error.message


@pytest.mark.parametrize("name", ["TOKEN", "FEE_SINK"])
def test_a_mistyped_address_in_the_configuration_is_refused(name: str):
    with pytest.raises(InvalidSetting, match=f"chain.{name.lower()}.*copy it again"):
        load_config({f"USUFRUCT_CHAIN_{name}": MISTYPED})


def test_a_mistyped_address_over_http_is_refused():
    with pytest.raises(Invalid, match="payer must be an address whose checksum holds"):
        read_document(ChannelConfig, {"payer": MISTYPED}, Invalid)
