"""Rulebooks: what an index holds, and when it changes, as data.

A rulebook is TOML. Every value has a default and bounds; a key that is not known is refused. Its hash is that of all
values, the defaults included, so that two files with one meaning have one hash.
"""

import hashlib
import json
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator

from usufruct.indices.errors import InvalidPosition, InvalidRulebook, UnknownRulebook

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
"""A part of the whole, from 0 to 1."""
PositiveShare = Annotated[float, Field(strict=True, gt=0, le=1)]
Days = Annotated[int, Field(strict=True, ge=0, le=3_650)]
Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Bps = Annotated[float, Field(strict=True, ge=0, le=1_000)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Section(BaseModel):
    """A part of a rulebook: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Universe(Section):
    """Which assets may be in the index at all. A member stays while it passes the `stay_` thresholds."""

    include: tuple[Word, ...] = ()
    """Categories of which an asset must have one; empty: any asset."""
    exclude: tuple[Word, ...] = ("stablecoin", "wrapped", "staked", "pegged", "leveraged", "gold")
    exclude_assets: tuple[str, ...] = ()
    minimum_age_days: Days = 0
    minimum_market_cap: Amount = 0
    stay_market_cap: Amount | None = None
    minimum_daily_volume: Amount = 0
    """Of the median of the last `volume_window_days`."""
    stay_daily_volume: Amount | None = None
    volume_window_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 90


class FloatFactor(Section):
    """The part of an asset's supply that trades freely, from the day on which this was known."""

    asset: str
    factor: PositiveShare
    known_from: date


class Selection(Section):
    """Which of the eligible assets are members: the first `count` by rank."""

    by: Literal["market-cap", "momentum", "low-volatility"] = "market-cap"
    count: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 100
    minimum_count: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 1
    """With fewer eligible assets there is no trade; at the start it is an error."""
    parent_count: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 0
    """Only the largest so many by market cap are ranked; 0: all."""
    lookback_days: Annotated[int, Field(strict=True, ge=2, le=1_000)] = 180
    skip_days: Annotated[int, Field(strict=True, ge=0, le=90)] = 0
    """Momentum leaves out the last days."""
    enter_rank: Annotated[float, Field(strict=True, gt=0, le=1)] = 1.0
    """An asset enters at rank `enter_rank x count` or better."""
    leave_rank: Annotated[float, Field(strict=True, ge=1, le=5)] = 1.0
    """A member leaves when its rank is over `leave_rank x count`."""


class Weights(Section):
    """How much of each member, and at most how much."""

    rule: Literal[
        "market-cap", "equal", "sqrt-cap", "inverse-volatility", "risk-parity", "momentum", "low-volatility"
    ] = "market-cap"
    each_at_most: PositiveShare = 1.0
    largest_at_most: PositiveShare | None = None
    """The cap of the largest member, where it is higher than that of the others."""
    if_infeasible: Literal["relax", "refuse"] = "relax"
    lookback_days: Annotated[int, Field(strict=True, ge=2, le=1_000)] = 90


class Calendar(Section):
    """When the index decides, and how many days later it trades."""

    every: Literal["day", "week", "month", "quarter", "never"] = "week"
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    delay_days: Annotated[int, Field(strict=True, ge=1, le=30)] = 1
    on_regime_change: StrictBool = False


class Trading(Section):
    """What is not worth a trade, and how much may be traded at once."""

    minimum_trade: Share = 0.0
    """A member whose weight is nearer to its target than this is not traded."""
    turnover_at_most: PositiveShare = 1.0
    """Half of what is bought and sold, as a share of the value."""


class Costs(Section):
    """What a trade costs. Impact of a trade of size Q: `impact x volatility x sqrt(Q / daily volume)` of Q."""

    fee_bps: Bps = 10.0
    half_spread_bps: Bps = 5.0
    impact: Annotated[float, Field(strict=True, ge=0, le=10)] = 0.0
    gas_per_trade: Amount = 0.0
    capital: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] = 1_000_000.0
    """What is invested at the start; impact and gas depend on it."""

    @property
    def rate(self) -> float:
        """What is paid of each unit traded, apart from impact and gas."""
        return (self.fee_bps + self.half_spread_bps) / 10_000


class Delisting(Section):
    """An asset without a price for more than `after_days` is gone: settled at its last price, or at 0."""

    after_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 7
    value: Literal["last", "zero"] = "last"


class Regime(Section):
    """When the market counts as bullish: then the index holds its members, else stablecoins."""

    kind: Literal["moving-average", "hidden-markov"] = "moving-average"
    signal: str = "market"
    """`market`, the cap-weighted return of all eligible assets, or the id of an asset."""
    start: Literal["bullish", "bearish"] = "bullish"
    window_days: Annotated[int, Field(strict=True, ge=2, le=1_000)] = 140
    band: Annotated[float, Field(strict=True, ge=0, lt=0.5)] = 0.02
    minimum_hold_days: Days = 14
    threshold: Annotated[float, Field(strict=True, ge=0.5, lt=1)] = 0.7
    """Probability of a state at which a hidden Markov model switches to it."""
    train_days: Annotated[int, Field(strict=True, ge=60, le=3_650)] = 730
    refit_days: Annotated[int, Field(strict=True, ge=1, le=3_650)] = 91


class Stablecoins(Section):
    """What the index holds while the market is bearish: all stablecoins that keep their peg."""

    each_at_most: PositiveShare = 0.4
    minimum_count: Annotated[int, Field(strict=True, ge=1, le=100)] = 3
    depeg: Annotated[float, Field(strict=True, gt=0, le=0.5)] = 0.01
    """A stablecoin further from 1 than this leaves at once; it is back at `repeg`."""
    repeg: Annotated[float, Field(strict=True, gt=0, le=0.5)] = 0.005


