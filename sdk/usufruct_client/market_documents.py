"""The JSON documents of market alerts, and of a person's market API keys."""

from typing import Literal

from pydantic import StrictBool, StrictInt, StrictStr

from usufruct_client.wire_types import Document, Number, Seconds, Text, Wish


class AlertWish(Wish):
    """An alert: tell me when a measure of an asset is `direction` the threshold, or at it."""

    asset: Text
    measure: Text
    direction: Text
    threshold: Number
    language: Text = "en"


class AlertFacts(Document):
    """A person's alert. `told`: it holds, and the person was told."""

    id: StrictStr
    asset: StrictStr
    measure: StrictStr
    direction: Literal["above", "below"]
    threshold: Number
    created_at: Seconds
    told: StrictBool


class AlertList(Document):
    """A person's alerts, the oldest first."""

    alerts: list[AlertFacts]


class MarketKeyFacts(Document):
    """A person's key of the market API, without its text.

    `last_used_at`: a call was made then, None before the first. Later calls may not have been noted for an hour.
    """

    id: StrictStr
    label: StrictStr
    created_at: Seconds
    last_used_at: Seconds | None
    calls_this_month: StrictInt
    calls_per_month: StrictInt
    calls_per_minute: StrictInt


class MarketKeyList(Document):
    """A person's live keys, the newest first."""

    keys: list[MarketKeyFacts]
