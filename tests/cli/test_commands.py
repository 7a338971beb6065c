"""The command line as a process: help, errors as one line, JSON."""

import os
import subprocess
import sys

import orjson
import pytest

from usufruct import __version__


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("USUFRUCT_")}
    command = [sys.executable, "-m", "usufruct.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=clean | environment, timeout=60, check=False)


def test_help_names_every_command():
    shown = run("--help")
    assert shown.returncode == 0
    assert "demo" in shown.stdout
    assert "config" in shown.stdout


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
    ],
)
def test_a_bad_setting_is_one_clean_line(setting, words):
    refused = run("config", "show", **setting)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert len(refused.stderr.strip().splitlines()) == 1
    assert words in refused.stderr


def test_serving_without_a_node_says_so(tmp_path):
    refused = run("serve", USUFRUCT_CHAIN_RPC_URL="http://127.0.0.1:9", USUFRUCT_DATA_FOLDER=str(tmp_path))
    assert refused.returncode == 1
    assert "rpc_unavailable" in refused.stderr
    assert "Traceback" not in refused.stderr
