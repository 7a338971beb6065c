"""The parameters of a simulated market, and the events in it that tests look for."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from usufruct.core import Invalid

DEPEG_DAY: Final = 200
CHAIN_COLLAPSE_DAY: Final = 300
CHAIN_DELISTED_DAY: Final = 340
EXCHANGE_COLLAPSE_DAY: Final = 430
FEWEST_ASSETS: Final = 24

EventKind = Literal["birth", "death", "collapse", "depeg"]

_MOST_ASSETS = 10_000
_MOST_DAYS = 20_000


@dataclass(frozen=True, slots=True)
class SyntheticMarket:
    """Parameters of a simulated market: the same ones give the same prices, to the byte.

    A market of more days begins with the days of a shorter one, so that nothing of the past depends on the future.

    Raises:
        Invalid: when a parameter is out of its bounds.
    """

    seed: int = 1
    assets: int = 240
    first_day: date = date(2019, 1, 1)
    days: int = 2_000

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("seed", self.seed, 0, 2**63),
            ("assets", self.assets, FEWEST_ASSETS, _MOST_ASSETS),
            ("days", self.days, 2, min(_MOST_DAYS, (date.max - self.first_day).days)),
        ):
            if not least <= value <= most:
                raise Invalid(
                    f"{name} of a synthetic market must be from {least} to {most}, not {value}", code="invalid_market"
                )

    @property
    def source(self) -> str:
        """The label of everything that is made from this market."""
        return f"synthetic market, seed {self.seed}"

    def day(self, row: int) -> date:
        """Return the day of a row."""
        return self.first_day + timedelta(days=row)


@dataclass(frozen=True, slots=True)
class MarketEvent:
    """Something that happened to one asset: its first price, its last, a collapse, a stablecoin that left its peg."""

    day: date
    kind: EventKind
    asset: str
