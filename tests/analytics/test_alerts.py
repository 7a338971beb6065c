"""An alert is told once when it is reached, and again after it had been left; with real deliveries in the database."""

import json

import httpx
import numpy as np
import pytest

from tests.support.notification_crash import notifications_in
from usufruct.accounts import Session
from usufruct.accounts.notifications import EventKind
from usufruct.analytics.alert_api import alert_routes
from usufruct.analytics.alert_measures import LivePrices, MeasuredAssets, Reading
from usufruct.analytics.alert_model import (
    AlertNotFound,
    AlertPolicy,
    InvalidAlert,
    Measure,
    TooManyAlerts,
    UnknownMarketAsset,
)
from usufruct.analytics.alerts import MarketAlerts
from usufruct.analytics.live.model import LiveMedian, LiveTable
from usufruct.analytics.mapped_files import NoMarketData
from usufruct.analytics.snapshot import DAY, HOUR, SeriesTable, Snapshot, utc_text
from usufruct.connectors.prices import Asset
from usufruct.core import Address, Conflict, Denied
from usufruct.web import HttpExchange, Router

ADA, BOB = (Address("0x" + letter * 40) for letter in "ab")
ASSETS = (Asset("bitcoin", 1, "BTC", "Bitcoin"), Asset("tether", 2, "USDT", "Tether"))
START = 20_000 * DAY
SITE = "http://127.0.0.1"


def market(closes: list[float], *, grade: float = 50.0, signal: float = 0, hours: list[float] = ()) -> Snapshot:  # type: ignore[assignment]
    """A market of two assets: the first one's closes, the second one's are unknown."""

    def table(key: str, first: list[float], start: int = START, step: int = DAY) -> SeriesTable:
        values = np.column_stack([first, np.full(len(first), np.nan)])
        return SeriesTable(start, step, key, {key: values})

    days = len(closes)
    last = START + (days - 1) * DAY
    series = {"daily-ohlcv": table("close", closes)}
    graded = {"trader-grades": "trader", "investor-grades": "investor", "tm-grade-history": "overall"}
    series |= {name: table(key, [grade] * days) for name, key in graded.items()}
    series["trading-signals"] = table("signal", [signal] * days)
    if hours:
        series["hourly-ohlcv"] = table("close", list(hours), last + DAY - len(hours) * HOUR + HOUR, HOUR)
    none = np.full(2, np.nan)
    id_ = f"{closes} {grade} {signal} {hours}"
    last_hour = last + DAY if hours else 0
    return Snapshot(id_, 0, START, last, last_hour, True, "", ASSETS, none, none, [], "", {}, series)


class Shown:
    """The market that is shown now; it changes in the course of a test."""

    def __init__(self, *closes: float) -> None:
        self.snapshot: Snapshot | None = market(list(closes))

    def __call__(self) -> Snapshot:
        if self.snapshot is None:
            raise NoMarketData("no prices")
        return self.snapshot


@pytest.fixture
async def world(database):
    notifications, shown = notifications_in(database), Shown(100.0)
    await notifications.set_webhook(ADA, "http://127.0.0.1:1/")
    return MarketAlerts(database, notifications, shown), notifications, shown


async def told(notifications, person: Address = ADA) -> list[float]:
    """Return the values that a person was told of, the oldest first."""
    events = [each.event for each in reversed(await notifications.latest(person))]
    assert {each.kind for each in events} <= {EventKind.MARKET}
    return [json.loads(each.data)["value"] for each in events]


def watch(alerts: MarketAlerts, threshold: float, direction: str = "above", measure: str = "price"):
    return alerts.add(ADA, "bitcoin", measure, direction, threshold, "en", SITE)


async def test_an_alert_is_told_once_and_again_after_it_was_left(world):
    alerts, notifications, shown = world
    alert = await watch(alerts, 110)
    for close in (109.0, 110.0, 111.0, 109.9, 120.0, 119.0):
        shown.snapshot = market([close])
        for _ in range(2):
            await alerts.report()
    assert await told(notifications) == [110.0, 120.0]
    assert await alerts.list(ADA) == [(alert, True)]


async def test_a_value_that_is_not_known_neither_reaches_nor_leaves(world):
    alerts, notifications, shown = world
    await watch(alerts, 90)
    await alerts.report()
    shown.snapshot = market([float("nan")])
    await alerts.report()
    shown.snapshot = None
    await alerts.report()
    shown.snapshot = market([95.0])
    await alerts.report()
    assert await told(notifications) == [100.0]


