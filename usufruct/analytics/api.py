"""The routes of `/v2`: market data as JSON, in the words that clients of Token Metrics' API read."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import orjson

from usufruct.accounts import Sessions
from usufruct.analytics import rows
from usufruct.analytics.api_answer import (
    KEY_HEADERS,
    LATE_DAY,
    REFUSES,
    DataState,
    Find,
    MarketApi,
    Rows,
    answer_rows,
    open_route,
)
from usufruct.analytics.api_keys import LONGEST_LABEL, Caller, MarketKeys
from usufruct.analytics.api_query import (
    FILTERS,
    LIMIT,
    MOST_LIMIT,
    NUMBER,
    USUAL_LIMIT,
    AssetIndex,
    InvalidParameter,
    Query,
)
from usufruct.analytics.learned_tables import MODEL, SIGNALS
from usufruct.analytics.pair_correlation import BASE, QUOTE, correlation_page
from usufruct.analytics.questions import answer_question
from usufruct.analytics.snapshot import (
    DAY,
    HOUR,
    HOURLY_DAYS,
    Page,
    RowTable,
    Selection,
    SeriesTable,
    Snapshot,
    utc_text,
)
from usufruct.analytics.snapshot_files import SnapshotReader
from usufruct.analytics.writing import Wording
from usufruct.core import Clock, moment
from usufruct.payments.x402 import EndpointAnswer
from usufruct.web import HttpExchange, Operation, Parameter, RawRoute, json_object
from usufruct_client import market_data_documents as documents

LATE_HOUR: Final = 4 * HOUR
_BODY_BYTES: Final = 65_536

_IDS: Final = {name: FILTERS[name] for name in ("token_id", "symbol", "token_name")}
_FILTERED: Final = {name: FILTERS[name] for name in ("token_id", "symbol", "category", "exchange")} | {
    name: FILTERS[name] for name in ("marketcap", "fdv", "volume")
}
_PAIR: Final = {
    BASE: "tickers, by commas: the same as `symbol`",
    QUOTE: "tickers, by commas: compare with these assets, and no others",
}
_SIGNAL: Final = {"signal": Parameter("1, 0 or -1", NUMBER)}
_LEAST_GRADE: Final = Parameter("least grade", NUMBER)
_CHAT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["messages"],
    "properties": {
        "messages": {"type": "array", "minItems": 1, "items": {"type": "object", "additionalProperties": True}}
    },
}
_KEY_WISH: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"label": {"type": "string", "maxLength": LONGEST_LABEL}},
}
_MOONSHOTS: Final = ("active", "past")

_MISSING: Final = dict.fromkeys(
    ("hourly-ohlcv", "hourly-trading-signals"), "this installation has no hourly prices"
) | {SIGNALS: "this installation has no trained model; its operator makes one with `usufruct rating train`"}
WriteRow = Callable[..., dict[str, Any]]
Answer = Callable[[HttpExchange, Caller], Awaitable[None]]


class MarketTables:
    """The current snapshot, its assets by name, and whether it is stale."""

    def __init__(self, reader: SnapshotReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._index: tuple[str, AssetIndex] | None = None
        self._ranges: tuple[str, dict[str, tuple[int, int] | None]] = ("", {})

    @property
    def snapshot(self) -> Snapshot:
        """Return it; raises NoMarketData."""
        return self._reader.current()

    @property
    def index(self) -> AssetIndex:
        """Return what finds its assets."""
        snapshot = self.snapshot
        if self._index is None or self._index[0] != snapshot.id:
            self._index = snapshot.id, AssetIndex(snapshot)
        return self._index[1]

    def state(self) -> DataState:
        """Return what answers are made of now."""
        snapshot, now = self.snapshot, self._clock.now()
        stale = now > snapshot.last_day + LATE_DAY
        stale = stale or (snapshot.last_hour > 0 and now > snapshot.last_hour + LATE_HOUR)
        as_of = utc_text(max(snapshot.last_day, snapshot.last_hour))
        version, about = f"{snapshot.id}{'-' if stale else ''}", (snapshot.synthetic, snapshot.source)
        return DataState(version, as_of, stale, *about, snapshot.attribution)

    def rows(self, name: str, query: Query, *, dated: bool = False) -> Rows:
        """Return rows of a table of ready rows."""
        table: RowTable = self.snapshot.rows[name]
        selection = query.selection(self.index, dated=dated)
        return _rows(table.page(selection), self._note(name, selection, table))

    def correlations(self, query: Query) -> Rows:
        """Return rows of `/correlation`."""
        return _rows(correlation_page(self.snapshot, self.index, query))

    def series(self, name: str, write: WriteRow, query: Query, thresholds: Mapping[str, str], equal: str = "") -> Rows:
        """Return rows of a series, written now."""
        snapshot = self.snapshot
        table = snapshot.series.get(name)
        selection = query.selection(self.index, dated=True, thresholds=thresholds, equal=equal)
        if table is None:
            return Rows((), message=_MISSING[name])
        page = table.page(selection, lambda at, column, values: write(snapshot.assets[column], at, values))
        return _rows(page, self._note(name, selection, table))

    def learned(self, query: Query) -> Rows:
        """Return rows of learned signals, each with the model that it is of."""
        models = self.snapshot.rows.get(MODEL)
        about = orjson.loads(models.rows[0]) if models else {}
        return self.series(SIGNALS, partial(rows.learned_row, about), query, {}, "signal")

    def _note(self, name: str, selection: Selection, table: RowTable | SeriesTable) -> str:
        """Return which days a table has, for a caller who asks from before the first, or only for days after the last.

        The range of a table is looked for once a snapshot.
        """
        if selection.first is None and selection.end is None:
            return ""
        if self._ranges[0] != self.snapshot.id:
            self._ranges = self.snapshot.id, {}
        ranges = self._ranges[1]
        if name not in ranges:
            ranges[name] = table.known_range()
        return _range_note(selection, ranges[name])

    def latest(self, name: str, write: WriteRow, query: Query) -> Rows:
        """Return rows of a series for the last day alone."""
        snapshot = self.snapshot
        table: SeriesTable = snapshot.series[name]
        selection = query.selection(self.index)
        last = type(selection)(
            selection.columns, snapshot.last_day, None, (), selection.limit, selection.skip, selection.after
        )
        return _rows(table.page(last, lambda at, column, values: write(snapshot.assets[column], at, values)))


@dataclass(frozen=True, slots=True)
class _Series:
    """A path that lists a series."""

    path: str
    table: str
    summary: str
    row: type[documents.Row]
    write: WriteRow
    parameters: Mapping[str, str | Parameter]
    thresholds: Mapping[str, str]
    equal: str = ""


_SERIES: Final = (
    _Series("/daily-ohlcv", "daily-ohlcv", "List daily bars, the newest first.", documents.Bar, rows.bar_row, _IDS, {}),
    _Series(
        "/hourly-ohlcv",
        "hourly-ohlcv",
        f"List hourly bars of the last {HOURLY_DAYS} days, the newest first.",
        documents.Bar,
        rows.bar_row,
        _IDS,
        {},
    ),
    _Series(
        "/trader-grades",
        "trader-grades",
        "List trader grades, the newest first.",
        documents.TraderGrade,
        rows.trader_row,
        _FILTERED
        | {
            "traderGrade": _LEAST_GRADE,
            "traderGradePercentChange": Parameter("least change in 24 hours, per cent", NUMBER),
        },
        {"traderGrade": "trader", "traderGradePercentChange": "trader_change"},
    ),
    _Series(
        "/investor-grades",
        "investor-grades",
        "List investor grades, the newest first.",
        documents.InvestorGrade,
        rows.investor_row,
        _FILTERED | {"investorGrade": _LEAST_GRADE},
        {"investorGrade": "investor"},
    ),
    _Series(
        "/tm-grade-history",
        "tm-grade-history",
        "List overall grades.",
        documents.OverallGrade,
        rows.overall_row,
        _IDS,
        {},
    ),
    _Series(
        "/fundamental-grade-history",
        "fundamental-grade-history",
        "List fundamental grades, the newest first.",
        documents.FundamentalGrade,
        rows.fundamental_row,
        _IDS,
        {},
    ),
    _Series(
        "/technology-grade-history",
        "technology-grade-history",
        "List technology grades; there are none without facts of projects.",
        documents.TechnologyGrade,
        rows.technology_row,
        _IDS,
        {},
    ),
    _Series(
        "/trading-signals",
        "trading-signals",
        "List daily signals, the newest first.",
        documents.TradingSignal,
        rows.signal_row,
        _FILTERED | _SIGNAL,
        {},
        "signal",
    ),
    _Series(
        "/hourly-trading-signals",
        "hourly-trading-signals",
        f"List hourly signals of the last {HOURLY_DAYS} days, the newest first.",
        documents.HourlySignal,
        rows.hourly_signal_row,
        _IDS,
        {},
    ),
)
_LATEST: Final = (
    ("/tm-grade", "tm-grade-history", "List the last overall grades.", documents.OverallGrade, rows.overall_row),
    (
        "/fundamental-grade",
        "fundamental-grade-history",
        "List the last fundamental grades.",
        documents.FundamentalGrade,
        rows.fundamental_row,
    ),
    (
        "/technology-grade",
        "technology-grade-history",
        "List the last technology grades.",
        documents.TechnologyGrade,
        rows.technology_row,
    ),
)
_ROWS: Final[tuple[tuple[str, type[documents.Row], str, Mapping[str, str | Parameter], bool], ...]] = (
    (
        "tokens",
        documents.ListedAsset,
        "List assets.",
        _FILTERED | _IDS | {"blockchain_address": FILTERS["blockchain_address"]},
        False,
    ),
    ("price", documents.AssetPrice, "List the newest prices.", _IDS, False),
    ("quantmetrics", documents.QuantFigures, "List quant metrics of assets, of the last day alone.", _FILTERED, True),
    ("resistance-support", documents.PriceLevels, "List prices where assets turned before.", _IDS, False),
    (
        "scenario-analysis",
        documents.Scenarios,
        "List prices of assets if the whole market were another size.",
        _IDS,
        False,
    ),
    (
        "price-prediction",
        documents.PricePrediction,
        "List scenarios of assets with what they would make of price and cap.",
        _IDS,
        False,
    ),
    ("market-metrics", documents.MarketMetric, "List metrics of the whole market, the newest first.", {}, True),
    ("sentiments", documents.Sentiment, "List the sentiment of hours, the newest first.", {}, True),
    (
        "trader-indices",
        documents.IndexHolding,
        "List what the trader index holds each day, the newest first.",
        {},
        True,
    ),
)


def market_routes(
    tables: MarketTables, api: MarketApi, keys: MarketKeys, sessions: Sessions, wording: Wording | None = None
) -> list[RawRoute]:
    """Return the routes of market data, of the question, and of keys; a model's words are by `wording`."""

    def data(
        path: str,
        row: type[documents.Row],
        summary: str,
        find: Find,
        parameters: Mapping[str, str | Parameter],
        *,
        dated: bool = False,
    ) -> RawRoute:
        return api.route(path, summary, find, tables.state, parameters, row, dated=dated)

    def series(of: _Series) -> RawRoute:
        def find(query: Query) -> Rows:
            return tables.series(of.table, of.write, query, of.thresholds, of.equal)

        return data(of.path, of.row, of.summary, find, of.parameters, dated=True)

    def top(query: Query) -> Rows:
        if "top_k" not in query.parameters:
            return tables.rows("top-market-cap-tokens", query)
        count = query.whole("top_k", USUAL_LIMIT, 1, MOST_LIMIT)
        return tables.rows("top-market-cap-tokens", Query({**query.parameters, "limit": str(count)}))

    def moonshots(query: Query) -> Rows:
        return tables.rows(f"moonshot-tokens {query.one_of('type', _MOONSHOTS)}", query)

    def investors(query: Query) -> Rows:
        query.paging()
        return Rows((), message="this installation has no source about investors")

    return [
        *(series(each) for each in _SERIES),
        *(
            data(path, row, summary, partial(tables.latest, table, write), _IDS)
            for path, table, summary, row, write in _LATEST
        ),
        *(
            data(f"/{name}", row, summary, partial(tables.rows, name, dated=dated), parameters, dated=dated)
            for name, row, summary, parameters, dated in _ROWS
        ),
        data(
            "/top-market-cap-tokens",
            documents.ListedAsset,
            "List the largest assets.",
            top,
            {"top_k": Parameter("the same as `limit`: page 2 of 10 is ranks 11 to 20", LIMIT)},
        ),
        data(
            "/moonshot-tokens",
            documents.MoonshotPick,
            "List moonshots, the newest first.",
            moonshots,
            {"type": Parameter("active or past", {"enum": list(_MOONSHOTS)})},
        ),
        data(
            "/learned-signals",
            documents.LearnedSignalDay,
            "List signals of the trained model, the newest first; there are none without one.",
            tables.learned,
            _FILTERED | _SIGNAL,
            dated=True,
        ),
        data(
            "/correlation",
            documents.Correlation,
            "List what assets move with most, and least, in the last 90 days.",
            tables.correlations,
            _FILTERED | _IDS | _PAIR,
        ),
        data("/crypto-investors", documents.CryptoInvestor, "List investors; empty without a source.", investors, {}),
        *_word_routes(tables, api, wording or Wording()),
        *_key_routes(api, keys, sessions),
    ]


