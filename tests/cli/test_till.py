"""What the owner's key decides about the till, and a restored database that learns what the chain knows."""

from dataclasses import replace

import openai
import pytest

from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import write_keystore
from usufruct.core import checksum
from usufruct.gateway import Operator
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement import Refunds

pytestmark = pytest.mark.anvil

SOMEBODY = "0x" + "ab" * 20
HEIR = bytes.fromhex("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e")
"""The devnet's account 6, which everybody knows."""


def at_the_till(commands, question):
    return commands.inside(lambda each: question(Till(each.get(Operator).till, each.client)))


def test_payees_are_listed_and_dropped(commands):
    assert commands.json("till", "payee", SOMEBODY) == {"payee": checksum(SOMEBODY), "as": "plain", "changed": True}
    assert commands.json("till", "payee", SOMEBODY)["changed"] is False
    assert at_the_till(commands, lambda till: till.payees(SOMEBODY)) is PayeeKind.PLAIN
    assert commands.json("till", "payee", SOMEBODY, "--as", "none")["changed"] is True
    assert at_the_till(commands, lambda till: till.payees(SOMEBODY)) is PayeeKind.NONE
    assert commands.json("till", "payee", SOMEBODY)["changed"] is True, "once more, after it was dropped"
    assert commands.refused("till", "payee", "somebody").code == "invalid_address"


def test_a_payee_is_capped_and_what_it_is_owed_is_taken_back(commands, cli_world):
    other = checksum("0x" + "cd" * 20)
    for payee in (SOMEBODY, other):
        commands.json("till", "payee", payee)
    before = commands.json("till", "show")["daily_cap_of_a_payee"]
    assert before == "1000"
    assert commands.json("till", "cap", before)["changed"] is False
    capped = commands.json("till", "cap", "0.0001", "--payee", SOMEBODY)
    assert (capped["payee"], capped["changed"]) == (checksum(SOMEBODY), True)

    async def give(installation):
        operator = installation.get(Operator)
        dollar = TestDollar(operator.token, installation.client)
        await installation.sender(cli_world.PAYER).execute(dollar.mint(operator.till, 350), "a gift to the till")

    commands.inside(give)
    given = commands.json("till", "split", SOMEBODY)
    assert (given["paid"], given["still_owed"]) == ("0.0001", "0.00025")
    assert commands.refused("till", "take-back", SOMEBODY, "0.000251").code == "not_owed"
    assert commands.json("till", "take-back", SOMEBODY, "0.0002")["still_owed"] == "0.00005"
    assert commands.json("till", "split", other)["paid"] == "0.0002"
    assert commands.json("till", "take-back", SOMEBODY, "0.00005")["still_owed"] == "0"
    commands.json("till", "split", other)
    assert commands.refused("till", "split", other).code == "nothing_to_split"
    for payee in (SOMEBODY, other):
        commands.json("till", "payee", payee, "--as", "none")


def test_claim_keys_are_allowed_and_dropped(commands):
    for flag, allowed in (("--allow", True), ("--drop", False), ("--allow", True)):
        assert commands.json("till", "claim-key", SOMEBODY, flag)["changed"] is True
        assert at_the_till(commands, lambda till: till.claim_keys(SOMEBODY)) is allowed
    commands.json("till", "claim-key", SOMEBODY, "--drop")


def test_the_till_is_shown(commands):
    shown = commands.json("till", "show")
    assert (shown["symbol"], shown["owed_to_payees"]) == ("tUSD", "0")
    assert shown["owner"] == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.mark.parametrize("noun", ["till", "registry"])
def test_a_contract_is_handed_over_in_two_steps(commands, cli_world, noun):
    owner, heir = commands.json(noun, "show")["owner"], checksum(cli_world.SOMEBODY.address)
    assert commands.refused(noun, "accept", "--wallet", "6").code == "not_named_owner"
    for changed in (True, False):
        named = commands.json(noun, "transfer", heir)
        assert (named["owner"], named["next_owner"], named["changed"]) == (owner, heir, changed)
    assert "but 0x976EA" in commands.refused(noun, "accept", "--wallet", "5").message
    assert commands.json(noun, "transfer", "0x" + "00" * 20)["next_owner"] is None
    assert commands.refused(noun, "accept", "--wallet", "6").code == "not_named_owner"
    commands.json(noun, "transfer", heir)
    taken = commands.json(noun, "accept", "--wallet", "6")
    assert (taken["owner"], taken["next_owner"], taken["changed"]) == (heir, None, True)
    assert "OwnableUnauthorizedAccount" in commands.refused(noun, "transfer", owner).message
    commands.config.keys.folder.mkdir(exist_ok=True)
    write_keystore(commands.config.keys.folder / "owner.json", HEIR, "p", scrypt_n=2)
    heirs = replace(commands, own=commands.own | {"USUFRUCT_KEYS_PASSWORD": "p"})
    try:
        assert heirs.json(noun, "transfer", owner)["next_owner"] == owner
    finally:
        (commands.config.keys.folder / "owner.json").unlink()
    assert commands.json(noun, "accept", "--wallet", "0")["owner"] == owner


