"""Receipts that a gateway shows: what is not of this call, or not signed, is said and not kept."""

import pytest

from usufruct.cli.saved import SavedKey, save_channel, save_key, saved_receipt
from usufruct.core import Address, Hash32
from usufruct.payments import ChannelConfig, TokenFacts


@pytest.fixture
def world(tmp_path, cli_world, liars):
    """Commands of a user who keeps a key for a gateway that lies; no chain is there."""
    with liars.lying_gateway() as gateway:
        user = cli_world.Commands(cli_world.settings(tmp_path, "http://127.0.0.1:9", keys_folder=tmp_path / "keys"))
        save_key(user.config, SavedKey(gateway.url, "key_01", liars.CHANNEL, "uf_01"))
        yield user, gateway


def kept(user, liars):
    return saved_receipt(user.config, liars.CALL)


def test_show_keeps_a_receipt_of_the_call_that_was_asked_for(world, liars):
    user, gateway = world
    show = ("receipt", "show", liars.CALL, "--gateway", gateway.url)
    gateway.receipts = liars.receipt(call=Hash32("0x" + "cb" * 32))
    refused = user.refused(*show)
    assert refused.code == "receipt_bad"
    assert "its call is 0xcbcb" in refused.message
    gateway.receipts = liars.receipt() | {"amount": "31"}
    assert "did not sign this" in user.refused(*show).message
    for broken in ({}, [], {"call": "../../x"}, liars.receipt() | {"time": 5}):
        gateway.receipts = broken
        assert user.refused(*show).code in ("invalid_receipt", "gateway_malformed", "invalid_hash")
    assert not (user.config.data.folder / "receipts").exists()
    gateway.receipts = liars.receipt()
    assert user.json(*show) == kept(user, liars) == gateway.receipts


@pytest.mark.parametrize(
    ("lie", "spoil", "says"),
    [
        ({"request_hash": Hash32("0x" + "00" * 32)}, {}, "its request hash is"),
        ({"channel": Hash32("0x" + "00" * 32)}, {}, "its channel is"),
        ({"amount": 31}, {}, "its amount is 31, not 30"),
        ({"token": Address("0x" + "00" * 20)}, {}, "its token is"),
        ({}, {"outputTokens": "3"}, "did not sign this"),
        ({}, {"signature": "0x" + "00" * 65}, "is not in order"),
    ],
)
def test_call_keeps_no_receipt_that_is_not_in_order(world, liars, lie, spoil, says):
    user, gateway = world
    gateway.lie, gateway.spoil = lie, spoil
    done = user.run("call", "m", "Who?", "--no-stream", "--gateway", gateway.url)
    assert done.stdout.startswith("Well")
    assert done.exception.code == "receipt_bad"
    assert says in done.exception.message
    assert kept(user, liars) is None


def test_a_receipt_that_is_kept_stays(world, liars):
    user, gateway = world
    ask = ("call", "m", "Who?", "--no-stream", "--gateway", gateway.url)
    assert user.run(*ask).exit_code == 0
    first = kept(user, liars)
    assert user.run(*ask).exit_code == 0  # the same again
    gateway.lie = {"time": 1_800_000_001}
    assert user.refused(*ask).code == "receipt_differs"
    assert kept(user, liars) == first


def test_a_bill_is_in_the_token_that_was_agreed_or_names_its_address(world, liars):
    user, gateway = world
    ask = ("call", "m", "Who?", "--no-stream", "--gateway", gateway.url)
    assert f"1 in, 2 out, 0.00003 of {liars.TOKEN}" in user.run(*ask).stderr
    of = ChannelConfig(liars.TILL, liars.TILL, liars.TILL, liars.TILL, liars.TOKEN, 86_400, Hash32("0x" + "00" * 32))
    save_channel(user.config, liars.CHANNEL, of, TokenFacts(liars.TOKEN, "A Dollar", "AUD", 2, "1"))
    assert "1 in, 2 out, 0.3 AUD, limit 0.99 AUD" in user.run(*ask).stderr


def test_a_call_that_cost_more_than_its_limit_is_said_and_its_receipt_kept(world, liars):
    user, gateway = world
    ask = ("call", "m", "Who?", "--no-stream", "--gateway", gateway.url, "--limit")
    assert user.run(*ask, "0.000099").exit_code == 0
    passed = user.refused(*ask, "0.000098")  # its ceiling is 99 atomic units
    assert passed.code == "limit_passed"
    assert f"receipt show {liars.CALL}" in passed.message
    assert kept(user, liars)


def test_kept_receipts_are_listed_in_the_agreed_token_or_by_its_address(world, liars):
    user, gateway = world
    assert "no receipt yet" in user.run("receipt", "list").stdout
    assert user.run("call", "m", "Who?", "--no-stream", "--gateway", gateway.url).exit_code == 0
    [row] = user.json("receipt", "list")
    assert (row["call"], row["charged"]) == (liars.CALL, f"30 atomic units of {liars.TOKEN}")
    assert row["time"] == "2027-01-15T08:00:00Z"
    of = ChannelConfig(liars.TILL, liars.TILL, liars.TILL, liars.TILL, liars.TOKEN, 86_400, Hash32("0x" + "00" * 32))
    save_channel(user.config, liars.CHANNEL, of, TokenFacts(liars.TOKEN, "A Dollar", "AUD", 2, "1"))
    assert user.json("receipt", "list")[0]["charged"] == "0.3 AUD"
