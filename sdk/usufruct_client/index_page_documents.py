"""The JSON documents of index pages: the indices of an installation, one with its holdings and report, its rebalances.

Weights, changes, returns, turnover and costs are parts (0.1 is ten per cent); costs in `bps` are parts of 10,000. What
is not known is null. Days are YYYY-MM-DD, UTC.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.wire_types import Count, Document

_Figure = Annotated[float, Field(allow_inf_nan=False)]
_Known = _Figure | None
_Regime = Literal["bullish", "bearish"] | None
_Cause = Literal["launch", "calendar", "regime change", "stablecoin off its peg"]


class IndexSource(Document):
    """What figures are made of: the last day, whether newer ones should be there, whether prices are simulated.

    `attribution`: what the licences of the sources want shown with the data.
    """

    as_of: StrictStr
    stale: StrictBool
    synthetic: StrictBool
    source: StrictStr
    attribution: list[StrictStr]


class IndexLine(Document):
    """An index in a list. `regime` is null where it has none; `failure`: why it is not computed since `day`."""

    id: StrictStr
    number: Count
    title: StrictStr
    description: StrictStr
    day: StrictStr
    value: _Figure
    day_change: _Known
    month_change: _Known
    year_change: _Known
    regime: _Regime
    holdings: Count
    failure: StrictStr


class MissingIndex(Document):
    """An index that never could be computed, and why."""

    id: StrictStr
    reason: StrictStr


class IndexList(Document):
    """`GET /v1/indices`: the indices of an installation, and those that are missing."""

    source: IndexSource
    indices: list[IndexLine]
    missing: list[MissingIndex]


class IndexPoint(Document):
    """A point of an index's charts.

    `market`: the value of all assets of the right category, held, from the index's first value on. `drawdown`: the
    deepest since the point before, under the highest value until then.
    """

    day: StrictStr
    value: _Known
    market: _Known
    drawdown: _Known
    regime: _Regime


class IndexHolding(Document):
    """An asset that an index holds at the close of its last day. `change`: of its price since it came in."""

    id: StrictStr
    symbol: StrictStr
    name: StrictStr
    weight: _Figure
    price: _Figure
    change: _Known
    market_cap: _Known


class IndexRebalance(Document):
    """A rebalance: `day` is when it was traded, `turnover` half of what was bought and sold.

    `trades`: moves that were made. `input_hash`: of everything that was known when it was decided.
    """

    day: StrictStr
    decided: StrictStr
    cause: _Cause
    regime: _Regime
    turnover: _Figure
    cost: _Figure
    cash: _Figure
    eligible: Count
    holdings: Count
    trades: Count
    notes: list[StrictStr]
    input_hash: StrictStr


class IndexMoveLine(Document):
    """What a rebalance did to an asset, or would have done: its weight before and after, and why."""

    id: StrictStr
    symbol: StrictStr
    name: StrictStr
    before: _Figure
    after: _Figure
    reason: StrictStr


class ReturnFigures(Document):
    """Measures of a series of values."""

    total_return: _Known
    annual_return: _Known
    annual_volatility: _Known
    sharpe: _Known
    max_drawdown: _Known


class IndexCosts(Document):
    """What an index pays for its trades, and what it paid: `paid` is a part of what it would be worth without."""

    fee_bps: _Figure
    half_spread_bps: _Figure
    impact: _Figure
    gas_per_trade: _Figure
    paid: _Known
    turnover_a_year: _Known


class IndexContribution(Document):
    """What an asset added to the value or took from it, as a part of the value at the start."""

    id: StrictStr
    part: _Figure


class DelistingBounds(Document):
    """The total return if assets that disappeared were worth their last price, and if they were worth nothing."""

    last: _Known
    zero: _Known


class IndexRestatedDay(Document):
    """A day whose published value was corrected: `value` is after costs, `level` without them.

    `version`: 2 for the first restatement of the index. `restated`: the last day of the corrected prices.
    """

    day: StrictStr
    version: Count
    restated: StrictStr
    value_before: _Known
    value: _Known
    level_before: _Known
    level: _Known
    reason: StrictStr


class IndexFacts(Document):
    """`GET /v1/indices/{id}`: an index with its chart, holdings, newest rebalances, rules, costs and returns.

    `net` is after costs, `before_costs` before; `market` is the benchmark of the chart. `ended`: assets of its data
    that disappeared. `newest`: the largest moves of the newest rebalance. `restated`: the newest days of the
    restatements, of which there were `restatements`.
    """

    source: IndexSource
    index: IndexLine
    first_day: StrictStr
    chart: list[IndexPoint]
    holdings: list[IndexHolding]
    cash: _Figure
    rebalances: list[IndexRebalance]
    rebalance_count: Count
    newest: list[IndexMoveLine]
    net: ReturnFigures
    before_costs: ReturnFigures
    market: ReturnFigures
    bounds: DelistingBounds
    ended: Count
    lost_most: list[IndexContribution]
    costs: IndexCosts
    restatements: Count
    restated: list[IndexRestatedDay]
    regime_changes: Count
    rulebook: dict[str, Any]
    rulebook_hash: StrictStr
    record_hash: StrictStr


class IndexRebalances(Document):
    """`GET /v1/indices/{id}/rebalances`: a page of the rebalances of an index, the newest first."""

    source: IndexSource
    index: IndexLine
    rebalances: list[IndexRebalance]
    count: Count
    page: Count
    pages: Count


class IndexRestatements(Document):
    """`GET /v1/indices/{id}/restatements`: a page of the days that were published again, the newest first."""

    source: IndexSource
    index: IndexLine
    restated: list[IndexRestatedDay]
    count: Count
    page: Count
    pages: Count


class IndexRebalanceFacts(Document):
    """`GET /v1/indices/{id}/rebalances/{day}`: one rebalance with all its moves, the largest first."""

    source: IndexSource
    index: IndexLine
    rebalance: IndexRebalance
    moves: list[IndexMoveLine]


class ComparedIndex(Document):
    """An index beside others, over the days that they have in common.

    `values`: of the comparison's `days`, scaled to 100 on the first. `returns` are after costs. `turnover_a_year` and
    `paid` are of rebalances after the first day; `paid` is a part of what the index would be worth without costs.
    `bullish`: the part of the days, null without a regime. `bounds`: since `first_day`, the index's own first.
    `correlations`: of daily returns with each index of the comparison, in its order.
    """

    index: IndexLine
    values: list[_Known]
    returns: ReturnFigures
    rebalances: Count
    turnover_a_year: _Known
    paid: _Known
    bullish: _Known
    first_day: StrictStr
    bounds: DelistingBounds
    correlations: list[_Known]


class IndexComparison(Document):
    """`GET /v1/index-comparison`: two to five indices over the days of `range` that all have; 0 is all days.

    `first_day`, `last_day`: of the comparison; both are null, and figures are unknown, where indices have no two days
    in common. `days`: of the chart.
    """

    source: IndexSource
    range: Count
    first_day: StrictStr | None
    last_day: StrictStr | None
    days: list[StrictStr]
    indices: list[ComparedIndex]


class PositionAsset(Document):
    """An asset, as it is called."""

    id: StrictStr
    symbol: StrictStr
    name: StrictStr


class PositionSettings(Document):
    """What a holder does about risk: a smaller position, a stop-loss, a core beside the index. The rest is cash.

    `position_size`: the part that is invested. `stop_loss`: the loss from the highest value at whose close everything
    is sold the next day, 0 for none; it is bought again after `re_entry_days`. `core`: an asset held beside the index,
    with `core_share` of what is invested; both go back to their shares every `core_every_days`.
    """

    position_size: _Figure
    stop_loss: _Figure
    re_entry_days: Count
    core: StrictStr | None
    core_share: _Known
    core_every_days: Count


class PositionPoint(Document):
    """A day of a position: its value, its value without settings, and the part that is invested after the day."""

    day: StrictStr
    value: _Figure
    without: _Figure
    exposure: _Figure


class PositionPart(Document):
    """An asset of a position. `weight`: of the value; `target`: the weight that the index's last decision wants."""

    asset: PositionAsset
    units: _Figure
    price: _Figure
    value: _Figure
    weight: _Figure
    target: _Figure


class IndexPosition(Document):
    """`GET /v1/indices/{id}/position`: an amount that follows an index since the close of `opened`, until `day`.

    `since`: the first day that it can be opened on. `costs` are those of all trades and in `value` already. `drift`:
    half of the sum of differences between weights and targets. `drawdown`: the deepest fall. `without`: the value
    without settings. `stops`: days at whose close the stop-loss was reached. `next_decision` is null where the index
    never decides again. `cores`: what can be the core.
    """

    source: IndexSource
    index: IndexLine
    since: StrictStr
    opened: StrictStr
    day: StrictStr
    settings: PositionSettings
    invested: _Figure
    value: _Figure
    profit: _Figure
    costs: _Figure
    cash: _Figure
    drift: _Figure
    drawdown: _Figure
    without: _Figure
    stops: list[StrictStr]
    next_decision: StrictStr | None
    chart: list[PositionPoint]
    holdings: list[PositionPart]
    cores: list[PositionAsset]
