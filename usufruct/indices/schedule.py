"""The days on which an index decides: by the calendar, and by triggers."""

from datetime import date, timedelta

import numpy as np

from usufruct.indices.rulebook import Calendar
from usufruct.indices.sums import Indices, Mask

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def calendar_days(calendar: Calendar, first_day: date, days: int) -> Mask:
    """Return for consecutive days whether the calendar has a decision at their close; always on the first.

    Months and quarters decide on their first day.
    """
    due = np.zeros(days, dtype=bool)
    if calendar.every == "day":
        due[:] = True
    elif calendar.every == "week":
        due[(_WEEKDAYS.index(calendar.weekday) - first_day.weekday()) % 7 :: 7] = True
    elif calendar.every != "never":
        step = 1 if calendar.every == "month" else 3
        year, month = first_day.year, first_day.month
        while (at := (date(year, month, 1) - first_day).days) < days:
            if at >= 0 and (month - 1) % step == 0:
                due[at] = True
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    due[:1] = True
    return due


def decision_rows(due: Mask, triggers: Mask, first: int) -> Indices:
    """Return the rows of all decisions; `first` is the row of the first day of both masks."""
    return np.flatnonzero(due | triggers) + first


def next_decision(calendar: Calendar, after: date) -> date | None:
    """Return the next day after a day on which the calendar decides."""
    span = 100
    due = calendar_days(calendar, after, span)
    due[0] = False
    found = np.flatnonzero(due)
    return after + timedelta(days=int(found[0])) if len(found) else None
