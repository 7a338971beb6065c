"""Databases for tests: a SQLite file and, where a server answers, a PostgreSQL one for each test; a devnet to copy."""

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from tests.support import ledger_samples
from tests.support.devnet_template import DevnetTemplate
from tests.support.emptied_databases import EmptiedDatabases, on_server
from tests.support.librarian_process import librarian_process
from usufruct.config import LedgerConfig
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.store import Database, Seal, migrate, open_database
from usufruct_client.wallet import recursion_limit_kept

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control starts background commands so, and commands that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

with recursion_limit_kept():  # tests import it, and what is below it raises the limit for the whole process
    import eth_account  # noqa: F401

SEAL = Seal(b"a secret of these tests", "stored answers")

LOCAL_SERVERS = ("postgresql:///postgres?host=/var/run/postgresql", "postgresql://postgres@127.0.0.1:5432/postgres")

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


async def migrated(url: str) -> None:
    database = open_database(url)
    await migrate(database)
    await database.close()


class Databases:
    """Makes databases, each of its own, and drops them in the end, or has them emptied for others."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path, emptied: EmptiedDatabases | None = None) -> None:
        self._request = request
        self._folder = folder
        self._emptied = emptied
        self._server = ""
        self._made: list[str] = []
        self._used_again: list[str] = []

    def empty(self, kind: str) -> str:
        """Return the URL of a database without tables."""
        return self._url(kind, "")

    def migrated(self, kind: str) -> str:
        """Return the URL of a migrated database."""
        source = self._request.getfixturevalue(f"migrated_{kind}")
        if kind == "sqlite" or self._emptied is None:
            return self.copied(source)
        if not (url := self._emptied.take()):
            asyncio.run(self._emptied.learn(url := self.copied(source)))
            self._made.pop()
        self._used_again.append(url)
        return url

    def copied(self, url: str) -> str:
        """Return the URL of a copy of a database that nobody has open."""
        parsed = make_url(url)
        copy = self._url(parsed.get_backend_name(), f" TEMPLATE {parsed.database}")
        if parsed.get_backend_name() == "sqlite":
            shutil.copyfile(parsed.database, make_url(copy).database)
        return copy

    def drop(self) -> None:
        """Drop what was made on a server; what can be emptied is kept for the next test."""
        if self._emptied:
            asyncio.run(self._emptied.give_back(self._used_again))
        if self._made:
            asyncio.run(on_server(self._server, *(f"DROP DATABASE {name} WITH (FORCE)" for name in self._made)))

    def _url(self, kind: str, source: str) -> str:
        name = f"usufruct_test_{secrets.token_hex(6)}"
        if kind == "sqlite":
            return f"sqlite:///{self._folder / name}.db"
        self._server = self._server or self._request.getfixturevalue("postgres_server")
        asyncio.run(on_server(self._server, f"CREATE DATABASE {name}{source}"))
        self._made.append(name)
        return make_url(self._server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The URL of a PostgreSQL server's maintenance database; skips when there is none."""
    named = os.environ.get("USUFRUCT_TEST_POSTGRES_URL")
    for url in (named,) if named else LOCAL_SERVERS:
        try:
            asyncio.run(on_server(url, "SELECT 1"))
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}"
        else:
            return url
    pytest.skip(f"no PostgreSQL server answers ({reason}); set USUFRUCT_TEST_POSTGRES_URL")


@pytest.fixture(scope="session")
def lasting_databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """A maker of databases that live as long as the session."""
    made = Databases(request, tmp_path_factory.mktemp("databases"))
    yield made
    made.drop()


@pytest.fixture(scope="session")
def migrated_sqlite(lasting_databases: Databases) -> str:
    """The URL of a migrated SQLite database to copy."""
    asyncio.run(migrated(url := lasting_databases.empty("sqlite")))
    return url


@pytest.fixture(scope="session")
def migrated_postgresql(lasting_databases: Databases) -> str:
    """The URL of a migrated PostgreSQL database to copy."""
    asyncio.run(migrated(url := lasting_databases.empty("postgresql")))
    return url


@pytest.fixture(scope="session")
def emptied_databases() -> Iterator[EmptiedDatabases]:
    """The PostgreSQL databases that tests use one after the other."""
    emptied = EmptiedDatabases()
    yield emptied
    asyncio.run(emptied.drop())


@pytest.fixture
def databases(
    request: pytest.FixtureRequest, tmp_path: Path, emptied_databases: EmptiedDatabases
) -> Iterator[Databases]:
    """A maker of databases for one test."""
    made = Databases(request, tmp_path, emptied_databases)
    yield made
    made.drop()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, databases: Databases) -> str:
    """A migrated database of each kind."""
    return databases.migrated(request.param)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, opened."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def devnet_template(tmp_path_factory: pytest.TempPathFactory) -> DevnetTemplate:
    """A devnet with everything deployed: each file of tests runs a copy, and shares nothing with others."""
    return DevnetTemplate(tmp_path_factory.mktemp("devnet"))


@pytest.fixture(scope="session")
def librarian_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the demo's service, which runs as long as the session."""
    with librarian_process("--cache", tmp_path_factory.mktemp("vocabulary")) as url:
        yield url


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """`tests/support/ledger_samples.py`: channels, vouchers, calls and bills."""
    return ledger_samples


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """A ledger on a fresh database of each kind; its books must balance in the end, whatever the test did."""
    opened = open_ledger(database, LedgerConfig(), seal=SEAL)
    yield opened
    assert await opened.audit() == []
    await opened.close()