async def test_a_removed_alert_is_not_told_and_a_new_one_like_it_is(world):
    alerts, notifications, _ = world
    alert = await watch(alerts, 90)
    await alerts.report()
    await alerts.remove(ADA, alert.id)
    await watch(alerts, 90)
    await alerts.report()
    assert await told(notifications) == [100.0, 100.0]
    assert [told for _, told in await alerts.list(ADA)] == [True]


async def test_an_alert_belongs_to_its_person(world):
    alerts, _, _ = world
    alert = await watch(alerts, 90)
    with pytest.raises(AlertNotFound):
        await alerts.remove(BOB, alert.id)
    assert await alerts.list(BOB) == []


async def test_who_cannot_be_reached_is_told_so_and_nothing_is_kept(world):
    alerts, _, _ = world
    with pytest.raises(Conflict, match="no message reaches you; set a webhook"):
        await alerts.add(BOB, "bitcoin", "price", "above", 1, "en", SITE)
    assert await alerts.list(BOB) == []


async def test_an_alert_keeps_what_was_chosen_before(world):
    alerts, notifications, _ = world
    await notifications.choose(ADA, frozenset({"refund.sent"}), 0, "en", "https://other.example")
    await watch(alerts, 90)
    contact = await notifications.contact(ADA)
    assert (contact.events, contact.site) == ({EventKind.REFUND, EventKind.MARKET}, "https://other.example")


@pytest.mark.parametrize(
    ("asset", "measure", "direction", "threshold", "error", "message"),
    [
        ("dogecoin", "price", "above", 1.0, UnknownMarketAsset, "'dogecoin' is not an asset"),
        ("bitcoin", "colour", "above", 1.0, InvalidAlert, "measure is 'colour'; choose of price"),
        ("bitcoin", "price", "beside", 1.0, InvalidAlert, "direction is 'beside'; choose of above, below"),
        ("bitcoin", "price", "above", -1.0, InvalidAlert, "threshold is -1; price is from 0"),
        ("bitcoin", "grade", "above", 101.0, InvalidAlert, "threshold is 101; grade is from 0 to 100"),
        ("bitcoin", "signal", "below", -2.0, InvalidAlert, "threshold is -2; signal is from -1 to 1"),
    ],
)
async def test_what_no_alert_can_be_is_refused_by_name(world, asset, measure, direction, threshold, error, message):
    alerts, _, _ = world
    with pytest.raises(error, match=message):
        await alerts.add(ADA, asset, measure, direction, threshold, "en", SITE)


async def test_alerts_are_bounded(database):
    notifications = notifications_in(database)
    await notifications.set_webhook(ADA, "http://127.0.0.1:1/")
    alerts = MarketAlerts(database, notifications, Shown(100.0), AlertPolicy(most_of_person=2))
    for _ in range(2):
        await watch(alerts, 90)
    with pytest.raises(TooManyAlerts, match="there are 2 alerts"):
        await watch(alerts, 90)


def test_measures_are_the_newest_of_a_snapshot():
    daily = MeasuredAssets(market([80.0, 100.0, 110.0], grade=61.5, signal=-1))
    found = {each: daily.value(each, "bitcoin") for each in Measure}
    assert found.pop(Measure.CHANGE) == pytest.approx(10.0)
    assert found == {
        Measure.PRICE: 110.0,
        Measure.TRADER_GRADE: 61.5,
        Measure.INVESTOR_GRADE: 61.5,
        Measure.GRADE: 61.5,
        Measure.SIGNAL: -1,
    }
    assert [daily.value(each, "tether") for each in Measure] == [None] * 6
    assert daily.value(Measure.PRICE, "unheard") is None


def test_a_change_from_a_price_of_nothing_is_not_known():
    measured = MeasuredAssets(market([0.0, 100.0]))
    assert (measured.value(Measure.PRICE, "bitcoin"), measured.value(Measure.CHANGE, "bitcoin")) == (100.0, None)
    assert MeasuredAssets(market([100.0])).value(Measure.CHANGE, "bitcoin") is None


def test_hourly_prices_are_newer_than_daily_ones():
    hourly = MeasuredAssets(market([80.0, 100.0], hours=[50.0] * 24 + [75.0]))
    assert hourly.value(Measure.PRICE, "bitcoin") == 75.0
    assert hourly.value(Measure.CHANGE, "bitcoin") == pytest.approx(50.0)
    gap = MeasuredAssets(market([80.0, 100.0], hours=[50.0, float("nan")]))
    assert gap.value(Measure.PRICE, "bitcoin") == 100.0


