"""Rows: one database by URL (SQLite embedded, PostgreSQL at scale), units of work, money columns, migrations.

A package declares its tables on `metadata` in its own `store.py`: a new database gets them so. A change of them comes
with a migration in `store/migrations/versions` (a test compares the two on both back ends).
"""

from usufruct.store.amount import Amount, amount_from_blob, amount_to_blob, check_amount
from usufruct.store.database import Database, Unit
from usufruct.store.errors import ConstraintViolated, DatabaseUnavailable
from usufruct.store.identifiers import AddressColumn, AssetIdColumn, HashColumn
from usufruct.store.job_states import DatabaseJobBoard, reported_jobs
from usufruct.store.metadata import metadata
from usufruct.store.migration import ensure_current, migrate
from usufruct.store.opening import open_database
from usufruct.store.partial_index import partial_index
from usufruct.store.rolling_window import RollingWindow
from usufruct.store.row_cache import RowCache, next_revision
from usufruct.store.sealing import MasterSecret, Seal, Stamp, Unsealable
from usufruct.store.shared_reads import SharedReads
from usufruct.store.sqlite import BUSY_SECONDS, SqliteDatabase, connect_sqlite

__all__ = [
    "BUSY_SECONDS",
    "AddressColumn",
    "Amount",
    "AssetIdColumn",
    "ConstraintViolated",
    "Database",
    "DatabaseJobBoard",
    "DatabaseUnavailable",
    "HashColumn",
    "MasterSecret",
    "RollingWindow",
    "RowCache",
    "Seal",
    "SharedReads",
    "SqliteDatabase",
    "Stamp",
    "Unit",
    "Unsealable",
    "amount_from_blob",
    "amount_to_blob",
    "check_amount",
    "connect_sqlite",
    "ensure_current",
    "metadata",
    "migrate",
    "next_revision",
    "open_database",
    "partial_index",
    "reported_jobs",
]
