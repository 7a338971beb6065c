"""The JSON documents of notifications: what a person is told of, by which way, and what a webhook is sent."""

from typing import Any, Literal

from pydantic import StrictBool, StrictStr

from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    Decimals,
    Document,
    HashText,
    Names,
    Number,
    Seconds,
    Text,
    Uint256,
    Wish,
)


class NotificationChoices(Wish):
    """Which events a person is told of. `low_balance`: a key's deposit under it is low, in atomic units."""

    events: Names
    low_balance: Uint256
    language: Text = "en"


class WebhookWish(Wish):
    """Where events are posted to."""

    url: Text


class WebhookSecret(Document):
    """The secret that a webhook's messages are signed with, which is shown this once."""

    secret: StrictStr


class EmailWish(Wish):
    """Which address events are sent to, once its reader has confirmed it, and in which language."""

    address: Text
    language: Text = "en"


class MailToken(Wish):
    """What a link in an e-mail carries."""

    token: Text


class MessageChoice(Wish):
    """Which message to send again, and by which way."""

    id: Text
    channel: Literal["webhook", "email"]


class NotificationDelivery(Document):
    """One message to one place. `next_at`: the next try of a pending one; `error`: why the last try failed.

    `created_at`: when it was made, or asked for again.
    """

    id: StrictStr
    event: StrictStr
    channel: Literal["webhook", "email"]
    state: Literal["pending", "sent", "dead"]
    tries: Count
    created_at: Seconds
    next_at: Seconds
    error: StrictStr


class NotificationSettings(Document):
    """What a person is told of, where, and the last messages. `mail_offered`: this installation sends e-mail."""

    events: Names
    low_balance: Uint256
    language: StrictStr
    mail_offered: StrictBool
    webhook: StrictStr | None
    email: StrictStr | None
    email_confirmed: StrictBool
    deliveries: list[NotificationDelivery]


class NotificationEvent(Document):
    """The body of a webhook; `data` is one of the documents below, by `type`; `timestamp` in ISO 8601."""

    type: StrictStr
    timestamp: StrictStr
    data: dict[str, Any]


class EventMoney(Document):
    """An amount in atomic units of a token."""

    amount: Uint256
    token: AddressText
    symbol: StrictStr
    decimals: Decimals


class BalanceLow(Document):
    """`balance.low`: of a key's deposit `left` is not charged, less than the `threshold` that the person set."""

    key: StrictStr
    label: StrictStr
    left: EventMoney
    threshold: EventMoney


class KeyLimitLow(Document):
    """`key.limit_low`: of a key's limit, in all or of the day, less than a tenth is left."""

    key: StrictStr
    label: StrictStr
    period: Literal["total", "day"]
    left: EventMoney
    limit: EventMoney


class RefundSent(Document):
    """`refund.sent`: unused money of a channel is back in its payer's wallet, and final."""

    channel: HashText
    refunded: EventMoney
    transaction: HashText | None


class IncomeArrived(Document):
    """`income.arrived`: what a service's calls were charged was paid out; before the protocol's fee."""

    service: StrictStr
    asset: AssetHex
    income: EventMoney
    transaction: HashText | None


class MarketAlert(Document):
    """`market.alert`: a measure of an asset reached the threshold of an alert of the person's.

    `as_of`: the time of the prices, ISO 8601; `synthetic`: they are simulated.
    """

    alert: StrictStr
    asset: StrictStr
    symbol: StrictStr
    name: StrictStr
    measure: StrictStr
    direction: Literal["above", "below"]
    threshold: Number
    value: Number
    as_of: StrictStr
    synthetic: StrictBool


class MarketBriefingWritten(Document):
    """`market.briefing`: the briefing of a day was written; `titles` and `texts` by language code."""

    day: StrictStr
    url: StrictStr
    titles: dict[str, str]
    texts: dict[str, str]
    input_hash: StrictStr
    synthetic: StrictBool


class ServiceFailing(Document):
    """`service.failing`: of the calls that a service was tried with in the last hour, most failed."""

    service: StrictStr
    asset: AssetHex
    calls: Count
    failed: Count
