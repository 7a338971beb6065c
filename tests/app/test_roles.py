"""The claim key's address is known where the key is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from usufruct.chain.keys import DEVNET_ADDRESSES, KeystoreMissing, Role, claim_address, signer_of, write_keystore
from usufruct.config import ChainConfig, ClaimsConfig, Config, InvalidSetting, KeysConfig
from usufruct.core import checksum

OTHER = DEVNET_ADDRESSES[7]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(keys=KeysConfig(tmp_path), chain=ChainConfig(id=8453))


def test_a_gateway_knows_it_by_its_settings(config: Config):
    gateway = replace(config, claims=ClaimsConfig(address=checksum(OTHER)))
    assert claim_address(gateway) == OTHER
    with pytest.raises(KeystoreMissing):
        signer_of(Role.CLAIM, gateway)


def test_a_keystore_names_it_without_its_password(config: Config, tmp_path: Path):
    named = write_keystore(tmp_path / "claim.json", b"\x07" * 32, "a password nobody gives", scrypt_n=2)
    assert claim_address(config) == named


def test_two_that_differ_are_refused(config: Config, tmp_path: Path):
    write_keystore(tmp_path / "claim.json", b"\x07" * 32, "a password", scrypt_n=2)
    with pytest.raises(InvalidSetting, match="correct one of them"):
        claim_address(replace(config, claims=ClaimsConfig(address=checksum(OTHER))))


def test_without_either_the_setting_is_named(config: Config):
    with pytest.raises(InvalidSetting, match=r"usufruct wallet new claim.*claims\.address"):
        claim_address(config)
    assert claim_address(replace(config, chain=ChainConfig())) == DEVNET_ADDRESSES[1]
