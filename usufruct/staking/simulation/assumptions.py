"""What a simulation assumes about a token economy and the people in it."""

from dataclasses import dataclass, fields

from usufruct.core import Invalid

DECIMALS = 18
"""Of the platform token."""
REVENUE_DECIMALS = 6
"""Of the revenue token, such as USDC."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Everything a run depends on: the same assumptions give the same result, to the unit.

    Amounts are whole tokens: `supply` and `score_floor` of the platform token, `usage` and `price` of the revenue
    token.
    """

    weeks: int = 104
    actors: int = 10_000
    seed: int = 1

    # the token
    supply: int = 10_000_000_000
    airdrop_percent: int = 50
    treasury_weeks: int = 208
    """In which the treasury sells its part, evenly."""
    price: float = 0.01
    """Of one platform token. It is assumed to stay: the simulation is about shares, not about a market."""

    # revenue
    usage: int = 500_000
    """What buyers pay for calls in the first week."""
    usage_growth_percent: float = 1.0
    """By week."""
    fee_bps: int = 500
    """The part of usage that stakers get."""

    # parameters of VoteEscrow
    score_floor: int = 1_000_000
    exit_penalty_bps: int = 2_500

    # people
    inequality: float = 1.6
    """Sigma of the log-normal distribution of airdrop entries; with 1.6 the largest 1 % hold about a quarter."""
    claim_weeks: float = 8.0
    """Mean of the weeks until an entry is claimed."""
    lock_percent: int = 60
    """Of those who claim: lock at once. The others sell."""
    renew_percent: int = 25
    """Of those who lock: let the lock renew itself."""
    visit_weeks: float = 8.0
    """Mean of the weeks between two visits of a staker, who then collects and decides."""
    reinvest_percent: int = 30
    """Of stakers: buy platform tokens with what they collect, and lock them."""
    relock_percent: int = 60
    """Of locks that a visitor finds ended: locked again. The others sell."""
    exit_percent: float = 1.0
    """Of visits: leave early, where that is open."""
    return_weeks: float = 78.0
    """Mean of the weeks until an actor who sold buys as much as the airdrop paid, and locks it."""

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise Invalid(
                    f"{name} must be from {least:,} to {most:,}, not {value:,}", code="invalid_assumption", field=name
                )

    def as_document(self) -> dict[str, int | float]:
        """Return the assumptions by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


_BOUNDS: dict[str, tuple[float, float]] = {
    "weeks": (1, 520),
    "actors": (1, 1_000_000),
    "seed": (0, 2**63 - 1),
    "supply": (1_000, 70_000_000_000),  # VoteEscrow takes a supply of 2^96 atomic units
    "airdrop_percent": (1, 100),
    "treasury_weeks": (1, 5_200),
    "price": (0.000_001, 1_000_000),
    "usage": (0, 10**12),
    "usage_growth_percent": (-20, 20),
    "fee_bps": (0, 1_000),
    "score_floor": (0, 700_000_000),
    "exit_penalty_bps": (0, 5_000),
    "inequality": (0, 4),
    "claim_weeks": (1, 520),
    "lock_percent": (0, 100),
    "renew_percent": (0, 100),
    "visit_weeks": (1, 520),
    "reinvest_percent": (0, 100),
    "relock_percent": (0, 100),
    "exit_percent": (0, 100),
    "return_weeks": (1, 5_200),
}
