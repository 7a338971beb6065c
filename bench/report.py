"""One shape for every benchmark: rows of metric, subject, value, unit, n; a JSON file and a table with ratios."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
OURS = "usufruct"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure: the median of `n` measurements of `metric` on `subject`, in `unit`.

    `value` is None when the peer could not be installed or has nothing to compare; `note` then says why.
    """

    metric: str
    subject: str
    value: float | None
    unit: str
    n: int
    note: str = ""


def write(name: str, rows: Sequence[Row]) -> Path:
    """Write `build/bench-<name>.json`, print the same rows as a table, and return the file's path."""
    path = ROOT / "build" / f"bench-{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    Console(width=130).print(table(name, rows))
    print(path.relative_to(ROOT))
    return path


def _number(value: float) -> str:
    """Return a value as the table has it: what two decimals would show as 0 gets an exponent."""
    return f"{value:.1e}" if 0 < abs(value) < 0.005 else f"{value:,.{0 if value >= 100 else 2}f}"


def table(name: str, rows: Sequence[Row]) -> Table:
    """Lay the rows out, each peer with its ratio to ours (above 1: the peer needs more)."""
    ours = {row.metric: row.value for row in rows if row.subject == OURS}
    out = Table(title=f"bench-{name}", title_justify="left")
    for heading in ("metric", "subject", "value", "unit", "n", "/ ours", "note"):
        out.add_column(heading, justify="right" if heading in {"value", "n", "/ ours"} else "left")
    for row in rows:
        base = ours.get(row.metric)
        ratio = f"{row.value / base:.2f}" if row.value is not None and base and row.subject != OURS else ""
        value = "-" if row.value is None else _number(row.value)
        out.add_row(row.metric, row.subject, value, row.unit, str(row.n), ratio, row.note)
    return out
