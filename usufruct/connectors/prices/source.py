"""What a source of prices is: batches of rows, each with the position from which the next import goes on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import polars as pl

from usufruct.connectors.prices.archive import SourceFacts
from usufruct.connectors.prices.bars import BAR_SCHEMA, Interval
from usufruct.connectors.prices.registry import AssetFacts

BATCH_SCHEMA: Final[dict[str, Any]] = BAR_SCHEMA | {"place": pl.String()}
"""Columns of a batch. `source` may be null: the ingest sets it; so may `known_at`. `place` is for people: "line 12"."""

REFUSED_SCHEMA: Final[dict[str, Any]] = BATCH_SCHEMA | {"rule": pl.String()}


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows that are committed together with `position`, which is any JSON value that the source understands.

    `refused` are rows that the source could not read, with a rule. `done` of `total` steps are done with this batch.
    """

    rows: pl.DataFrame
    position: Any
    done: int
    total: int
    assets: tuple[AssetFacts, ...] = ()
    refused: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REFUSED_SCHEMA))


class Source(Protocol):
    """Where prices come from: a file, an exchange, a vendor.

    A bar that is not over yet is left out by the source. A batch should hold whole stretches of an asset: a spike is
    told from a jump by the bars after it.
    """

    @property
    def facts(self) -> SourceFacts:
        """Name, attribution, and whether the prices are simulated."""

    @property
    def interval(self) -> Interval:
        """The length of its bars."""

    @property
    def quote(self) -> str:
        """The currency of its prices."""

    @property
    def keeps_caps(self) -> bool:
        """Whether its licence lets caps be kept; otherwise they are price x supply."""

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield what comes after a position; None is the beginning.

        Raises:
            UsufructError: when the source does not answer or cannot be read; what was yielded before stays.
        """
