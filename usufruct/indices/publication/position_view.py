"""What a page shows of a position in a published index: read from a query, and computed from the index's history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from usufruct.analytics import DataState, NoMarketData
from usufruct.indices.errors import InvalidPosition
from usufruct.indices.history import AssetName, IndexHistory
from usufruct.indices.metrics import drawdown_of
from usufruct.indices.position import Position, open_position
from usufruct.indices.publication.model import PublishedIndex
from usufruct.indices.publication.page_view import MOST_POINTS, index_line, index_source
from usufruct.indices.rulebook import Overlay
from usufruct.web import Parameter
from usufruct.web.ui import spaced
from usufruct_client.index_page_documents import (
    IndexPosition,
    PositionAsset,
    PositionPart,
    PositionPoint,
    PositionSettings,
)

USUAL_AMOUNT: Final = 1_000.0
LEAST_STOP_LOSS: Final = 0.01
_USUAL_DAYS: Final = 365
_USUAL_SHARE: Final = 0.5
_LONGEST: Final = 24
_NUMBER: Final = {"type": "number"}
_PART: Final = {"type": "number", "minimum": 0, "maximum": 1}
ASKS_POSITION: Final[Mapping[str, str | Parameter]] = {
    "amount": Parameter("what was put in, in the prices' currency; 1000 if not given", _NUMBER, may_be_empty=True),
    "since": Parameter(
        "the day at whose close it was put in, YYYY-MM-DD; a year ago if not given",
        {"type": "string", "format": "date"},
        may_be_empty=True,
    ),
    "position_size": Parameter("the part that is invested", _PART, may_be_empty=True),
    "stop_loss": Parameter(
        f"the loss from the highest value at which everything is sold, from {LEAST_STOP_LOSS}; 0: none",
        _PART,
        may_be_empty=True,
    ),
    "re_entry_days": Parameter(
        "days after which it is bought again", {"type": "integer", "minimum": 1, "maximum": 3_650}, may_be_empty=True
    ),
    "core": Parameter("an asset that is held beside the index, by its id", may_be_empty=True),
    "core_share": Parameter(
        f"the core's part of what is invested; {_USUAL_SHARE} if not given", _PART, may_be_empty=True
    ),
}


@dataclass(frozen=True, slots=True)
class PositionWish:
    """What a query asks for."""

    amount: float
    opened: date
    overlay: Overlay


def read_wish(history: IndexHistory, query: Mapping[str, str]) -> PositionWish:
    """Read a query; what is left out or empty is usual: an amount of 1000, a year, the settings of the rulebook.

    Raises:
        InvalidPosition: when a value is not what its parameter takes; its field names it.
    """
    given = {name: query.get(name, "").strip() for name in ASKS_POSITION}
    amount = _number("amount", given["amount"]) if given["amount"] else USUAL_AMOUNT
    usual = max(history.first_trade, history.last_day - timedelta(days=_USUAL_DAYS))
    settings: dict[str, Any] = {
        name: _number(name, given[name]) for name in ("position_size", "stop_loss") if given[name]
    }
    if 0 < settings.get("stop_loss", 0) < LEAST_STOP_LOSS:
        raise InvalidPosition(f"stop_loss must be 0, or {LEAST_STOP_LOSS} or more", field="stop_loss")
    if given["re_entry_days"]:
        settings["re_entry_days"] = _whole("re_entry_days", given["re_entry_days"])
    if given["core"]:
        share = _number("core_share", given["core_share"]) if given["core_share"] else _USUAL_SHARE
        settings["core"] = given["core"], share
    elif "core" in query:
        settings["core"] = None
    overlay = history.rulebook.overlay.changed(**settings)
    return PositionWish(amount, _day(given["since"]) if given["since"] else usual, overlay)


def history_of_index(index: PublishedIndex) -> IndexHistory:
    """Return what positions are computed from.

    Raises:
        NoMarketData: when an earlier version published the index.
    """
    if index.history is None:
        raise NoMarketData(
            f"positions in {index.rulebook.name} cannot be computed yet; run a worker, which publishes what they need",
            retry_after=60,
        )
    return index.history


def wanted_position(index: PublishedIndex, wish: PositionWish) -> Position:
    """Return the position that is asked for."""
    return open_position(history_of_index(index), wish.amount, wish.opened, wish.overlay)


def position_facts(index: PublishedIndex, state: DataState, wish: PositionWish) -> IndexPosition:
    """Return all that a page shows of a position.

    Raises:
        InvalidPosition: when it is not possible.
    """
    history = history_of_index(index)
    held = wanted_position(index, wish)
    without = held if held.overlay == Overlay() else open_position(history, wish.amount, wish.opened, Overlay())
    following = held.next_decision
    return IndexPosition(
        source=index_source(state),
        index=index_line(index),
        since=str(history.first_trade),
        opened=str(held.opened),
        day=str(history.last_day),
        settings=settings_document(held.overlay),
        invested=held.invested,
        value=held.value,
        profit=held.profit,
        costs=held.costs,
        cash=held.cash,
        drift=held.drift,
        drawdown=float(drawdown_of(held.values.nav).min()),
        without=without.value,
        stops=[str(each) for each in held.stops],
        next_decision=None if following is None else str(following),
        chart=_chart(held, without),
        holdings=[
            PositionPart(_asset(each.asset), each.units, each.price, each.value, each.weight, each.target)
            for each in held.holdings
        ],
        cores=possible_cores(history),
    )


def settings_document(overlay: Overlay) -> PositionSettings:
    """Return settings as a document."""
    core, share = (None, None) if overlay.core is None else overlay.core
    return PositionSettings(
        overlay.position_size, overlay.stop_loss, overlay.re_entry_days, core, share, overlay.core_every_days
    )


def possible_cores(history: IndexHistory) -> list[PositionAsset]:
    """Return the assets that have a price now, in the order of their names."""
    named = sorted(zip(history.assets, history.valued[:, -1].tolist(), strict=True), key=lambda each: each[0].name)
    return [_asset(each) for each, price in named if price > 0]


def _chart(held: Position, without: Position) -> list[PositionPoint]:
    first = (held.opened - held.history.first_day).days
    values, exposure, plain = held.values.nav, held.values.exposure, without.values.nav
    return [
        PositionPoint(str(held.history.day(first + at)), float(values[at]), float(plain[at]), float(exposure[at]))
        for at in spaced(len(values), MOST_POINTS)
    ]


def _asset(asset: AssetName) -> PositionAsset:
    return PositionAsset(asset.id, asset.symbol, asset.name)


def _number(name: str, text: str) -> float:
    try:
        if len(text) > _LONGEST:
            raise ValueError
        return float(text)
    except ValueError:
        raise InvalidPosition(f"{name} is {text[:_LONGEST]!r}; it must be a number", field=name) from None


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < _LONGEST):
        raise InvalidPosition(f"{name} is {text[:_LONGEST]!r}; it must be a whole number", field=name)
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidPosition(f"since is {text[:_LONGEST]!r}; write YYYY-MM-DD", field="since") from None
