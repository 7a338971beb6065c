"""Notifications: persons are told by webhook or e-mail what happened to their keys, refunds, services and income."""

from usufruct.accounts.notifications.deliveries import Deliveries
from usufruct.accounts.notifications.model import (
    Contact,
    EventKind,
    InvalidNotification,
    NotificationPolicy,
)
from usufruct.accounts.notifications.notifications import NotificationOffer, Notifications

__all__ = [
    "Contact",
    "Deliveries",
    "EventKind",
    "InvalidNotification",
    "NotificationOffer",
    "NotificationPolicy",
    "Notifications",
]
