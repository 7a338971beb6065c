"""`usufruct airdrop`: a list becomes a file, and the file proves what an account gets."""

from pathlib import Path

import pytest

from tests.support.command_line import Commands
from usufruct.core import checksum
from usufruct.staking import AirdropRefused, NoSuchEntry
from usufruct.staking.merkle_tree import leaf_hash, proves

ONE, TWO = "0x" + "ab" * 20, "0x" + "2" * 40


@pytest.fixture
def offline(tmp_path: Path) -> Commands:
    """Commands in an empty folder; there is no chain."""
    config = tmp_path / "config.toml"
    config.touch()
    return Commands({"USUFRUCT_DATA_FOLDER": str(tmp_path / "data"), "USUFRUCT_CONFIG": str(config)})


def test_a_list_is_built_and_proves_an_account(offline: Commands, tmp_path: Path):
    source = tmp_path / "holders.csv"
    source.write_text(f"address,amount\n{TWO},3\n{checksum(ONE)},1.5\n")
    built = offline.json("airdrop", "build", str(source), "--cap", "5")
    assert built["accounts"] == 2
    assert (built["total"], built["total_units"]) == ("4.5", "4500000000000000000")
    assert built["file"] == str(tmp_path / "holders.airdrop")

    found = offline.json("airdrop", "proof", ONE, "--file", built["file"])
    assert (found["index"], found["account"], found["amount"]) == (1, checksum(ONE), "1.5")
    assert found["root"] == built["root"]
    leaf = leaf_hash(1, bytes.fromhex(ONE[2:]), int(found["units"]).to_bytes(32, "big"))
    assert proves(leaf, [bytes.fromhex(node[2:]) for node in found["proof"]], bytes.fromhex(built["root"][2:]))
    assert offline.refused("airdrop", "proof", "0x" + "3" * 40, "--file", built["file"]).code == NoSuchEntry.code


def test_rows_that_cannot_be_paid_are_named_and_nothing_is_written(offline: Commands, tmp_path: Path):
    source = tmp_path / "holders.csv"
    source.write_text(f"address,amount\n{ONE},1\n{ONE},2\nx,1\n")
    done = offline.run("airdrop", "build", str(source), "--cap", "1")
    assert isinstance(done.exception, AirdropRefused)
    assert "on line 3, 4; correct" in done.exception.message
    assert done.stderr.splitlines() == [
        "line 3: 2 tokens are more than the cap of 1",
        "line 4: 'x' is not an address: 0x and 40 hex digits are expected",
    ]
    assert not (tmp_path / "holders.airdrop").exists()


def test_a_file_is_replaced_only_by_force(offline: Commands, tmp_path: Path):
    source, out = tmp_path / "holders.csv", tmp_path / "out"
    source.write_text(f"address,amount\n{ONE},1\n")
    arguments = ("airdrop", "build", str(source), "--cap", "1", "--out", str(out))
    offline.json(*arguments)
    assert offline.refused(*arguments).code == "airdrop_file_exists"
    offline.json(*arguments, "--force")
