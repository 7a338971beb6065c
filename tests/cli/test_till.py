"""What the owner's key decides about the till, and a restored database that learns what the chain knows."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from usufruct.chain import checksum
from usufruct.chain.contracts.structs import PayeeKind
from usufruct.chain.contracts.till import Till

pytestmark = pytest.mark.anvil

SOMEBODY = "0x" + "ab" * 20


def at_the_till(commands, question):
    return commands.inside(lambda each: question(Till(each.operator.till, each.client)))


def test_payees_are_listed_and_dropped(commands):
    assert commands.json("till", "payee", SOMEBODY) == {"payee": checksum(SOMEBODY), "as": "plain", "changed": True}
    assert commands.json("till", "payee", SOMEBODY)["changed"] is False
    assert at_the_till(commands, lambda till: till.payees(SOMEBODY)) is PayeeKind.PLAIN
    assert commands.json("till", "payee", SOMEBODY, "--as", "none")["changed"] is True
    assert at_the_till(commands, lambda till: till.payees(SOMEBODY)) is PayeeKind.NONE
    assert commands.json("till", "payee", SOMEBODY)["changed"] is True, "once more, after it was dropped"
    assert commands.refused("till", "payee", "somebody").code == "invalid_address"


def test_claim_keys_are_allowed_and_dropped(commands):
    for flag, allowed in (("--allow", True), ("--drop", False), ("--allow", True)):
        assert commands.json("till", "claim-key", SOMEBODY, flag)["changed"] is True
        assert at_the_till(commands, lambda till: till.claim_keys(SOMEBODY)) is allowed
    commands.json("till", "claim-key", SOMEBODY, "--drop")


def test_the_till_is_shown(commands):
    shown = commands.json("till", "show")
    assert (shown["symbol"], shown["owed_to_payees"]) == ("tUSD", "0")
    assert shown["owner"] == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.fixture
def restore(commands, tmp_path):
    """Restores a backup of the installation's database into a folder of its own; gives commands on it."""

    def copy(change: str = ""):
        folder = commands.config.data.folder
        shutil.copy(folder / "31337.json", tmp_path)
        with (
            closing(sqlite3.connect(folder / "usufruct.db")) as live,
            closing(sqlite3.connect(tmp_path / "usufruct.db")) as backup,
        ):
            live.backup(backup)
            with backup:
                backup.execute(change)
        return replace(commands, own=commands.own | {"USUFRUCT_DATA_FOLDER": str(tmp_path)})

    return copy


def test_a_restored_database_is_brought_to_what_the_chain_says(commands, cli_world, restore):
    key = commands.inside(lambda each: cli_world.paying_key(each, 1_000))
    restored = restore()

    async def balance(installation):
        return (await installation.ledger.channel(key.key.channel)).reading.balance

    commands.inside(lambda each: each.refunds.refund(key.key.channel))
    assert restored.inside(balance) == 1_000
    said = restored.json("reconcile")
    assert (said["changed"], said["books"]) == (1, "balance")
    assert restored.inside(balance) == 0
    assert restored.json("reconcile")["changed"] == 0


def test_books_that_do_not_balance_are_named(commands, cli_world, restore):
    commands.inside(lambda each: cli_world.paying_key(each, 1_000))
    restored = restore(f"UPDATE channels SET reserved = x'{7:064x}'")
    assert restored.refused("reconcile").code == "books_differ"
