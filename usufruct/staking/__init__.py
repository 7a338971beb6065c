"""The token economy: the platform token and its airdrop."""

from usufruct.staking.airdrop_build import BuiltAirdrop, Progress, build_airdrop
from usufruct.staking.airdrop_file import AirdropEntry, AirdropFile, NoSuchEntry
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS, AirdropRefused, InvalidAirdropFile, RefusedRow
from usufruct.staking.airdrop_service import Airdrops

__all__ = [
    "TOKEN_DECIMALS",
    "AirdropEntry",
    "AirdropFile",
    "AirdropRefused",
    "Airdrops",
    "BuiltAirdrop",
    "InvalidAirdropFile",
    "NoSuchEntry",
    "Progress",
    "RefusedRow",
    "build_airdrop",
]
