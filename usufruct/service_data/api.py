"""The routes of `/v2` about the services of this installation."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from usufruct.analytics import (
    CurrentReader,
    DataState,
    InvalidParameter,
    MarketApi,
    Query,
    Rows,
    RowTable,
    Selection,
    utc_text,
)
from usufruct.assets import Listings, UnknownListing
from usufruct.chain import TokenFacts
from usufruct.core import DAY_SECONDS, Clock
from usufruct.gateway import ServiceQuality
from usufruct.service_data.figures import day_row
from usufruct.service_data.service_files import ServiceTable
from usufruct.web import Parameter, RawRoute
from usufruct_client.service_data_documents import ServiceDay, ServiceFigures

LATE_SECONDS: Final = 3_600
_DAYS_KEPT: Final = 400
_ONE: Final[dict[str, str | Parameter]] = {"service": "name of a service; if not given, all"}
_NAMED: Final[dict[str, str | Parameter]] = {
    "service": Parameter("name of the service", {"type": "string", "minLength": 1}, required=True)
}


@dataclass(frozen=True, slots=True)
class ServiceData:
    """What gateways answer from: the worker's table, and the counted days of one service."""

    reader: CurrentReader[ServiceTable]
    listings: Listings
    quality: ServiceQuality
    token: TokenFacts
    clock: Clock
    simulated: bool

    def state(self) -> DataState:
        """Return what answers are made of now; raises NoMarketData."""
        table = self.reader.current()
        stale = self.clock.now() > table.computed_at + LATE_SECONDS
        source = "calls of this installation, and shares on its chain"
        version = f"{table.version}{'-' if stale else ''}"
        return DataState(version, utc_text(table.computed_at), stale, self.simulated, source)

    def services(self, query: Query) -> Rows:
        """Return the rows of services, or of one."""
        table, (limit, skip, after) = self.reader.current(), query.paging()
        if name := query.parameters.get("service"):
            place = table.places.get(name)
            return Rows(() if place is None else (table.rows.rows[place],))
        page = table.rows.page(Selection(limit=limit, skip=skip, after=after))
        return Rows(page.rows, page.last)

    async def history(self, query: Query) -> Rows:
        """Return the whole days of a service until the table was computed, the newest first.

        Raises:
            InvalidParameter: when no service is named.
        """
        limit, skip, after = query.paging()
        first, end = query.days()
        name = query.parameters.get("service")
        if not name:
            raise InvalidParameter("service is missing; send a SERVICE of /v2/services", field="service")
        try:
            listing = await self.listings.find(name)
        except UnknownListing:
            return Rows((), message="no service has this name")
        computed_at = self.reader.current().computed_at
        today = computed_at - computed_at % DAY_SECONDS
        found = (await self.quality.days_of([listing.id], today - _DAYS_KEPT * DAY_SECONDS)).get(listing.id, [])
        days = [each for each in reversed(found) if each[0] < today]
        rows = RowTable(
            np.array([start for start, _ in days], dtype=np.int64),
            np.full(len(days), -1, dtype=np.int64),
            [orjson.dumps(day_row(listing, start, counts, self.token)) for start, counts in days],
        )
        page = rows.page(Selection(None, first, end, limit=limit, skip=skip, after=after))
        return Rows(page.rows, page.last)


def service_routes(data: ServiceData, api: MarketApi) -> list[RawRoute]:
    """Return the routes."""
    listed = "List the services on sale here, those with the most revenue first: calls, revenue, owners."
    history = "List the whole days of a service, the newest first: calls, text tokens, revenue."
    return [
        api.route("/services", listed, data.services, data.state, _ONE, ServiceFigures),
        api.route("/services-history", history, data.history, data.state, _NAMED, ServiceDay, dated=True),
    ]
