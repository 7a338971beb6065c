"""A user's commands as processes, against one installation on a real chain; the user shares nothing with its operator.

The money journey runs in one order, as a user's day does; what goes wrong is tried before it.
"""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread

import orjson
import pytest

from tests.support.bills import counts
from tests.support.devnet import Devnet, devnet_client
from usufruct.app import open_installation
from usufruct.assets import Caps, PricePeriod, plain_listing_id
from usufruct.chain import FEE_SINK, token_facts
from usufruct.chain.anvil import Anvil
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.deployment import Deployments
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import devnet_signer, open_keystore
from usufruct.cli import main
from usufruct.cli.support.child_process import Process
from usufruct.cli.support.deposits import Payer, agreed_token
from usufruct.cli.support.gateway_client import open_gateway, terms_of
from usufruct.cli.support.local_store import saved_channel
from usufruct.config import (
    ChainConfig,
    Config,
    DatabaseConfig,
    DataConfig,
    GatewayConfig,
    KeysConfig,
    load_config,
    process_environment,
)
from usufruct.core import Address, ChainId, Conflict, Invalid, checksum, format_units, parse_units
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Catalogue, Endpoint, Operator, ServedListing, Upstream
from usufruct.payments.ledger.service import new_id
from usufruct.payments.settlement import Claimer
from usufruct.payments.settlement.model import on_chain
from usufruct_client import GatewayRefused, NotAllowed, channel_id, check_channel, new_channel
from usufruct_client.wire import Token

pytestmark = pytest.mark.anvil

PAYER = 4
DOLLAR = 1_000_000
ANOTHER_TOKEN = Address("0x" + "70" * 20)


@dataclass
class Town:
    """An operator's installation that runs, and where its users find it."""

    anvil: Anvil
    operator: Config
    gateway: Process
    folder: Path
    token: str

    @property
    def url(self):
        return self.gateway.ready["url"].removesuffix("/v1")

    def user(self, name="user", **changes):
        """The environment of somebody with a machine of their own."""
        return {
            "USUFRUCT_DATA_FOLDER": str(self.folder / name / "data"),
            "USUFRUCT_KEYS_FOLDER": str(self.folder / name / "keys"),
            "USUFRUCT_KEYS_PASSWORD": "a password",
            "USUFRUCT_CHAIN_RPC_URL": self.anvil.url,
            "USUFRUCT_CHAIN_POLL_MILLISECONDS": "20",
            "USUFRUCT_CHAIN_NODE_SECONDS": "60",
            "USUFRUCT_CHAIN_TOKEN": self.token,
            "USUFRUCT_GATEWAY_PORT": self.url.rpartition(":")[2],
            **changes,
        }

    def run(self, *arguments, given="", environment=None):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("USUFRUCT_")}
        return subprocess.run(
            [sys.executable, "-m", "usufruct.cli", *arguments],
            capture_output=True,
            text=True,
            input=given,
            env=clean | (environment or self.user()),
            timeout=180,
            check=False,
        )


