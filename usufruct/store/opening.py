"""From a URL to a database."""

from importlib import import_module
from pathlib import Path
from typing import cast

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from usufruct.store.database import Database
from usufruct.store.errors import InvalidDatabaseUrl
from usufruct.store.sqlite import SqliteDatabase


def open_database(url: str) -> Database:
    """Open the database a URL names; nothing is connected before the first use.

    `sqlite:///relative.db`, `sqlite:////absolute.db` (created with its folder when missing), or
    `postgresql://user:password@host/name`.

    Raises:
        InvalidDatabaseUrl: for any other kind, a SQLite URL without a file, or PostgreSQL without its extra installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidDatabaseUrl("database.url is not a URL; use sqlite:///PATH or postgresql://HOST/NAME") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise InvalidDatabaseUrl(
                "database.url names no file; use sqlite:///PATH: every connection must see one file"
            )
        return SqliteDatabase(Path(str(parsed.database)))
    if kind == "postgresql":
        try:
            driver = import_module("usufruct.store.postgres")
        except ImportError as error:
            raise InvalidDatabaseUrl("PostgreSQL needs its extra: pip install 'usufruct[postgres]'") from error
        return cast(Database, driver.PostgresDatabase(parsed.render_as_string(hide_password=False)))
    raise InvalidDatabaseUrl(f"database.url is of kind {kind!r}; use sqlite or postgresql", kind=kind)
