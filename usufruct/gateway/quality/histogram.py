"""Histograms with fixed logarithmic buckets: they merge by addition, and give a quantile to within 5 per cent."""

from collections import Counter
from collections.abc import Iterable
from math import ceil, floor, log2

PER_DOUBLING = 8
"""Buckets from a value to twice that value: the middle of a bucket is at most 4.5 per cent from its ends."""

_LEAST, _MOST = 2.0**-10, 2.0**40


class Histogram:
    """How often values fell into each bucket."""

    __slots__ = ("counts",)

    def __init__(self, values: Iterable[float] = ()) -> None:
        """Count values, each above 0."""
        self.counts: Counter[int] = Counter()
        for each in values:
            self.add(each)

    def add(self, value: float) -> None:
        """Count one value above 0; one that is extremely small or large counts as the nearest that is not."""
        self.counts[floor(log2(min(max(value, _LEAST), _MOST)) * PER_DOUBLING)] += 1

    def merge(self, other: "Histogram") -> None:
        """Count what another histogram counted as well."""
        self.counts.update(other.counts)

    @property
    def total(self) -> int:
        """How many values were counted."""
        return self.counts.total()

    def quantile(self, part: float) -> float | None:
        """Return the value that `part` (0 to 1) of all values do not pass; None without values."""
        left = max(1, ceil(part * self.total))
        for bucket in sorted(self.counts):
            left -= self.counts[bucket]
            if left <= 0:
                return float(2.0 ** ((bucket + 0.5) / PER_DOUBLING))
        return None

    def packed(self) -> str:
        """Write it for a database: "57:3 58:1"."""
        return " ".join(f"{bucket}:{self.counts[bucket]}" for bucket in sorted(self.counts))

    @classmethod
    def unpacked(cls, text: str) -> "Histogram":
        """Read what `packed` wrote."""
        made = cls()
        made.counts.update({int(bucket): int(count) for bucket, count in (each.split(":") for each in text.split())})
        return made
