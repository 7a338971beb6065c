"""The rules of levels as the contract `Levels` computes them, and how the configuration writes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.config import InvalidSetting
from usufruct.core import Invalid, parse_units
from usufruct.core.price_cards import MOST_LEVEL_DISCOUNT_BPS
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS

LEVELS = 10
USUAL_QUOTA_BPS = 10_000
MOST_QUOTA_BPS = 1_000_000

_PERCENT_DECIMALS = 2
_FACTOR_DECIMALS = 4
_MOST_THRESHOLD = 2**96 - 1


@dataclass(frozen=True, slots=True)
class LevelTerms:
    """What a level needs and brings.

    `threshold`: the least Staking Score, atomic units of the platform token; `discount_bps`: what it takes off a price,
    `quota_bps`: its part of the usual quota, both in hundredths of a per cent.
    """

    threshold: int
    discount_bps: int
    quota_bps: int


NO_LEVEL = LevelTerms(0, 0, USUAL_QUOTA_BPS)
"""What level 0 brings."""


def level_of(score: int, levels: Sequence[LevelTerms]) -> int:
    """Return the highest level, 1 to 10, whose threshold a score reaches; 0: none."""
    return sum(score >= each.threshold for each in levels)


def read_levels(text: str) -> list[LevelTerms]:
    """Return the ten levels of "SCORE=DISCOUNT:QUOTA, ...": tokens, per cent, and a multiple of the usual quota.

    Raises:
        InvalidSetting: names the level that cannot be, and the remedy.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) != LEVELS:
        raise InvalidSetting(f"`platform_token.levels` has {len(parts)} levels; name all {LEVELS}, by rising score")
    levels = [_read_level(number, part) for number, part in enumerate(parts, 1)]
    for number, (below, level) in enumerate(zip([NO_LEVEL, *levels], levels, strict=False), 1):
        _check_level(number, parts[number - 1], below, level)
    return levels


def _read_level(number: int, part: str) -> LevelTerms:
    score, _, benefits = part.partition("=")
    discount, _, quota = benefits.partition(":")
    try:
        return LevelTerms(
            parse_units(score.strip(), TOKEN_DECIMALS),
            parse_units(discount.strip(), _PERCENT_DECIMALS),
            parse_units(quota.strip(), _FACTOR_DECIMALS),
        )
    except Invalid as error:
        raise InvalidSetting(
            f"level {number} of `platform_token.levels` is {part!r}; write SCORE=DISCOUNT:QUOTA, such as 1000=5:2 for "
            "5 per cent off and twice the usual quota"
        ) from error


def _check_level(number: int, part: str, below: LevelTerms, level: LevelTerms) -> None:
    rules = {
        "raise its score above that of the level below": below.threshold < level.threshold <= _MOST_THRESHOLD,
        "its discount is at least that of the level below, and at most 50": below.discount_bps
        <= level.discount_bps
        <= MOST_LEVEL_DISCOUNT_BPS,
        "its quota is at least that of the level below, 1 to 100": below.quota_bps <= level.quota_bps <= MOST_QUOTA_BPS,
    }
    for remedy, holds in rules.items():
        if not holds:
            raise InvalidSetting(f"level {number} of `platform_token.levels` is {part!r}; {remedy}")
