"""A folder of Parquet files that changes in one step: what the manifest lists is there, anything else is not.

A transaction writes new files, then replaces the manifest. A process that is killed before that leaves files which no
reader sees and the next transaction removes.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any, TypeVar

import orjson
import polars as pl
from polars.exceptions import PolarsError

from usufruct.core import Conflict, Faulty
from usufruct.core.files import replace_file

_MANIFEST, _LOCK, _FORMAT = "manifest.json", "lock", 1
_ROW_GROUP = 131_072
_ATTEMPTS = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds: the files of each partition, and notes such as where an import stopped."""

    sequence: int = 0
    partitions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    """Of each partition, all versions of a bar counted."""
    notes: Mapping[str, Any] = field(default_factory=dict)

    def names(self, table: str) -> list[str]:
        """Return the partitions of a table, in order."""
        return sorted(name for name in self.partitions if name == table or name.startswith(table + "/"))


class Segments:
    """The Parquet files of a folder and their manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manifest(self) -> Manifest:
        """Read what there is; nothing where the folder is new.

        Raises:
            Conflict: when the manifest is of another format, or not readable.
        """
        path = self.folder / _MANIFEST
        try:
            document = orjson.loads(path.read_bytes())
        except FileNotFoundError:
            return Manifest()
        except orjson.JSONDecodeError as error:
            raise Conflict(f"{path} is not readable ({error}); restore a backup", code="archive_damaged") from error
        if document.get("format") != _FORMAT:
            raise Conflict(
                f"{path} has the format {document.get('format')}, this version reads {_FORMAT}; update usufruct",
                code="archive_format",
            )
        partitions = {name: tuple(files) for name, files in document["partitions"].items()}
        return Manifest(document["sequence"], partitions, document["rows"], document["notes"])

    def scan(self, manifest: Manifest, partition: str) -> pl.LazyFrame | None:
        """Return the rows of a partition, in the order they were written; None where there are none."""
        files = manifest.partitions.get(partition, ())
        return pl.scan_parquet([self.folder / partition / name for name in files]) if files else None

    def read(self, partition: str, query: Any = None) -> pl.DataFrame | None:
        """Read a partition as it is now, by way of `query(lazy frame)`; None where there is nothing."""
        for attempt in range(_ATTEMPTS):
            rows = self.scan(self.manifest(), partition)
            if rows is None:
                return None
            try:
                return (rows if query is None else query(rows)).collect()
            except FileNotFoundError:  # a compaction has replaced the files since we read the manifest
                if attempt == _ATTEMPTS - 1:
                    raise
            except PolarsError as error:
                raise Conflict(
                    f"a file of {self.folder / partition} is damaged ({str(error).splitlines()[0]}); restore a backup",
                    code="archive_damaged",
                ) from error
        raise Faulty("unreachable", code="archive_damaged")

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Change the archive: everything that is written inside becomes visible at the end, in one step.

        Raises:
            Conflict: when another process is writing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("ab") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except OSError:
                raise Conflict(
                    f"another process writes to the archive {self.folder}; wait until it has ended",
                    code="archive_busy",
                ) from None
            before = self.manifest()
            self._sweep(before)
            transaction = Transaction(self.folder, before)
            yield transaction
            if transaction.manifest != before:
                self._publish(transaction.manifest)
                self._sweep(transaction.manifest)

    def _publish(self, manifest: Manifest) -> None:
        document = {
            "format": _FORMAT,
            "sequence": manifest.sequence,
            "partitions": manifest.partitions,
            "rows": manifest.rows,
            "notes": manifest.notes,
        }
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
        replace_file(self.folder / _MANIFEST, orjson.dumps(document, option=options) + b"\n")

    def _sweep(self, manifest: Manifest) -> None:
        """Remove files that the manifest does not list: of a killed process, or replaced by a compaction."""
        listed = {self.folder / name / file for name, files in manifest.partitions.items() for file in files}
        for path in self.folder.rglob("*.parquet*"):
            if path not in listed:
                path.unlink(missing_ok=True)


class Transaction:
    """Changes of an archive that are not visible yet."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self.manifest = manifest

    def append(self, partition: str, rows: pl.DataFrame) -> None:
        """Add rows to a partition."""
        if rows.is_empty():
            return
        files = (*self.manifest.partitions.get(partition, ()), self._write(partition, rows))
        self._set(partition, files, self.manifest.rows.get(partition, 0) + len(rows))

    def rewrite(self, partition: str, rows: pl.DataFrame) -> None:
        """Put rows in place of a partition's."""
        self._set(partition, (self._write(partition, rows),), len(rows))

    def note(self, name: str, value: Any) -> None:
        """Set a note; None removes it."""
        notes = {key: each for key, each in self.manifest.notes.items() if key != name}
        self.manifest = replace(self.manifest, notes=notes if value is None else notes | {name: value})

    def _set(self, partition: str, files: tuple[str, ...], rows: int) -> None:
        self.manifest = replace(
            self.manifest,
            partitions={**self.manifest.partitions, partition: files},
            rows={**self.manifest.rows, partition: rows},
        )

    def _write(self, partition: str, rows: pl.DataFrame) -> str:
        self.manifest = replace(self.manifest, sequence=self.manifest.sequence + 1)
        name = f"{self.manifest.sequence:08d}.parquet"
        path = self._folder / partition / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.write_parquet(path, compression="zstd", row_group_size=_ROW_GROUP, statistics=True)
        for each in (path, path.parent):
            descriptor = os.open(each, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return name
