"""Market alerts: a person is told when a measure of an asset reaches a threshold, and again after it had left it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex

from usufruct.accounts.notifications import Contact, EventKind, Notifications
from usufruct.analytics.alert_measures import LiveSource, MeasuredAssets, Reading
from usufruct.analytics.alert_model import (
    Alert,
    AlertNotFound,
    AlertPolicy,
    UnknownMarketAsset,
    check_alert,
)
from usufruct.analytics.alert_store import AlertStore
from usufruct.analytics.mapped_files import NoMarketData
from usufruct.analytics.snapshot import Snapshot
from usufruct.connectors.prices import Asset
from usufruct.core import Address
from usufruct.store import Database
from usufruct_client.notification_documents import MarketAlert

_PAGE = 200
_KINDS = (EventKind.MARKET,)


@dataclass(frozen=True, slots=True)
class WatchedAlert:
    """An alert as its person sees it: of which asset, None if there is no such one any more; `reading`: of now.

    `told`: it holds, and the person was told.
    """

    alert: Alert
    told: bool
    asset: Asset | None
    reading: Reading | None


class MarketAlerts:
    """The alerts of this installation's persons; `current` returns the newest snapshot or raises NoMarketData."""

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        current: Callable[[], Snapshot],
        policy: AlertPolicy | None = None,
        live: LiveSource = lambda: None,
    ) -> None:
        self._database = database
        self._store = AlertStore(database)
        self._notifications = notifications
        self._current = current
        self._policy = policy or AlertPolicy()
        self._live = live

    async def add(
        self, person: Address, asset: str, measure: str, direction: str, threshold: float, language: str, site: str
    ) -> Alert:
        """Set an alert; where it holds already, the person is told within a minute.

        Raises:
            InvalidAlert: names the field that no alert can have.
            UnknownMarketAsset: when there is no asset of this id.
            TooManyAlerts: when the person has as many as there may be.
            Conflict: when no message reaches the person.
            NoMarketData: when no prices are known yet.
        """
        chosen, side = check_alert(measure, direction, threshold)
        if asset not in self._newest().columns:
            raise UnknownMarketAsset(f"{asset[:80]!r} is not an asset; `/markets` lists their ids", field="asset")
        await self._notifications.also_choose(person, EventKind.MARKET, language, site)
        now = await self._database.now()
        alert = Alert(f"alert_{token_hex(16)}", person, asset, chosen, side, threshold, now)
        await self._store.add(alert, self._policy)
        return alert

    async def remove(self, person: Address, alert: str) -> None:
        """Remove a person's alert; raises AlertNotFound."""
        if not await self._store.remove(person, alert):
            raise AlertNotFound("you have no such alert; reload the list", alert=alert[:60])
        await self._notifications.end_levels([(person, EventKind.MARKET.value, alert)])

    async def list(self, person: Address) -> Sequence[tuple[Alert, bool]]:
        """Return a person's alerts, the oldest first, and whether each was told of and still holds."""
        told = await self._notifications.levels_of([person], _KINDS)
        mine = (await self._store.of([person])).get(person, ())
        return [(each, (person, EventKind.MARKET.value, each.id) in told) for each in mine]

    async def watched(self, person: Address) -> Sequence[WatchedAlert]:
        """Return a person's alerts, the oldest first, each with the newest value of what it watches."""
        try:
            measured = self._newest()
        except NoMarketData:
            return [WatchedAlert(alert, told, None, None) for alert, told in await self.list(person)]
        columns, assets = measured.columns, measured.snapshot.assets
        return [
            WatchedAlert(
                alert,
                told,
                assets[columns[alert.asset]] if alert.asset in columns else None,
                measured.reading(alert.measure, alert.asset),
            )
            for alert, told in await self.list(person)
        ]

    async def reaches(self, person: Address) -> bool:
        """Tell whether any message reaches a person."""
        contact = await self._notifications.contact(person)
        return bool(contact.ways(mail=self._notifications.offer.mail))

    async def report(self) -> None:
        """Tell persons of alerts that hold now and did not before. Without prices there is nothing to tell."""
        try:
            measured = self._newest()
        except NoMarketData:
            return
        after: Address | None = None
        while True:
            page = await self._notifications.watching(_KINDS, after, _PAGE)
            await self._report_page(page.contacts, measured)
            if page.after is None:
                return
            after = page.after

    async def _report_page(self, contacts: Sequence[Contact], measured: MeasuredAssets) -> None:
        persons = [each.person for each in contacts]
        if not persons:
            return
        alerts = await self._store.of(persons)
        told = await self._notifications.levels_of(persons, _KINDS)
        over = set(told)
        for contact in contacts:
            for alert in alerts.get(contact.person, ()):
                level = (contact.person, EventKind.MARKET.value, alert.id)
                reading = measured.reading(alert.measure, alert.asset)
                if reading is None:  # neither reached nor left
                    over.discard(level)
                elif alert.holds(reading.value):
                    over.discard(level)
                    if level not in told:
                        data = _document(alert, reading, measured).as_json()
                        await self._notifications.report_level(contact, EventKind.MARKET, alert.id, data)
        await self._notifications.end_levels(sorted(over))

    def _newest(self) -> MeasuredAssets:
        return MeasuredAssets(self._current(), self._live())


def _document(alert: Alert, reading: Reading, measured: MeasuredAssets) -> MarketAlert:
    asset = measured.snapshot.assets[measured.columns[alert.asset]]
    return MarketAlert(
        alert=alert.id,
        asset=asset.id,
        symbol=asset.symbol,
        name=asset.name,
        measure=alert.measure.value,
        direction=alert.direction.value,
        threshold=alert.threshold,
        value=reading.value,
        as_of=reading.as_of,
        synthetic=measured.snapshot.synthetic,
    )
