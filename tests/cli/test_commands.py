"""The command line as a process: help, errors as one line, JSON."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

import usufruct.cli
from usufruct import __version__
from usufruct.assets.price_cards import TYPICAL_CALL
from usufruct.cli.commands import PANELS, load, summary


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("USUFRUCT_")}
    command = [sys.executable, "-m", "usufruct.cli", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=clean | environment,
        timeout=180,
        check=False,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # no terminal, wherever the tests run
    )


NAMES = [name for names in PANELS.values() for name in names]


def test_help_shows_every_command_in_a_panel_of_what_people_come_to_do():
    shown = run("--help", COLUMNS="200")
    assert shown.returncode == 0
    for panel, names in PANELS.items():
        assert f"─ {panel} ─" in shown.stdout
        for name in names:
            assert f"{name}  " in shown.stdout
            assert summary(name) in shown.stdout


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("config", "show")])
def test_light_commands_load_little(arguments):
    command = [sys.executable, "-X", "importtime", "-m", "usufruct.cli", *arguments]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stderr
    assert "usufruct.cli.commands" in loaded
    heavy = ["usufruct.app", "usufruct.chain", "usufruct.web", "usufruct_client.gateway", "usufruct_client.wire"]
    heavy += ["eth_account", "httpx", "openai", "pygments", "rich.markdown", "sqlalchemy", "starlette"]
    heavy += ["numpy", "polars"]  # the extra `markets`
    heavy += ["typer.rich_utils", "uvicorn"] + (["pydantic"] if arguments[0] != "config" else [])
    assert not [name for name in heavy if f" {name}\n" in loaded]


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_the_help_is_the_commands_own(name):
    command = load(name)
    assert " ".join(command.help.split("\n\n")[0].split()) == summary(name)
    assert command.name == name


def test_every_module_of_commands_is_in_the_help():
    folder = Path(usufruct.cli.__file__).parent
    modules = {path.stem.rstrip("_") for path in folder.glob("[a-z]*.py")} - {"entry", "root", "commands"}
    assert modules | {"demo"} == set(NAMES)


def test_help_counts_calls_as_prices_do():
    assert "{:,} text tokens in and {:,} out".format(*TYPICAL_CALL) in " ".join(load("pass").help.split())


def test_a_command_whose_extra_is_absent_names_it():
    code = "import sys; sys.modules['polars'] = None; sys.argv[:] = ['usufruct', 'prices', 'show']; "
    code += "from usufruct.cli import main; main()"
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=180, check=False)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert "extra_missing: the command `prices` needs the extra `markets`" in refused.stderr
    assert "pip install 'usufruct[markets]'" in refused.stderr


def test_a_misspelt_command_is_told_its_name():
    refused = run("walet")
    assert refused.returncode == 2
    assert "'wallet'" in refused.stderr


def test_version():
    assert run("--version").stdout == f"usufruct {__version__}\n"


def test_settings_are_shown_without_secrets():
    shown = run("config", "show", "--json", USUFRUCT_DATA_SECRET="correct horse battery staple, and more")
    settings = orjson.loads(shown.stdout)
    assert settings["chain"]["id"] == "31337"
    assert settings["data"]["secret"] == "***"
    assert "horse" not in shown.stdout + shown.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"USUFRUCT_CHAIN_RPC": "http://127.0.0.1:1"}, "USUFRUCT_CHAIN_RPC_URL"),
        ({"USUFRUCT_CHAIN_ID": "one"}, "chain.id"),
        ({"USUFRUCT_CONFIG": "/nowhere.toml"}, "/nowhere.toml"),
        ({"USUFRUCT_GATEWAY_PORT": "99999"}, "gateway.port must be from 0 to 65535"),
        ({"USUFRUCT_GATEWAY_LEAST_DEPOSIT": "0"}, "gateway.least_deposit must be above 0"),
    ],
)
def test_a_bad_setting_is_one_clean_line(setting, words):
    refused = run("config", "show", **setting)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert len(refused.stderr.strip().splitlines()) == 1
    assert words in refused.stderr


def test_a_password_that_nobody_can_type_is_told_where_it_goes(tmp_path):
    keys = {"USUFRUCT_KEYS_FOLDER": str(tmp_path), "USUFRUCT_DATA_FOLDER": str(tmp_path / "data")}
    assert run("wallet", "new", "me", USUFRUCT_KEYS_PASSWORD="secret", **keys).returncode == 0
    assert orjson.loads((tmp_path / "me.json").read_bytes())["crypto"]["kdfparams"]["n"] == 1 << 18
    for command in (("wallet", "new", "you"), ("key", "list", "--wallet", "me")):
        refused = run(*command, **keys)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "error password_missing: password" in refused.stderr
        assert "set USUFRUCT_KEYS_PASSWORD, or keys.password" in refused.stderr.splitlines()[-1]
        assert "Aborted" not in refused.stderr


def test_whoever_reads_our_output_may_have_seen_enough():
    command = [sys.executable, "-m", "usufruct.cli", "config", "show", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shown:
        shown.stdout.close()
        assert shown.stderr.read() == b""
    assert shown.returncode in (1, 141)


def test_a_folder_that_cannot_be_is_one_clean_line():
    refused = run("demo", "--json", "--folder", "/proc/nothing")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error file_trouble: /proc/nothing" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_help_is_printed_as_it_was_written():
    shown = run("sell", "--help", COLUMNS="200").stdout
    for words in (
        "0.5 if not given",
        "1.5 if not given",
        "what the upstream says, or 8192",
        "by the byte if not given",
    ):
        assert words in shown


def test_serving_what_was_never_deployed_says_so(tmp_path):
    refused = run("serve", USUFRUCT_CHAIN_RPC_URL="http://127.0.0.1:9", USUFRUCT_DATA_FOLDER=str(tmp_path))
    assert refused.returncode == 1
    assert "not_deployed" in refused.stderr
    assert "usufruct deploy" in refused.stderr
    assert "Traceback" not in refused.stderr
