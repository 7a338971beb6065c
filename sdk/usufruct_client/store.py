"""Where channels, receipts and disputes are kept: in memory, or in one SQLite file that several processes may share."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from usufruct_client.channel import Channel
from usufruct_client.clock import steady_seconds
from usufruct_client.errors import StoreFault
from usufruct_client.offer_receipt import Evidence
from usufruct_client.receipt import Dispute, Receipt, read_receipt
from usufruct_client.wire_types import adapter, read_answer

LOCK_SECONDS = 30.0
"""How long one process waits for another's transaction, which takes milliseconds."""

_VERSION = 1
_PAUSE_SECONDS = 0.01
_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS salts (name TEXT PRIMARY KEY, salt TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS channels (id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (
  call TEXT PRIMARY KEY, channel TEXT NOT NULL, above TEXT NOT NULL, upto TEXT NOT NULL, document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS receipts_tile ON receipts (channel, upto);
CREATE TABLE IF NOT EXISTS evidence (slot TEXT PRIMARY KEY, channel TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS evidence_channel ON evidence (channel);
CREATE TABLE IF NOT EXISTS disputes (id INTEGER PRIMARY KEY, document TEXT NOT NULL);
PRAGMA user_version = 1;
COMMIT;
"""


class Store:
    """Keeps what a purse knows. Each change is one transaction; threads and processes take turns."""

    def __init__(self, path: str | Path | None = None, *, lock_seconds: float = LOCK_SECONDS) -> None:
        """Open the file at `path`, or make it; without one, everything is forgotten in the end.

        A transaction waits at most `lock_seconds` for another process's.

        The file holds no keys, but shows what was called and paid; only its owner can read it.

        Raises:
            StoreFault: when it is not a file of this library, or of a newer one, or cannot be opened.
        """
        self._name = str(path) if path else "memory"
        self._turn = threading.RLock()
        try:
            if path:
                Path(path).touch(mode=0o600)
            self._database = sqlite3.connect(
                path or ":memory:", timeout=lock_seconds, isolation_level=None, check_same_thread=False
            )
            used = self._database.execute("SELECT 1 FROM sqlite_master").fetchone()
            version = self._database.execute("PRAGMA user_version").fetchone()[0]  # ours come with their version
            if used and version == 0:
                raise StoreFault(f"{self._name} is a database of something else; name another file", path=self._name)
            if version > _VERSION:
                raise StoreFault(
                    f"{self._name} was written by a newer version; update usufruct-client", path=self._name
                )
            self._use_wal(lock_seconds)
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_TABLES)
        except (sqlite3.Error, OSError) as error:
            raise self._fault(error) from error

    @contextmanager
    def transaction(self) -> Iterator["Books"]:
        """Hold the books alone, see what others wrote, and write all changes at once or none.

        Raises:
            StoreFault: when another process holds the file for too long, or it cannot be written.
        """
        with self._turn:
            self._run("BEGIN IMMEDIATE")
            try:
                yield Books(self._database)
                self._run("COMMIT")
            except BaseException as error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._fault(error) from error
                raise

    def _use_wal(self, lock_seconds: float) -> None:
        """Switch a new file to WAL; for this alone SQLite does not wait while another process does the same."""
        until = steady_seconds() + lock_seconds
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if steady_seconds() > until:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._database.close()

    def _run(self, statement: str) -> None:
        try:
            self._database.execute(statement)
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> StoreFault:
        return StoreFault(
            f"{self._name} cannot be used ({error}); close whatever holds it, or name another file", path=self._name
        )


class Books:
    """The tables inside one transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Read and write through `database`, which is in a transaction."""
        self._database = database

    def salt(self, name: str, fresh: str) -> str:
        """Return the salt kept under `name`; keep `fresh` if there is none."""
        self._database.execute("INSERT OR IGNORE INTO salts VALUES (?, ?)", (name, fresh))
        return str(self._database.execute("SELECT salt FROM salts WHERE name = ?", (name,)).fetchone()[0])

    def channels(self) -> tuple[Channel, ...]:
        """Return all channels."""
        rows = self._database.execute("SELECT document FROM channels ORDER BY rowid").fetchall()
        return tuple(_channel(row[0]) for row in rows)

    def channel(self, name: str) -> Channel | None:
        """Return one channel."""
        row = self._database.execute("SELECT document FROM channels WHERE id = ?", (name,)).fetchone()
        return _channel(row[0]) if row else None

    def keep(self, channel: Channel) -> None:
        """Write a channel."""
        self._database.execute(
            "INSERT INTO channels VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
            (channel.id, json.dumps(asdict(channel))),
        )

    def receipts(self, channel: str) -> tuple[Receipt, ...]:
        """Return the receipts of a channel, in the order in which they tile it."""
        rows = self._database.execute("SELECT document FROM receipts WHERE channel = ? ORDER BY upto", (channel,))
        return tuple(read_receipt(json.loads(row[0])) for row in rows.fetchall())

    def receipt(self, call: str) -> Receipt | None:
        """Return the receipt of one call."""
        row = self._database.execute("SELECT document FROM receipts WHERE call = ?", (call,)).fetchone()
        return read_receipt(json.loads(row[0])) if row else None

    def overlapping(self, receipt: Receipt) -> str | None:
        """Return another call of the same channel that was charged some of the same units."""
        row = self._database.execute(
            "SELECT call FROM receipts WHERE channel = ? AND call <> ? AND upto > ? AND above < ? LIMIT 1",
            (receipt.account, receipt.call, *_span(receipt)),
        ).fetchone()
        return str(row[0]) if row else None

    def keep_receipt(self, receipt: Receipt) -> None:
        """Write a receipt; the first of a call stays."""
        self._database.execute(
            "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?)",
            (receipt.call, receipt.account, *_span(receipt), json.dumps(receipt.as_json())),
        )

    def evidence(self, channel: str) -> tuple[Evidence, ...]:
        """Return what the server signed for calls of a channel, oldest first."""
        rows = self._database.execute("SELECT document FROM evidence WHERE channel = ? ORDER BY rowid", (channel,))
        return tuple(read_answer(Evidence, json.loads(row[0])) for row in rows.fetchall())

    def keep_evidence(self, slot: str, channel: str, evidence: Evidence) -> None:
        """Write what the server signed for the call of `slot`, unless that is written already."""
        self._database.execute(
            "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?)", (slot, channel, json.dumps(evidence.as_json()))
        )

    def disputes(self) -> tuple[Dispute, ...]:
        """Return all disputes, oldest first."""
        rows = self._database.execute("SELECT document FROM disputes ORDER BY id").fetchall()
        return tuple(Dispute(**json.loads(row[0])) for row in rows)

    def keep_dispute(self, dispute: Dispute) -> None:
        """Write a dispute."""
        self._database.execute("INSERT INTO disputes (document) VALUES (?)", (json.dumps(asdict(dispute)),))


def _channel(document: str) -> Channel:
    channel: Channel = adapter(Channel).validate_json(document, by_alias=False, by_name=True)
    return channel


def _span(receipt: Receipt) -> tuple[str, str]:
    """Return what a receipt charges from, and up to; as text that compares as numbers do: SQLite's end at 64 bits."""
    return f"{max(0, receipt.above):064x}", f"{max(0, receipt.cumulative):064x}"
