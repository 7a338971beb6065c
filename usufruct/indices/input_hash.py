"""Hashes of what an index read: each day's commits to all days before it.

The hash of a day is SHA-256 over the hash of the day before and, for each asset with a value on that day in the order
of ids, 8 bytes of its id's SHA-256 and its close, market cap and volume. Assets that are not known yet change no hash.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from usufruct.connectors.prices import Panel
from usufruct.indices.sums import Indices


def input_hashes(panel: Panel, order: Indices, rows: Indices) -> list[str]:
    """Return the hash of the data up to each of some rows, which are in rising order."""
    wanted, found = iter(rows.tolist()), []
    due = next(wanted, None)
    for row, digest in enumerate(_chain(panel, order)):
        if row == due:
            found.append(digest.hex())
            due = next(wanted, None)
        if due is None:
            break
    return found


def _chain(panel: Panel, order: Indices) -> Iterator[bytes]:
    keys = [hashlib.sha256(panel.assets[at].id.encode()).digest()[:8] for at in order]
    names = np.frombuffer(b"".join(keys), dtype="<f8") if keys else np.zeros(0)
    digest = hashlib.sha256(f"{panel.first_day} {panel.quote}".encode()).digest()
    for row in range(panel.days):
        values = np.stack([panel.close[row, order], panel.market_cap[row, order], panel.volume[row, order]], axis=1)
        known = np.isfinite(values).any(axis=1)
        values[np.isnan(values)] = np.nan
        lines = np.concatenate([names[known].view("<u8")[:, None], values[known].astype("<f8").view("<u8")], axis=1)
        digest = hashlib.sha256(digest + np.ascontiguousarray(lines).tobytes()).digest()
        yield digest
