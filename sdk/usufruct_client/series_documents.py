"""The JSON documents of series of days: what an interactive chart is drawn from."""

from typing import Annotated

from pydantic import Field, StrictStr

from usufruct_client.wire_types import Count, Document, Seconds


class SeriesLine(Document):
    """One line: its name, and a value for each of the series' days; null where it is not known."""

    name: StrictStr
    values: list[Annotated[float, Field(allow_inf_nan=False)] | None]


class DailySeries(Document):
    """Lines over the same days, each named by its first second, UTC.

    Of `days` days there are at most 2,000 points: of each stretch of days those at which the first line is lowest and
    highest.
    """

    days: Count
    times: list[Seconds]
    lines: list[SeriesLine]