class CutOff(BaseHTTPRequestHandler):
    """A model that says one word and hangs up."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b'data: {"id": "1", "choices": [{"index": 0, "delta": {"content": "Well,"}}]}\n\n')

    def log_message(self, *_):
        pass


@contextmanager
def cut_off_model():
    with ThreadingHTTPServer(("127.0.0.1", 0), CutOff) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


async def offer_services(config, **urls):
    async with open_installation(config) as installation:
        card = PriceCard(500_000, 1_500_000, 20, 8_192, 1)
        for name, url in urls.items():
            await installation.get(Catalogue).add(
                ServedListing(
                    name=name,
                    operation=Endpoint.CHAT,
                    pay_to=FEE_SINK,
                    id=plain_listing_id(name, FEE_SINK),
                    upstreams=(Upstream(url, "librarian"),),
                    prices=(PricePeriod(card, 0),),
                    caps=Caps(usual_output=256, largest_output=2_048),
                )
            )
        payer = devnet_signer(PAYER, installation.chain_id).address
        dollar = TestDollar(installation.get(Operator).token, installation.client)
        owner = installation.sender(devnet_signer(0, installation.chain_id))
        await owner.execute(dollar.mint(payer, 100 * DOLLAR), "mint")


@pytest.fixture(scope="module")
def town(devnet_template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    data = folder / "operator"
    with ExitStack() as stack:
        anvil = stack.enter_context(devnet_template.copy(data))
        config = Config(
            data=DataConfig(data),
            database=DatabaseConfig(f"sqlite:///{data / 'usufruct.db'}"),
            chain=ChainConfig(anvil.url, poll_milliseconds=20, node_seconds=60),
            keys=KeysConfig(folder / "operator keys"),
            gateway=GatewayConfig(port=0),
        )
        environment = process_environment(config)
        service = Process("usufruct_librarian", environment=environment, log=folder / "service.log")
        stack.callback(service.stop)
        cut = stack.enter_context(cut_off_model())
        token = Deployments.read(data, ChainId(31337)).address(TestDollar)
        asyncio.run(offer_services(config, librarian=service.ready["url"], cut=cut))
        gateway = Process("usufruct.cli", "serve", environment=environment, log=folder / "serve.log")
        stack.callback(gateway.stop)
        yield Town(anvil, config, gateway, folder, token)


def claim_everything(town):
    async def work():
        async with open_installation(town.operator) as installation:
            return await installation.get(Claimer).run(everything=True)

    return asyncio.run(work())


def pass_time(town, seconds):
    async def work():
        async with devnet_client(town.anvil.url) as client:
            await Devnet(client).pass_time(seconds)

    asyncio.run(work())


def balance(town, index):
    async def work():
        async with open_installation(town.operator) as installation:
            dollar = TestDollar(installation.get(Operator).token, installation.client)
            return await dollar.balance_of(devnet_signer(index, ChainId(31337)).address)

    return asyncio.run(work())


@pytest.fixture
def here(town, monkeypatch, capsys):
    """Run the command line in this process, which spares its start; returns exit code, output and errors."""

    def run(*arguments, environment=None):
        with monkeypatch.context() as patched:
            for name, value in (environment or town.user()).items():
                patched.setenv(name, value)
            patched.setattr(sys, "argv", ["usufruct", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture
def refused(town, here):
    """The same for what must end with one clean line, which is returned."""

    def run(*arguments, **changes):
        code, out, err = here(*arguments, environment=town.user(**changes))
        assert (code, out) == (1, ""), (out, err)
        assert len(err.strip().splitlines()) == 1, err
        return err

    return run


@pytest.fixture
def told(here):
    """The same for what must succeed, with `--json`; returns the value that is printed."""

    def run(*arguments, environment=None):
        code, out, err = here(*arguments, "--json", environment=environment)
        assert code == 0, err
        return orjson.loads(out)

    return run


def test_what_is_wrong_is_one_line_and_names_the_remedy(town, refused, tmp_path):
    key = ("key", "create", "--wallet", PAYER)
    word = "0x" + "ab" * 32
    (tmp_path / "open").write_text("uf_00")
    (tmp_path / "open").chmod(0o644)
    (tmp_path / "bad.json").write_text("{}")
    for arguments, changes, words in (
        ((*key, "--limit", "1e3"), {}, "limit must be a plain decimal"),
        ((*key, "--limit", "0"), {}, "spending_limit must be from 1"),
        ((*key, "--limit", "1", "--expires", "soon"), {}, "30d, 12h or 45m, not 'soon'"),
        ((*key, "--limit", "1", "--label", "x" * 101), {}, "label must be at most 100"),
        ((*key, "--limit", "1", "--deposit", "x"), {}, "deposit must be a plain decimal"),
        ((*key, "--limit", "1", "--gateway", "http://127.0.0.1:9"), {}, "gateway_unavailable"),
        ((*key, "--limit", "1", "--gateway", "ftp://x"), {}, "not the address of a gateway"),
        ((*key, "--limit", "1", "--gateway", "http://[::1"), {}, "not the address of a gateway"),
        ((*key, "--limit", "1", "--gateway", town.anvil.url), {}, "bad_answer"),
        ((*key, "--limit", "1"), {"USUFRUCT_GATEWAY_PORT": "0"}, "not the address of a gateway"),
        (("key", "create", "--wallet", "nobody", "--limit", "1"), {}, "wallet new nobody"),
        (
            (*key, "--limit", "1"),
            {"USUFRUCT_CHAIN_ID": "1337", "USUFRUCT_CHAIN_CONFIRMATIONS": "2", "USUFRUCT_DATA_SECRET": "x" * 32},
            "chain 31337, chain.id is 1337",
        ),
        (("key", "revoke", "key_00", "--wallet", PAYER), {}, "key_not_found"),
        (("key", "revoke", "../key", "--wallet", PAYER), {}, "invalid_key_id"),
        (("key", "show"), {}, "key create --save"),
        (("key", "show", "--key-file", tmp_path / "none"), {}, "does not exist"),
        (("key", "show", "--key-file", tmp_path / "open"), {}, "chmod 600"),
        (("channel", "open", "--wallet", PAYER, "--deposit", "0.001"), {}, "below 0.1 tUSD, and this is 0.001"),
        (("channel", "open", "--wallet", PAYER, "--deposit", "101"), {}, "cannot_pay"),
        (
            ("channel", "open", "--wallet", PAYER, "--deposit", "1", "--session", tmp_path / "open"),
            {},
            "session_unwritable",
        ),
        (("channel", "deposit", "0x12", "1", "--wallet", PAYER), {}, "invalid_hash"),
        (("channel", "show", word), {}, "channel_not_found"),
        (("channel", "withdraw", word, "--wallet", PAYER), {}, "channel_not_found"),
        (("channel", "show", word), {"USUFRUCT_CHAIN_RPC_URL": "http://127.0.0.1:9"}, "rpc_unavailable"),
        (("call", "librarian", "Who?"), {}, "no_saved_key"),
        (("call", "librarian", " "), {}, "no_question"),
        (("receipt", "show", word), {}, "no_saved_key"),
        (("receipt", "show", "12"), {}, "invalid_hash"),
        (("receipt", "verify", word), {}, "no receipt of"),
        (("receipt", "verify", "nothing.json"), {}, "nothing.json cannot be read: No such file"),
        (("receipt", "verify", "{" * 5_000), {}, "cannot be read"),
        (("receipt", "verify", tmp_path / "open"), {}, "holds no JSON object"),
        (("receipt", "verify", tmp_path / "bad.json"), {}, "receipt.call is missing"),
        (("receipt", "verify", tmp_path / "bad.json", "--signer", "0x" + "11" * 20), {}, "receipt.call is missing"),
    ):
        assert words in refused(*arguments, name="clumsy", **changes), arguments


def test_a_users_day(town, told, here, refused, tmp_path):
    """A key with money behind it, a streamed call and a whole one, receipts, and the money back."""
    held = balance(town, PAYER)
    made = town.run(
        *("key", "create", "--limit", "5", "--per-day", "4", "--deposit", "2"),
        *("--wallet", str(PAYER), "--save", "--label", "me"),
    )
    assert made.returncode == 0, made.stderr
    assert "not shown again" in made.stderr
    assert "uf_" in made.stdout
    assert balance(town, PAYER) == held - 2 * DOLLAR
    (file,) = (town.folder / "user" / "keys" / "bearer").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    kept = orjson.loads(file.read_bytes())
    channel = kept["channel"]

    streamed = town.run("call", "librarian", "-", "--system", "Be brief.", given="What is a voucher?")
    assert streamed.returncode == 0, streamed.stderr
    assert len(streamed.stdout) > 40
    whole = told("call", "librarian", "What is the till?", "--limit", "0.05", "--max-tokens", 40)
    assert whole["answer"]
    assert whole["usage"]["completion_tokens"] <= 40
    assert 0 < float(whole["cost"]) <= float(whole["limit"]) <= 0.05
    folder = town.folder / "user" / "data" / "receipts"
    receipts = {each.stem: orjson.loads(each.read_bytes()) for each in folder.iterdir()}
    call, receipt = whole["receipt"]["call"], whole["receipt"]
    assert receipts.pop(call) == receipt
    (first,) = receipts.values()
    cost = format_units(int(first["amount"]), 6)
    inputs, _, outputs = counts(first)
    assert f"{inputs} in, {outputs} out, {cost} tUSD, limit " in streamed.stderr
    assert whole["symbol"] == "tUSD"
    charged = int(first["amount"]) + int(receipt["amount"])
    said = refused("call", "librarian", "What is the till?", "--limit", "0.00002")
    assert "over_budget" in said
    assert "0.00002 may be spent: raise --limit" in said

    assert "is not shown to" in refused("key", "show", "--key-file", file, "--gateway", "http://127.0.0.1:9")
    shown, beside = told("key", "show"), told("channel", "show", channel)
    assert (units(shown["left"]), units(shown["free"])) == (5 * DOLLAR - charged, 2 * DOLLAR - charged)
    assert (beside["balance"], units(beside["charged"]), beside["gateway"]) == ("2", charged, town.url)

    assert told("key", "rename", kept["id"], "lamp", "--wallet", PAYER)["label"] == "lamp"
    shown = told("key", "show")
    assert (shown["label"], shown["day_limit"], units(shown["left_today"])) == ("lamp", "4", 4 * DOLLAR - charged)
    assert re.fullmatch(r"20\d\d-.*Z", shown["last_use"])

    assert told("receipt", "show", call) == receipt
    (folder / f"{call}.json").unlink()
    assert told("receipt", "show", call) == receipt
    check_receipt(town, here, told, receipt, tmp_path)

    assert told("key", "revoke", kept["id"], "--wallet", PAYER)["state"] == "revoked"
    assert "no_saved_key" in refused("call", "librarian", "Still there?")
    file.write_bytes(orjson.dumps(kept))
    file.chmod(0o600)
    assert "key_revoked" in refused("call", "librarian", "Still there?")

    withdraw = ("channel", "withdraw", channel, "--wallet", PAYER)
    assert "nothing_announced" in refused(*withdraw, "--finish")
    assert "nothing_left" in refused(*withdraw, "--amount", "2.1")
    assert units(told(*withdraw)["leaving"]) == 2 * DOLLAR - charged
    assert "withdrawal_pending" in refused(*withdraw)
    assert "too_early" in refused(*withdraw, "--finish")
    assert "not_your_channel" in refused(*withdraw[:-1], 5, "--finish")
    pass_time(town, 86_400)
    assert units(told(*withdraw, "--finish")["withdrawn"]) == 2 * DOLLAR - charged
    assert balance(town, PAYER) == held - charged


def test_a_payer_gets_out_although_a_session_key_keeps_announcing_withdrawals(town, told, refused, tmp_path):
    """A thief of the session key announces one unit each time the last one can be finished."""
    session = tmp_path / "spender.json"
    opened = told("channel", "open", "--deposit", "2.00", "--wallet", PAYER, "--session", session)
    channel, thief = opened["channel"], Address(opened["payer_authorizer"])
    of = saved_channel(load_config(town.user()), channel).channel_config

    async def announce(*, finish):
        async with devnet_client(town.anvil.url) as client:
            settlement = BatchSettlement(SETTLEMENT, client)
            calls = [settlement.finalize_withdraw(on_chain(of)).data] if finish else []
            calls.append(settlement.initiate_withdraw(on_chain(of), 1).data)
            await Devnet(client).set_balance(thief, 10**18)
            await Devnet(client).send_as(thief, settlement.multicall(calls))

    withdraw = ("channel", "withdraw", channel, "--wallet", PAYER)
    asyncio.run(announce(finish=False))
    assert "announces the rest as well, and --wait" in refused(*withdraw)
    pass_time(town, 86_400)
    asyncio.run(announce(finish=True))
    assert "withdrawal_pending" in refused(*withdraw)

    held = balance(town, PAYER)
    with ThreadPoolExecutor() as other:
        waiting = other.submit(town.run, *map(str, withdraw), "--wait", "--json")
        pass_time(town, 86_400)
        ended = waiting.result()
    out = orjson.loads(ended.stdout or f'"{ended.stderr}"')
    assert (out["withdrawn"], out["leaving"]) == ("0.000001", "1.999998")
    assert "withdrawal_pending" in refused(*withdraw)
    pass_time(town, 86_400)
    assert told(*withdraw, "--finish")["withdrawn"] == "1.999998"
    assert balance(town, PAYER) == held + 1_999_999


def results(out):
    """The results in a table of checks, counted; a hash may spell "bad" too."""
    return Counter(re.findall(r"│ (\w+) +(?=│)", out)) & Counter(good=99, bad=99)


def check_receipt(town, here, told, receipt, folder):
    """A receipt is good; with any digit changed, under another key, or not yet anchored it is bad."""
    code, out, _ = here("receipt", "verify", receipt["call"], "--anchored")
    assert (code, results(out), out.count("not_anchored")) == (1, {"good": 6, "bad": 1}, 1)
    batches = claim_everything(town)
    found = told("receipt", "verify", receipt["call"], "--anchored")
    names = ["signature", "charge", "signer", "till", "prices", "chain", "anchored"]
    assert [(each["check"], each["result"]) for each in found] == [(name, "good") for name in names]
    assert batches[0].hash in found[-1]["found"]
    file = folder / "receipt.json"
    for name in ("amount", "cumulative", "lines", "time", "priceCardVersion"):
        digits = receipt["lines"][0]["quantity"] if name == "lines" else receipt[name]
        changed: object = digits[:-1] + str(9 - int(digits[-1]))
        if name == "lines":
            changed = [receipt["lines"][0] | {"quantity": changed}, *receipt["lines"][1:]]
        file.write_bytes(orjson.dumps({"receipt": receipt | {name: changed}}))
        code, out, _ = here("receipt", "verify", file, "--anchored")
        found = results(out)
        assert (code, found["bad"] + found["good"]) == (1, 6 if name == "priceCardVersion" else 7), out
        assert found["bad"] == {"amount": 3, "lines": 4}.get(name, 2), out
    done = town.run(
        "receipt", "verify", receipt["call"], "--signer", receipt["signer"], "--gateway", "http://127.0.0.1:9"
    )
    assert done.returncode == 0, done.stderr
    code, out, _ = here("receipt", "verify", receipt["call"], "--signer", "0x" + "12" * 20)
    assert (code, results(out)["bad"]) == (1, 1)


def test_a_channel_of_ones_own_is_found_by_the_chain_alone(town, told, refused):
    session = town.folder / "session.json"
    opened = told("channel", "open", "--deposit", "1.5", "--wallet", PAYER, "--session", session)
    channel = opened["channel"]
    assert open_keystore(session, "a password").address == opened["payer_authorizer"]
    assert told("channel", "deposit", channel, "0.5", "--wallet", PAYER)["balance"] == "2"
    assert "not_your_channel" in refused("channel", "deposit", channel, "0.5", "--wallet", 5)
    alone = told("channel", "show", channel, environment=town.user("elsewhere", USUFRUCT_GATEWAY_PORT="9"))
    assert (alone["balance"], alone["charged"]) == ("2", None)
    assert "wallet" in alone["gateway"]
    away = town.user(USUFRUCT_GATEWAY_PORT="9")
    assert "does not answer" in told("channel", "show", channel, "--wallet", PAYER, environment=away)["gateway"]
    beside = told("channel", "show", channel, "--wallet", PAYER)
    assert (beside["charged"], beside["free"]) == ("0", "2")
    assert channel in [each["channel"] for each in told("channel", "show", environment=away)]


def test_no_key_is_made_for_a_deposit_that_the_wallet_cannot_make(refused, told):
    before = told("key", "list", "--wallet", PAYER)
    for deposit, words in (("1000", "1000 tUSD is to be paid"), ("0.05", "below 0.1 tUSD"), ("0", "this is 0 tUSD")):
        said = refused("key", "create", "--limit", "1", "--deposit", deposit, "--wallet", PAYER, "--save", name="poor")
        assert "cannot_pay" in said
        assert words in said
    assert told("key", "list", "--wallet", PAYER) == before
    assert "no_saved_key" in refused("key", "show", name="poor")


def test_keys_are_listed_and_a_failing_deposit_does_not_lose_the_key(here, told, monkeypatch):
    def fails(*_):
        raise GatewayRefused(402, "deposit_refused", "the token does not want to")

    with monkeypatch.context() as patched:
        patched.setattr("usufruct.cli.support.deposits.Payer.deposit", fails)
        code, out, err = here("key", "create", "--limit", "1", "--deposit", "1", "--wallet", PAYER, "--expires", "1h")
    assert code == 1
    assert "deposit_refused" in err
    assert "uf_" in out
    listed = told("key", "list", "--wallet", PAYER)
    assert f"usufruct channel deposit {listed[0]['channel']} AMOUNT --wallet {PAYER}" in err
    assert (listed[0]["limit"], listed[0]["state"]) == ("1", "live")
    assert listed[0]["id"] in out
    assert "uf_" not in orjson.dumps(listed).decode()


def test_a_key_without_money_is_told_how_much_and_by_which_command(told, refused):
    made = told("key", "create", "--limit", "0.000001", "--wallet", PAYER, "--save")
    said = refused("call", "librarian", "Who?", "--max-tokens", 5)
    assert re.search(r"holds 0 tUSD, and 0\.0000\d+ is needed", said), said
    assert f"channel deposit {made['channel']} 0.1 --wallet" in said
    told("channel", "deposit", made["channel"], "0.1", "--wallet", PAYER)
    said = refused("call", "librarian", "Who?", "--max-tokens", 5)
    assert re.search(
        r"limit_reached: the key may spend 0\.000001 tUSD in all, 0\.000001 of it is left, and 0\.0000\d+ is", said
    ), said


def test_a_call_is_paid_by_the_kept_key_that_fits_and_has_money(town, told, here):
    user = town.user("two keys")
    create = ("key", "create", "--limit", "1", "--wallet", PAYER, "--save")
    rich = told(*create, "--deposit", "1", environment=user)
    told(*create, "--asset", "cut", "--deposit", "1", environment=user)
    empty = told(*create, environment=user)
    ask = ("call", "librarian", "Who?", "--max-tokens", 5)
    assert told(*ask, environment=user)["receipt"]["account"] == rich["channel"]
    code, _, err = here(*ask, "--key", empty["id"], environment=user)
    assert (code, "holds 0 tUSD" in err) == (1, True)
    told("key", "use", rich["id"], environment=user)
    assert told("key", "show", environment=user)["id"] == rich["id"]


@pytest.mark.parametrize("named", [False, True], ids=["kept key", "--key-file"])
def test_an_answer_that_breaks_off_prints_the_command_that_shows_its_receipt(town, here, told, named, request):
    owner = town.user(f"owner {request.node.name}")
    user = town.user(f"user {request.node.name}") if named else owner
    made = told("key", "create", "--limit", "1", "--deposit", "1", "--wallet", PAYER, "--save", environment=owner)
    options = ("--key-file", made["file"]) if named else ()
    code, out, err = here("call", "cut", "Who are you?", *options, environment=user)
    assert (code, out.strip()) == (1, "Well,")
    assert "answer_broken" in err
    [printed] = re.findall("`usufruct ([^`]+)`", err)
    receipt = told(*shlex.split(printed), environment=user)
    assert counts(receipt)[2] == 1, "five bytes, of an upstream that has shown no text token yet"
    left = told("key", "show", "--key-file", made["file"], environment=user)["charged"]
    assert units(left) == int(receipt["amount"]) > 0


def test_the_payer_says_which_token_is_paid_in(town, here, told, refused, monkeypatch):
    """Where the configuration names none: `--token`, or a yes at the terminal; never the gateway's alone."""
    bare, other = {"USUFRUCT_CHAIN_TOKEN": ""}, "0x" + "12" * 20
    create = ("key", "create", "--limit", "1", "--wallet", PAYER, "--deposit", "1")
    keys, held = told("key", "list", "--wallet", PAYER), balance(town, PAYER)
    for command in (create, ("channel", "open", "--wallet", PAYER, "--deposit", "1")):
        said = refused(*command, **bare)
        assert "token_not_named" in said
        assert f"--token {checksum(town.token)}" in said
        assert "other_token" in refused(*command, "--token", other, **bare)
        assert "other_token" in refused(*command, "--token", other)
        assert "other_token" in refused(*command, USUFRUCT_CHAIN_TOKEN=other)
    assert (told("key", "list", "--wallet", PAYER), balance(town, PAYER)) == (keys, held)
    user = town.user(**bare)
    opened = told("channel", "open", "--wallet", PAYER, "--deposit", "1", "--token", town.token, environment=user)
    more = ("channel", "deposit", opened["channel"], "0.5", "--wallet", PAYER)
    assert "token_not_named" in refused(*more, **bare)
    monkeypatch.setattr("usufruct.cli.support.deposits.at_terminal", lambda: True)
    for answer, code in (("n", 1), ("y", 0)):
        monkeypatch.setattr("sys.stdin", StringIO(answer + "\n"))
        ended, _, shown = here(*more, environment=user)
        assert ended == code, shown
        for words in (checksum(town.token), "tUSD", "6 decimals", "0.5 of it"):
            assert words in shown
    assert balance(town, PAYER) == held - DOLLAR - DOLLAR // 2