class Overlay(Section):
    """What a holder of the index does about its risk; the rest of the money is cash."""

    position_size: PositiveShare = 1.0
    stop_loss: Share = 0.0
    """Loss from the highest value since the entry at which everything is sold; 0: none."""
    re_entry_days: Annotated[int, Field(strict=True, ge=1, le=3_650)] = 30
    core: tuple[str, PositiveShare] | None = None
    """An asset held beside the index and its share, such as `["bitcoin", 0.6]`."""
    core_every_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 30
    """Days after which core and satellite go back to their shares."""

    def changed(self, **given: Any) -> "Overlay":
        """Return it with other values.

        Raises:
            InvalidPosition: when one is not valid; it names it.
        """
        try:
            return Overlay.model_validate(self.model_dump() | given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = "core_share" if first["loc"] == ("core", 1) else str(first["loc"][0])
            raise InvalidPosition(f"{name} is {first['input']!r}: {first['msg']}; correct it", field=name) from None


class Restatement(Section):
    """When corrected data changes what was published."""

    threshold: Share = 0.001


class Rulebook(Section):
    """The rules of one index."""

    name: Word
    title: str
    description: str = ""
    version: Annotated[int, Field(strict=True, ge=1)] = 1
    base: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] = 1_000.0
    """The level at the start."""
    universe: Universe = Universe()
    float_factors: tuple[FloatFactor, ...] = ()
    selection: Selection = Selection()
    weights: Weights = Weights()
    calendar: Calendar = Calendar()
    trading: Trading = Trading()
    costs: Costs = Costs()
    delisting: Delisting = Delisting()
    regime: Regime | None = None
    stablecoins: Stablecoins = Stablecoins()
    overlay: Overlay = Overlay()
    restatement: Restatement = Restatement()

    @model_validator(mode="after")
    def _consistent(self) -> "Rulebook":
        universe, weights = self.universe, self.weights
        stays = [("market_cap", universe.stay_market_cap, universe.minimum_market_cap)]
        stays += [("daily_volume", universe.stay_daily_volume, universe.minimum_daily_volume)]
        for name, stay, minimum in stays:
            if stay is not None and stay > minimum:
                raise ValueError(f"universe.stay_{name} is over minimum_{name}; set it to {minimum:g} or less")
        if self.selection.minimum_count > self.selection.count:
            raise ValueError("selection.minimum_count is over count; lower it")
        if weights.largest_at_most is not None and weights.largest_at_most < weights.each_at_most:
            raise ValueError("weights.largest_at_most is under each_at_most; raise it")
        if self.calendar.on_regime_change and self.regime is None:
            raise ValueError("calendar.on_regime_change needs a [regime]; add one, or remove the key")
        if self.stablecoins.repeg > self.stablecoins.depeg:
            raise ValueError("stablecoins.repeg is over depeg; lower it")
        if self.stablecoins.minimum_count * self.stablecoins.each_at_most < 1:
            raise ValueError("stablecoins.minimum_count x each_at_most is under 1; raise one of them")
        return self

    @property
    def hash(self) -> str:
        """The SHA-256 of all values as JSON with sorted keys."""
        document = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()


def parse_rulebook(text: str, source: str = "the rulebook") -> Rulebook:
    """Read a rulebook from TOML.

    Raises:
        InvalidRulebook: when it is not valid TOML, or a key or value is not valid; the message names it.
    """
    try:
        return Rulebook.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidRulebook(f"{source} is not valid TOML: {error}; correct the line") from None
    except ValidationError as error:
        raise _invalid(error, source) from None


def read_rulebook(document: object, source: str = "the rulebook") -> Rulebook:
    """Read a rulebook from the JSON of a record or of a published index.

    Raises:
        InvalidRulebook: when a key or value is not valid; the message names it.
    """
    try:
        return Rulebook.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise _invalid(error, source) from None


def load_rulebook(name: str) -> Rulebook:
    """Read the shipped rulebook of a name, or the file of a path that ends in `.toml`.

    Raises:
        UnknownRulebook: when there is none.
        InvalidRulebook: when it is not valid.
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise UnknownRulebook(f"there is no file {name}; give a rulebook's path, or one of {', '.join(shipped())}")
        return parse_rulebook(path.read_text(encoding="utf-8"), name)
    if name not in shipped():
        raise UnknownRulebook(
            f"{name!r} is not a shipped index; choose one of {', '.join(shipped())}, or the path of a .toml file"
        )
    return parse_rulebook(shipped_text(name), name)


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped rulebooks, in the order of the alphabet."""
    return tuple(sorted(each.name.removesuffix(".toml") for each in _FOLDER.iterdir() if each.name.endswith(".toml")))


def shipped_text(name: str) -> str:
    """Return a shipped rulebook as it is written."""
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")


_FOLDER = files("usufruct.indices") / "shipped"


def _invalid(error: ValidationError, source: str) -> InvalidRulebook:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        problem = f"the key {field!r} is not known; remove it or correct its name"
    elif first["type"] == "missing":
        problem = f"{field} is missing; add it"
    elif not field:
        problem = first["msg"].removeprefix("Value error, ")
    else:
        problem = f"{field} is {first['input']!r}: {first['msg']}; correct it"
    return InvalidRulebook(f"{source}: {problem}", field=field)
