"""The JSON documents of market alerts."""

from typing import Literal

from pydantic import StrictBool, StrictStr

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