def _rows(page: Page, note: str = "") -> Rows:
    return Rows(page.rows, page.last, note=note)


def _range_note(selection: Selection, known: tuple[int, int] | None) -> str:
    if known is None:
        return ""
    first, last = (int(time) // DAY * DAY for time in known)
    early = selection.first is not None and selection.first < first
    outside = (selection.first is not None and selection.first > last) or (
        selection.end is not None and selection.end <= first
    )
    if not early and not outside:
        return ""
    days = [utc_text(time)[:10] for time in (first, last)]
    return f"there are days from {days[0]} to {days[1]}" if first < last else f"there is one day, {days[0]}"


def _word_routes(tables: MarketTables, api: MarketApi, wording: Wording) -> list[RawRoute]:
    """Return the routes of texts: fixed sentences of the numbers, and a model's words for them."""

    def state() -> DataState:
        about, version = tables.state(), wording.version
        return replace(about, version=f"{about.version} {version}") if version else about

    def reports(query: Query) -> Rows:
        found = tables.rows("ai-reports", query)
        return replace(found, rows=[_worded(row, wording) for row in found.rows]) if wording.version else found

    async def answer(exchange: HttpExchange, body: bytes) -> EndpointAnswer:
        text = _last_text(json_object(body).get("messages"))
        if not isinstance(text, str) or not text.strip():
            raise InvalidParameter('messages must be a list such as [{"user": "How is BTC?"}]', field="messages")
        sentences = answer_question(text, tables.snapshot)
        words = await wording.answer(text, sentences)
        said, by = (words.text, words.model) if words else (sentences, "")
        message = f"answered by {by} from the figures; not advice" if by else "answered"
        document = {"success": True, "message": message, "answer": said, "data": {"answer": said, "written_by": by}}
        document["attribution"] = tables.snapshot.attribution
        return EndpointAnswer(orjson.dumps(document), 1, [(b"cache-control", b"no-store")])

    summary = "Answer a question about assets that it names, or about the market, from the numbers."
    operation = Operation(summary, documents.AskedAnswer, _CHAT, takes=KEY_HEADERS, also=REFUSES)
    listed = "List reports written from the numbers, the largest assets' in a model's words too where there is one."
    return [
        api.route("/ai-reports", listed, reports, state, _IDS, documents.AssetReport),
        api.question_route("/tmai", operation, answer, {"messages": [{"user": "How is BTC?"}]}),
    ]


def _worded(row: bytes, wording: Wording) -> bytes:
    """Return a row of `/ai-reports` with a model's words for it, where there are any."""
    content = orjson.loads(row)
    words = wording.report(content["DEEP_DIVE"])
    if words is None:
        return row
    return orjson.dumps(content | {"WORDED_REPORT": words.text, "WORDED_BY": words.model})


def _last_text(messages: Any) -> Any:
    """Return the text of the last message; None for what is not a list of messages."""
    if not isinstance(messages, list) or not messages or not all(isinstance(each, dict) for each in messages):
        return None
    return messages[-1].get("user") or messages[-1].get("content")


def _key_routes(api: MarketApi, keys: MarketKeys, sessions: Sessions) -> list[RawRoute]:
    async def create(exchange: HttpExchange) -> None:
        body = await exchange.body(_BODY_BYTES)
        label = json_object(body).get("label", "") if body else ""
        if not isinstance(label, str):
            raise InvalidParameter("label must be text", field="label")
        session = await sessions.find(exchange)
        text, caller = await keys.create(exchange, label, None if session is None else session.address)
        row = {"KEY": text} | _key_row(caller)
        await answer_rows(exchange, [row], "keep the key: it is shown once, and sent as x-api-key", 201)

    async def current(exchange: HttpExchange, caller: Caller) -> None:
        await answer_rows(exchange, [_key_row(caller)], "your key")

    async def revoke(exchange: HttpExchange, caller: Caller) -> None:
        await keys.revoke(caller)
        await answer_rows(exchange, [], "the key is revoked")

    made = Operation(
        "Make a key, free. Whoever is signed in gets the quota of their staking level.",
        documents.Answer[documents.NewMarketKey],
        _KEY_WISH,
        201,
        needs_body=False,
        has_own_limit=True,
        also={400: REFUSES[400], 429: REFUSES[429]},
    )
    key = documents.Answer[documents.MarketKey]
    shown = Operation("Show a key.", key, takes=KEY_HEADERS, also=REFUSES)
    revoked = Operation("Revoke a key.", key, takes=KEY_HEADERS, also=REFUSES, has_own_limit=True)
    return [
        open_route("POST", "/keys", made, create),
        api.keyed("GET", "/keys/current", shown, current),
        api.keyed("DELETE", "/keys/current", revoked, revoke),
    ]


def _key_row(caller: Caller) -> dict[str, Any]:
    allowance = caller.allowance
    return {
        "ID": caller.key.id,
        "LABEL": caller.key.label,
        "CREATED_AT": moment(caller.key.created_at),
        "ACCOUNT": caller.key.account,
        "LEVEL": allowance.level,
        "CALLS_PER_MONTH": allowance.calls_per_month,
        "CALLS_PER_MINUTE": allowance.calls_per_minute,
        "CALLS_THIS_MONTH": caller.used,
    }