def test_the_owner_sets_fee_and_fee_sink(commands):
    before = commands.json("registry", "show")
    assert commands.json("registry", "fee", "300")["changed"] is True
    assert commands.json("registry", "fee", "300")["changed"] is False
    set_ = commands.json("registry", "fee-sink", SOMEBODY)
    assert (set_["fee_bps"], set_["fee_sink"], set_["changed"]) == (300, checksum(SOMEBODY), True)
    assert commands.run("registry", "fee", "1001").exit_code == 2
    commands.json("registry", "fee", str(before["fee_bps"]))
    assert commands.json("registry", "fee-sink", before["fee_sink"])["fee_sink"] == before["fee_sink"]


def test_a_restored_database_is_brought_to_what_the_chain_says(commands, cli_world, restore):
    key = commands.inside(lambda each: cli_world.paying_key(each, 1_000))
    restored = restore()

    async def balance(installation):
        return (await installation.get(Ledger).account(key.key.channel)).reading.balance

    commands.inside(lambda each: each.get(Refunds).refund(key.key.channel))
    assert restored.inside(balance) == 1_000
    said = restored.json("reconcile")
    assert (said["changed"], said["books"]) == (1, "balance")
    assert restored.inside(balance) == 0
    assert restored.json("reconcile")["changed"] == 0


def test_what_was_claimed_after_the_backup_is_not_claimed_or_promised_again(
    commands, cli_world, librarian_url, restore, tmp_path
):
    """As the guide says: reconcile, then serve. Old outbox and all, on the chain that moved on without it."""
    payee, deposit = checksum(cli_world.OWNER_OF_SHARES.address), 21_300
    sale = ["sell", "--no-up", "--upstream", librarian_url, "--model", "librarian", "--name", "restored"]
    asset = int(commands.json(*sale, "--pay-to", payee)["asset"], 16)
    key = commands.inside(lambda each: cli_world.paying_key(each, deposit))
    ask = {"model": "restored", "messages": [{"role": "user", "content": "What is a voucher?"}]}

    async def numbers(installation):
        channel = await installation.get(Ledger).account(key.key.channel)
        dollar = TestDollar(installation.get(Operator).token, installation.client)
        return channel.charged, channel.total_split, channel.free, await dollar.balance_of(payee)

    def charge(amount):
        commands.inside(lambda each: cli_world.charge(each, key, asset, amount))

    charge(300)
    restored = restore()
    commands.json("claim", "run", "--everything")
    charge(20_000)
    commands.json("claim", "run", "--everything")
    charge(7)  # not claimed: lost to the operator with the database
    paid = commands.inside(numbers)[3]
    assert restored.inside(numbers) == (300, 0, deposit - 300, paid)

    assert restored.json("reconcile")["books"] == "balance"
    assert restored.inside(numbers) == (20_300, 20_300, deposit - 20_300, paid)
    assert restored.json("claim", "run", "--everything")["batches"] == []
    with (
        cli_world.running_cli("serve", own=restored.own, log=tmp_path / "gateway") as gateway,
        openai.OpenAI(base_url=gateway.ready["url"], api_key=key.text, max_retries=0, timeout=120) as client,
    ):
        with pytest.raises(openai.APIStatusError) as refused:  # more than is left, less than the backup believed
            client.chat.completions.create(**ask, max_tokens=2_000)
        charge = int(client.chat.completions.create(**ask, max_tokens=20).usage.cost_details["charge"])
    assert refused.value.code == "insufficient_balance"
    [batch] = restored.json("claim", "run", "--everything")["batches"]
    assert (batch["state"], batch["paid"]) == ("confirmed", {payee: str(charge)})
    assert restored.inside(numbers) == (20_300 + charge, 20_300 + charge, deposit - 20_300 - charge, paid + charge)


def test_books_that_do_not_balance_are_named(commands, cli_world, restore):
    commands.inside(lambda each: cli_world.paying_key(each, 1_000))
    restored = restore(f"UPDATE accounts SET reserved = x'{7:064x}'")
    assert restored.refused("reconcile").code == "books_differ"


def test_rows_that_were_changed_in_the_database_are_named(commands, cli_world, librarian_url, restore):
    cli_world.trade(commands, librarian_url, "altered")
    assert restore().json("reconcile")["books"] == "balance"
    for change, words in cli_world.ALTERED.values():
        refusal = restore(change).refused("reconcile")
        assert refusal.code == "books_differ"
        assert words in refusal.message
