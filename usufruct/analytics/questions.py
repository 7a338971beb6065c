"""Texts made of the numbers: for a question, the reports of the assets that it names, else the day's briefing."""

import re
from typing import Final

import numpy as np
import orjson

from usufruct.analytics.snapshot import Selection, Snapshot

_MOST_ASSETS: Final = 3
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]*")
_SHORT: Final = 3
"""A ticker so short is only meant where it is written in capitals, or with a dollar sign: `one` is a word."""


def answer_question(text: str, snapshot: Snapshot) -> str:
    """Return the answer."""
    columns = named_assets(text, snapshot)
    page = snapshot.rows["ai-reports"].page(Selection(np.array(columns, dtype=np.int64))) if columns else None
    if page is None or not page.rows:
        return snapshot.briefing
    return "\n\n".join(_report_of(row) for row in page.rows)


def largest_reports(snapshot: Snapshot, most: int) -> list[str]:
    """Return the reports of the assets with the largest market caps, in the order of assets."""
    caps = np.nan_to_num(snapshot.market_caps, nan=-1.0)
    columns = np.argsort(-caps, kind="stable")[:most]
    page = snapshot.rows["ai-reports"].page(Selection(columns.astype(np.int64), limit=most))
    return [_report_of(row) for row in page.rows]


def _report_of(row: bytes) -> str:
    """Return the whole report of a row of `/ai-reports`."""
    return str(orjson.loads(row)["DEEP_DIVE"])


def named_assets(text: str, snapshot: Snapshot) -> list[int]:
    """Return the columns of the assets that a text names by ticker or name, in the order of their market caps."""
    lowered = f" {' '.join(_WORD.findall(text.lower()))} "
    written = set(_WORD.findall(text))
    found = []
    for column, asset in enumerate(snapshot.assets):
        symbol = asset.symbol
        ticker = symbol.upper() in written or (len(symbol) > _SHORT and symbol.lower() in lowered.split())
        name = " ".join(_WORD.findall(asset.name.lower()))
        if ticker or (name and f" {name} " in lowered) or f" {asset.id.lower()} " in lowered:
            found.append(column)
    caps = np.nan_to_num(snapshot.market_caps, nan=-1.0)
    return sorted(sorted(found, key=lambda column: -float(caps[column]))[:_MOST_ASSETS])
