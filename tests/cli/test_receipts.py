"""Receipts that a gateway shows: what is not of this call, or not signed, is said and not kept."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from usufruct.chain.keys import KeySigner
from usufruct.cli.support.local_store import SavedKey, save_channel, save_key, saved_receipt
from usufruct.core import Address, Clock, Hash32
from usufruct.payments.x402 import OfferSigner
from usufruct_client.wire import ChannelConfig, Token


@pytest.fixture
def world(tmp_path, cli_world, liars):
    """Commands of a user who keeps a key for a gateway that lies; no chain is there."""
    with liars.lying_gateway() as gateway:
        user = cli_world.Commands(cli_world.settings(tmp_path, "http://127.0.0.1:9", keys_folder=tmp_path / "keys"))
        save_key(user.config, SavedKey(gateway.url, "key_01", liars.CHANNEL, "uf_01", 5_000))
        yield user, gateway


def kept(user, liars):
    return saved_receipt(user.config, liars.CALL)


def test_show_keeps_a_receipt_of_the_call_that_was_asked_for(world, liars):
    user, gateway = world
    show = ("receipt", "show", liars.CALL, "--gateway", gateway.url)
    gateway.receipts = liars.receipt(call=Hash32("0x" + "cb" * 32))
    refused = user.refused(*show)
    assert refused.code == "receipt_bad"
    assert "the receipt's call is 0xcbcb" in refused.message
    gateway.receipts = liars.receipt() | {"amount": "31"}
    assert "did not sign this" in user.refused(*show).message
    for broken in ({}, [], {"call": "../../x"}, liars.receipt() | {"time": 5}):
        gateway.receipts = broken
        assert user.refused(*show).code in ("bad_answer",)
    assert not (user.config.data.folder / "receipts").exists()
    gateway.receipts = liars.receipt()
    assert user.json(*show) == kept(user, liars) == gateway.receipts
    assert gateway.receipts["asset"] == "0x" + "0" * 31 + "7"  # a receipt stays as it was signed and kept
    assert "0x" + "0" * 31 + "7\n" in user.run(*show).stdout


ZEROS = Hash32("0x" + "00" * 32)
STREAMED = pytest.mark.parametrize("streamed", ["--stream", "--no-stream"])


@STREAMED
@pytest.mark.parametrize(
    ("lie", "spoil", "says"),
    [
        ({"request_hash": ZEROS}, {}, "the receipt's request_hash is"),
        ({"response_hash": ZEROS}, {}, "the receipt's response_hash is"),
        ({"call": Hash32("0x" + "cb" * 32)}, {}, "the receipt's call is 0xcbcb"),
        ({"account": ZEROS}, {}, "the receipt's account is"),
        ({"amount": 29}, {}, "the receipt's amount is 29, not the 30"),
        ({"cumulative": 29}, {}, "the receipt's cumulative 29 does not fit"),
        ({"cumulative": 5_001}, {}, "the receipt's cumulative 5001 does not fit: 5000"),
        ({"token": Address("0x" + "00" * 20)}, {}, "the receipt's token is"),
        ({"lines": ()}, {}, "charged 30; the lines come to 0"),
        ({}, {"countedBy": "share"}, "the receipt's signature is not"),
        ({}, {"signature": "0x" + "00" * 65}, "is not in order"),
    ],
)
def test_call_keeps_no_receipt_that_is_not_in_order(world, liars, lie, spoil, says, streamed):
    user, gateway = world
    gateway.lie, gateway.spoil = lie, spoil
    done = user.run("call", "m", "Who?", streamed, "--gateway", gateway.url)
    assert done.stdout.startswith("Well")
    assert done.exit_code == 1
    assert done.exception.code == "receipt_bad"
    assert says in done.exception.message
    assert kept(user, liars) is None


@STREAMED
def test_only_the_operators_receipt_key_signs_receipts(world, liars, streamed):
    user, gateway = world
    gateway.signer = KeySigner(b"\x06" * 32)
    refused = user.refused("call", "m", "Who?", streamed, "--gateway", gateway.url)
    assert f"signed by {gateway.signer.address}, not by the operator's receipt key" in refused.message
    assert kept(user, liars) is None


@STREAMED
def test_no_receipt_charges_more_than_was_set_aside(world, liars, streamed):
    user, gateway = world
    gateway.charge, gateway.lie = 100, {"cumulative": 100}  # its ceiling is 99
    refused = user.refused("call", "m", "Who?", streamed, "--gateway", gateway.url)
    assert "charged 100, above the ceiling of 99" in refused.message
    assert kept(user, liars) is None


@STREAMED
def test_the_till_and_token_of_a_kept_channel_stand_whatever_the_gateway_says_now(world, liars, streamed):
    user, gateway = world
    other = Address("0x" + "72" * 20)
    for of, says in (
        (
            ChannelConfig(other, other, other, other, liars.TOKEN, 86_400, ZEROS),
            f"the receipt's till is {liars.TILL}, not {other}",
        ),
        (
            ChannelConfig(other, other, liars.TILL, other, other, 86_400, ZEROS),
            f"the receipt's token is {liars.TOKEN}, not",
        ),
    ):
        save_channel(user.config, liars.CHANNEL, of)
        assert says in user.refused("call", "m", "Who?", streamed, "--gateway", gateway.url).message
    assert kept(user, liars) is None


@STREAMED
def test_a_receipt_in_order_is_kept_also_of_an_answer_that_was_given_before(world, liars, streamed):
    user, gateway = world
    gateway.headers = {"x-request-id": "0x" + "cb" * 32, "x-usufruct-replayed": "true"}
    assert user.run("call", "m", "Who?", streamed, "--gateway", gateway.url).exit_code == 0
    assert kept(user, liars)


@STREAMED
def test_an_answer_without_a_receipt_is_shown_and_refused(world, liars, streamed, monkeypatch):
    user, gateway = world
    answer = gateway.answer
    monkeypatch.setattr(gateway, "answer", lambda body: (answer(body)[0], None))
    done = user.run("call", "m", "Who?", streamed, "--gateway", gateway.url)
    assert done.stdout.startswith("Well")
    assert (done.exit_code, done.exception.code) == (1, "bad_answer")
    assert "no receipt" in done.exception.message


@STREAMED
@pytest.mark.parametrize("broken", [None, 5, {"prompt_tokens": -1}, {"cost_details": {}}])
def test_a_receipt_is_printed_although_its_bill_cannot_be_read(world, liars, streamed, broken, monkeypatch, tmp_path):
    user, gateway = world
    answer = gateway.answer

    def spoilt(body):
        whole, bill = answer(body)
        return whole | {"usage": whole["usage"] | broken if isinstance(broken, dict) else broken}, bill

    monkeypatch.setattr(gateway, "answer", spoilt)
    done = user.run("call", "m", "Who?", streamed, "--gateway", gateway.url)
    assert (done.exit_code, done.exception.code) == (1, "bad_answer")
    assert done.stdout.startswith("Well")
    call, receipt = done.stderr.splitlines()
    assert call == f"call {liars.CALL}"
    (tmp_path / "printed.json").write_text(receipt.removeprefix("receipt "))
    verified = ("receipt", "verify", str(tmp_path / "printed.json"), "--signer", liars.SIGNER.address)
    assert user.run(*verified).exit_code == 0
    told = json.loads(user.run("call", "m", "Who?", "--gateway", gateway.url, "--json").stdout)
    assert told["answer"].startswith("Well")
    assert told["receipt"]["call"] == liars.CALL
    assert kept(user, liars) is None


HALF, LONG = "\ud800", 1 << 70


@STREAMED
@pytest.mark.parametrize("more", [HALF, LONG])
def test_nothing_is_kept_beside_what_a_receipt_signs(world, liars, streamed, more):
    user, gateway = world
    gateway.spoil = {"more": more}
    assert user.run("call", "m", "Who?", streamed, "--gateway", gateway.url).exit_code == 0
    assert kept(user, liars).keys() == liars.receipt().keys()


@STREAMED
@pytest.mark.parametrize("more", [HALF, LONG])
def test_what_is_no_receipt_is_printed_whatever_is_in_it(world, streamed, more):
    user, gateway = world
    gateway.spoil = {"amount": more}
    done = user.run("call", "m", "Who?", streamed, "--gateway", gateway.url)
    assert done.exception.code == "bad_answer"
    assert json.loads(done.stderr.splitlines()[-1].removeprefix("receipt "))["amount"] == more
    told = user.run("call", "m", "Who?", "--gateway", gateway.url, "--json").stdout
    assert json.loads(told)["receipt"]["amount"] == more


@pytest.mark.parametrize("event", [b"{", b"[" * 100_000, b"\xff", b'{"x": ' + b"9" * 5_000 + b"}"])
def test_a_stream_that_is_no_json_is_told_in_one_line(world, liars, event, monkeypatch):
    user, gateway = world
    monkeypatch.setattr(gateway, "events", lambda body: [b"data: " + event + b"\n\n"])
    refused = user.refused("call", "m", "Who?", "--gateway", gateway.url)
    assert refused.code == "answer_broken"
    assert f"receipt show {liars.CALL}" in refused.message


def test_an_answer_whose_connection_breaks_is_told_in_one_line(world, liars):
    user, gateway = world
    gateway.cut = True
    refused = user.refused("call", "m", "Who?", "--gateway", gateway.url)
    assert refused.code == "answer_broken"
    assert f"receipt show {liars.CALL}" in refused.message


@pytest.mark.parametrize("streamed", [(), ("--no-stream",)])
@pytest.mark.parametrize(
    ("details", "line"),
    [
        ({"cached_tokens": 1}, "1 in (1 cached), 2 out, "),
        ({"cached_tokens": 0}, "1 in, 2 out, "),
        ({"audio_tokens": 0}, "1 in, 2 out, "),
    ],
)
def test_a_bill_tells_what_of_the_input_came_from_a_cache(world, details, line, streamed):
    user, gateway = world
    gateway.cached = details
    assert line in user.run("call", "m", "Who?", *streamed, "--gateway", gateway.url).stderr


@pytest.mark.parametrize(("saved", "says"), [(0, False), (12, True)])
def test_a_bill_tells_what_the_staking_level_saved(world, saved, says):
    user, gateway = world
    gateway.saved = saved
    shown = user.run("call", "m", "Who?", "--gateway", gateway.url).stderr
    assert ("saved by the staking level, limit " in shown) is says


def test_a_bill_as_json_has_what_the_staking_level_saved(world):
    user, gateway = world
    gateway.saved = 12
    assert user.json("call", "m", "Who?", "--gateway", gateway.url)["saved"] == "0.000012"


def test_a_count_of_cached_tokens_that_is_no_number_is_refused(world):
    user, gateway = world
    gateway.cached = {"cached_tokens": "many"}
    refused = user.refused("call", "m", "Who?", "--no-stream", "--gateway", gateway.url)
    assert refused.code == "bad_answer"
    assert "cached_tokens" in refused.message


def test_a_receipt_that_is_kept_stays(world, liars):
    user, gateway = world
    ask = ("call", "m", "Who?", "--no-stream", "--gateway", gateway.url)
    assert user.run(*ask).exit_code == 0
    first = kept(user, liars)
    assert user.run(*ask).exit_code == 0  # the same again
    gateway.lie = {"time": 1_800_000_001}
    assert user.refused(*ask).code == "receipt_differs"
    assert kept(user, liars) == first


@STREAMED
def test_a_receipt_is_kept_before_its_bill_is_told(world, liars, streamed, cli_world):
    user, gateway = world
    command = [sys.executable, "-m", "usufruct.cli", "call", "m", "Who?", streamed, "--gateway", gateway.url]
    with Path("/dev/full").open("w") as full:  # whatever is written there fails, as on a full disk
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=full, env=cli_world.process_environment(user.own), timeout=60
        )
    assert done.returncode != 0
    assert kept(user, liars)


@STREAMED
def test_a_receipt_that_cannot_be_kept_is_printed(world, liars, streamed, tmp_path):
    user, gateway = world
    (tmp_path / "receipts").write_text("in the way")
    done = user.run("call", "m", "Who?", streamed, "--gateway", gateway.url)
    assert (done.exit_code, done.exception.code) == (1, "invalid_saved_file")
    assert "cannot be written" in done.exception.message
    assert done.stdout.startswith("Well")
    bill, call, receipt = done.stderr.splitlines()
    assert bill.startswith("1 in, 2 out, 0.00003")
    assert call == f"call {liars.CALL}"
    (tmp_path / "printed.json").write_text(receipt.removeprefix("receipt "))
    verified = ("receipt", "verify", str(tmp_path / "printed.json"), "--signer", liars.SIGNER.address)
    assert user.run(*verified).exit_code == 0


def test_a_program_gets_answer_and_receipt_although_it_cannot_be_kept(world, liars, tmp_path):
    user, gateway = world
    (tmp_path / "receipts").write_text("in the way")
    done = user.run("call", "m", "Who?", "--gateway", gateway.url, "--json")
    assert (done.exit_code, done.stderr) == (1, "")
    assert json.loads(done.stdout)["receipt"]["call"] == liars.CALL


def test_a_bill_is_in_the_token_that_was_agreed_or_names_its_address(world, liars):
    user, gateway = world
    ask = ("call", "m", "Who?", "--no-stream", "--gateway", gateway.url)
    assert f"1 in, 2 out, 0.00003 of {liars.TOKEN}" in user.run(*ask).stderr
    of = ChannelConfig(liars.TILL, liars.TILL, liars.TILL, liars.TILL, liars.TOKEN, 86_400, Hash32("0x" + "00" * 32))
    save_channel(user.config, liars.CHANNEL, of, Token(liars.TOKEN, "A Dollar", "AUD", 2, "1"))
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
    save_channel(user.config, liars.CHANNEL, of, Token(liars.TOKEN, "A Dollar", "AUD", 2, "1"))
    assert user.json("receipt", "list")[0]["charged"] == "0.3 AUD"


def test_an_answer_is_compared_with_its_receipt_however_it_was_kept(world, liars, tmp_path):
    user, gateway = world
    file, answer = tmp_path / "receipt.json", tmp_path / "answer"

    def compared(receipt, content):
        file.write_text(json.dumps(receipt))
        answer.write_bytes(content)
        verify = ("receipt", "verify", str(file), "--signer", liars.SIGNER.address, "--answer", str(answer), "--json")
        done = user.run(*verify)
        assert done.exit_code == done.stdout.count('"bad"')
        return {each["check"]: each["result"] for each in json.loads(done.stdout)}["answer"]

    whole, bill = gateway.answer(b"{}")
    said = b"Well\x1b[31m"
    for content in (json.dumps(whole).encode(), json.dumps(whole, indent=2).encode(), said, said + b"\n"):
        assert compared(bill, content) == "good"
    for content in (b"", said + b"!", json.dumps(whole | {"choices": []}).encode(), b"{", b"data: 5\n\n"):
        assert compared(bill, content) == "bad"
    asked = b'{"stream": true}'
    _, bill = gateway.answer(asked)
    stream = b"".join(gateway.events(asked))
    assert compared(bill, stream) == compared(bill, stream.replace(b"\n", b"\r\n")) == "good"
    assert compared(bill, stream.replace(b"We", b"Wo")) == "bad"
    bill = liars.receipt(response_hash=liars.hash_of(b'[{"embedding":[0.5]}]'))
    assert compared(bill, b'{"data": [{"embedding": [0.5]}]}') == "good"
    assert compared(liars.receipt(response_hash=liars.hash_of(b"")), b"Well") == "bad"
    refused = user.refused("receipt", "verify", str(file), "--signer", liars.SIGNER.address, "--answer", "nowhere")
    assert "nowhere cannot be read" in refused.message


@pytest.mark.parametrize("kind", ["offers", "receipt"])
def test_what_x402_signed_is_checked_too(world, liars, tmp_path, kind):
    user, _ = world
    signer, url = OfferSigner(liars.SIGNER, Clock(), 9), "https://ai.example.org/v1/chat/completions"
    entry = {"scheme": "batch-settlement", "network": "eip155:31337", "amount": "1270", "asset": "0xa", "payTo": "0xb"}
    if kind == "offers":
        (signed,) = signer.offers(url, entry, 1_800_000_000)["info"]["offers"]
    else:
        signed = signer.receipt(url, "eip155:31337", Address("0x" + "33" * 20), 1_800_000_000)["info"]["receipt"]
    file = tmp_path / "signed.json"

    def checked(document) -> dict[str, str]:
        file.write_text(json.dumps(document))
        done = user.run("receipt", "verify", str(file), "--signer", liars.SIGNER.address, "--json")
        assert done.exit_code == min(1, done.stdout.count('"bad"'))
        return {each["check"]: each["result"] for each in json.loads(done.stdout)}

    file.write_text(json.dumps(signed))
    assert "leave them out" in user.refused("receipt", "verify", str(file), "--anchored").message
    good = dict.fromkeys(("signature", "content", "chain", "signer"), "good")
    assert checked(signed) == checked({"call": "", kind.rstrip("s"): signed}) == good
    assert checked(signed | {"payload": signed["payload"] | {"resourceUrl": "https://else"}}) == good | {
        "signer": "bad"
    }
    elsewhere = signed | {"payload": signed["payload"] | {"network": "eip155:1"}}
    assert checked(elsewhere) == good | {"signer": "bad", "chain": "bad"}
    assert checked(signed | {"signature": "0x" + "00" * 65}) == good | {"signer": "bad", "signature": "bad"}