def test_a_devnets_own_installation_knows_its_test_dollar(town):
    config = replace(town.operator, chain=ChainConfig(town.anvil.url, node_seconds=60))

    with open_gateway(town.url, config) as remote:
        assert agreed_token(terms_of(remote, config), DOLLAR, "", config).address == town.token


def test_nothing_is_signed_on_a_gateways_word(town):
    config = Config(
        data=DataConfig(town.folder / "careful"), chain=ChainConfig(town.anvil.url, token=town.token, node_seconds=60)
    )
    payer = devnet_signer(PAYER, ChainId(31337))

    async def forge(token):
        async with devnet_client(town.anvil.url) as client:
            await Devnet(client).set_code(ANOTHER_TOKEN, await client.code_at(token))
            return await token_facts(client, ANOTHER_TOKEN)

    with open_gateway(town.url, config) as remote:
        terms = terms_of(remote, config)
        for change in ({"decimals": 0}, {"name": "Dollar"}, {"version": "2"}):
            with pytest.raises(Conflict, match="the gateway says"):
                agreed_token(replace(terms, token=replace(terms.token, **change)), DOLLAR, "", config)
        forged = asyncio.run(forge(terms.token.address))
        real = Token(forged.address, forged.name, forged.symbol, forged.decimals, forged.version)
        lure = replace(terms, token=real)
        with pytest.raises(Conflict, match="names 0x"):
            agreed_token(lure, DOLLAR, "", config)
        with pytest.raises(Invalid, match="nothing here says"):
            agreed_token(lure, DOLLAR, "", replace(config, chain=ChainConfig(town.anvil.url, node_seconds=60)))
        assert agreed_token(lure, DOLLAR, ANOTHER_TOKEN, config) == real
        of = new_channel(terms, payer.address)
        for changed, token in ((replace(of, token=ANOTHER_TOKEN), terms.token), (of, real)):
            with pytest.raises(NotAllowed):
                Payer(payer, remote, terms, config).deposit(token, changed, DOLLAR)
    channel = channel_id(of, terms.chain_id)
    check_channel(channel, of, payer.address, terms)
    other = devnet_signer(5, ChainId(31337)).address
    for change in (
        {"payer": other},
        {"receiver": other},
        {"receiver_authorizer": other},
        {"token": other},
        {"withdraw_delay": 30 * 86_400},
        {"salt": new_id()},
    ):
        with pytest.raises(NotAllowed):
            check_channel(channel, replace(of, **change), payer.address, terms)


def units(text):
    return parse_units(text, 6)