BARS_END = START + DAY
"""When the last bar of a market of one day ends."""


def live_at(price: float, at: float, now: float, *, synthetic: bool = True) -> LivePrices:
    """The live price of the first asset, as of a time; stale after a minute."""
    median = LiveMedian("bitcoin", price, at, ("kraken",), 1)
    return LivePrices(LiveTable(1, 60, synthetic, {"bitcoin": median}), int(now))


def test_a_live_price_counts_while_it_is_not_stale():
    bars, made = market([100.0, 100.0]), BARS_END + DAY + 500
    fresh = MeasuredAssets(bars, live_at(123.0, made, made + 59))
    assert fresh.reading(Measure.PRICE, "bitcoin") == Reading(123.0, utc_text(made))
    assert fresh.value(Measure.CHANGE, "bitcoin") == 0.0, "the others are of bars"
    assert MeasuredAssets(bars, live_at(123.0, made, made + 60)).reading(Measure.PRICE, "bitcoin") is None
    before = BARS_END + DAY - 1
    assert MeasuredAssets(bars, live_at(123.0, before, before + 60)).value(Measure.PRICE, "bitcoin") == 100.0
    real = MeasuredAssets(bars, live_at(123.0, made, made, synthetic=False))
    assert real.value(Measure.PRICE, "bitcoin") == 100.0, "a real price does not count in a simulated market"
    assert fresh.value(Measure.PRICE, "tether") is None


async def test_an_alert_is_told_of_a_live_price_once_though_it_becomes_stale(database):
    notifications, shown = notifications_in(database), Shown(100.0)
    await notifications.set_webhook(ADA, "http://127.0.0.1:1/")
    newest: list[LivePrices | None] = [None]
    alerts = MarketAlerts(database, notifications, shown, live=lambda: newest[0])
    await watch(alerts, 110)
    made = BARS_END + 500
    for live in (
        None,
        live_at(109.0, made, made),
        live_at(111.0, made + 30, made + 31),
        live_at(111.0, made + 30, made + 900),  # the exchange is silent; the bars are older than its last price
        live_at(112.0, made + 950, made + 951),
    ):
        newest[0] = live
        await alerts.report()
    assert await told(notifications) == [111.0]
    newest[0] = live_at(109.0, made + 1_000, made + 1_000)
    await alerts.report()
    newest[0] = live_at(115.0, made + 1_030, made + 1_030)
    await alerts.report()
    assert await told(notifications) == [111.0, 115.0]
    [event, *_] = [json.loads(each.event.data) for each in await notifications.latest(ADA)]
    assert event["asOf"] == utc_text(made + 1_030)


class SignedOut(Denied, code="not_signed_in", status=401):
    """No one is signed in."""


class HeaderSessions:
    """Sessions in which a header says who is signed in."""

    async def require(self, exchange: HttpExchange) -> Session:
        if not (who := exchange.header(b"x-test-person")):
            raise SignedOut("no one is signed in")
        return Session(Address(who), 0)

    def known_site(self, exchange: HttpExchange) -> str:
        return SITE


async def test_alerts_are_set_listed_and_removed_over_http(world):
    alerts, _, _ = world
    transport = httpx.ASGITransport(app=Router(alert_routes(alerts, HeaderSessions())))
    wish = {"asset": "bitcoin", "measure": "price", "direction": "above", "threshold": 90}
    headers = {"x-test-person": ADA, "origin": SITE}
    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers, timeout=120) as client:
        made = await client.post("/v1/markets/alerts", json=wish)
        assert made.status_code == 201, made.text
        assert made.json() | {"id": "", "createdAt": 0} == wish | {"id": "", "createdAt": 0, "told": False}
        await alerts.report()
        listed = (await client.get("/v1/markets/alerts")).json()["alerts"]
        assert [(each["id"], each["told"]) for each in listed] == [(made.json()["id"], True)]
        for threshold in ("90", "NaN", True):
            refused = await client.post("/v1/markets/alerts", json=wish | {"threshold": threshold})
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_alert"), threshold
        removed = await client.delete(f"/v1/markets/alerts/{made.json()['id']}")
        again = await client.delete(f"/v1/markets/alerts/{made.json()['id']}")
        assert (removed.status_code, again.status_code, again.json()["error"]["code"]) == (204, 404, "alert_not_found")
        stranger = await client.get("/v1/markets/alerts", headers={"x-test-person": ""})
        assert stranger.status_code == 401
