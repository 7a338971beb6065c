"""The token economy: the platform token, its airdrop, locks, and the fees that stakers get."""

from usufruct.staking.airdrop_build import BuiltAirdrop, Progress, build_airdrop
from usufruct.staking.airdrop_file import AirdropEntry, AirdropFile, NoSuchEntry
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS, AirdropRefused, InvalidAirdropFile, RefusedRow
from usufruct.staking.airdrop_service import Airdrops
from usufruct.staking.errors import InvalidStake
from usufruct.staking.fee_keeper import FeePlan
from usufruct.staking.level_model import LevelTerms
from usufruct.staking.levels import AccountLevel, StakingLevels
from usufruct.staking.lock_model import MOST_WEEKS, WEEK_SECONDS, Lock, income_down, score_down
from usufruct.staking.reinvestments import ReinvestQuote
from usufruct.staking.revenue_weeks import RevenueWeek, RevenueWeeks
from usufruct.staking.signed_reinvestments import SignedReinvestments
from usufruct.staking.stake_changes import StakeChanges
from usufruct.staking.stakes import EscrowTerms, Stake, Stakes

__all__ = [
    "MOST_WEEKS",
    "TOKEN_DECIMALS",
    "WEEK_SECONDS",
    "AccountLevel",
    "AirdropEntry",
    "AirdropFile",
    "AirdropRefused",
    "Airdrops",
    "BuiltAirdrop",
    "EscrowTerms",
    "FeePlan",
    "InvalidAirdropFile",
    "InvalidStake",
    "LevelTerms",
    "Lock",
    "NoSuchEntry",
    "Progress",
    "RefusedRow",
    "ReinvestQuote",
    "RevenueWeek",
    "RevenueWeeks",
    "SignedReinvestments",
    "Stake",
    "StakeChanges",
    "Stakes",
    "StakingLevels",
    "build_airdrop",
    "income_down",
    "score_down",
]
