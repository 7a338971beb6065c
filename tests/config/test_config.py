"""Settings: typed, from file and environment, misspelt ones refused with the nearest, secrets never shown."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from usufruct.config import (
    InvalidSetting,
    Secret,
    UnknownSetting,
    check_operator,
    config_file,
    load_config,
    setting_meanings,
    show_config,
    write_settings,
)
from usufruct.core import Invalid


def written(tmp_path: Path, toml: str) -> Path:
    path = tmp_path / "usufruct.toml"
    path.write_text(toml, "utf-8")
    return path


def test_a_devnet_needs_no_file():
    config = load_config({})
    assert config.chain.id == 31337
    assert config.database.url == f"sqlite:///{config.data.folder / 'usufruct.db'}"


def test_the_environment_wins_over_the_file(tmp_path: Path):
    path = written(
        tmp_path, '[chain]\nrpc_url = "http://file"\nid = 5\nconfirmations = 3\n[data]\nsecret = "from the file"\n'
    )
    config = load_config({"USUFRUCT_CONFIG": str(path), "USUFRUCT_CHAIN_RPC_URL": "http://environment", "HOME": "/"})
    assert (config.chain.rpc_url, config.chain.id) == ("http://environment", 5)
    assert config.data.secret == Secret("from the file")
    assert load_config({}, path).chain.rpc_url == "http://file"


def test_values_are_typed():
    config = load_config({"USUFRUCT_LEDGER_LEASE_SECONDS": "45", "USUFRUCT_DATA_FOLDER": "/srv/usufruct"})
    assert config.ledger.lease_seconds == 45
    assert config.database.url == "sqlite:////srv/usufruct/usufruct.db"
    with pytest.raises(FrozenInstanceError):
        config.chain.id = 1


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("USUFRUCT_DATABSE_URL", "USUFRUCT_DATABASE_URL"),
        ("USUFRUCT_CHAIN_RPC", "USUFRUCT_CHAIN_RPC_URL"),
        ("USUFRUCT_LEDGER_LEASE", "USUFRUCT_LEDGER_LEASE_SECONDS"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest(variable: str, nearest: str):
    with pytest.raises(UnknownSetting, match=f"{variable} .*{nearest}$"):
        load_config({variable: "1"})


@pytest.mark.parametrize(
    ("toml", "nearest"),
    [
        ('[database]\nurll = "x"', "database.url"),
        ("[chian]\nid = 1", "chain.id"),
        ("lease_seconds = 1", "lease_seconds"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_nearest(tmp_path: Path, toml: str, nearest: str):
    with pytest.raises(UnknownSetting, match=f"the nearest is .*{nearest}"):
        load_config({}, written(tmp_path, toml))


def test_the_test_suites_own_variables_are_not_ours():
    load_config({"USUFRUCT_TEST_POSTGRES_URL": "postgresql:///x"})


@pytest.mark.parametrize(
    "variables",
    [
        {"USUFRUCT_CHAIN_ID": "mainnet"},
        {"USUFRUCT_CHAIN_ID": "0"},
        {"USUFRUCT_LEDGER_LEASE_SECONDS": "-5"},
        {"USUFRUCT_LEDGER_ANSWER_HOURS": "0"},
        {"USUFRUCT_CONFIG": "/nowhere/usufruct.toml"},
        {"USUFRUCT_CLAIMS_THRESHOLD": "0"},
        {"USUFRUCT_REFUNDS_LEAST": "0.000"},
        {"USUFRUCT_GATEWAY_LEAST_DEPOSIT": "0"},
        {"USUFRUCT_GATEWAY_PUBLIC_URL": "ai.example.org"},
        {"USUFRUCT_KEYS_SCRYPT_N": "2048"},
        {"USUFRUCT_KEYS_SCRYPT_N": "5000"},
    ],
)
def test_values_that_cannot_work_are_refused(variables: dict[str, str]):
    with pytest.raises(InvalidSetting):
        load_config(variables)


@pytest.mark.parametrize(
    "toml", ["[chain]\nid = true", "[chain]\nid = 1.5", "[data]\nfolder = 3", "[chain", "[data]\nsecret = 5"]
)
def test_a_file_with_wrong_types_is_refused(tmp_path: Path, toml: str):
    with pytest.raises(InvalidSetting):
        load_config({}, written(tmp_path, toml))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"USUFRUCT_GATEWAY_PORT": "70000"}, "gateway.port must be from 0 to 65535, not 70000"),
        ({"USUFRUCT_GATEWAY_PORT": "http"}, "gateway.port must be a whole number from 0 to 65535, not str"),
        ({"USUFRUCT_CHAIN_TOKEN": "0x12"}, "chain.token must be an address or empty: .*'0x12'"),
        ({"USUFRUCT_CLAIMS_THRESHOLD": "0"}, "claims.threshold must be above 0, .*, not '0'"),
    ],
)
def test_a_value_is_refused_with_its_key_its_rule_and_itself(variables, message):
    with pytest.raises(InvalidSetting, match=message):
        load_config(variables)


@pytest.mark.parametrize("given", ["https://ai.example.org", "https://ai.example.org/", "https://ai.example.org/v1"])
def test_a_public_address_is_without_its_version(given: str):
    assert load_config({"USUFRUCT_GATEWAY_PUBLIC_URL": given}).gateway.public_url == "https://ai.example.org"


def test_a_file_that_cannot_be_parsed_is_named(tmp_path: Path):
    with pytest.raises(InvalidSetting, match=r"usufruct\.toml is not valid TOML: "):
        load_config({}, written(tmp_path, "[chain"))


def test_every_setting_has_a_meaning():
    meanings = setting_meanings()
    assert set(meanings) == {
        f"{section}.{key}" for section, keys in show_config(load_config({})).items() for key in keys
    }
    assert all(meanings.values())


@pytest.mark.parametrize("setting", ["claims.threshold", "refunds.least", "gateway.least_deposit"])
def test_amounts_are_whole_units_in_quotes(tmp_path: Path, setting: str):
    section, name = setting.split(".")
    config = load_config({}, written(tmp_path, f'[{section}]\n{name} = "0.000000000000000001"'))
    assert getattr(getattr(config, section), name) == "0.000000000000000001"
    with pytest.raises(InvalidSetting, match=f"{setting} must be text in quotes, not int"):
        load_config({}, written(tmp_path, f"[{section}]\n{name} = 1000000"))
    with pytest.raises(Invalid, match=f"{setting} must be a plain decimal"):
        load_config({f"USUFRUCT_{section}_{name}".upper(): "1e6"})


def test_a_public_chain_needs_its_own_secret():
    wallet = load_config({"USUFRUCT_CHAIN_ID": "8453"})  # enough for who only pays
    with pytest.raises(InvalidSetting, match=r"data\.secret"):
        check_operator(wallet)
    with pytest.raises(InvalidSetting, match="32 random characters"):
        check_operator(load_config({"USUFRUCT_CHAIN_ID": "8453", "USUFRUCT_DATA_SECRET": "s" * 31}))
    public = {"USUFRUCT_CHAIN_ID": "8453", "USUFRUCT_DATA_SECRET": "s" * 32}
    with pytest.raises(InvalidSetting, match="confirmations"):
        check_operator(load_config(public))
    check_operator(load_config(public | {"USUFRUCT_CHAIN_CONFIRMATIONS": "3"}))
    check_operator(load_config({"USUFRUCT_CHAIN_ID": "1337"}))  # a devnet as well


def test_secrets_are_never_shown():
    config = load_config(
        {
            "USUFRUCT_DATA_SECRET": "hush",
            "USUFRUCT_DATABASE_URL": "postgresql://user:word@host/name",
            "USUFRUCT_CHAIN_RPC_URL": "https://node:8545/v3/token",
        }
    )
    shown = show_config(config)
    assert shown["database"]["url"] == "postgresql://user:***@host/name"
    assert shown["chain"]["rpc_url"] == "https://node:8545/***"
    assert shown["data"]["secret"] == "***"
    assert "hush" not in repr(config) + repr(shown)
    assert config.data.secret.reveal() == "hush"
    with pytest.raises(InvalidSetting) as caught:
        load_config({"USUFRUCT_CHAIN_ID": "hush"})
    assert "hush" not in caught.value.message


def test_settings_that_are_written_are_read_back(tmp_path):
    config = load_config(
        {"USUFRUCT_DATA_FOLDER": str(tmp_path / 'a "folder"'), "USUFRUCT_CHAIN_POLL_MILLISECONDS": "7"}
    )
    path = tmp_path / "usufruct.toml"
    write_settings(config, path)
    assert load_config({}, path) == config
    assert path.stat().st_mode & 0o077 == 0
    secret = load_config({"USUFRUCT_DATA_SECRET": "correct horse battery staple, and more"})
    write_settings(secret, path)
    assert "horse" not in path.read_text()


def test_the_users_file_is_read_where_no_other_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file({}) == tmp_path / "usufruct" / "config.toml"
    assert load_config({}).chain.id == 31337
    config_file({}).parent.mkdir()
    config_file({}).write_text("[chain]\nid = 8453\n")
    assert load_config({}).chain.id == 8453
    assert load_config({"USUFRUCT_CHAIN_ID": "10"}).chain.id == 10
    other = tmp_path / "other.toml"
    other.write_text("[chain]\nid = 84532\n")
    assert load_config({"USUFRUCT_CONFIG": str(other)}).chain.id == 84532
